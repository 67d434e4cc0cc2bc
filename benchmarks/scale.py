"""One session with 1,000, 10,000 and 100,000 jobs waiting: processor time per create and per poll, and memory per job.

    python benchmarks/scale.py [jobs …]

The real session against the local gateway, each in a process of its own. So that the figures can be compared, the interval
between polls grows with the number of jobs, and they are bought evenly over one interval: whatever their number, the session
sends as many polls per second, and they never queue behind its rate, where each would wake it up by itself. Both figures
should be flat: a session that looked at every job for each answer would be a hundred times as slow with a hundred times the
jobs. What Python's own garbage collector takes of a poll is told apart: it does look at every object now and then, and
whether such a moment falls into the time of measuring is chance. With 100,000 jobs it takes about six minutes, most of them for buying and waiting.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path

KIND = {"prompt": "[stuck]", "model": "wan2.6-t2v"}
PER_SECOND = 700  # creates, and then polls
BUYERS = 200  # who submit one job after the other
WARM = 200  # jobs before anything is measured
SECONDS = 20.0
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Read the process's resident memory in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


class Collector:
    """Counts the processor time of the garbage collector."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0
        gc.callbacks.append(self._told)

    def _told(self, phase: str, _: object) -> None:
        if phase == "start":
            self._began = time.process_time()
        else:
            self.seconds += time.process_time() - self._began


async def waiting(url: str, key: str, jobs: int) -> dict[str, float]:
    """Buy so many jobs, wait until they are polled evenly, and measure."""
    from aihubmix_video import VideoSession

    interval = jobs / PER_SECOND
    options = {"rate": 1000, "burst": 50, "poll_interval": interval, "max_in_flight": jobs + WARM, "deadline": 1e5}
    async with VideoSession(key, base_url=url, **options) as session:
        handles: list[object] = []

        async def buy(until: int, began: float) -> None:
            while (place := len(handles)) < until:
                handles.append(None)  # taken, so that the others take the next one
                await asyncio.sleep(began + place / PER_SECOND - time.perf_counter())
                handles[place] = await session.submit(**KIND)

        await asyncio.gather(*(buy(WARM, time.perf_counter()) for _ in range(BUYERS)))
        before, started, cpu = resident(), time.perf_counter(), time.process_time()
        await asyncio.gather(*(buy(jobs + WARM, started - WARM / PER_SECOND) for _ in range(BUYERS)))
        spent = time.process_time() - cpu
        memory = resident() - before
        # By then the first answer about each job has been read, and nothing new comes.
        await asyncio.sleep(1.25 * interval + 2.0)
        asked, cpu, collector = session.stats().polls_sent, time.process_time(), Collector()
        await asyncio.sleep(SECONDS)
        polls = session.stats().polls_sent - asked
        spent_on_polls = time.process_time() - cpu - collector.seconds
        figures = {"poll_us": spent_on_polls / polls * 1e6, "polls_per_s": polls / SECONDS}
        figures["collector_us"] = collector.seconds / polls * 1e6
        assert session.stats().in_flight == jobs + WARM
        return figures | {"create_us": spent / jobs * 1e6, "bytes": memory / jobs}


async def gateway() -> None:
    """Serve until standard input closes."""
    from aihubmix_video.sandbox import Sandbox

    async with Sandbox(render=False, log_limit=1000) as sandbox:
        print(sandbox.url, sandbox.api_key, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def measure(jobs: int) -> dict[str, float]:
    """Run one session at a gateway of its own."""
    command = [sys.executable, __file__]
    with subprocess.Popen([*command, "--gateway"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        told = [*server.stdout.readline().split(), str(jobs)]
        done = subprocess.run([*command, "--session", *told], check=True, stdout=subprocess.PIPE, text=True)
        server.stdin.close()
    return json.loads(done.stdout)


def main(arguments: list[str]) -> None:
    """Print one line per number of jobs, and how flat the lines are."""
    if arguments[:1] == ["--gateway"]:
        asyncio.run(gateway())
        return
    if arguments[:1] == ["--session"]:
        url, key, jobs = arguments[1:]
        print(json.dumps(asyncio.run(waiting(url, key, int(jobs)))))
        return
    print(
        "| jobs waiting | CPU per create, µs | polls/s | CPU per poll, µs | and the collector's, µs | RSS per job, bytes |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    found = []
    for jobs in [int(number) for number in arguments] or [1_000, 10_000, 100_000]:
        it = measure(jobs)
        found.append(it)
        print(
            f"| {jobs:,} | {it['create_us']:.0f} | {it['polls_per_s']:.0f} | {it['poll_us']:.0f} |"
            f" {it['collector_us']:.0f} | {it['bytes']:.0f} |",
            flush=True,
        )
    flat = {name: found[-1][name] / found[0][name] for name in ("create_us", "poll_us", "bytes")}
    print(
        f"\nlast ÷ first: {flat['create_us']:.2f} × the time per create, {flat['poll_us']:.2f} × per poll,"
        f" {flat['bytes']:.2f} × the memory per job"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
