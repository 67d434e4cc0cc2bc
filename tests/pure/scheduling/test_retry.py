"""What follows when a request did not bring what it should, per phase and error."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video import errors
from aihubmix_video.errors import (
    BudgetExceeded,
    ConnectionFailed,
    ContentRefused,
    DownloadFailed,
    GatewayError,
    InvalidRequest,
    JobExpired,
    JobFailed,
    JobNotFound,
    LedgerError,
    LedgerInUse,
    MalformedReply,
    ModelUnavailable,
    RateLimited,
    SessionClosed,
    SubmitUncertain,
    VideoError,
    WaitTimeout,
)
from aihubmix_video.scheduling.lifecycle import Phase
from aihubmix_video.scheduling.retry import (
    FINAL_AFTER_REPEATS,
    MAX_RETRY_AFTER_SECONDS,
    NOT_FOUND_GRACE_SECONDS,
    bounded,
    is_final,
    is_refusal,
    retry_delay,
)

OLD = 10 * NOT_FOUND_GRACE_SECONDS
GETS = (Phase.POLLING, Phase.DOWNLOADING)
PASSING = (RateLimited, GatewayError, ConnectionFailed, MalformedReply, DownloadFailed)
VERDICTS = (*(ContentRefused, JobExpired, JobFailed, LedgerError, LedgerInUse, ModelUnavailable, SessionClosed),)
ALL = (*PASSING, *VERDICTS, *FINAL_AFTER_REPEATS, SubmitUncertain, WaitTimeout, VideoError)


def named(kind: type[VideoError]) -> str:
    """Name a test after its error."""
    return kind.__name__


def test_every_error_is_judged_here():
    """A new error class must be put into one of the lists above, on purpose."""
    known = {getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)}
    kinds = {kind for kind in known if issubclass(kind, VideoError)}
    assert kinds == {*ALL, BudgetExceeded, InvalidRequest}  # the latter two are raised before anything is sent


@pytest.mark.parametrize("kind", ALL, ids=named)
@pytest.mark.parametrize("retryable", [True, False])
def test_a_create_is_sent_again_only_where_the_error_proves_that_nothing_was_bought(
    kind: type[VideoError],
    retryable: bool,  # noqa: FBT001 - pytest fills it in by name
):
    """Money: an unreadable answer or a failing gateway may hide a purchase, whatever the error says of itself."""
    error = kind("x", retryable=retryable)
    proof = retryable and kind in (ConnectionFailed, RateLimited)
    assert (not proof) == is_final(Phase.SUBMITTING, error, 0, 0.0)


def test_a_create_that_had_left_is_not_sent_again():
    """Nobody answered, but somebody may have heard it."""
    assert is_final(Phase.SUBMITTING, ConnectionFailed("reset", sent=True), 0, 0.0)


@pytest.mark.parametrize("phase", GETS)
@pytest.mark.parametrize("kind", PASSING, ids=named)
def test_trouble_on_the_way_never_ends_a_job_that_is_paid_for(phase: Phase, kind: type[VideoError]):
    """429, 5xx, resets, HTML and invalid JSON on a GET say nothing about the job."""
    assert not is_final(phase, kind("x"), 0, OLD)


@pytest.mark.parametrize("phase", GETS)
@pytest.mark.parametrize("kind", VERDICTS, ids=named)
def test_a_verdict_ends_the_job_at_once(phase: Phase, kind: type[VideoError]):
    """Facts are not asked for twice."""
    assert is_final(phase, kind("x"), 0, OLD)


@pytest.mark.parametrize("phase", GETS)
@pytest.mark.parametrize(
    "error", [*(kind("x") for kind in FINAL_AFTER_REPEATS), ConnectionFailed("TLS", retryable=False)], ids=str
)
def test_a_refusal_ends_a_job_only_when_it_is_repeated(phase: Phase, error: VideoError):
    """401, 403, balance, a redirect, 404, 405, a bad certificate: about the account or the way, so one may be a hiccup."""
    assert is_refusal(error)
    assert [False, False, True] == [is_final(phase, error, refusals, math.inf) for refusals in (1, 2, 3)]


@pytest.mark.parametrize("phase", GETS)
@pytest.mark.parametrize("kind", FINAL_AFTER_REPEATS, ids=named)
@given(refusals=st.integers(1, 100))
def test_what_says_that_it_may_pass_ends_no_job_that_is_paid_for(phase: Phase, kind: type[VideoError], refusals: int):
    """A page of a box in between has the status of a refusal and is none, however often it comes."""
    error = kind("x", retryable=True)
    assert not is_refusal(error)
    assert not is_final(phase, error, refusals, OLD)


def test_a_finished_video_that_a_node_does_not_know_is_asked_for_as_often_as_any_other():
    """Its job is older than any grace after the create; giving up after seconds would lose a paid video."""
    error = JobNotFound("x")
    assert not is_final(Phase.DOWNLOADING, error, 9, OLD)
    assert is_final(Phase.DOWNLOADING, error, 3, math.inf)  # by an id that nobody here has ever seen finished


@given(refusals=st.integers(1, 100), age=st.floats(0, NOT_FOUND_GRACE_SECONDS, exclude_max=True))
def test_a_young_job_may_be_unknown_to_its_gateway(refusals: int, age: float):
    """404 for half a minute after the create, then fine: seen on gateways with several nodes."""
    assert not is_final(Phase.POLLING, JobNotFound("x"), refusals, age)


def waits(phase: Phase, error: VideoError) -> list[float]:
    """Every wait until it gives up, or until it is clear that it never does."""
    found: list[float] = []
    while len(found) < 50 and (delay := retry_delay(phase, error, len(found) + 1, 0.5)) is not None:
        found.append(delay)
    return found


@pytest.mark.parametrize(
    ("phase", "error", "retries"),
    [
        (Phase.SUBMITTING, ConnectionFailed("x"), 3),
        (Phase.SUBMITTING, RateLimited("x"), 9),
        (Phase.DOWNLOADING, DownloadFailed("x"), 9),
        (Phase.DOWNLOADING, RateLimited("x"), 9),
        (Phase.POLLING, GatewayError("x"), 50),
        (Phase.POLLING, RateLimited("x"), 50),
    ],
    ids=["create unsent", "create busy", "download", "download busy", "poll", "poll busy"],
)
def test_tries_are_bounded_but_for_polls(phase: Phase, error: VideoError, retries: int):
    """A poll's bound is the job's deadline; everything else gives up by itself."""
    assert retries == len(waits(phase, error))


@pytest.mark.parametrize("phase", [Phase.POLLING, Phase.DOWNLOADING])
def test_an_outage_of_a_minute_ends_nothing(phase: Phase):
    """Even at the shortest draws, the tries reach further than a minute."""
    delays = [retry_delay(phase, GatewayError("x"), failures, 0.0) or 0.0 for failures in range(1, 10)]
    assert sum(delays) > 60.0


def test_an_outage_does_not_cost_more_polls_than_no_outage():
    """Bounded load: after the first ten seconds a job that fails is asked no more often than one that runs."""
    asked_at, at = [], 0.0
    for failures in range(1, 20):
        at += retry_delay(Phase.POLLING, GatewayError("x"), failures, 0.5) or 0.0
        asked_at.append(at)
    assert len([at for at in asked_at if 10.0 <= at < 310.0]) <= 1.1 * 300.0 / 15.0


@pytest.mark.parametrize("phase", [Phase.SUBMITTING, *GETS])
def test_the_job_waits_no_less_than_the_gateway_asked(phase: Phase):
    """Server pace wins, also where only this job is to wait."""
    assert retry_delay(phase, RateLimited("x", retry_after=90.0), 1, 0.0) == 90.0


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(None, None), (math.nan, None), (-5.0, 0.0), (0.0, 0.0), (7.0, 7.0), (1e20, 120.0), (math.inf, 120.0)],
)
def test_what_the_gateway_asks_is_brought_into_bounds(retry_after: float | None, seconds: float | None):
    """Retry-After: -5, 1e20 and NaN are sent by real servers."""
    assert seconds == bounded(retry_after)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS
