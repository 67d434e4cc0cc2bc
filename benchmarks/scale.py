"""One session with 1,000, 10,000 and 100,000 jobs waiting: processor time per create and per poll, and memory per job.

    python benchmarks/scale.py [jobs …]

The real session against the local gateway, each in a process of its own. So that the figures can be compared, the interval
between polls grows with the number of jobs: whatever their number, the session sends about as many polls per second. Both
figures should be flat: a session that looked at every job for each answer would be a hundred times as slow with a hundred
times the jobs. With 100,000 jobs it takes about five minutes, most of them for buying at 1,000 requests per second.
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
PER_SECOND = 500  # polls
BUYERS = 200  # who submit one job after the other
WARM = 200  # jobs before anything is measured
SECONDS = 10.0
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Read the process's resident memory in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


async def waiting(url: str, key: str, jobs: int) -> dict[str, float]:
    """Buy so many jobs, wait until they are polled evenly, and measure."""
    from aihubmix_video import VideoSession

    interval = jobs / PER_SECOND
    options = {"rate": 1000, "burst": 50, "poll_interval": interval, "max_in_flight": jobs + WARM, "deadline": 1e5}
    async with VideoSession(key, base_url=url, **options) as session:
        handles: list[object] = []

        async def buy(until: int) -> None:
            while len(handles) < until:
                handles.append(None)  # taken, so that the others take the next one
                place = len(handles) - 1
                handles[place] = await session.submit(**KIND)

        await asyncio.gather(*(buy(WARM) for _ in range(BUYERS)))
        before, started, cpu = resident(), time.perf_counter(), time.process_time()
        await asyncio.gather(*(buy(jobs + WARM) for _ in range(BUYERS)))
        bought, spent = time.perf_counter() - started, time.process_time() - cpu
        memory = resident() - before
        await asyncio.sleep(max(1.3 * interval - bought, 2.0))  # the first jobs come to be asked about a second time
        asked, cpu = session.stats().polls_sent, time.process_time()
        await asyncio.sleep(SECONDS)
        polls = session.stats().polls_sent - asked
        figures = {"poll_us": (time.process_time() - cpu) / polls * 1e6, "polls_per_s": polls / SECONDS}
        assert session.stats().in_flight == jobs + WARM
        return figures | {"create_us": spent / jobs * 1e6, "bytes": memory / jobs, "bought_s": bought}


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
        "| jobs waiting | bought in, s | CPU per create, µs | polls per second | CPU per poll, µs | RSS per job, bytes |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    found = []
    for jobs in [int(number) for number in arguments] or [1_000, 10_000, 100_000]:
        it = measure(jobs)
        found.append(it)
        print(
            f"| {jobs:,} | {it['bought_s']:.0f} | {it['create_us']:.0f} | {it['polls_per_s']:.0f} |"
            f" {it['poll_us']:.0f} | {it['bytes']:.0f} |",
            flush=True,
        )
    flat = {name: found[-1][name] / found[0][name] for name in ("create_us", "poll_us", "bytes")}
    print(
        f"\nlast ÷ first: {flat['create_us']:.2f} × the time per create, {flat['poll_us']:.2f} × per poll,"
        f" {flat['bytes']:.2f} × the memory per job"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
