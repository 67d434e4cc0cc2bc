"""The scheduler under load: the shared rate, its lanes and their bounds, cool-downs, and the cost of an action."""

from __future__ import annotations

import random
import sys
from collections import Counter
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import ConnectionFailed, GatewayError, RateLimited
from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from aihubmix_video.scheduling.lifecycle import Phase
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
    RequestsSpent,
    SchedulerLimits,
    SendCreate,
    SendDownload,
    SendPoll,
    SlowDown,
    WantFile,
)
from aihubmix_video.scheduling.poll_queue import VALUE_CLASSES
from aihubmix_video.scheduling.scheduler import CREATE_WEIGHT, Scheduler
from tests.pure.scheduling.engines import INTERVAL, KIND, engine, follow, good, play, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

PLENTY = SchedulerLimits(max_in_flight=10_000, max_creates=10_000, max_polls=10_000, max_downloads=10_000)
SHARES = {SendCreate: CREATE_WEIGHT, SendPoll: 1, SendDownload: 1, GrantPermit: 1}
LANES: dict[type[object], type[object]] = {
    SendCreate: AddJob,
    SendPoll: FollowJob,
    SendDownload: WantFile,
    GrantPermit: AskPermit,
}


def arrive(scheduler: Scheduler, now: float, what: type[object], numbers: Iterable[int]) -> None:
    """Let work of one sort arrive."""
    for number in numbers:
        if what is AddJob:
            scheduler.receive(AddJob(number, KIND, wants_file=False), now)
        elif what is FollowJob:
            scheduler.receive(FollowJob(number, KIND, wants_file=False), now)
        else:
            scheduler.receive(WantFile(number) if what is WantFile else AskPermit(number), now)


def all_lanes(scheduler: Scheduler, now: float, each: int) -> None:
    """Let creates, polls and downloads arrive, so many of each."""
    for start, what in ((0, AddJob), (each, FollowJob), (2 * each, WantFile)):
        arrive(scheduler, now, what, range(start, start + each))


def served(seen: list[tuple[float, Action]]) -> Counter[type[Action]]:
    """Count the requests handed out, by sort."""
    return Counter(type(action) for _, action in seen if not isinstance(action, EndJob))


# The rate.


def test_requests_are_spaced_by_the_rate_whatever_their_sort():
    """One rate over everything that is sent."""
    scheduler = engine(rate=2.0, burst=1, limits=PLENTY)
    all_lanes(scheduler, 0.0, 5)
    arrive(scheduler, 0.0, AskPermit, range(100, 105))
    moments = [at for at, _ in follow(scheduler, 0.0, 100.0)]
    assert moments == [i / 2 for i in range(20)]


def test_requests_that_left_without_an_action_are_paid_off_first():
    """Redirects and resends count: four of them cost four turns."""
    scheduler = engine(rate=1.0, burst=1)
    assert tell(scheduler, 0.0, RequestsSpent(4), WantFile(1)) == []
    assert list(follow(scheduler, 0.0, 100.0)) == [(4.0, SendDownload(1))]


def test_a_process_that_slept_does_not_flood():
    """SIGSTOP for an hour, and a thousand polls are due: they leave at the rate all the same."""
    scheduler = engine(rate=10.0, burst=3, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(1000))
    play(scheduler, 0.0, 110.0, lambda action: good(action, completed=False))
    assert len(scheduler.actions(1500.0)) == 3
    later = [at for at, _ in follow(scheduler, 1500.0, 1510.0)]
    assert len(later) == pytest.approx(100, abs=1)


def test_jobs_do_not_resume_together_after_a_cool_down():
    """The rate spaces them, so that no two leave in the same moment."""
    scheduler = engine(rate=50.0, burst=1, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(100))
    assert tell(scheduler, 0.0) == [SendPoll(0)]
    scheduler.receive(RequestFailed(0, RateLimited("429", retry_after=30.0)), 0.0)
    moments = [at for at, _ in follow(scheduler, 0.0, 40.0)]
    assert min(moments) == 30.0
    assert min(after - before for before, after in pairwise(moments)) >= 0.02 - 1e-9


# Cool-downs.


def shut(scheduler: Scheduler) -> float:
    """When the cool-down in force ends."""
    return max((hold.until for hold in scheduler.holds(-inf)), default=-inf)


def polled_jobs(count: int) -> Scheduler:
    """A scheduler with so many polls under way."""
    scheduler = engine(limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(count))
    assert len(scheduler.actions(0.0)) == count
    return scheduler


@pytest.mark.parametrize(("retry_after", "until"), [(7.0, 17.0), (1e20, 130.0), (float("inf"), 130.0)])
def test_every_request_about_bought_jobs_waits_as_long_as_the_gateway_asked(retry_after: float, until: float):
    """The server's pace wins, for all jobs, up to a cap: a date in the year 5000 is an error of the server's."""
    scheduler = polled_jobs(1)
    scheduler.receive(RequestFailed(0, RateLimited("429", retry_after=retry_after)), 10.0)
    assert shut(scheduler) == until
    assert tell(scheduler, until - 0.1, AskPermit(50), WantFile(51)) == []
    assert tell(scheduler, until - 0.1, AddJob(52, KIND, wants_file=False)) == [SendCreate(52)]
    assert len(scheduler.actions(until)) >= 2


@pytest.mark.parametrize(("retry_after", "until"), [(7.0, 17.0), (3600.0, 130.0)])
def test_a_refused_purchase_delays_nothing_that_is_paid_for(retry_after: float, until: float):
    """A create answered with an hour's wait stopped polls and downloads of the whole session."""
    scheduler = engine(limits=PLENTY)
    assert tell(scheduler, 9.0, AddJob(1, KIND, wants_file=True)) == [SendCreate(1)]
    scheduler.receive(RequestFailed(1, RateLimited("429", retry_after=retry_after)), 10.0)
    assert [("creates", until)] == [(hold.requests, hold.until) for hold in scheduler.holds(10.0)]
    asked = tell(scheduler, 10.5, FollowJob(2, KIND, wants_file=True), WantFile(3), AskPermit(4))
    assert [GrantPermit(4), SendDownload(3), SendPoll(2)] == sorted(asked, key=lambda action: type(action).__name__)
    assert tell(scheduler, until - 0.1, AddJob(5, KIND, wants_file=False)) == []
    assert SendCreate(5) in list(scheduler.actions(until + 60.0))


@pytest.mark.parametrize("retry_after", [0.0, -5.0, float("nan")])
def test_a_useless_wish_neither_stops_nor_speeds_anything(retry_after: float):
    """Retry-After: -5 must be no crash, no hot loop and no standstill."""
    scheduler = polled_jobs(1)
    busy = RequestFailed(0, RateLimited("429", retry_after=retry_after))
    scheduler.receive(busy, 10.0)
    seen = play(scheduler, 10.0, 310.0, lambda action: busy if isinstance(action, SendPoll) else None)
    assert 4 <= len(seen) <= 20


def refused_again_and_again(scheduler: Scheduler, times: int) -> list[float]:
    """Let the first request after each cool-down be refused, too; gives how long the cool-downs are."""
    now, gaps = 0.0, []
    while len(gaps) < times:
        (poll, *_) = scheduler.actions(now)
        assert isinstance(poll, SendPoll)
        scheduler.receive(RequestFailed(poll.job, RateLimited("429")), now)
        gaps.append(round(shut(scheduler) - now, 9))
        now = max(shut(scheduler), scheduler.rate_limit.opens_at())
    return gaps


@pytest.mark.parametrize(("rate", "first"), [(0.1, 1.5), (2.5, 1.5), (10.0, 0.375), (1000.0, 0.0375)])
def test_without_a_wish_the_cool_down_doubles_until_it_is_capped(rate: float, first: float):
    """It begins with the time of five requests: one refusal among many must not cost more than it saves."""
    scheduler = engine(rate=rate, burst=1, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(50))
    assert refused_again_and_again(scheduler, 14) == [min(first * 2**n, 45.0) for n in range(14)]


def test_refusals_of_requests_sent_before_the_cool_down_do_not_add_up():
    """Two hundred polls under way are refused together: that is one event, not two hundred."""
    scheduler = polled_jobs(200)
    for job in range(200):
        scheduler.receive(RequestFailed(job, RateLimited("429")), job / 1000)
    assert shut(scheduler) == pytest.approx(0.0375)


def test_a_longer_wish_extends_a_cool_down_and_a_shorter_one_does_not_cut_it():
    """The longest of all wishes holds."""
    scheduler = polled_jobs(3)
    for job, retry_after in enumerate((10.0, 2.0, 20.0)):
        scheduler.receive(RequestFailed(job, RateLimited("429", retry_after=retry_after)), 1.0)
        assert shut(scheduler) == (11.0, 11.0, 21.0)[job]


@pytest.mark.parametrize("answer", [Polled(9, completed=False), Polled(9, completed=True)], ids=["running", "done"])
def test_a_good_answer_ends_the_doubling(answer: Event):
    """The next refusal is a new event, not the continuation of the last."""
    scheduler = engine(rate=1.0, burst=1, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(10))
    refused_again_and_again(scheduler, 4)
    polls = scheduler.actions(100.0) + scheduler.actions(110.0)
    scheduler.receive(attrs.evolve(answer, job=polls[0].job), 110.0)
    scheduler.receive(RequestFailed(polls[1].job, RateLimited("429")), 110.0)
    assert shut(scheduler) == 111.5


def test_other_trouble_is_no_reason_to_cool_down():
    """A 502 about one job says nothing about the rate."""
    scheduler = polled_jobs(1)
    scheduler.receive(RequestFailed(0, GatewayError("502")), 1.0)
    assert shut(scheduler) < 0


def test_a_refusal_counts_also_when_its_job_is_over():
    """It is a fact about the gateway, whatever became of the job."""
    scheduler = polled_jobs(1)
    assert tell(scheduler, 1.0, Detach(0)) == [EndJob(0, Phase.DROPPED)]
    scheduler.receive(RequestFailed(0, RateLimited("429", retry_after=30.0)), 2.0)
    assert shut(scheduler) == 32.0
    assert list(follow(scheduler, 2.0, 1e6)) == []


def test_a_call_of_the_users_own_may_slow_all_down():
    """Its 429 is as good as any; the cap holds for it too."""
    scheduler = polled_jobs(1)
    scheduler.receive(SlowDown(1e9), 1.0)
    assert shut(scheduler) == 121.0


def test_refusals_of_requests_that_left_together_do_not_lower_the_rate():
    """Two hundred polls that were under way are refused, the last long after the cool-down: that is one refusal, not many."""
    scheduler = polled_jobs(200)
    for job in range(200):
        scheduler.receive(RequestFailed(job, RateLimited("429", retry_after=1.0)), 2.0 * job)
    assert scheduler.rate_limit.share == 1.0


def test_a_gateway_that_bears_half_the_rate_is_soon_asked_no_faster():
    """Two sessions under one account: the rate comes down to what is borne, hovers there, and nothing is lost."""
    scheduler = engine(rate=20.0, burst=1, interval=10.0, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(400))
    served_at: list[float] = []
    refused = 0

    def gateway(action: Action, now: float) -> Event | None:
        nonlocal refused
        if not isinstance(action, SendPoll):
            return None
        if len([at for at in served_at[-11:] if at > now - 1.0]) >= 10:
            refused += 1
            return RequestFailed(action.job, RateLimited("429"))
        served_at.append(now)
        return Polled(action.job, completed=False)

    now = 0.0
    while now < 600.0:
        for action in scheduler.actions(now):
            if (event := gateway(action, now)) is not None:
                scheduler.receive(event, now)
        now = max(now + 0.01, scheduler.wakes_at() or now)
    assert refused <= 0.1 * len(served_at)  # at the full rate every second one would be
    assert len([at for at in served_at if at > 60.0]) >= 0.7 * 10.0 * 540.0


def test_a_gateway_that_refuses_one_in_thirty_whatever_the_rate_is_asked_nearly_as_fast():
    """Some do; to halve the rate for it would cost more than the refusals."""
    scheduler = engine(rate=20.0, burst=1, interval=10.0, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(400))
    count = 0

    def gateway(action: Action) -> Event | None:
        nonlocal count
        if not isinstance(action, SendPoll):
            return None
        count += 1
        return RequestFailed(action.job, RateLimited("429")) if count % 30 == 0 else Polled(action.job, completed=False)

    play(scheduler, 0.0, 300.0, gateway)
    assert count >= 0.75 * 20.0 * 300.0


# Outages.


def test_an_outage_costs_no_more_than_a_healthy_gateway_even_when_every_job_is_overdue():
    """Overdue jobs are worth asking about every few seconds; while nothing answers they are not."""
    policy = AdaptivePollPolicy(INTERVAL)
    draw = random.Random(0).random  # noqa: S311 - jitter
    scheduler = engine(rate=50.0, burst=1, policy=policy, limits=PLENTY, draw=draw)
    arrive(scheduler, 0.0, AddJob, range(160))
    play(scheduler, 0.0, 100.0, lambda action: good(action, completed=action.job < 40))  # so jobs take 15 s
    assert scheduler.counts[Phase.DONE] == 40
    down = play(scheduler, 100.0, 220.0, lambda action: RequestFailed(action.job, GatewayError("502")))
    polls = [at for at, action in down if isinstance(action, SendPoll) and at >= 110.0]
    assert 110.0 / INTERVAL <= len(polls) <= 1.1 * 120 * 110.0 / INTERVAL  # few, and enough to find out that it is back


def test_after_an_outage_all_jobs_are_asked_about_at_once_but_not_in_one_moment():
    """No thundering herd: the rate spaces them. And nobody waits for another interval."""
    scheduler = engine(rate=20.0, burst=1, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(100))
    play(scheduler, 0.0, 30.0, lambda action: good(action, completed=False))
    play(scheduler, 30.0, 90.0, lambda action: RequestFailed(action.job, GatewayError("502")))
    back = [
        (at, a) for at, a in play(scheduler, 90.0, 111.0, lambda a: good(a, completed=False)) if isinstance(a, SendPoll)
    ]
    assert {action.job for _, action in back} == set(range(100))
    assert all(after - before >= 0.05 - 1e-9 for (before, _), (after, _) in pairwise(back))


def test_one_vendors_bad_polls_among_good_ones_hold_nothing():
    """Its jobs fail at every poll; the others' go on as if nothing were wrong."""
    scheduler = engine(rate=50.0, limits=PLENTY)
    arrive(scheduler, 0.0, FollowJob, range(12))
    seen = play(
        scheduler,
        0.0,
        300.0,
        lambda action: (
            RequestFailed(action.job, GatewayError("502")) if action.job < 8 else good(action, completed=False)
        ),
    )
    for job in range(8, 12):
        moments = [at for at, action in seen if action == SendPoll(job)]
        assert max(after - before for before, after in pairwise(moments)) <= 1.5 * INTERVAL


# Too many at once.


def test_a_full_vendor_holds_up_no_other_models_creates():
    """Ten jobs of a model that takes two at a time stand before ten of another."""
    scheduler = engine(limits=PLENTY)
    for job in range(20):
        scheduler.receive(AddJob(job, ("narrow" if job < 10 else "wide",), wants_file=False), 0.0)
    running = 0

    def vendor(action: Action) -> Event | None:
        nonlocal running
        if isinstance(action, SendCreate) and action.job < 10:
            if running == 2:
                return RequestFailed(action.job, RateLimited("too many at once", limit="concurrency"))
            running += 1
        return good(action, completed=False)

    seen = play(scheduler, 0.0, 5.0, vendor)
    assert {action.job for _, action in seen if isinstance(action, SendCreate)} >= set(range(10, 20))
    assert scheduler.counts[Phase.WAITING] == 8


# The lanes.


def test_creates_polls_and_downloads_each_get_their_share():
    """A thousand of each are ready: creates go first for the batch's sake, and starve nobody, at any time."""
    scheduler = engine(rate=1.0, burst=1, interval=1e6, limits=PLENTY)
    all_lanes(scheduler, 0.0, 1000)
    turns: Counter[type[Action]] = Counter()
    for done, (_, action) in enumerate(play(scheduler, 0.0, 899.0), start=1):
        turns[type(action)] += not isinstance(action, EndJob)
        if done % 30 == 0:
            assert all(
                turns[kind] >= (sum(turns.values()) - 6) * SHARES[kind] / 6
                for kind in (SendCreate, SendPoll, SendDownload)
            )
    assert turns == {SendCreate: 600, SendPoll: 150, SendDownload: 150, EndJob: 0}


@pytest.mark.parametrize("busy", LANES)
@pytest.mark.parametrize("late", LANES)
def test_a_lane_that_was_idle_has_nothing_to_catch_up(busy: type[object], late: type[object]):
    """A batch that arrives after a quiet hour gets its share of the turns, not all of them; and at once."""
    if busy is late:
        return
    scheduler = engine(rate=1.0, burst=1, interval=1e6, limits=PLENTY)
    arrive(scheduler, 0.0, LANES[busy], range(1000))
    play(scheduler, 0.0, 499.0)
    arrive(scheduler, 499.5, LANES[late], range(1000, 2000))
    turns = served(play(scheduler, 499.5, 539.0))
    for kind in (late, busy):
        assert turns[kind] == pytest.approx(40 * SHARES[kind] / (SHARES[late] + SHARES[busy]), abs=2)


@given(
    st.lists(st.tuples(st.sampled_from(list(LANES)), st.integers(1, 30), st.integers(0, 20)), min_size=1, max_size=12)
)
def test_a_lane_with_work_waits_for_no_more_than_the_share_of_each_other(
    arrivals: list[tuple[type[Action], int, int]],
):
    """Fair in every history: between two turns of a lane that has work, each other lane gets its share and one more at most."""
    scheduler = engine(rate=1.0, burst=1, interval=1e6, limits=PLENTY)
    waiting: Counter[type[Action]] = Counter()
    since: dict[type[Action], Counter[type[Action]]] = {
        kind: Counter() for kind in (SendCreate, SendPoll, SendDownload, GrantPermit)
    }
    number, now = 0, 0.0
    for kind, count, pause in arrivals:
        arrive(scheduler, now, LANES[kind], range(number, number + count))
        if not waiting[kind]:
            since[kind].clear()
        waiting[kind] += count
        number += count
        for _, action in play(scheduler, now, now + pause):
            turn = type(action)
            if turn is EndJob:
                continue
            waiting[turn] -= 1
            since[turn].clear()
            for other, turns in since.items():
                turns[turn] += other is not turn and waiting[other] > 0
                assert turns[turn] <= max(SHARES[turn] / SHARES[other], 1) + 1
        now += pause + 0.5


@pytest.mark.parametrize("hanging", [SendCreate, SendPoll, SendDownload])
def test_requests_that_hang_fill_only_their_own_lane(hanging: type[Action]):
    """With any number of stuck downloads, polls or creates, the rest goes on."""
    limits = SchedulerLimits(max_creates=4, max_polls=4, max_downloads=4)
    scheduler = engine(rate=10.0, burst=1, interval=1e6, limits=limits)
    all_lanes(scheduler, 0.0, 100)
    seen = play(scheduler, 0.0, 60.0, lambda action: None if isinstance(action, hanging) else good(action))
    turns = served(seen)
    assert turns.pop(hanging) == 4
    assert set(turns.values()) == {100}


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        (AddJob, SchedulerLimits(max_creates=3)),
        (AddJob, SchedulerLimits(max_in_flight=3)),
        (FollowJob, SchedulerLimits(max_polls=3)),
        (WantFile, SchedulerLimits(max_downloads=3)),
    ],
    ids=["max_creates", "max_in_flight", "max_polls", "max_downloads"],
)
def test_each_bound_holds(what: type[object], limit: SchedulerLimits):
    """So many at once and no more; the next one leaves when one comes back."""
    scheduler = engine(limits=limit)
    arrive(scheduler, 0.0, what, range(10))
    handed_out = scheduler.actions(0.0)
    assert len(handed_out) == 3
    assert scheduler.actions(1.0) == []
    scheduler.receive(RequestFailed(0, GatewayError("x"), progressed=False), 1.0)
    assert len([action for action in scheduler.actions(1.0) if not isinstance(action, EndJob)]) == 1


def test_trying_one_more_after_too_many_at_once_keeps_the_users_bound():
    """The vendor may bear more than the user wants to pay for at once."""
    scheduler = engine(limits=SchedulerLimits(max_in_flight=1, deadline=1e9))
    arrive(scheduler, 0.0, AddJob, range(3))
    assert scheduler.actions(0.0) == [SendCreate(0)]
    scheduler.receive(RequestFailed(0, RateLimited("too many at once", limit="concurrency")), 0.0)
    seen = play(scheduler, 0.0, 3600.0, lambda action: good(action, completed=False))
    assert served(seen)[SendCreate] == 1
    assert scheduler.in_flight == 1


def test_refusals_as_one_too_many_use_up_no_other_tries():
    """A job that waited its turn for an hour has not failed once: its first reset must not be its last."""
    scheduler = engine(limits=SchedulerLimits(deadline=1e9))
    tell(scheduler, 0.0, AddJob(1, KIND, wants_file=False))
    answers = [RateLimited("too many at once", limit="concurrency")] * 12 + [
        ConnectionFailed("reset"),
        RateLimited("429"),
    ]
    now = 0.0
    for error in answers:
        assert tell(scheduler, now, RequestFailed(1, error)) == []
        while not (actions := scheduler.actions(now)):
            now = scheduler.wakes_at() or now
        assert actions == [SendCreate(1)]


def test_jobs_bought_and_unfinished_hold_their_places():
    """max_in_flight counts until the end, the download included: a slow disk must not let purchases pile up."""
    scheduler = engine(limits=SchedulerLimits(max_in_flight=1))
    for number in (1, 2):
        scheduler.receive(AddJob(number, KIND, wants_file=True), 0.0)
    assert scheduler.actions(0.0) == [SendCreate(1)]
    assert tell(scheduler, 1.0, Accepted(1, settled=True)) == [SendPoll(1)]
    assert tell(scheduler, 2.0, Polled(1, completed=True)) == [SendDownload(1)]
    assert tell(scheduler, 3.0, Downloaded(1)) == [EndJob(1, Phase.DONE), SendCreate(2)]


def test_withdrawn_jobs_free_their_places_in_flight_at_once_but_not_in_the_lane():
    """The job is over; its request is not."""
    scheduler = engine(limits=SchedulerLimits(max_in_flight=2, max_polls=1))
    arrive(scheduler, 0.0, FollowJob, [1, 2])
    arrive(scheduler, 0.0, AddJob, [3])
    assert scheduler.actions(0.0) == [SendPoll(1)]
    assert tell(scheduler, 1.0, Detach(1)) == [EndJob(1, Phase.DROPPED), SendCreate(3)]
    assert tell(scheduler, 2.0, Polled(1, completed=False)) == [SendPoll(2)]


def test_every_running_job_is_asked_about_in_time_while_the_rate_allows():
    """Within one and a half intervals, with downloads and creates waiting in plenty."""
    scheduler = engine(rate=10.0, burst=1, draw=iter([0.0, 0.3, 0.9, 0.6] * 10_000).__next__, limits=PLENTY)
    all_lanes(scheduler, 0.0, 40)
    arrive(scheduler, 0.0, WantFile, range(1000, 2000))
    last: dict[int, float] = {}
    for at, action in play(scheduler, 0.0, 600.0, lambda action: good(action, completed=False)):
        if isinstance(action, SendPoll):
            assert at - last.get(action.job, at) <= 1.5 * INTERVAL
            last[action.job] = at
    assert len(last) == 80


# What an action costs.


def calls_per_poll(jobs: int, polls: int = 2000) -> float:
    """Count function calls, Python's and C's, per poll handed out and answered, with so many jobs waiting."""
    limits = SchedulerLimits(max_in_flight=jobs, max_polls=jobs, deadline=1e9)
    scheduler = engine(rate=1e6, limits=limits)
    arrive(scheduler, 0.0, FollowJob, range(jobs))
    now = 0.0
    for action in scheduler.actions(now):
        scheduler.receive(Polled(action.job, completed=False), now + action.job / jobs)
    calls = done = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        while done < polls:
            now = max(now, scheduler.wakes_at() or now)
            for action in scheduler.actions(now):
                scheduler.receive(Polled(action.job, completed=False), now)
                done += 1
    finally:
        sys.setprofile(None)
    return calls / done


def test_an_action_costs_the_same_whatever_the_number_of_jobs():
    """Counted, not timed: one loop over all jobs per action would show as thousands of calls."""
    few, many = calls_per_poll(100), calls_per_poll(10_000)
    assert many <= 1.2 * few


def test_memory_for_a_waiting_job_does_not_grow_with_the_time_it_waits():
    """Entries left behind by earlier polls are cleared out."""
    scheduler = engine(interval=1.0, limits=SchedulerLimits(deadline=1e9))
    arrive(scheduler, 0.0, FollowJob, range(100))
    play(scheduler, 0.0, 300.0, lambda action: good(action, completed=False))
    agendas = [
        scheduler._deadlines,
        scheduler._queue.later,
        *(request_class.ready for request_class in scheduler._queue),
    ]
    assert sum(map(len, agendas)) <= 2 * 2 * 100 + 64 * (len(agendas) + VALUE_CLASSES)


def test_nothing_is_kept_of_jobs_that_are_over():
    """A session that runs for a month forgets what it is done with."""
    scheduler = engine(rate=100.0, limits=PLENTY)
    for number in range(0, 3000, 3):
        arrive(scheduler, float(number), AddJob, [number])
        arrive(scheduler, float(number), FollowJob, [number + 1])
        arrive(scheduler, float(number), WantFile, [number + 2])
        play(scheduler, float(number), number + 2.0)
    play(scheduler, 3000.0, 1e6)
    agendas = [
        scheduler._deadlines,
        scheduler._queue.later,
        *(request_class.ready for request_class in scheduler._queue),
    ]
    assert not scheduler._jobs
    assert not scheduler._table.orphans
    assert not scheduler._asks
    assert sum(map(len, agendas)) <= 64 * (len(agendas) + VALUE_CLASSES)
