"""What a poll costs the scheduler, and what a waiting job costs in memory, at 1,000, 10,000 and 100,000 jobs.

Both should be flat: a decision that looked at every job would make a session of a thousand jobs a thousand times as slow
as a session of one. Run it with ``python benchmarks/scheduler.py [jobs …]``.
"""

from __future__ import annotations

import gc
import random
import sys
import time
import tracemalloc

from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from aihubmix_video.scheduling.messages import Accepted, AddJob, Polled, SchedulerLimits, SendPoll
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.scheduling.scheduler import Scheduler

INTERVAL = 15.0
DECISIONS = 20_000
ROUNDS = 3  # the best of them counts: the machine has other work
KIND = ("sora-2", "8", "1280x720")


def running(jobs: int) -> tuple[Scheduler, float]:
    """Build a scheduler in which so many jobs are being generated, bought one after the other."""
    limits = SchedulerLimits(max_in_flight=jobs, deadline=1e9)
    rate_limit = RateLimit.of_rate(1e9)
    scheduler = Scheduler(
        rate_limit=rate_limit,
        limits=limits,
        policy=AdaptivePollPolicy(INTERVAL),
        draw=random.Random(0).random,  # noqa: S311 - no secret
    )
    now = 0.0
    for job in range(jobs):
        now = job * INTERVAL / (2 * jobs)  # all bought before the first of them is to be asked about
        scheduler.receive(AddJob(job, KIND, wants_file=True), now)
        scheduler.actions(now)
        scheduler.receive(Accepted(job), now)
    return scheduler, now


def poll(scheduler: Scheduler, now: float, polls: int) -> float:
    """Wake, decide, and hear "still running", as the driver does it; return the moment reached."""
    while polls > 0:
        now = max(now, scheduler.wakes_at() or now)
        for action in scheduler.actions(now):
            if not isinstance(action, SendPoll):
                raise TypeError(f"a waiting job led to {action}")
            scheduler.receive(Polled(action.job, completed=False), now)
            polls -= 1
    return now


def microseconds(jobs: int) -> float:
    """Measure one poll: waking, deciding and hearing its answer."""
    scheduler, now = running(jobs)
    now = poll(scheduler, now, jobs)  # one round, so that the agendas are as in a long run
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        now = poll(scheduler, now, DECISIONS)
        best = min(best, time.perf_counter() - started)
    return best / DECISIONS * 1e6


def memory(jobs: int) -> float:
    """Measure the bytes that one waiting job takes, after each was asked about five times."""
    gc.collect()
    tracemalloc.start()
    scheduler, now = running(jobs)
    poll(scheduler, now, 5 * jobs)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del scheduler
    return used / jobs


def main(numbers: list[int]) -> None:
    """Print one line per number of jobs, and how flat the lines are."""
    print(f"{'jobs':>8}  {'µs per poll':>11}  {'polls/s':>8}  {'bytes per waiting job':>21}")
    figures = []
    for jobs in numbers:
        cost, size = microseconds(jobs), memory(jobs)
        figures.append((cost, size))
        print(f"{jobs:>8,}  {cost:>11.1f}  {1e6 / cost:>8,.0f}  {size:>21,.0f}")
    (first_cost, first_size), (last_cost, last_size) = figures[0], figures[-1]
    print(f"last / first: {last_cost / first_cost:.2f} × the time, {last_size / first_size:.2f} × the memory")


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or [1_000, 10_000, 100_000])
