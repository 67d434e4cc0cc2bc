"""Waits after failures: bounded, capped, spread."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.scheduling.retry import Backoff

draws = st.floats(0, 1, exclude_max=True)
seconds = st.floats(1e-3, 1e6)
failures = st.integers(min_value=1, max_value=10**9)


@given(first=seconds, cap=seconds, failures=failures, draw=draws)
def test_a_wait_lies_between_half_of_the_smallest_and_the_cap(first: float, cap: float, failures: int, draw: float):
    """Never a hot loop, never longer than promised, and no overflow after however many failures."""
    delay = Backoff(first=first, cap=cap).delay(failures, draw)
    assert delay is not None
    assert min(first, cap) / 2 <= delay <= cap


@given(failures=failures, draw=draws)
def test_no_cap_does_not_overflow(failures: int, draw: float):
    """2.0 ** 1024 raises OverflowError; a job that fails all night must not meet it."""
    delay = Backoff(cap=math.inf).delay(failures, draw)
    assert delay is not None
    assert math.isfinite(delay)


@given(failures=st.integers(min_value=1, max_value=40), draw=draws)
def test_waits_never_shrink_at_equal_draws(failures: int, draw: float):
    """The more failures, the more patience."""
    policy = Backoff(first=1.0, cap=300.0)
    assert (policy.delay(failures, draw) or 0) <= (policy.delay(failures + 1, draw) or 0)


@pytest.mark.parametrize(("attempts", "tries"), [(0, 1), (1, 1), (2, 2), (5, 5)], ids=["none", "one", "two", "five"])
def test_attempts_count_all_tries(attempts: int, tries: int):
    """The first try counts; with 0 it has been made already when anybody asks."""
    policy, made = Backoff(attempts=attempts), 1
    while policy.delay(made, 0.5) is not None:
        made += 1
    assert tries == made


@given(failures=failures)
def test_no_limit_never_gives_up(failures: int):
    """A bad poll never fails a job; its deadline ends it."""
    assert Backoff(attempts=None).delay(failures, 0.5) is not None


def test_jitter_spreads_over_half_of_the_wait():
    """Jobs that failed together must neither return together nor at once."""
    policy = Backoff(first=8.0, cap=60.0)
    assert [policy.delay(1, draw) for draw in (0.0, 0.25, 0.5)] == [4.0, 5.0, 6.0]
