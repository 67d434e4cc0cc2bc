"""What waiting costs: processor time per poll and memory per waiting job, ours beside what people use today.

    python benchmarks/polls.py [--jobs 1000] [--seconds 12] [--rounds 3]

The local gateway runs in a process of its own; each client runs in a process of its own and is measured by the operating
system. All follow the same number of jobs that never end, each asked about at the same interval; the rounds alternate
between the clients, and medians are printed. Ratios are comparable between machines, absolute figures are not.

Coroutines that were started together wake up together and ask in one heap, which is cheap for them and a herd for the
gateway. Ours spreads its polls. So the plain loop is measured both ways: *spread*, its jobs begin at different moments.

Memory is measured twice: as what the process grew by, and, in a round of its own, as what Python's allocator handed out and
has not got back. The first depends on what was free before; the second leaves out what lies fallow.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path

Follow = Callable[[], Awaitable[None]]

WARM = 50  # jobs before memory is measured
INTERVAL = 2.0  # seconds between polls of one job
PAGE = os.sysconf("SC_PAGE_SIZE")
KIND = {"prompt": "[stuck]", "model": "wan2.6-t2v"}
AS_A_BATCH = "ours, as a batch"


def resident() -> int:
    """Read the process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


class Meter:
    """Counts polls, and measures from a first mark to a second."""

    def __init__(self, *, traced: bool) -> None:
        self.polls = 0
        self.created = 0
        self._traced = traced
        self._before = 0

    def empty(self) -> None:
        """Mark the memory of a client that has warmed up."""
        gc.collect()
        if self._traced:
            tracemalloc.start()
        self._before = self._memory()

    def per_job(self, jobs: int) -> float:
        """Give the bytes that each job added since."""
        gc.collect()
        return (self._memory() - self._before) / (jobs - WARM)

    def _memory(self) -> int:
        return tracemalloc.get_traced_memory()[0] if self._traced else resident()

    async def over(self, seconds: float, polls: Callable[[], int]) -> dict[str, float]:
        """Measure while the event loop works."""
        before, cpu = polls(), time.process_time()
        await asyncio.sleep(seconds)
        asked = polls() - before
        return {"polls": asked, "cpu_us": (time.process_time() - cpu) / max(asked, 1) * 1e6}


async def ours(url: str, key: str, jobs: int, seconds: float, meter: Meter) -> dict[str, float]:
    """Follow the jobs in one session, each by its handle."""
    from aihubmix_video import VideoSession

    async with VideoSession(key, base_url=url, max_in_flight=10**6, **BUSY) as session:
        held = await asyncio.gather(*(session.submit(**KIND) for _ in range(WARM)))
        meter.empty()
        held += await asyncio.gather(*(session.submit(**KIND) for _ in range(jobs - WARM)))
        await asyncio.sleep(INTERVAL)
        memory = meter.per_job(jobs)
        measured = await meter.over(seconds, lambda: session.stats().polls_sent)
        assert len(held) == jobs
        return {**measured, "bytes_per_job": memory}


async def batch(url: str, key: str, jobs: int, seconds: float, meter: Meter) -> dict[str, float]:
    """Follow the jobs in one session, as the rows of a batch, which has their files' names besides."""
    from aihubmix_video import VideoRequest, VideoSession

    with tempfile.TemporaryDirectory() as folder:
        async with VideoSession(key, base_url=url, max_in_flight=10**6, **BUSY) as session:
            await asyncio.gather(*(session.submit(**KIND) for _ in range(WARM)))
            meter.empty()
            rows = session.batch((VideoRequest(**KIND) for _ in range(jobs - WARM)), to=f"{folder}/{{index}}.mp4")
            taking = asyncio.ensure_future(anext(rows))
            while session.stats().in_flight < jobs:
                await asyncio.sleep(0.1)
            await asyncio.sleep(INTERVAL)
            memory = meter.per_job(jobs)
            measured = await meter.over(seconds, lambda: session.stats().polls_sent)
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            return {**measured, "bytes_per_job": memory}


async def aiohttp_herd(url: str, key: str, jobs: int, seconds: float, meter: Meter) -> dict[str, float]:
    """Follow each job in a coroutine of its own, with nothing but aiohttp, and all at the same moments."""
    return await aiohttp_loop(url, key, jobs, seconds, meter, spread=0.0)


async def aiohttp_loop(
    url: str, key: str, jobs: int, seconds: float, meter: Meter, *, spread: float = 1.0
) -> dict[str, float]:
    """Follow each job in a coroutine of its own, with nothing but aiohttp, at moments spread over so many intervals."""
    import aiohttp

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as client:

        async def create() -> str:
            async with client.post(f"{url}/v1/videos", json=KIND) as answer:
                return (await answer.json())["id"]

        async def follow() -> None:
            video_id = await create()
            meter.created += 1
            await asyncio.sleep(spread * INTERVAL * random.random())  # noqa: S311 - jitter
            while True:
                await asyncio.sleep(INTERVAL)
                async with client.get(f"{url}/v1/videos/{video_id}") as answer:
                    if (await answer.json())["status"] == "completed":
                        return
                meter.polls += 1

        return await followed(follow, meter, jobs, seconds)


async def openai_python(url: str, key: str, jobs: int, seconds: float, meter: Meter) -> dict[str, float]:
    """Follow each job in a coroutine of its own, with openai-python's `retrieve`."""
    import openai

    warnings.simplefilter("ignore", DeprecationWarning)
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60) as client:

        async def create() -> str:
            headers = {"Content-Type": "application/json"}
            return (await client.videos.create(**KIND, extra_headers=headers)).id

        async def follow() -> None:
            video_id = await create()
            meter.created += 1
            while True:
                await asyncio.sleep(INTERVAL)
                if (await client.videos.retrieve(video_id)).status == "completed":
                    return
                meter.polls += 1

        return await followed(follow, meter, jobs, seconds)


async def followed(follow: Follow, meter: Meter, jobs: int, seconds: float) -> dict[str, float]:
    """Start all coroutines at once, as `asyncio.gather` does, and measure."""
    tasks = [asyncio.create_task(follow()) for _ in range(WARM)]
    await asyncio.sleep(INTERVAL * 1.5)
    meter.empty()
    tasks += [asyncio.create_task(follow()) for _ in range(jobs - WARM)]
    while meter.created < jobs:
        await asyncio.sleep(0.1)
    await asyncio.sleep(INTERVAL)
    memory = meter.per_job(jobs)
    measured = await meter.over(seconds, lambda: meter.polls)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {**measured, "bytes_per_job": memory}


async def gateway() -> None:
    """Serve until standard input closes."""
    from aihubmix_video.sandbox import Sandbox

    async with Sandbox(render=False) as sandbox:
        print(sandbox.url, sandbox.api_key, flush=True)
        await asyncio.to_thread(sys.stdin.read)


RUNS = {
    "ours": ours,
    AS_A_BATCH: batch,
    "aiohttp loop, spread": aiohttp_loop,
    "aiohttp loop, all together": aiohttp_herd,
    "openai-python, all together": openai_python,
}
BUSY = {"rate": 1000, "burst": 50, "poll_interval": INTERVAL}


def measure(client: str, jobs: int, seconds: float, *more: str) -> dict[str, float]:
    """Run one client against a fresh gateway, each in a process of its own."""
    command = [sys.executable, __file__]
    with subprocess.Popen([*command, "--gateway"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url, key = server.stdout.readline().split()
        told = ["--client", client, "--at", url, "--key", key, "--jobs", str(jobs), "--seconds", str(seconds)]
        done = subprocess.run([*command, *told, *more], check=True, stdout=subprocess.PIPE, text=True)
        server.stdin.close()
    return json.loads(done.stdout)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gateway", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--traced", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--at", help=argparse.SUPPRESS)
    parser.add_argument("--key", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.gateway:
        asyncio.run(gateway())
    elif options.client:
        meter = Meter(traced=options.traced)
        running = RUNS[options.client](options.at, options.key, options.jobs, options.seconds, meter)
        print(json.dumps(asyncio.run(running)))
    else:
        table(options.jobs, options.seconds, options.rounds)


def table(jobs: int, seconds: float, rounds: int) -> None:
    """Measure all clients in turn, and print what they took."""
    measured = [{client: measure(client, jobs, seconds) for client in RUNS} for _ in range(rounds)]
    traced = {client: measure(client, jobs, 0.1, "--traced")["bytes_per_job"] for client in RUNS}
    print(f"{jobs} jobs, one poll per {INTERVAL:g} s each, medians of {rounds} rounds\n")
    print(
        "| client | polls measured | CPU per poll, µs | ÷ ours | RSS per waiting job, bytes | ÷ ours | of it in use |"
    )
    print("|---|---|---|---|---|---|---|")
    median = {
        client: {name: statistics.median(one[client][name] for one in measured) for name in measured[0][client]}
        for client in RUNS
    }
    us = median["ours"]
    for client, it in median.items():
        print(
            f"| {client} | {it['polls']:.0f} | {it['cpu_us']:.0f} | {it['cpu_us'] / us['cpu_us']:.1f} |"
            f" {it['bytes_per_job']:.0f} | {it['bytes_per_job'] / us['bytes_per_job']:.1f} | {traced[client]:.0f} |"
        )


if __name__ == "__main__":
    main()
