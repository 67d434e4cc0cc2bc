"""A lower rate after "too fast": once per refusal, shared by all, and recovering by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.scheduling.pace import DROP, LEAST, RECOVERY, Pace
from aihubmix_video.scheduling.throttle import Throttle


def test_a_refusal_lowers_the_rate_and_time_brings_it_back():
    """The gateway bears less than it was asked for; how much, is found by trying."""
    throttle = Throttle(Pace.of_rate(10.0))
    throttle.refused(2.0, 100.0, 0.5, sent_at=99.0)
    assert throttle.pace.rate_at(102.0) == pytest.approx(10.0 * DROP)
    half_way = 102.0 + (1 - DROP) / 2 * RECOVERY
    assert throttle.pace.rate_at(half_way) == pytest.approx(10.0 * (1 + DROP) / 2)
    assert throttle.pace.rate_at(102.0 + RECOVERY) == 10.0


def test_late_answers_to_requests_that_had_left_before_lower_nothing():
    """Two hundred polls under way are refused one after the other, the last long after the cool-down: that is one event."""
    throttle = Throttle(Pace.of_rate(10.0))
    for late in range(20):
        throttle.refused(1.0, 10.0 + late, 0.5, sent_at=9.0)
    assert throttle.pace.share_at(10.0) == pytest.approx(DROP)
    throttle.refused(1.0, 40.0, 0.5, sent_at=39.0)
    assert throttle.pace.share < 1


def test_a_refusal_of_unknown_departure_counts_once_per_cool_down():
    """Single calls of the user's are not the scheduler's; the pause itself tells what is old."""
    throttle = Throttle(Pace.of_rate(10.0))
    for at in (0.0, 1.0, 9.9):
        throttle.refused(10.0 - at, at, 0.5, sent_at=at)
    assert throttle.pace.share == DROP


def test_however_often_it_is_refused_something_is_left():
    """A gateway that refuses everything for a night is asked again in the morning."""
    throttle = Throttle(Pace.of_rate(16.0))
    for step in range(50):
        throttle.refused(0.0, step * 1e-3, 0.5, sent_at=step * 1e-3)
    assert throttle.pace.rate_at(1.0) >= 16.0 * LEAST


def test_the_rate_recovers_only_after_the_pause():
    """While nothing is sent nothing is learnt of what the gateway bears."""
    throttle = Throttle(Pace.of_rate(10.0))
    throttle.refused(100.0, 0.0, 0.5, sent_at=0.0)
    assert throttle.pace.rate_at(100.0) == pytest.approx(10.0 * DROP)


@given(
    st.floats(0.1, 100),
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from(["wait", "drop", "cool", "send"]), st.floats(0, 40)), min_size=1, max_size=60),
)
def test_no_window_holds_more_than_the_full_rate_allows_while_the_rate_moves(
    rate: float, burst: int, history: list[tuple[str, float]]
):
    """The law of the rate on the way down and up again, bursts included: requests <= rate x W + burst in every window."""
    pace, now, departures = Pace.of_rate(rate, burst), 1e5, []
    for what, amount in history:
        if what == "wait":
            now += amount
        elif what == "drop":
            pace = pace.drop(now)
        elif what == "cool":
            pace = pace.cool(now + amount)
        while what == "send" and pace.opens_at() <= now and len(departures) < 300:
            pace = pace.spend(now)
            departures.append(now)
    for i, first in enumerate(departures):
        assert all(count <= burst + (last - first) * rate + 1e-6 for count, last in enumerate(departures[i:], start=1))


@given(st.floats(0.1, 100), st.floats(0, RECOVERY))
def test_a_lowered_rate_is_kept(rate: float, after: float):
    """What is in force is what is sent: no more than the rate at the end of a second, in that second."""
    pace, now, left = Pace.of_rate(rate).drop(0.0).drop(0.0), after, 0
    pace = pace.spend(now)
    end = now + 10.0
    while (now := max(now, pace.opens_at())) <= end:
        pace, left = pace.spend(now), left + 1
    assert left <= pace.rate_at(end) * 10.0 + 1
