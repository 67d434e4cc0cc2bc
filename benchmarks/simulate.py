"""What the poller's choice of moments is worth: the shipped scheduler on virtual time, beside other ways of choosing.

    python -m benchmarks.simulate [--draw docs/poller.svg]

Every line of a table is one policy against the same vendor, job for job. *First session* knows nothing at the beginning; *next
session* begins with what an earlier one of 600 other jobs left in the ledger. ÷ says how many times smaller than with a fixed
interval of 15 s. Everything is seeded, so the figures are the same everywhere.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from benchmarks import vendors
from benchmarks.policies import Backoff, Fixed, Oracle, RoundRobin
from benchmarks.world import UNLIMITED, Run, Summary, World, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aihubmix_video.polling.policy import PollPolicy
    from benchmarks.world import Film

    Films = Callable[[int, int], list[Film]]

INTERVAL = 15.0
EXPERIENCE = 600  # jobs of the session before
INTERVALS = (7.5, 10.0, 15.0, 22.5, 30.0, 45.0)  # of the frontier


@attrs.frozen(kw_only=True)
class Scenario:
    """A vendor, and what is asked of us there.

    Attributes:
        title: What it is.
        films: Makes so many films from a seed.
        count: How many.
        wanted: How many times shorter the mean delay must be than with the fixed interval, in the session named by `judged`.
        rate: Requests per second.
        seeds: Each is a run of its own; together they make one line.
    """

    title: str
    films: Films
    count: int = 2000
    wanted: float
    judged: str = "next session"
    rate: float = UNLIMITED
    seeds: Sequence[int] = (3,)


SCENARIOS = (
    Scenario(title="One wide model (median 120 s, spread 0.35)", films=vendors.wide, wanted=1.6),
    Scenario(title="Known by model, length and size (60 to 260 s, spread 0.15)", films=vendors.keyed, wanted=3.0),
    Scenario(title="One wide model that reports progress", films=partial(vendors.wide, bend=1.0), wanted=6.0),
    Scenario(
        title="The same, with progress that is uneven and told in steps of 10 %",
        films=partial(vendors.wide, bend=1.6, step=10),
        wanted=1.6,
    ),
    Scenario(title="40, 120 and 320 s, 600 at a time", films=vendors.classes, count=3000, wanted=1.6),
    Scenario(
        title="The same under 12 requests a second, where 15 s would need more than 40",
        films=vendors.classes,
        count=3000,
        wanted=2.4,
        rate=12.0,
    ),
    Scenario(title="A third of the jobs from a cache", films=vendors.bimodal, wanted=1 / 1.1),
    Scenario(
        title="Three times slower from half-way on",
        films=vendors.drifting,
        wanted=1 / 1.1,
        judged="first session",
    ),
    Scenario(
        title="Three times faster from half-way on",
        films=partial(vendors.drifting, factor=1 / 3),
        wanted=1 / 1.1,
        judged="first session",
    ),
    *(
        Scenario(
            title=f"Batches of ten jobs of {median:g} s, each the first that a session sees",
            films=partial(vendors.at_once, median=median),
            count=10,
            wanted=1 / 1.1,
            judged="first session",
            seeds=range(40),
        )
        for median in (20.0, 60.0, 120.0, 400.0, 900.0)
    ),
)


def taught(films: Films, rate: float) -> bytes:
    """Let a session of the day before learn, and keep what it learnt."""
    policy = AdaptivePollPolicy(INTERVAL)
    World(films(EXPERIENCE, 1009), policy, rate=rate).go()
    return policy.kept()


def remembering(data: bytes, interval: float = INTERVAL) -> AdaptivePollPolicy:
    """Begin where the day before ended."""
    policy = AdaptivePollPolicy(interval)
    policy.restore(data)
    return policy


def policies(scenario: Scenario) -> Iterator[tuple[str, Callable[[], PollPolicy]]]:
    """Give every policy that is compared, by name."""
    yield "fixed 15 s", Fixed
    yield "backoff 2 s × 1.5, to 30 s", Backoff
    if scenario.rate < UNLIMITED:
        yield "round robin", RoundRobin
    yield "first session", partial(AdaptivePollPolicy, INTERVAL)
    yield "next session", partial(remembering, taught(scenario.films, scenario.rate))


def measured(scenario: Scenario, make: Callable[[], PollPolicy]) -> tuple[Summary, float]:
    """Run one policy over all seeds; also give the worst window."""
    runs: list[Run] = []
    worst = 0.0
    for seed in scenario.seeds:
        world = World(scenario.films(scenario.count, seed), make(), rate=scenario.rate, seed=seed).go()
        runs += world.runs
        worst = max(worst, world.worst_window)
    return summary(runs), worst


def oracle(scenario: Scenario) -> Summary:
    """Run what nobody can reach: each job is asked about when it finishes."""
    runs: list[Run] = []
    for seed in scenario.seeds:
        films = [attrs.evolve(film, kind=(str(n),)) for n, film in enumerate(scenario.films(scenario.count, seed))]
        policy = Oracle(durations={film.kind: film.duration for film in films})
        runs += World(films, policy, rate=scenario.rate, seed=seed).go().runs
    return summary(runs)


def report(scenario: Scenario) -> bool:
    """Print one table, and say whether what is asked for was reached."""
    print(f"\n### {scenario.title}\n")
    print("| | polls per job | ÷ | mean delay, s | ÷ | 95 %, s | ÷ | worst, s |")
    print("|---|---|---|---|---|---|---|---|")
    base, reached, window = None, 0.0, 0.0
    for name, make in policies(scenario):
        found, worst = measured(scenario, make)
        base = base or found
        print(row(name, found, base))
        if name == scenario.judged:
            reached, window = base.mean / found.mean, worst
    if base is not None and scenario.rate == UNLIMITED:
        print(row("oracle", oracle(scenario), base))
    print(f"\n{scenario.judged}: mean delay ÷ {reached:.2f}, asked for {scenario.wanted:.2f}", end="")
    print(f"; requests in the worst window ÷ allowed {window:.2f}" if scenario.rate < UNLIMITED else "", flush=True)
    return reached >= scenario.wanted and window <= 1 + 1e-6


def row(name: str, it: Summary, base: Summary) -> str:
    """Write one line of a table."""
    mean, p95 = max(it.mean, 1e-9), max(it.p95, 1e-9)
    return (
        f"| {name} | {it.polls:.2f} | {base.polls / it.polls:.2f} | {mean:.2f} | {base.mean / mean:.2f} |"
        f" {p95:.1f} | {base.p95 / p95:.2f} | {it.worst:.1f} |"
    )


def frontier(make: Callable[[float], PollPolicy], films: Films) -> list[Summary]:
    """Run one policy at several poll intervals."""
    return [summary(World(films(1500, 3), make(interval)).go().runs) for interval in INTERVALS]


def frontiers() -> dict[str, list[Summary]]:
    """Run all policies of the picture."""
    known = taught(vendors.keyed, UNLIMITED)
    told = partial(vendors.keyed, bend=1.0)
    return {
        "fixed interval": frontier(Fixed, vendors.keyed),
        "learned, one model": frontier(partial(remembering, taught(vendors.wide, UNLIMITED)), vendors.wide),
        "learned, by model, length and size": frontier(partial(remembering, known), vendors.keyed),
        "the same, with progress": frontier(partial(remembering, taught(told, UNLIMITED)), told),
    }


def main() -> None:
    """Print all tables, the frontier, and draw it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", metavar="FILE", help="draw the frontier as SVG; needs matplotlib (group bench)")
    options = parser.parse_args()
    missed = [scenario.title for scenario in SCENARIOS if not report(scenario)]
    curves = frontiers()
    print("\n### The frontier: polls per job, mean and 95 % delay in seconds, by poll interval\n")
    print("| |", " | ".join(f"{interval:g} s" for interval in INTERVALS), "|")
    print("|---" * (len(INTERVALS) + 1) + "|")
    for name, points in curves.items():
        print(f"| {name} |", " | ".join(f"{it.polls:.1f}: {it.mean:.1f}, {it.p95:.1f}" for it in points), "|")
    if options.draw:
        from benchmarks.chart import draw

        draw(curves, options.draw)
    if missed:
        raise SystemExit(f"\nnot reached: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
