"""How soon a whole batch is done, beside the soonest that any schedule could be: the shipped scheduler on virtual time.

    python -m benchmarks.makespan

Rows are sent in their order, so no schedule ends before

    (creates + one poll that finds each job finished + downloads) ÷ rate,          nor before
    the job whose place in the order, plus its duration at the vendor's, is last.

The larger of the two is the bound. Where `max_in_flight` binds as well, no simple bound is close: there the oracle, who asks about
each job in the moment in which it finishes, stands for it.
"""

from __future__ import annotations

from functools import partial

import attrs

from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from aihubmix_video.scheduling.messages import SchedulerLimits
from benchmarks import vendors
from benchmarks.policies import Fixed, Oracle
from benchmarks.simulate import INTERVAL, remembering, taught
from benchmarks.world import UNLIMITED, Film, World

CASES = ((600, 2.0, 10**6), (600, 5.0, 10**6), (600, 10.0, 10**6), (3000, 10.0, 1000), (600, 10.0, 100))
"""Rows, requests per second, max_in_flight."""
DOWNLOADS = 8


def bound(films: list[Film], rate: float) -> float:
    """Say before which moment no schedule ends."""
    slowest = max(index / rate + film.duration for index, film in enumerate(films))
    return max(3 * len(films) / rate, slowest)


def main() -> None:
    """Print one table."""
    print(
        "| rows | rate | max_in_flight | policy | ends, s | ÷ bound | ÷ oracle | half done, s | first, s | worst window |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    data = taught(vendors.wide, UNLIMITED)
    for rows, rate, most in CASES:
        films = vendors.at_once(rows, 3)
        named = [attrs.evolve(film, kind=(str(index),)) for index, film in enumerate(films)]
        durations = {film.kind: film.duration for film in named}
        policies = {
            "oracle": (named, partial(Oracle, durations=durations)),
            "fixed 15 s": (films, Fixed),
            "first session": (films, partial(AdaptivePollPolicy, INTERVAL)),
            "next session": (films, partial(remembering, data)),
        }
        best = 0.0
        for name, (asked, make) in policies.items():
            limits = SchedulerLimits(max_in_flight=most, max_downloads=DOWNLOADS, deadline=1e9)
            world = World(asked, make(), rate=rate, wants_files=True, limits=limits).go()
            ends = sorted(run.ended for run in world.runs)
            best = best or ends[-1]
            print(
                f"| {rows} | {rate:g} | {most:g} | {name} | {ends[-1]:.0f} | {ends[-1] / bound(films, rate):.2f} |"
                f" {ends[-1] / best:.2f} | {ends[rows // 2]:.0f} | {ends[0]:.0f} | {world.worst_window:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
