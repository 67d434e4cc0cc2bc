"""Durations as curves: the arithmetic of waiting, held against plain numerical integration."""

from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.polling.survival_curve import AGES, BINS, WIDTHS, LogNormal, SurvivalCurve, bin_of

hazards = st.lists(st.floats(0, 0.2), min_size=BINS, max_size=BINS)
curves = st.one_of(hazards.map(SurvivalCurve), st.builds(LogNormal, st.floats(1, 8), st.floats(0.01, 2)))
ages = st.floats(0, 4000)

WIDE = LogNormal(log(120.0), 0.35)
CURVE = SurvivalCurve([log(WIDE.survival(start) / max(WIDE.survival(start + width), 1e-300)) / width for start, width in zip(AGES, WIDTHS, strict=False)])  # fmt: skip


def integrated(curve: SurvivalCurve | LogNormal, seen: float, age: float, steps: int = 4000) -> float:
    """Integrate the chance to have finished since *seen*, by the midpoint rule."""
    step = (age - seen) / steps
    running = curve.survival(seen)
    return sum(1 - curve.survival(seen + (i + 0.5) * step) / running for i in range(steps)) * step


def test_the_bins_cover_all_ages_without_a_gap():
    """An age in no bin would be learnt nowhere."""
    assert AGES[0] == 0
    assert min(WIDTHS) == 2
    assert all(AGES[bin_of(age)] <= age < AGES[bin_of(age) + 1] for age in (0.0, 1.9, 2.0, 39.9, 40.0, 120.0, 5000.0))
    assert bin_of(1e9) == BINS


@pytest.mark.parametrize("curve", [CURVE, WIDE], ids=["curve", "log-normal"])
@pytest.mark.parametrize(("seen", "age"), [(0.0, 100.0), (60.0, 75.0), (110.0, 112.0), (150.0, 400.0)])
def test_the_unnoticed_wait_is_the_integral_that_it_claims_to_be(
    curve: SurvivalCurve | LogNormal, seen: float, age: float
):
    """The closed forms carry the whole poller; a sign wrong in one of them would only make it slow, and nobody would see."""
    price = integrated(curve, seen, age)
    assert curve.asks_at(seen, price, seen, 1e4) == pytest.approx(age, rel=0.03)


def test_both_curves_agree_about_the_same_durations():
    """One is steps, one is smooth; the poller must not care."""
    assert pytest.approx(127.6, rel=0.01) == CURVE.mean
    assert pytest.approx(log(120.0), abs=0.01) == CURVE.log_mean
    assert pytest.approx(0.35**2, rel=0.05) == CURVE.log_variance
    for seen in (0.0, 80.0, 200.0):
        for share in (0.1, 0.5, 0.9):
            assert CURVE.quantile(seen, share) == pytest.approx(WIDE.quantile(seen, share), rel=0.02)


@given(curves, ages, st.floats(0, 100), st.floats(0, 50), st.floats(0, 200))
def test_the_answer_lies_within_the_bounds_asked_for(
    curve: SurvivalCurve | LogNormal, seen: float, price: float, closest: float, room: float
):
    """Whatever was learnt, the bounds on the spacing hold."""
    earliest, latest = seen + closest, seen + closest + room
    assert earliest <= curve.asks_at(seen, price, earliest, latest) <= latest


@given(hazards.map(SurvivalCurve), st.floats(0, 1000), st.floats(0.01, 20), st.floats(1, 3))
def test_a_dearer_poll_is_never_earlier(curve: SurvivalCurve, seen: float, price: float, dearer: float):
    """The budget relies on it: a higher price means fewer polls."""
    cheap = curve.asks_at(seen, price, seen + 2, seen + 500)
    assert cheap <= curve.asks_at(seen, price * dearer, seen + 2, seen + 500) + 1e-6


@given(curves, ages, st.floats(0, 0.99))
def test_a_quantile_is_never_before_the_age_already_reached(
    curve: SurvivalCurve | LogNormal, seen: float, share: float
):
    """An estimate of minus five seconds would be shown to users."""
    assert curve.quantile(seen, share) >= seen


def test_a_job_older_than_anything_known_is_still_asked_about():
    """Survival there is as good as zero; dividing by it must not raise, nor put the poll off for ever."""
    certain = SurvivalCurve([1.0] * BINS)
    assert 5002.0 <= certain.asks_at(5000.0, 3.0, 5002.0, 5030.0) <= 5030.0
    assert 900.0 <= LogNormal(log(10.0), 0.01).asks_at(900.0, 3.0, 900.0, 930.0) <= 930.0
    assert 1e5 <= CURVE.asks_at(1e5, 3.0, 1e5 + 2, 1e5 + 30) <= 1e5 + 30


def test_a_log_normal_lives_as_long_as_its_mean():
    """E[min(duration, age)] tends to the mean, exp(mean + spread²/2)."""
    assert WIDE.lived(1e5) == pytest.approx(exp(log(120.0) + 0.35**2 / 2))
    assert WIDE.lived(0.0) == 0.0
