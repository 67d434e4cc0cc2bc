"""A lower rate after "too fast": once per refusal, shared by all, and recovering by itself."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.scheduling.rate_control import RateController
from aihubmix_video.scheduling.rate_limit import DROP_FACTOR, MIN_RATE_SHARE, RECOVERY_SECONDS, RateLimit


def pressed(rate: float = 10.0) -> RateController:
    """A throttle whose rate has just dropped, once: of its requests so many were refused that it is about the rate."""
    control, now = RateController(RateLimit.of_rate(rate)), 90.0
    while control.rate_limit.share == 1.0:
        control.refused(control.followed, 0.0, now, 0.5, sent_at=now)
        now += 0.1
    return control


def test_refusals_lower_the_rate_and_time_brings_it_back():
    """The gateway bears less than it was asked for; how much, is found by trying."""
    control = pressed()
    began = control.rate_limit.since
    assert control.rate_limit.rate_at(began) == pytest.approx(10.0 * DROP_FACTOR)
    assert control.rate_limit.rate_at(began + (1 - DROP_FACTOR) / 2 * RECOVERY_SECONDS) == pytest.approx(
        10.0 * (1 + DROP_FACTOR) / 2
    )
    assert control.rate_limit.rate_at(began + RECOVERY_SECONDS) == 10.0


def test_good_answers_bring_it_back_sooner():
    """A busy session learns in seconds that the gateway bears more; an idle one has time."""
    control = pressed()
    for _ in range(int((1 - DROP_FACTOR) * RECOVERY_SECONDS) + 1):
        control.worked(control.followed, control.rate_limit.since)
    assert control.rate_limit.rate_at(control.rate_limit.since) == 10.0


def test_a_few_refusals_among_many_answers_say_nothing_about_the_rate():
    """Some gateways refuse one request in thirty whatever the rate is; to go slower for it would only take longer."""
    control = RateController(RateLimit.of_rate(10.0))
    for second in range(100):
        control.refused(control.followed, 0.0, float(second), 0.5, sent_at=float(second))
        for _ in range(29):
            control.admitted()
    assert control.rate_limit.share == 1.0


def test_late_answers_to_requests_that_had_left_before_lower_nothing():
    """Two hundred polls under way are refused one after the other, the last long after the cool-down: that is one event."""
    control = pressed()
    for late in range(200):
        control.refused(control.followed, 1.0, 200.0 + 2 * late, 0.5, sent_at=80.0)
    assert control.rate_limit.share >= DROP_FACTOR


def test_a_refusal_of_unknown_departure_counts_once_per_cool_down():
    """Single calls of the user's are not the scheduler's; the pause itself tells what is old."""
    control = pressed()
    control.followed.until = 1000.0
    for at in range(200, 300):
        control.refused(control.followed, 1000.0 - at, float(at), 0.5, sent_at=float(at))
    assert control.rate_limit.share >= DROP_FACTOR


def test_however_often_it_is_refused_something_is_left():
    """A gateway that refuses everything for a night is asked again in the morning."""
    control = RateController(RateLimit.of_rate(16.0))
    for step in range(500):
        control.refused(control.followed, 0.0, step * 1e-3, 0.5, sent_at=step * 1e-3)
    assert 16.0 * MIN_RATE_SHARE <= control.rate_limit.rate_at(1.0) <= 16.0 * MIN_RATE_SHARE * 1.5


def test_the_rate_recovers_only_after_the_pause():
    """While nothing is sent nothing is learnt of what the gateway bears."""
    rate_limit = RateLimit.of_rate(10.0).drop(0.0, until=100.0)
    assert rate_limit.rate_at(100.0) == pytest.approx(10.0 * DROP_FACTOR)


@given(
    st.floats(0.1, 100),
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from(["wait", "drop", "send"]), st.floats(0, 40)), min_size=1, max_size=60),
)
def test_no_window_holds_more_than_the_full_rate_allows_while_the_rate_moves(
    rate: float, burst: int, history: list[tuple[str, float]]
):
    """The law of the rate on the way down and up again, bursts included: requests <= rate x W + burst in every window."""
    rate_limit, now, departures = RateLimit.of_rate(rate, burst), 1e5, []
    for what, amount in history:
        if what == "wait":
            now += amount
        elif what == "drop":
            rate_limit = rate_limit.drop(now)
        while what == "send" and rate_limit.opens_at() <= now and len(departures) < 300:
            rate_limit = rate_limit.spend(now)
            departures.append(now)
    for i, first in enumerate(departures):
        assert all(count <= burst + (last - first) * rate + 1e-6 for count, last in enumerate(departures[i:], start=1))


@given(st.floats(0.1, 100), st.floats(0, RECOVERY_SECONDS))
def test_a_lowered_rate_is_kept(rate: float, after: float):
    """What is in force is what is sent: no more than the rate at the end of a second, in that second."""
    rate_limit, now, left = RateLimit.of_rate(rate).drop(0.0).drop(0.0), after, 0
    rate_limit = rate_limit.spend(now)
    end = now + 10.0
    while (now := max(now, rate_limit.opens_at())) <= end:
        rate_limit, left = rate_limit.spend(now), left + 1
    assert left <= rate_limit.rate_at(end) * 10.0 + 1


def test_a_refused_purchase_pauses_purchases_alone():
    """What is paid for has a link that expires; an hour's wait of creates must not cost a video."""
    control = RateController(RateLimit.of_rate(10.0))
    control.refused(control.creates, 3600.0, 10.0, 0.5, sent_at=9.0)
    assert (10.0 + 120.0, -inf) == (control.creates.until, control.followed.until)
    assert control.rate_limit.opens_at() <= 10.0


def test_each_kind_counts_its_own_strikes():
    """A gateway that refuses creates again and again says nothing of polls."""
    control, waits = RateController(RateLimit.of_rate(10.0)), []
    for _ in range(3):
        at = control.creates.until + 1.0 if control.creates.until > 0 else 1.0
        control.refused(control.creates, None, at, 0.5, sent_at=at)
        waits.append(control.creates.until - at)
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    at = control.creates.until
    control.refused(control.followed, None, at, 0.5, sent_at=at)
    assert control.followed.until - at == pytest.approx(waits[0])


def test_a_cool_down_is_never_shortened():
    """A later, shorter wish of the gateway's does not undo an earlier, longer one."""
    control = RateController(RateLimit.of_rate(10.0))
    for wish in (60.0, 5.0):
        control.refused(control.followed, wish, 0.0, 0.5, sent_at=-1.0)
    assert control.followed.until == 60.0


@pytest.mark.parametrize("wish", [-5.0, 0.0])
def test_a_wish_in_the_past_pauses_nothing(wish: float):
    """Servers send Retry-After: -5, and worse."""
    control = RateController(RateLimit.of_rate(10.0))
    control.refused(control.followed, wish, 7.0, 0.5, sent_at=6.0)
    assert control.followed.until <= 7.0
