"""Where a tracked job stands, and which end an error is."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import (
    AuthenticationError,
    ConnectionFailed,
    ContentRefused,
    DownloadFailed,
    InsufficientBalance,
    InvalidRequest,
    JobExpired,
    JobFailed,
    LedgerError,
    ModelUnavailable,
    RequestRefused,
    SessionClosed,
    SubmitUncertain,
    VideoError,
    WaitTimeout,
)
from aihubmix_video.session.job_stage import (
    DROPPING,
    FACTS,
    NEXT,
    Durability,
    Stage,
    StageEvent,
    end_of,
    is_verdict,
)


def advance(stage: Stage, event: StageEvent) -> Stage:
    """Return where the table leads."""
    return NEXT.get((stage, event), stage)


LIVE = [stage for stage in Stage if not FACTS[stage].ended]
ENDS = [stage for stage in Stage if FACTS[stage].ended]
EPHEMERAL, ONCE, RESUMABLE = Durability.EPHEMERAL, Durability.ONCE, Durability.RESUMABLE


def test_every_stage_has_its_facts_and_every_live_one_its_ways():
    """A stage without a row would end a job by a `KeyError`."""
    assert set(Stage) == FACTS.keys()
    assert {stage for stage, _ in NEXT} == set(LIVE)
    for stage in LIVE:
        assert {StageEvent.ACCEPT, StageEvent.DETACH, StageEvent.DROP} <= {event for at, event in NEXT if at is stage}


@pytest.mark.parametrize(("stage", "event"), list(product(ENDS, StageEvent)))
def test_an_end_is_an_end(stage: Stage, event: StageEvent):
    """What arrives late about a job that is over changes nothing."""
    assert stage is advance(stage, event)


@pytest.mark.parametrize("stage", LIVE)
def test_what_is_bought_is_followed(stage: Stage):
    """Money: whoever let go of a create under way gets its job all the same."""
    assert Stage.FOLLOWED is advance(stage, StageEvent.ACCEPT)


@pytest.mark.parametrize("stage", [stage for stage in LIVE if FACTS[stage].leaving])
def test_no_create_leaves_for_a_job_that_is_let_go_of(stage: Stage):
    """Nobody would look at what it buys."""
    assert (stage, StageEvent.LEAVE) not in NEXT


@given(st.lists(st.sampled_from(StageEvent)))
def test_that_a_create_is_under_way_is_never_forgotten(events: list[StageEvent]):
    """Until it is answered, nobody can tell whether it costs money."""
    stage, sending, named = Stage.WAITING, False, False
    for event in events:
        may_leave = not FACTS[stage].leaving and not named
        stage = advance(stage, event)
        named = named or event is StageEvent.ACCEPT
        sending = (sending or (event is StageEvent.LEAVE and may_leave)) and event is not StageEvent.RETURN
        assert ("yes" if named else "unknown" if sending else "no") == FACTS[stage].charged


@given(st.lists(st.sampled_from([StageEvent.DETACH, StageEvent.DROP, StageEvent.RETURN])))
def test_dropped_is_stronger_than_detached(events: list[StageEvent]):
    """What the user does not want any more is not bought on another day."""
    stage = Stage.WAITING
    for event in events:
        stage = advance(stage, event)
    assert (StageEvent.DROP in events) == (stage in DROPPING)


UNBOUGHT = [
    (SubmitUncertain("lost"), {EPHEMERAL: Stage.UNCERTAIN, ONCE: Stage.UNCERTAIN, RESUMABLE: Stage.UNCERTAIN}),
    (InvalidRequest.of("size", "1", "no"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.FAILED}),
    (RequestRefused("no"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.FAILED}),
    (ModelUnavailable("no"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.FAILED}),
    (ContentRefused("no"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.FAILED}),
    (AuthenticationError("no"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.LEFT}),
    (InsufficientBalance("no"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.LEFT}),
    (ConnectionFailed("no"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.LEFT}),
    (LedgerError("full"), {EPHEMERAL: Stage.FAILED, ONCE: Stage.FAILED, RESUMABLE: Stage.LEFT}),
    (SessionClosed("end"), {EPHEMERAL: Stage.LEFT, ONCE: Stage.LEFT, RESUMABLE: Stage.LEFT}),
]
BOUGHT = [
    (JobFailed("no"), Stage.FAILED),
    (ContentRefused("no"), Stage.FAILED),
    (JobExpired("gone"), Stage.FAILED),
    (WaitTimeout("late"), Stage.LEFT),
    (DownloadFailed("disk"), Stage.LEFT),
    (RequestRefused("no"), Stage.LEFT),
    (VideoError("bug"), Stage.LEFT),
    (SessionClosed("end"), Stage.LEFT),
]


@pytest.mark.parametrize(("error", "ends"), UNBOUGHT)
def test_the_end_of_a_job_that_was_not_bought(error: VideoError, ends: dict[Durability, Stage]):
    """A verdict on the request is final; with another key, or money, anything else may be bought on another day."""
    found = {kept: end_of(Stage.WAITING, error, kept, bought=False, wants_file=True) for kept in Durability}
    assert ends == found
    assert is_verdict(error) == (ends[RESUMABLE] is Stage.FAILED)


@pytest.mark.parametrize(("error", "end"), BOUGHT)
def test_the_end_of_a_job_that_was_bought(error: VideoError, end: Stage):
    """Only the vendor's verdict ends what was paid for; what is merely late or unreachable stays."""
    for kept in (ONCE, RESUMABLE):
        assert end is end_of(Stage.FOLLOWED, error, kept, bought=True, wants_file=True)


@pytest.mark.parametrize(("wants_file", "end"), [(True, Stage.SAVED), (False, Stage.DONE)])
def test_without_an_error_it_ended_well(wants_file: bool, end: Stage):  # noqa: FBT001 - the case
    """With a file, or without one where none was wanted."""
    assert end is end_of(Stage.FOLLOWED, None, RESUMABLE, bought=True, wants_file=wants_file)


@pytest.mark.parametrize("bought", [True, False])
def test_what_the_user_dropped_is_dropped(bought: bool):  # noqa: FBT001 - the case
    """And not left for another day."""
    stage = Stage.FOLLOWED_DROPPING if bought else Stage.WAITING_DROPPING
    assert Stage.DROPPED is end_of(stage, SessionClosed("end"), RESUMABLE, bought=bought, wants_file=True)
