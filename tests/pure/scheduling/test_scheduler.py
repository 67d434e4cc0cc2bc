"""The scheduler in sentences: money, time and the end of jobs. Its lanes and rate are in test_scheduler_load."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.errors import (
    ConnectionFailed,
    ContentRefused,
    DownloadFailed,
    GatewayError,
    JobExpired,
    JobNotFound,
    MalformedReply,
    RateLimited,
    RequestRefused,
    SubmitUncertain,
    VideoError,
    WaitTimeout,
)
from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from aihubmix_video.polling.policy import PollHistory
from aihubmix_video.scheduling.lifecycle import IllegalTransition, Phase
from aihubmix_video.scheduling.messages import (
    Accepted,
    Action,
    AddJob,
    AskPermit,
    Detach,
    Downloaded,
    EndJob,
    Event,
    FollowJob,
    GrantPermit,
    Polled,
    RequestFailed,
    SchedulerLimits,
    SendCreate,
    SendDownload,
    SendPoll,
    WantFile,
)
from aihubmix_video.scheduling.retry import NOT_FOUND_GRACE_SECONDS
from tests.pure.scheduling.engines import INTERVAL, KIND, ends, engine, follow, good, play, tell

if TYPE_CHECKING:
    from aihubmix_video.scheduling.scheduler import Scheduler

DEADLINE = SchedulerLimits().deadline


def enlisted(*jobs: int, wants_file: bool = True) -> list[Event]:
    """New jobs."""
    return [AddJob(job, KIND, wants_file) for job in jobs]


def watched(*jobs: int, wants_file: bool = True) -> list[Event]:
    """Jobs bought earlier."""
    return [FollowJob(job, KIND, wants_file) for job in jobs]


def asked_about(scheduler: Scheduler, now: float) -> list[float]:
    """The moments at which it polls from now on, if every poll finds the job unfinished."""
    seen = play(scheduler, now, now + 200.0, lambda action: good(action, completed=False))
    return [at for at, action in seen if isinstance(action, SendPoll)]


# The way of a job.


def test_a_job_is_bought_asked_about_and_fetched_once_each():
    """The whole way of a job for which all is well, with its moments."""
    scheduler = engine()
    scheduler.receive(AddJob(1, KIND, wants_file=True), 0.0)
    expected = [
        (0.0, SendCreate(1)),
        (INTERVAL, SendPoll(1)),
        (INTERVAL, SendDownload(1)),
        (INTERVAL, EndJob(1, Phase.DONE)),
    ]
    assert expected == play(scheduler, 0.0, 1e6)
    assert scheduler.wakes_at() is None


@pytest.mark.parametrize(
    ("event", "action"),
    [
        (AddJob(1, KIND, wants_file=True), SendCreate(1)),
        (FollowJob(1, KIND, wants_file=True), SendPoll(1)),
        (WantFile(1), SendDownload(1)),
        (AskPermit(1), GrantPermit(1)),
    ],
    ids=["create", "poll", "download", "single call"],
)
def test_an_action_handed_out_is_not_handed_out_again(event: Event, action: Action):
    """Deciding reserves: a second purchase is the worst that could happen."""
    scheduler = engine()
    assert [action] == tell(scheduler, 0.0, event)
    assert not scheduler.actions(0.0)
    assert not [later for _, later in follow(scheduler, 0.0, 1e6) if later == action]


def test_a_running_job_is_asked_about_once_per_interval():
    """The documented cadence, and none before its time."""
    scheduler = engine()
    tell(scheduler, 0.0, *enlisted(1))
    tell(scheduler, 2.0, Accepted(1))
    assert asked_about(scheduler, 2.0)[:3] == [2.0 + INTERVAL, 2.0 + 2 * INTERVAL, 2.0 + 3 * INTERVAL]


def test_a_job_that_was_over_when_bought_is_asked_about_at_once():
    """A create may answer "failed" or "completed"; to wait an interval for it would be idle."""
    scheduler = engine()
    tell(scheduler, 0.0, *enlisted(1))
    assert tell(scheduler, 2.0, Accepted(1, settled=True)) == [SendPoll(1)]


def test_a_watched_job_is_asked_about_at_once():
    """It may be long finished."""
    assert tell(engine(), 7.0, *watched(1)) == [SendPoll(1)]


def test_a_finished_job_whose_file_nobody_wants_is_done():
    """No request is spent on what nobody asked for."""
    scheduler = engine()
    tell(scheduler, 0.0, *watched(1, wants_file=False))
    assert tell(scheduler, 1.0, Polled(1, completed=True)) == [EndJob(1, Phase.DONE)]


def test_a_link_without_a_known_expiry_is_fetched():
    """Its rank is infinite; it must not be taken for nothing to do."""
    scheduler = engine()
    assert tell(scheduler, 0.0, WantFile(1)) == [SendDownload(1)]
    assert tell(scheduler, 5.0, Downloaded(1)) == [EndJob(1, Phase.DONE)]


def test_the_earliest_expiry_is_fetched_first():
    """A link that is gone is a video paid for and lost."""
    scheduler = engine(limits=SchedulerLimits(max_downloads=1))
    for event in (WantFile(1), WantFile(2, 900.0), WantFile(3, 300.0), WantFile(4, 600.0)):
        scheduler.receive(event, 0.0)
    fetched = [action for _, action in play(scheduler, 0.0, 10.0) if isinstance(action, SendDownload)]
    assert fetched == [SendDownload(3), SendDownload(4), SendDownload(2), SendDownload(1)]


def test_the_expiry_that_a_poll_told_counts_too():
    """It is the gateway's own word on how long the link lasts."""
    scheduler = engine(limits=SchedulerLimits(max_downloads=1))
    tell(scheduler, 0.0, WantFile(9), *watched(1, 2))
    scheduler.receive(Polled(1, completed=True, expires_at=900.0), 1.0)
    scheduler.receive(Polled(2, completed=True, expires_at=300.0), 1.0)
    scheduler.receive(Downloaded(9), 1.0)
    assert [SendDownload(2), SendDownload(1)] == [
        action for _, action in play(scheduler, 1.0, 10.0) if isinstance(action, SendDownload)
    ]


def test_expiry_counts_only_among_downloads_that_are_due():
    """One that failed a moment ago waits its turn out, however soon its link goes."""
    scheduler = engine(limits=SchedulerLimits(max_downloads=1))
    tell(scheduler, 0.0, WantFile(1, 10.0), WantFile(2, 500.0))
    assert tell(scheduler, 1.0, RequestFailed(1, DownloadFailed("cut"))) == [SendDownload(2)]
    assert tell(scheduler, 3.0, Downloaded(2)) == [EndJob(2, Phase.DONE), SendDownload(1)]


def test_creates_leave_in_the_order_in_which_they_came():
    """Also one that had to wait for a second try: it came first."""
    scheduler = engine(limits=SchedulerLimits(max_creates=1))
    tell(scheduler, 0.0, *enlisted(1, 2, 3))
    assert [] == tell(scheduler, 0.0, RequestFailed(1, ConnectionFailed("refused")))  # nor can the others leave now
    assert [SendCreate(1)] == tell(scheduler, 60.0)
    assert [SendCreate(2)] == tell(scheduler, 60.0, Accepted(1))


# Creates: money.


def test_an_uncertain_create_is_never_sent_again():
    """Nobody knows whether it was bought; only the user may decide."""
    scheduler, lost = engine(), SubmitUncertain("reset after sending")
    tell(scheduler, 0.0, *enlisted(1))
    assert tell(scheduler, 1.0, RequestFailed(1, lost)) == [EndJob(1, Phase.UNCERTAIN, lost)]
    assert not list(follow(scheduler, 1.0, 1e6))
    assert scheduler.counts[Phase.UNCERTAIN] == 1


@pytest.mark.parametrize(
    "error",
    [
        MalformedReply("half a JSON"),
        GatewayError("502"),
        RequestRefused("seconds"),
        ConnectionFailed("reset", sent=True),
        VideoError("who knows", retryable=True),
    ],
    ids=lambda error: type(error).__name__,
)
def test_only_proof_that_nothing_was_bought_lets_a_create_go_again(error: VideoError):
    """Whatever an error says of itself: all but a refused connection and a 429 may hide a purchase."""
    scheduler = engine()
    tell(scheduler, 0.0, *enlisted(1))
    assert tell(scheduler, 1.0, RequestFailed(1, error)) == [EndJob(1, Phase.FAILED, error)]
    assert not list(follow(scheduler, 1.0, 1e6))


def test_a_create_that_never_left_is_tried_four_times():
    """Then the user hears of it; nothing was bought."""
    scheduler, error = engine(), ConnectionFailed("refused")
    scheduler.receive(AddJob(1, KIND, wants_file=True), 0.0)
    seen = play(scheduler, 0.0, 1e6, lambda action: RequestFailed(1, error) if isinstance(action, SendCreate) else None)
    assert [action for _, action in seen] == [SendCreate(1)] * 4 + [EndJob(1, Phase.FAILED, error)]
    gaps = [after - before for (before, _), (after, _) in pairwise(seen[:4])]
    assert all(gap >= 2.0 for gap in gaps)


# Polls: a bad one never fails a job.


def test_polls_forgive_for_as_long_as_the_deadline():
    """An hour of 5xx is the gateway's trouble, not the job's."""
    scheduler = engine()
    scheduler.receive(FollowJob(1, KIND, wants_file=True), 0.0)
    seen = play(
        scheduler, 0.0, 1e6, lambda a: RequestFailed(a.job, GatewayError("502")) if isinstance(a, SendPoll) else None
    )
    end = seen[-1][1]
    assert isinstance(end, EndJob)
    assert (end.phase, type(end.error), seen[-1][0]) == (Phase.STALLED, WaitTimeout, DEADLINE)
    assert 110 < len(seen) < 132


def test_a_gateway_that_fails_altogether_is_polled_as_often_as_a_healthy_one():
    """One bad poll is tried again soon; more, of whichever jobs, wait for their usual turns, so an outage adds no load."""
    scheduler = engine()
    for job in (1, 2):
        scheduler.receive(FollowJob(job, KIND, wants_file=True), 0.0)
    seen = play(
        scheduler, 0.0, 600.0, lambda a: RequestFailed(a.job, GatewayError("502")) if isinstance(a, SendPoll) else None
    )
    polls = [[at for at, action in seen if action == SendPoll(job)] for job in (1, 2)]
    assert polls[0][1] < INTERVAL / 2
    assert all(after - before > INTERVAL / 2 for before, after in pairwise(polls[0][1:]))
    assert all(after - before > INTERVAL / 2 for before, after in pairwise(polls[1]))


def test_a_bad_poll_among_good_ones_costs_no_interval():
    """A gateway that mostly works is asked again within seconds; a job that nothing comes of, not all the time."""
    scheduler = engine()
    for job in range(20):
        scheduler.receive(FollowJob(job, KIND, wants_file=True), 0.0)

    def answer(action: Action) -> Event | None:
        if not isinstance(action, SendPoll):
            return None
        return RequestFailed(0, GatewayError("502")) if action == SendPoll(0) else Polled(action.job, completed=False)

    polls = [at for at, action in play(scheduler, 0.0, 600.0, answer) if action == SendPoll(0)]
    assert polls[1] - polls[0] <= 2.0
    assert all(1.0 <= after - before <= 5.05 for before, after in pairwise(polls))
    assert len(polls) < 600.0 / 2.5


def test_a_verdict_of_the_vendors_ends_the_job():
    """Facts do not get better by asking."""
    scheduler, refused = engine(), ContentRefused("moderation")
    tell(scheduler, 0.0, *watched(1))
    assert tell(scheduler, 1.0, RequestFailed(1, refused)) == [EndJob(1, Phase.FAILED, refused)]


def poll_with(scheduler: Scheduler, now: float, errors: list[VideoError]) -> tuple[float, list[Action]]:
    """Let polls about job 1 bring these errors one after the other; what came after the last."""
    actions = scheduler.actions(now)
    for error in errors:
        assert [SendPoll(1)] == actions
        scheduler.receive(RequestFailed(1, error), now)
        now = max(now, scheduler.wakes_at() or now)
        actions = scheduler.actions(now)
    return now, actions


def test_one_unknown_id_after_an_outage_does_not_end_the_job():
    """Refusals are counted by themselves: ten failed polls before it do not make the first 404 the last."""
    scheduler = engine()
    scheduler.receive(FollowJob(1, KIND, wants_file=True), 0.0)
    now, actions = poll_with(scheduler, 0.0, [GatewayError("502")] * 8 + [JobNotFound("404")])
    assert now > NOT_FOUND_GRACE_SECONDS
    assert actions == [SendPoll(1)]


def test_an_id_that_stays_unknown_ends_the_job():
    """Past the grace period, three times in a row: it is the wrong account or a wrong id."""
    scheduler, unknown = engine(), JobNotFound("404")
    scheduler.receive(FollowJob(1, KIND, wants_file=True), 0.0)
    _, actions = poll_with(scheduler, 0.0, [GatewayError("502")] * 8 + [unknown] * 3)
    assert actions == [EndJob(1, Phase.FAILED, unknown)]


def test_an_id_of_long_ago_has_no_grace_period():
    """A gateway may not know a job yet that it just made; of an id that somebody typed, three answers are enough."""
    scheduler, unknown = engine(), JobNotFound("404")
    scheduler.receive(FollowJob(1, KIND, wants_file=True), 0.0)
    now, actions = poll_with(scheduler, 0.0, [unknown] * 3)
    assert actions == [EndJob(1, Phase.FAILED, unknown)]
    assert now < NOT_FOUND_GRACE_SECONDS
    scheduler.receive(FollowJob(2, KIND, wants_file=True, age=1.0), now)
    assert scheduler.actions(now) == [SendPoll(2)]
    assert tell(scheduler, now + 5.0, RequestFailed(2, unknown)) == []


def test_an_answer_in_between_starts_the_count_of_refusals_anew():
    """In a row means in a row."""
    scheduler = engine()
    tell(scheduler, 0.0, *watched(1))
    for at in (100.0, 200.0, 300.0, 400.0):
        assert tell(scheduler, at, RequestFailed(1, JobNotFound("404"))) == []
        assert scheduler.actions(at + 50.0) == [SendPoll(1)]
        tell(scheduler, at + 50.0, Polled(1, completed=False))
        assert scheduler.actions(at + 99.0) == [SendPoll(1)]


def test_a_failed_poll_is_repeated_no_later_than_the_cap():
    """And at first soon: most trouble passes within seconds."""
    scheduler = engine()
    scheduler.receive(FollowJob(1, KIND, wants_file=True), 0.0)
    seen = play(
        scheduler, 0.0, 1000.0, lambda a: RequestFailed(1, GatewayError("x")) if isinstance(a, SendPoll) else None
    )
    gaps = [after[0] - before[0] for before, after in pairwise(seen)]
    assert gaps[0] == 1.5
    assert max(gaps) <= 60.0


def test_a_good_answer_ends_the_doubling_of_waits():
    """The next trouble is new trouble."""
    scheduler = engine()
    scheduler.receive(FollowJob(1, KIND, wants_file=True), 0.0)
    now, _ = poll_with(scheduler, 0.0, [GatewayError("502")] * 5)
    tell(scheduler, now, Polled(1, completed=False))
    assert scheduler.actions(now + INTERVAL) == [SendPoll(1)]
    tell(scheduler, now + INTERVAL, RequestFailed(1, GatewayError("502")))
    assert scheduler.wakes_at() == now + INTERVAL + 1.5


# Downloads.


def test_a_download_that_gets_on_is_continued_for_as_long_as_it_takes():
    """Each piece counts as progress: thirty cuts are no reason to give up a large file."""
    scheduler = engine()
    scheduler.receive(WantFile(1), 0.0)
    cut = RequestFailed(1, DownloadFailed("cut"), progressed=True)
    seen = play(scheduler, 0.0, 60.0, lambda action: cut if isinstance(action, SendDownload) else None)
    assert len(seen) > 30
    assert set(seen) == {(at, SendDownload(1)) for at, _ in seen}


def test_a_download_that_brings_nothing_gives_up_and_keeps_the_job():
    """It ends as a failed download, on its own budget; no create ever follows."""
    scheduler, cut = engine(), DownloadFailed("cut")
    scheduler.receive(WantFile(1), 0.0)
    seen = [
        a
        for _, a in play(scheduler, 0.0, 1e6, lambda a: RequestFailed(1, cut) if isinstance(a, SendDownload) else None)
    ]
    assert seen == [SendDownload(1)] * 10 + [EndJob(1, Phase.FAILED, cut)]


def test_a_link_that_is_gone_ends_the_download_at_once():
    """410 is final."""
    scheduler, gone = engine(), JobExpired("410")
    tell(scheduler, 0.0, WantFile(1))
    assert tell(scheduler, 1.0, RequestFailed(1, gone)) == [EndJob(1, Phase.FAILED, gone)]


# Deadlines.


def test_a_job_not_finished_by_its_deadline_ends_as_a_timeout():
    """Every wait ends; the job lives on and is resumable."""
    scheduler = engine()
    tell(scheduler, 0.0, *enlisted(1))
    tell(scheduler, 100.0, Accepted(1))
    seen = play(scheduler, 100.0, 1e6, lambda action: good(action, completed=False))
    at, end = seen[-1]
    assert isinstance(end, EndJob)
    assert (at, end.phase, type(end.error)) == (100.0 + DEADLINE, Phase.STALLED, WaitTimeout)
    assert scheduler.wakes_at() is None


def test_a_deadline_passes_also_while_a_poll_hangs_and_the_late_answer_only_makes_room():
    """The job is over; the answer must neither revive it nor keep its place for ever."""
    scheduler = engine(limits=SchedulerLimits(max_polls=1))
    tell(scheduler, 0.0, *watched(1))
    tell(scheduler, 1000.0, *watched(2))
    assert [Phase.STALLED] == [end.phase for end in ends(scheduler.actions(DEADLINE))]
    assert tell(scheduler, DEADLINE + 1, Polled(1, completed=True)) == [SendPoll(2)]
    assert scheduler.counts[Phase.DONE] == 0


def test_an_answer_that_came_in_time_counts_even_if_it_is_looked_at_late():
    """A loop that was blocked must not turn a finished job into a timeout."""
    scheduler = engine()
    tell(scheduler, 0.0, *watched(1, wants_file=False))
    assert tell(scheduler, DEADLINE + 60, Polled(1, completed=True)) == [EndJob(1, Phase.DONE)]


def test_a_deadline_that_passed_during_a_standstill_is_put_off_until_the_job_was_asked_about():
    """A machine that slept for an hour wakes up to finished videos, and not to a thousand timeouts."""
    scheduler = engine(limits=SchedulerLimits(max_polls=1))
    tell(scheduler, 0.0, *watched(1, wants_file=False))
    assert tell(scheduler, 1.0, Polled(1, completed=False)) == []
    assert scheduler.actions(DEADLINE + 3600) == [SendPoll(1)]
    assert tell(scheduler, DEADLINE + 3601, Polled(1, completed=True)) == [EndJob(1, Phase.DONE)]


def test_a_deadline_is_put_off_once():
    """Every wait ends, also on a machine that stands still again and again."""
    scheduler = engine()
    tell(scheduler, 0.0, *watched(1))
    assert not ends(scheduler.actions(DEADLINE + 60))
    assert [Phase.STALLED] == [end.phase for end in ends(scheduler.actions(DEADLINE + 3600))]


def test_a_job_is_asked_about_shortly_before_its_deadline():
    """However short that is: a video that is there must not be told as not finished."""
    scheduler = engine(limits=SchedulerLimits(deadline=5.0))
    tell(scheduler, 0.0, *enlisted(1))
    assert tell(scheduler, 0.0, Accepted(1)) == []
    assert scheduler.wakes_at() == 4.0
    assert scheduler.actions(4.0) == [SendPoll(1)]
    assert tell(scheduler, 4.1, Polled(1, completed=False)) == []
    assert scheduler.wakes_at() == 5.0


def test_a_job_bought_earlier_has_its_deadline_from_when_it_is_followed():
    """Its last question comes before that one, and not before the deadline of the session that bought it."""
    scheduler = engine(limits=SchedulerLimits(deadline=20.0))
    scheduler.receive(FollowJob(1, KIND, wants_file=False, age=10.0), 0.0)
    assert scheduler.actions(0.0) == [SendPoll(1)]
    assert tell(scheduler, 7.0, Polled(1, completed=False)) == []
    assert scheduler.wakes_at() == 19.0


def test_the_deadline_bounds_neither_the_queue_nor_the_download():
    """It counts from acceptance to completion: 30 minutes in our own queue are not the vendor's."""
    scheduler = engine(limits=SchedulerLimits(max_in_flight=1))
    assert tell(scheduler, 0.0, WantFile(1), *enlisted(2)) == [SendDownload(1)]
    assert not list(follow(scheduler, 0.0, 10 * DEADLINE))


# Withdrawals.


def handed(phase: Phase) -> tuple[Scheduler, float]:
    """Bring job 1 into a phase."""
    scheduler = engine(limits=SchedulerLimits(max_creates=1, max_downloads=1))
    if phase is Phase.WAITING:
        tell(scheduler, 0.0, *enlisted(1, 9))
        tell(scheduler, 0.0, RequestFailed(1, ConnectionFailed("refused")))
    elif phase is Phase.SUBMITTING:
        tell(scheduler, 0.0, *enlisted(1))
    elif phase in (Phase.RUNNING, Phase.POLLING):
        tell(scheduler, 0.0, *watched(1))
        if phase is Phase.RUNNING:
            tell(scheduler, 0.0, Polled(1, completed=False))
    else:
        tell(scheduler, 0.0, *([WantFile(9, 1.0)] if phase is Phase.READY else []), WantFile(1))
    assert scheduler.counts[phase] >= 1
    return scheduler, 1.0


@pytest.mark.parametrize(
    "phase", [Phase.WAITING, Phase.RUNNING, Phase.POLLING, Phase.READY, Phase.DOWNLOADING], ids=lambda phase: phase.name
)
def test_a_job_withdrawn_is_dropped_and_nothing_more_is_sent_for_it(phase: Phase):
    """Nobody waits for it; its places go to others."""
    scheduler, now = handed(phase)
    assert tell(scheduler, now, Detach(1)) == [EndJob(1, Phase.DROPPED)]
    assert not [action for _, action in follow(scheduler, now, 1e5) if getattr(action, "job", None) == 1]


@pytest.mark.parametrize("event", [Polled(1, completed=True), RequestFailed(1, GatewayError("x"))], ids=["good", "bad"])
def test_the_answer_to_a_withdrawn_poll_only_makes_room(event: Event):
    """It was under way; it changes nothing but the lane's free places, and that once."""
    scheduler = engine(limits=SchedulerLimits(max_polls=1))
    assert tell(scheduler, 0.0, *watched(1, 2)) == [SendPoll(1)]
    assert tell(scheduler, 1.0, Detach(1)) == [EndJob(1, Phase.DROPPED)]
    assert tell(scheduler, 2.0, event) == [SendPoll(2)]
    assert tell(scheduler, 3.0, event, *watched(3)) == []


def test_a_job_withdrawn_while_it_is_bought_goes_on():
    """Its create cannot be called back, and cancelling who waits never stops a job that is paid for."""
    scheduler, now = handed(Phase.SUBMITTING)
    assert tell(scheduler, now, Detach(1)) == []
    assert tell(scheduler, now, Accepted(1, settled=True)) == [SendPoll(1)]
    assert tell(scheduler, now, RequestFailed(1, GatewayError("502"))) == []
    assert [SendPoll(1), SendDownload(1), EndJob(1, Phase.DONE)] == [action for _, action in play(scheduler, now, 1e6)]


def test_a_job_withdrawn_while_its_create_fails_is_not_submitted_again():
    """Nobody waits for it any more: to buy it on the second try would be money for nothing."""
    scheduler, now = handed(Phase.SUBMITTING)
    assert tell(scheduler, now, Detach(1)) == []
    assert tell(scheduler, now, RequestFailed(1, ConnectionFailed("refused"))) == [EndJob(1, Phase.DROPPED)]
    assert not list(follow(scheduler, now, 1e6))


def test_a_withdrawn_create_whose_outcome_is_unknown_stays_uncertain():
    """Unknown is loud: withdrawing does not make it go away."""
    scheduler, now = handed(Phase.SUBMITTING)
    scheduler.receive(Detach(1), now)
    assert [Phase.UNCERTAIN] == [
        end.phase for end in ends(tell(scheduler, now, RequestFailed(1, SubmitUncertain("x"))))
    ]


def test_a_permit_no_longer_wanted_is_not_given():
    """Its share of the rate goes to others."""
    scheduler = engine(rate=1.0, burst=1)
    assert tell(scheduler, 0.0, AskPermit(1), AskPermit(2), AskPermit(3)) == [GrantPermit(1)]
    scheduler.receive(Detach(2), 0.5)
    assert list(follow(scheduler, 0.5, 100.0)) == [(1.0, GrantPermit(3))]


def test_withdrawing_what_is_over_or_was_never_known_does_nothing():
    """A user's cancellation may come at any time."""
    scheduler = engine()
    tell(scheduler, 0.0, WantFile(1))
    tell(scheduler, 1.0, Downloaded(1))
    assert tell(scheduler, 2.0, Detach(1), Detach(77)) == []


# Being told nonsense: bugs of ours, which must be loud.


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.POLLING, Phase.DOWNLOADING], ids=lambda phase: phase.name)
def test_a_number_in_use_is_refused(phase: Phase):
    """Two lives under one number would mix up their answers."""
    scheduler, now = handed(phase)
    with pytest.raises(IllegalTransition):
        scheduler.receive(WantFile(1), now)
    counts = dict(scheduler.counts)
    assert sum(counts.values()) == (2 if phase is Phase.WAITING else 1)


def test_a_number_is_in_use_until_its_last_answer_came():
    """The answer to a withdrawn poll would be taken for one about the new life."""
    scheduler, now = handed(Phase.POLLING)
    tell(scheduler, now, Detach(1))
    with pytest.raises(IllegalTransition):
        scheduler.receive(FollowJob(1, KIND, wants_file=True), now)


def test_an_answer_that_does_not_fit_the_phase_is_a_bug_and_raises():
    """To go on from there could cost money."""
    scheduler, now = handed(Phase.RUNNING)
    with pytest.raises(IllegalTransition):
        scheduler.receive(Accepted(1), now)


# What the session may ask.


def test_the_estimate_follows_the_job():
    """Known while it is generated, and only then."""
    scheduler = engine()
    scheduler.receive(AddJob(1, KIND, wants_file=False), 0.0)
    assert scheduler.remaining(1, 0.0) is None
    scheduler.actions(0.0)
    assert tell(scheduler, 10.0, Accepted(1)) == []
    left = scheduler.remaining(1, 40.0)
    assert left is not None
    assert left.middle == 90.0
    assert scheduler.actions(25.0) == [SendPoll(1)]
    tell(scheduler, 25.0, Polled(1, completed=True))
    assert scheduler.remaining(1, 40.0) is None


def test_a_job_of_unknown_age_teaches_no_duration():
    """Its age counts from when it was watched: a thousand jobs attached to and long finished took not 0 seconds."""
    policy = AdaptivePollPolicy(INTERVAL)
    scheduler = engine(policy=policy)
    for job in range(0, 200, 2):
        tell(scheduler, float(job), *watched(job, wants_file=False))
        tell(scheduler, job + 0.1, Polled(job, completed=True))
    assert policy.jobs_seen == 0


def test_a_job_resumed_teaches_from_when_it_was_first_seen_on():
    """It may have finished at any time before; what its later polls show is as good as any job's."""
    policy = AdaptivePollPolicy(INTERVAL)
    scheduler = engine(policy=policy)
    tell(scheduler, 0.0, FollowJob(1, KIND, False, age=3600.0), FollowJob(2, KIND, False, age=100.0))
    tell(scheduler, 0.1, Polled(1, completed=True), Polled(2, completed=False))
    assert policy.jobs_seen == 0
    assert [SendPoll(2)] == scheduler.actions(30.0)
    tell(scheduler, 30.0, Polled(2, completed=True))
    assert policy.jobs_seen == 1
    assert policy.estimate(PollHistory(KIND), 0.0).middle > 100.0


def test_a_job_resumed_is_estimated_by_its_true_age():
    """A job that has run for a minute and a half is nearly done, whichever process bought it."""
    scheduler = engine(policy=AdaptivePollPolicy(INTERVAL))
    tell(scheduler, 0.0, FollowJob(1, KIND, wants_file=False, age=90.0), *watched(2))
    resumed, unknown = scheduler.remaining(1, 0.0), scheduler.remaining(2, 0.0)
    assert resumed is not None
    assert unknown is not None
    assert resumed.middle < unknown.middle


def test_jobs_in_flight_are_those_bought_and_not_over():
    """From the moment the create is handed out to the end."""
    scheduler = engine(limits=SchedulerLimits(max_creates=1))
    tell(scheduler, 0.0, *enlisted(1, 2))
    assert scheduler.in_flight == 1
    tell(scheduler, 1.0, Accepted(1))
    assert scheduler.in_flight == 2
    tell(scheduler, 2.0, RequestFailed(2, RequestRefused("no")))
    assert scheduler.in_flight == 1


def test_an_idle_scheduler_never_wakes():
    """No tick: nothing to do means no timer."""
    assert engine().wakes_at() is None
    assert engine().actions(0.0) == []


def test_a_trouble_without_a_limit_of_rate_waits_for_the_job_alone():
    """Too many jobs at once at the vendor's is no reason to stop polling those that run."""
    scheduler = engine()
    assert tell(scheduler, 0.0, *enlisted(1), *watched(2)) == [SendPoll(2), SendCreate(1)]
    full = RateLimited("too many at once", limit="concurrency", retry_after=60.0)
    scheduler.receive(RequestFailed(1, full), 0.0)
    scheduler.receive(Polled(2, completed=False), 0.0)
    assert list(follow(scheduler, 0.0, 60.0)) == [(INTERVAL, SendPoll(2)), (60.0, SendCreate(1))]


def test_too_many_at_once_lowers_the_number_of_jobs_and_not_the_rate():
    """A vendor that takes three jobs at a time refuses the fourth; asking on and on would use up every job's tries."""
    scheduler = engine()
    now, refused, finished, running = 0.0, 0, 0, 0
    for event in enlisted(*range(10), wants_file=False):
        scheduler.receive(event, now)
    while finished < 10:
        for action in scheduler.actions(now):
            match action:
                case SendCreate(job) if running == 3:
                    refused += 1
                    scheduler.receive(RequestFailed(job, RateLimited("too many at once", limit="concurrency")), now)
                case SendCreate(job):
                    running += 1
                    scheduler.receive(Accepted(job), now)
                case SendPoll(job):
                    running -= 1
                    finished += 1
                    scheduler.receive(Polled(job, completed=True), now)
        now = max(now, scheduler.wakes_at() or now)
    assert 0 == scheduler.counts[Phase.FAILED]
    assert scheduler.rate_limit.opens_at() <= now
    assert refused <= 20  # of 10 jobs; without a ceiling every one asks up to ten times


def test_polls_due_at_nearly_the_same_time_become_due_together():
    """Each wake-up of the event loop costs as much as several polls; 50 ms are nothing beside seconds between polls."""
    scheduler = engine(draw=iter([number / 20 for number in range(20)] * 2).__next__)
    for event in watched(*range(20), wants_file=False):
        scheduler.receive(event, 0.0)
    for action in scheduler.actions(0.0):
        scheduler.receive(Polled(action.job, completed=False), 0.0)
    moments = [now for now, _ in follow(scheduler, 0.0, 60.0)]
    assert 20 == len(moments)
    assert all(moment * 20 == pytest.approx(round(moment * 20)) for moment in moments)


def test_an_outage_of_a_minute_fails_no_job_that_waits_to_be_bought():
    """Creates that cannot leave cost nothing; one at a time finds out whether they can again."""
    scheduler = engine(draw=lambda: 0.0)  # the shortest waits there are
    down = ConnectionFailed("refused")
    tried: list[float] = []
    for event in enlisted(*range(100), wants_file=False):
        scheduler.receive(event, 0.0)
    for now, action in follow(scheduler, 0.0, 120.0):
        match action:
            case SendCreate(0):
                scheduler.receive(Accepted(0), now)  # the gateway was there
            case SendCreate(job):
                tried.append(now)
                scheduler.receive(RequestFailed(job, down) if now < 60 else Accepted(job), now)
            case SendPoll(job):
                scheduler.receive(Polled(job, completed=False) if now > 60 else RequestFailed(job, down), now)
    assert 0 == scheduler.counts[Phase.FAILED]
    assert 100 == scheduler.in_flight
    assert len([now for now in tried if 10 <= now < 60]) <= 10


def test_a_gateway_that_was_never_there_is_reported_soon():
    """A wrong base URL must not look like patience."""
    scheduler = engine()
    play_out = [(now, action) for now, action in follow_failing(scheduler) if isinstance(action, EndJob)]
    assert 1 == len(play_out)
    assert play_out[0][0] <= 60


def follow_failing(scheduler: Scheduler) -> list[tuple[float, Action]]:
    """Let one job's create fail to leave as often as it is tried."""
    handed: list[tuple[float, Action]] = []
    scheduler.receive(*enlisted(1), 0.0)
    for now, action in follow(scheduler, 0.0, 1000.0):
        handed.append((now, action))
        if isinstance(action, SendCreate):
            scheduler.receive(RequestFailed(action.job, ConnectionFailed("refused")), now)
    return [*handed, *((handed[-1][0], action) for action in scheduler.actions(handed[-1][0]))]
