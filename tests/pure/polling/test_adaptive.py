"""The learned cadence: its bounds in every history, what it does where nothing is known, and what outlives a session."""

from __future__ import annotations

import random
from functools import cache
from math import exp, inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aihubmix_video.polling.adaptive import MAX_KINDS, AdaptivePollPolicy
from aihubmix_video.polling.kind_statistics import MAX_POLL_SPACING_UNITS, MIN_POLL_SPACING_UNITS
from aihubmix_video.polling.policy import PollHistory, PollPolicy
from aihubmix_video.polling.saved_statistics import UnreadableError, pack, unpack

if TYPE_CHECKING:
    from aihubmix_video.polling.policy import Kind

KIND: Kind = ("sora-2", "8", "1280x720", "")
OTHER: Kind = ("sora-2", "4", "1280x720", "")
INTERVAL = 15.0
draws = st.floats(0, 1, exclude_max=True)
progresses = st.one_of(st.none(), st.floats(0, 100))


def follow(
    policy: AdaptivePollPolicy, duration: float, draw: random.Random, kind: Kind = KIND, *, told: bool = False
) -> list[float]:
    """Follow one job to its end, and give the ages at which it was asked about."""
    trace, ages = PollHistory(kind), [0.0]
    policy.begin(trace)
    while ages[-1] < duration:
        age = policy.next_age(trace, ages[-1], draw.random())
        progress = 100 * age / duration if told and age < duration else None
        policy.asked(trace, age, progress, finished=age >= duration, draw=draw.random())
        ages.append(age)
    policy.leave(trace)
    return ages[1:]


@cache
def experienced(
    median: float = 120.0, spread: float = 0.2, *, jobs: int = 300, interval: float = INTERVAL, told: bool = False
) -> AdaptivePollPolicy:
    """A cadence that has followed so many jobs of one kind; one for all tests that only ask it."""
    policy, draw = AdaptivePollPolicy(interval), random.Random(1)  # noqa: S311 - durations
    for _ in range(jobs):
        follow(policy, median * exp(spread * draw.gauss(0, 1)), draw, told=told)
    return policy


def test_the_learned_cadence_is_a_cadence():
    """Type checkers compare the two; this line is what they check."""
    policy: PollPolicy = AdaptivePollPolicy(INTERVAL)
    assert policy.interval == INTERVAL


# Where nothing is known.


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 1e4), st.floats(0, 100), draws)
def test_unknown_durations_mean_the_plain_cadence(interval: float, intervals: float, draw: float):
    """The documented cadence, one poll per interval, give or take a tenth: learning must not cost who has nothing learnt."""
    policy, trace = AdaptivePollPolicy(interval), PollHistory(KIND)
    policy.begin(trace)
    age = trace.seen = intervals * interval
    gap = policy.next_age(trace, age, draw) - age
    assert 0.899 * interval - 1e-6 * age <= gap <= 1.101 * interval + 1e-6 * age


@given(st.floats(0, 1e6), draws)
def test_a_job_of_unknown_age_is_asked_once_per_interval(age: float, draw: float):
    """What was learnt of ages says nothing about it."""
    policy = experienced(jobs=30)
    trace = PollHistory(KIND, dated=False, seen=None)
    policy.begin(trace)
    assert 0.9 * INTERVAL - 1e-6 * age <= policy.next_age(trace, age, draw) - age <= 1.1 * INTERVAL + 1e-6 * age


def test_jobs_bought_together_drift_apart():
    """Otherwise a thousand polls are due in the same second, for ever."""
    for policy, seen in ((AdaptivePollPolicy(INTERVAL), 0.0), (experienced(), 100.0)):
        moments = {policy.next_age(PollHistory(KIND, seen=seen), seen, draw / 10) for draw in range(1, 10)}
        assert len(moments) >= 5


# What holds whatever was learnt.


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(1, 2000), st.sampled_from([KIND, OTHER, ("wan",)]), st.booleans()), max_size=30),
    st.floats(0, 3000),
    progresses,
    draws,
    st.sampled_from([0.1, 15.0, 60.0]),
)
def test_the_spacing_keeps_its_bounds(
    history: list[tuple[float, Kind, bool]], seen: float, progress: float | None, draw: float, interval: float
):
    """Never hastily, for the budget's sake; and never silent for long, whatever a vendor's past looks like."""
    unit = interval / 15
    policy, random_draw = AdaptivePollPolicy(interval), random.Random(0)  # noqa: S311 - jitter
    for duration, kind, told in history:
        follow(policy, duration * unit, random_draw, kind, told=told)
    trace = PollHistory(KIND, seen=seen * unit, progress=progress)
    policy.begin(trace)
    gap = (policy.next_age(trace, seen * unit, draw) - seen * unit) / unit
    assert MIN_POLL_SPACING_UNITS - 1e-6 <= gap <= MAX_POLL_SPACING_UNITS + 1e-6
    if policy.jobs_seen < 20 and progress is None:
        assert gap <= 2 * 15 * 1.1


def test_time_that_runs_sixty_times_as_fast_changes_nothing():
    """A sandbox at speed 60, polled every quarter of a second, behaves as the real thing does at 15 s."""
    real, fast = experienced(120.0, interval=15.0), experienced(2.0, interval=0.25)
    for seen in (0.0, 60.0, 120.0, 300.0):
        at, quick = (
            real.next_age(PollHistory(KIND, seen=seen), seen, 0.5),
            fast.next_age(PollHistory(KIND, seen=seen / 60), seen / 60, 0.5),
        )
        assert at == pytest.approx(60 * quick, rel=1e-6)


def test_nothing_is_asked_before_a_job_plausibly_finishes():
    """Of three hundred jobs none took less than a minute: the first half minute of a job is no time to ask."""
    policy = experienced(120.0, 0.15)
    assert 60.0 < policy.next_age(PollHistory(KIND), 0.0, 0.5) < 110.0


def test_some_jobs_are_looked_at_early_all_the_same():
    """A vendor who became faster would otherwise be found out only by everybody's waiting."""
    policy = experienced(120.0, 0.15)
    looks = [policy.next_age(PollHistory(KIND), 0.0, draw / 100) for draw in range(100)]
    assert 8 <= sum(look < 0.9 * max(looks) for look in looks) <= 20
    assert min(looks) < 0.5 * max(looks)


def test_a_vendor_who_becomes_faster_is_noticed():
    """Found finished at the first poll, again and again: the first poll moves forward within a few jobs."""
    policy, draw = AdaptivePollPolicy(INTERVAL), random.Random(2)  # noqa: S311 - jitter
    policy.restore(experienced(120.0, 0.15).kept())
    late = [follow(policy, 20.0, draw)[-1] - 20.0 for _ in range(40)]
    assert max(late[:5]) > 40.0
    assert sum(late[-10:]) / 10 < 15.0


def test_no_silence_is_longer_than_eight_intervals():
    """A model of half an hour: what is plausible is one thing, a vendor who fails early is another."""
    policy = experienced(1800.0, 0.1, jobs=60)
    assert policy.next_age(PollHistory(KIND), 0.0, 0.5) == pytest.approx(MAX_POLL_SPACING_UNITS)


def test_progress_tells_when_to_ask():
    """A job at 50 % after 40 s is asked about at 80 s, not when its kind usually finishes."""
    policy = experienced(120.0, 0.35, told=True)
    trace = PollHistory(KIND, seen=40.0, progress=50.0, polls=1)
    assert 68.0 < policy.next_age(trace, 40.0, 0.5) < 90.0


# Estimates.


@given(st.floats(0, 1e5), progresses)
def test_an_estimate_is_in_order_and_never_negative(age: float, progress: float | None):
    """Users are shown it."""
    left = experienced(jobs=30, told=True).estimate(PollHistory(KIND, seen=age / 2, progress=progress), age)
    assert 0 <= left.low <= left.middle <= left.high < inf


def test_an_estimate_follows_what_was_seen():
    """Half of all jobs are done after the median, and the range holds eight of ten."""
    left = experienced(100.0, 0.2).estimate(PollHistory(KIND), 0.0)
    assert left.middle == pytest.approx(100.0, rel=0.1)
    assert left.low == pytest.approx(100.0 * exp(-0.2 * 1.28), rel=0.15)
    assert left.high == pytest.approx(100.0 * exp(0.2 * 1.28), rel=0.15)


@pytest.mark.parametrize("interval", [5.0, 15.0, 60.0])
def test_without_experience_the_estimate_is_the_official_pages(interval: float):
    """Two minutes are two minutes, however often one asks."""
    assert AdaptivePollPolicy(interval).estimate(PollHistory(KIND), 0.0).middle == pytest.approx(120.0, rel=0.05)


# What outlives a session.


def test_the_next_session_begins_where_this_one_ended():
    """A batch of ten jobs a day never learns anything within one session."""
    first, second = experienced(told=True), AdaptivePollPolicy(INTERVAL)
    second.restore(first.kept())
    assert second.jobs_seen == first.jobs_seen
    assert second.next_age(PollHistory(KIND), 0.0, 0.5) == pytest.approx(
        first.next_age(PollHistory(KIND), 0.0, 0.5), rel=0.1
    )
    for seen, progress in ((0.0, None), (90.0, None), (130.0, 70.0)):
        trace = PollHistory(KIND, seen=seen, progress=progress)
        assert second.estimate(trace, seen).middle == pytest.approx(first.estimate(trace, seen).middle, rel=0.05)


def test_a_session_with_another_interval_reads_the_same_durations():
    """Ages count in units of the interval; the seconds behind them stay what they are."""
    second = AdaptivePollPolicy(7.0)
    second.restore(experienced(100.0, 0.2).kept())
    assert second.estimate(PollHistory(KIND), 0.0).middle == pytest.approx(100.0, rel=0.1)


def test_any_damage_is_seen():
    """Bytes of a disk, or of a later version: refused as a whole, and nothing was changed."""
    kept, policy = experienced(jobs=30).kept(), AdaptivePollPolicy(INTERVAL)
    damaged = [kept[:-1], kept[1:], b"", b"AVdur", kept + b"x", *(flipped(kept, at) for at in range(0, len(kept), 97))]
    for data in damaged:
        with pytest.raises(UnreadableError):
            policy.restore(data)
    assert policy.jobs_seen == 0


def flipped(data: bytes, at: int) -> bytes:
    """Flip one bit."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(data: bytes):
    """A foreign error would end a session that could do very well without them."""
    with pytest.raises(UnreadableError):
        unpack(data, INTERVAL)


def test_what_is_kept_is_bounded():
    """A user who invents a new model name for each job must not fill the ledger: at most 1 MiB is remembered there."""
    policy, draw = AdaptivePollPolicy(INTERVAL), random.Random(0)  # noqa: S311 - jitter
    for number in range(MAX_KINDS + 20):
        follow(policy, 10.0, draw, (f"model-{number}", "x" * 400))
    follow(policy, 10.0, draw, ("y" * 10_000,))
    assert len(policy._kinds) == MAX_KINDS
    assert len(policy._models) <= MAX_KINDS
    assert len(policy.kept()) < 1 << 20
    assert "y" * 10_000 not in {entry.kind[0] for entry in unpack(policy.kept(), INTERVAL)}


def test_nothing_learnt_is_little_to_keep():
    """And it can be read again."""
    assert unpack(pack(INTERVAL, []), INTERVAL) == []
    assert len(pack(INTERVAL, [])) < 32
