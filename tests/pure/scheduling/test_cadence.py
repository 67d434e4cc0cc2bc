"""When to ask again, and how long it may still take."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.scheduling.cadence import MEMORY, TYPICAL_SECONDS, Cadence, FixedCadence

KIND = ("sora-2", "8", "1280x720")
ages = st.floats(0, 1e6)
draws = st.floats(0, 1, exclude_max=True)


@given(interval=st.floats(0.01, 1e4), age=ages, draw=draws)
def test_polls_are_never_further_apart_than_one_and_a_half_intervals(interval: float, age: float, draw: float):
    """Promised: each running job is asked about within 1.5 intervals; and never hastily, for the budget's sake."""
    gap = FixedCadence(interval).next_age(KIND, age, draw) - age
    assert 0.5 * interval - 1e-6 <= gap <= 1.5 * interval + 1e-6


def test_polls_are_one_interval_apart_on_average():
    """The budget: at most one poll per interval and running job."""
    gaps = [FixedCadence(15.0).next_age(KIND, 100.0, i / 1000) - 100.0 for i in range(1000)]
    assert math.isclose(15.0, sum(gaps) / len(gaps), rel_tol=1e-3)


def test_jobs_bought_together_drift_apart():
    """Otherwise a thousand polls are due in the same second, for ever."""
    cadence = FixedCadence(15.0)
    assert cadence.next_age(KIND, 0.0, 0.0) < cadence.next_age(KIND, 0.0, 0.5) < cadence.next_age(KIND, 0.0, 0.99)


@given(
    observed=st.lists(st.tuples(ages, ages, st.booleans()), max_size=30),
    age=ages,
    progress=st.one_of(st.none(), st.floats()),
)
def test_the_estimate_is_never_negative_and_always_a_number(
    observed: list[tuple[float, float, bool]], age: float, progress: float | None
):
    """Gateways report a progress of 120, -1 and NaN; the user is shown none of it."""
    cadence = FixedCadence(15.0)
    for before, after, finished in observed:
        cadence.observe(KIND, min(before, after), max(before, after), finished=finished)
    assert cadence.remaining(KIND, age, progress) >= 0


@pytest.mark.parametrize(("progress", "remaining"), [(25.0, 90.0), (50.0, 30.0), (75.0, 10.0), (100.0, 0.0)])
def test_progress_is_extrapolated(progress: float, remaining: float):
    """A job that did three quarters in 30 s needs another 10 s."""
    assert FixedCadence(15.0).remaining(KIND, 30.0, progress) == pytest.approx(remaining)


@pytest.mark.parametrize("progress", [None, 0.0, -1.0, 101.0, math.nan, math.inf])
def test_without_a_usable_progress_the_usual_duration_counts(progress: float | None):
    """The page says 1 to 5 minutes; nothing else is known of a model never seen."""
    assert TYPICAL_SECONDS - 20.0 == FixedCadence(15.0).remaining(KIND, 20.0, progress)


def test_a_job_older_than_usual_is_due_now():
    """Never a negative time."""
    assert FixedCadence(15.0).remaining(KIND, TYPICAL_SECONDS * 2, None) == 0.0


def test_a_duration_seen_replaces_the_usual_one():
    """Somewhere between the last poll that found it unfinished and the one that found it finished."""
    cadence = FixedCadence(15.0)
    cadence.observe(KIND, 30.0, 45.0, finished=False)
    assert cadence.remaining(KIND, 0.0, None) == TYPICAL_SECONDS
    cadence.observe(KIND, 45.0, 55.0, finished=True)
    assert cadence.remaining(KIND, 0.0, None) == 50.0
    assert cadence.remaining(("other",), 0.0, None) == TYPICAL_SECONDS


def test_a_vendor_who_slows_down_is_followed():
    """An hour of fast jobs must not outweigh what happens now."""
    cadence = FixedCadence(15.0)
    for seconds in [20.0] * 1000 + [200.0] * int(3 * MEMORY):
        cadence.observe(KIND, seconds, seconds, finished=True)
    assert cadence.remaining(KIND, 0.0, None) > 180.0


def test_the_fixed_cadence_is_a_cadence():
    """Type checkers compare the two; this line is what they check."""
    cadence: Cadence = FixedCadence(15.0)
    assert cadence.next_age(KIND, 0.0, 0.5) == 15.0
