"""The shared rate: never above it, never needlessly below."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.scheduling.rate_limit import RateLimit

gaps = st.fractions(min_value=0, max_value=20, max_denominator=8)
intervals = st.fractions(min_value=Fraction(1, 8), max_value=4, max_denominator=8)
bursts = st.integers(min_value=1, max_value=6)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), gaps),
        st.tuples(st.just("cool"), gaps),
        st.tuples(st.just("send"), st.integers(min_value=1, max_value=12)),
        st.tuples(st.just("spend"), st.integers(min_value=1, max_value=3)),
    ),
    max_size=40,
)


def worst_excess(departures: list[Fraction], rate_limit: RateLimit) -> Fraction:
    """Requests over the allowance in the worst of all windows that end with the last departure."""
    interval = Fraction(rate_limit.interval)
    last = departures[-1]
    return max(
        len(departures) - i - rate_limit.burst - (last - departures[i]) / interval for i in range(len(departures))
    )


@given(steps, intervals, bursts)
def test_no_window_holds_more_than_the_burst_and_its_share_of_the_rate(
    history: list[tuple[str, Fraction]], interval: Fraction, burst: int
):
    """The law of the rate, exact (fractions, no rounding): whatever was called when, requests that left unasked included."""
    rate_limit, now, departures = RateLimit(interval, burst), Fraction(0), []
    for what, amount in history:
        if what == "wait":
            now += amount
        else:
            for _ in range(int(amount)):
                if what == "spend" or rate_limit.opens_at() <= now:
                    rate_limit = rate_limit.spend(now)
                    departures.append(now)
                    assert what == "spend" or worst_excess(departures, rate_limit) <= 0


@given(intervals, bursts, st.integers(min_value=1, max_value=50), st.fractions(min_value=0, max_value=1000))
def test_requests_that_leave_as_soon_as_they_may_keep_the_full_rate(
    interval: Fraction, burst: int, requests: int, now: Fraction
):
    """A limit that is never reached would be a slower product: n requests take exactly (n - burst) intervals."""
    rate_limit, start = RateLimit(interval, burst), now
    for _ in range(requests):
        now = max(now, rate_limit.opens_at())
        rate_limit = rate_limit.spend(now)
    assert max(requests - burst, 0) * interval == now - start


@given(st.floats(0.01, 1000), bursts, st.lists(st.floats(0, 10), min_size=1, max_size=40))
def test_rounding_lets_nothing_through(rate: float, burst: int, waits: list[float]):
    """Clocks are floats, and count from the machine's start: the law holds there to a millionth of a request."""
    rate_limit, now, departures = RateLimit.of_rate(rate, burst), 1e6, []
    for wait in waits:
        now += wait
        while rate_limit.opens_at() <= now and len(departures) < 200:
            rate_limit = rate_limit.spend(now)
            departures.append(now)
    for i, first in enumerate(departures):
        assert all(count <= burst + (last - first) * rate + 1e-6 for count, last in enumerate(departures[i:], start=1))


def test_a_long_silence_saves_up_no_more_than_the_burst():
    """A process that was stopped and continued must not flood the gateway."""
    rate_limit, left = RateLimit.of_rate(1.0, burst=3).spend(0.0), 0
    while rate_limit.opens_at() <= 3600.0:
        rate_limit, left = rate_limit.spend(3600.0), left + 1
    assert left == 3
