"""What progress is worth: much, little or nothing, as its vendor has shown."""

from __future__ import annotations

from math import exp, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.polling.duration_estimate import prior
from aihubmix_video.polling.progress_model import MIN_REPORTS_PER_STEP, STEPS, ProgressModel

CURVE = prior(1.0)
numbers = st.floats(allow_nan=True, allow_infinity=True)


def told(durations: list[float], percent: float, at: float) -> ProgressModel:
    """Jobs of these durations were each at *percent* when *at* of their time had gone."""
    progress = ProgressModel()
    for duration in durations:
        progress.learn(duration * at, percent, duration)
    return progress


@pytest.mark.parametrize("at", [0.5, 0.25, 0.8])
def test_a_vendor_whose_progress_is_honest_or_bent_is_believed(at: float):
    """Half of the time gone at "50 %", or only a quarter of it: both say exactly when the job finishes."""
    estimate = told([60.0, 100.0, 150.0, 200.0] * 10, 50.0, at).estimate(40.0, 50.0, CURVE)
    assert estimate is not None
    assert estimate.quantile(40.0, 0.5) == pytest.approx(40.0 / at, rel=0.1)
    assert estimate.quantile(40.0, 0.9) < 1.4 * 40.0 / at


def test_progress_that_says_nothing_moves_nothing():
    """Some vendors answer 50 at all times; then the jobs of its kind say more than its progress does."""
    progress = ProgressModel()
    for step in range(400):
        progress.learn(120.0 * (step % 20 + 1) / 21, 50.0, 120.0)
    estimate = progress.estimate(30.0, 50.0, CURVE)
    assert estimate is not None
    assert 70.0 < exp(estimate.mean) < 130.0
    assert estimate.spread > 0.4


def test_a_few_reports_are_not_believed():
    """One job that happened to be even says nothing about the next."""
    few = told([100.0] * (int(MIN_REPORTS_PER_STEP) - 1), 50.0, 0.5)
    assert few.estimate(50.0, 50.0, CURVE) is None
    assert told([100.0] * int(MIN_REPORTS_PER_STEP), 50.0, 0.5).estimate(50.0, 50.0, CURVE) is not None


@pytest.mark.parametrize("percent", [None, 0.0, -1.0, 101.0, nan, inf])
def test_progress_that_cannot_be_is_no_progress(percent: float | None):
    """Gateways report 120, -1 and NaN."""
    assert told([100.0] * 50, 50.0, 0.5).estimate(50.0, percent, CURVE) is None


@given(st.lists(st.tuples(numbers, numbers, numbers), max_size=40), st.floats(0, 1e6), st.floats(0, 100))
def test_no_report_breaks_it(reports: list[tuple[float, float, float]], age: float, percent: float):
    """Whatever was learnt, the outlook is none or a proper one."""
    progress = ProgressModel()
    for report in reports:
        progress.learn(*report)
    estimate = progress.estimate(age, percent, CURVE)
    assert estimate is None or (estimate.spread > 0 and age <= estimate.quantile(age, 0.5) < inf)


def test_what_was_counted_can_be_taken_over():
    """The next session believes at once what this one learnt."""
    progress, other = told([100.0] * 50, 50.0, 0.5), ProgressModel()
    other.restore(progress.kept())
    assert other.estimate(50.0, 50.0, CURVE) == progress.estimate(50.0, 50.0, CURVE)
    assert 3 * STEPS == len(progress.kept())
