"""The learned cadence beside a fixed interval, on virtual time: the figures that the documentation quotes, in small.

The runs are a quarter as long as those of ``benchmarks/simulate.py``, so less is learnt and chance weighs more; the bounds here
leave room for that, and are meant to catch a poller that has stopped working rather than one that lost a percent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from benchmarks import vendors
from benchmarks.policies import Fixed
from benchmarks.world import UNLIMITED, World, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.world import Film

    Films = Callable[[int, int], list[Film]]

INTERVAL = 15.0


def experienced(films: Films, rate: float, jobs: int = 300) -> AdaptivePollPolicy:
    """Begin with what a session of the day before learnt."""
    before, now = AdaptivePollPolicy(INTERVAL), AdaptivePollPolicy(INTERVAL)
    World(films(jobs, 1009), before, rate=rate).go()
    now.restore(before.kept())
    return now


@pytest.mark.parametrize(
    ("films", "count", "rate", "at_least"),
    [
        pytest.param(vendors.wide, 500, UNLIMITED, 1.45, id="one wide model"),
        pytest.param(vendors.keyed, 500, UNLIMITED, 2.6, id="by model, length and size"),
        pytest.param(partial(vendors.wide, bend=1.0), 500, UNLIMITED, 4.8, id="with progress"),
        pytest.param(vendors.classes, 700, 8.0, 1.9, id="under a rate that the jobs outgrow"),
    ],
)
def test_finished_jobs_are_noticed_sooner_with_no_more_polls(films: Films, count: int, rate: float, at_least: float):
    """What the learning is for: mean delay at most 1/1.6, 1/3, 1/6 and 1/2.4 in the full runs."""
    fixed = World(films(count, 3), Fixed(INTERVAL), rate=rate).go()
    learned = World(films(count, 3), experienced(films, rate), rate=rate).go()
    plain, ours = summary(fixed.runs), summary(learned.runs)
    assert at_least <= plain.mean / ours.mean
    assert ours.p95 <= plain.p95
    if rate == UNLIMITED:
        assert ours.polls <= 1.03 * plain.polls
    else:
        assert learned.worst_window <= 1 + 1e-6


@pytest.mark.parametrize(
    "films",
    [
        pytest.param(partial(vendors.drifting, factor=3.0), id="slower"),
        pytest.param(partial(vendors.drifting, factor=1 / 3), id="faster"),
        pytest.param(vendors.bimodal, id="bimodal"),
    ],
)
def test_a_vendor_who_changes_or_is_odd_is_no_worse_than_with_a_fixed_interval(films: Films):
    """Never more than a tenth: who learns can learn the wrong thing."""
    plain = summary(World(films(400, 3), Fixed(INTERVAL)).go().runs)
    ours = summary(World(films(400, 3), experienced(films, UNLIMITED, jobs=200)).go().runs)
    assert ours.mean <= 1.1 * plain.mean
    assert ours.polls <= 1.05 * plain.polls


@pytest.mark.parametrize("rate", [2.5, 5.0], ids=["bound by the rate", "by both"])
def test_a_batch_ends_soon_after_it_must(rate: float):
    """No schedule is shorter than its necessary requests at the rate, nor than its slowest job: at most a tenth above."""
    films = vendors.at_once(300, 3)
    world = World(films, experienced(vendors.wide, UNLIMITED), rate=rate, wants_files=True).go()
    necessary = 3 * len(films) / rate  # one create, one poll that finds it finished, one download
    slowest = max(index / rate + film.duration for index, film in enumerate(films))
    assert max(run.ended for run in world.runs) <= 1.12 * max(necessary, slowest)
    assert world.worst_window <= 1 + 1e-6


@pytest.mark.parametrize("median", [20.0, 120.0, 400.0])
def test_ten_jobs_of_a_vendor_never_seen_are_treated_as_with_a_fixed_interval(median: float):
    """Most sessions are small, and know nothing; for them nothing may be worse than half an interval."""
    runs = [
        run
        for seed in range(15)
        for run in World(vendors.at_once(10, seed, median=median), AdaptivePollPolicy(INTERVAL), seed=seed).go().runs
    ]
    ours = summary(runs)
    mean_duration = sum(run.film.duration for run in runs) / len(runs)
    assert ours.mean <= 1.1 * INTERVAL / 2
    assert ours.polls <= 1.05 * (mean_duration / INTERVAL + 0.5)
