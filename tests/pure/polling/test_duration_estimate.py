"""Learning durations from polls alone: what is found between two questions, forgotten, and leant on."""

from __future__ import annotations

import random
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.polling.duration_estimate import (
    JOBS_FOR_EARLIEST_FINISH,
    TYPICAL_SECONDS,
    DurationEstimates,
    bins_between,
    prior,
)
from aihubmix_video.polling.survival_curve import BINS

GUESS = prior(1.0)


def taught(
    durations: DurationEstimates, median: float, spread: float, jobs: int, *, every: float = 15.0, seed: int = 0
) -> None:
    """Let jobs be asked about at regular ages until each is found finished."""
    draw = random.Random(seed)  # noqa: S311 - durations
    for _ in range(jobs):
        duration, seen = median * exp(spread * draw.gauss(0, 1)), 0.0
        first = every * draw.random()
        while seen + first < duration:
            durations.running(bins_between(seen, seen + first))
            seen, first = seen + first, every
        durations.finished(bins_between(seen, seen + first))


def middle(durations: DurationEstimates) -> float:
    """Read off the median."""
    return durations.curve.quantile(0.0, 0.5)


def test_without_experience_the_official_page_counts():
    """One to five minutes, usually two."""
    assert middle(DurationEstimates(GUESS)) == pytest.approx(TYPICAL_SECONDS, rel=0.05)
    assert prior(4.0).quantile(0.0, 0.5) == pytest.approx(TYPICAL_SECONDS / 4, rel=0.05)


@pytest.mark.parametrize(("median", "spread"), [(40.0, 0.35), (120.0, 0.15), (320.0, 0.35)])
def test_durations_are_learnt_although_nobody_tells_them(median: float, spread: float):
    """Polls every 15 s show an interval each; together they show the curve, to a few percent."""
    durations = DurationEstimates(GUESS)
    taught(durations, median, spread, 400)
    for share in (0.1, 0.5, 0.9):
        z = {0.1: -1.2816, 0.5: 0.0, 0.9: 1.2816}[share]
        assert durations.curve.quantile(0.0, share) == pytest.approx(median * exp(spread * z), rel=0.12)


def test_jobs_that_still_run_are_knowledge_too():
    """Fifty jobs of which none finished within five minutes: the estimate must not wait for the first end."""
    durations = DurationEstimates(GUESS)
    for _ in range(50):
        durations.running(bins_between(0.0, 300.0))
    assert middle(durations) > 300.0


@pytest.mark.parametrize("factor", [3.0, 1 / 3])
def test_a_vendor_who_changes_is_followed(factor: float):
    """A thousand jobs of yesterday must not outweigh what happens now."""
    durations = DurationEstimates(GUESS)
    taught(durations, 120.0, 0.2, 1000)
    taught(durations, 120.0 * factor, 0.2, 500, seed=1)
    assert middle(durations) == pytest.approx(120.0 * factor, rel=0.25)


def test_a_kind_never_seen_leans_on_its_model():
    """A new size of a model that takes five minutes takes about five minutes, not two."""
    model = DurationEstimates(GUESS)
    taught(model, 300.0, 0.2, 100)
    kind = DurationEstimates(GUESS, behind=model)
    assert middle(kind) == pytest.approx(300.0, rel=0.1)
    taught(kind, 60.0, 0.2, 60)
    assert middle(kind) == pytest.approx(60.0, rel=0.15)


def test_what_was_never_seen_is_not_trusted():
    """There the plain cadence holds: beyond the oldest job seen, and everywhere at the beginning."""
    durations = DurationEstimates(GUESS)
    assert {durations.trust(age) for age in (0.0, 100.0, 1e9)} == {0.0}
    taught(durations, 100.0, 0.2, 200)
    assert durations.curve is not None
    assert durations.trust(60.0) > 0.9
    assert durations.trust(600.0) < 0.1


def test_the_earliest_plausible_finish_is_known_only_after_enough_jobs():
    """Nineteen jobs say little about the fastest of a hundred."""
    durations = DurationEstimates(GUESS)
    taught(durations, 100.0, 0.2, JOBS_FOR_EARLIEST_FINISH - 1)
    assert durations.curve is not None
    assert durations.earliest == 0.0
    taught(durations, 100.0, 0.2, 200, seed=1)
    assert durations.curve is not None
    assert 40.0 < durations.earliest < 70.0


def test_an_end_is_counted_once_however_wide_the_interval():
    """A job resumed after a day: its end is one end, spread over a day."""
    durations = DurationEstimates(GUESS)
    durations.finished(bins_between(0.0, 86400.0))
    ended, ends, _ = durations.kept()
    assert ended == 1
    assert sum(ends) == pytest.approx(1, rel=0.01)


@given(st.floats(0, 6000), st.floats(0, 6000))
def test_a_stretch_of_age_is_cut_without_a_gap(one: float, other: float):
    """Time at risk that fell between two bins would make jobs look faster than they are."""
    since, age = sorted((one, other))
    pieces = bins_between(since, age)
    assert sum(end - start for _, start, end in pieces) == pytest.approx(
        max(min(age, 5600.0) - since, 0.0), abs=600.0 if age > 5400 else 1e-6
    )
    assert all(0 <= here < BINS and start < end for here, start, end in pieces)


def test_what_was_counted_can_be_taken_over():
    """The next session begins where this one ended."""
    first, second = DurationEstimates(GUESS), DurationEstimates(GUESS)
    taught(first, 100.0, 0.2, 100)
    second.restore(*first.kept())
    assert middle(second) == pytest.approx(middle(first), rel=0.02)
