"""What waiting costs: processor time per poll and memory per waiting job, ours beside what people use today.

    python benchmarks/polls.py [--jobs 1000] [--seconds 12] [--rounds 3]

The local gateway runs in a process of its own; each client runs in a process of its own and is measured by the operating
system. All follow the same number of jobs that never end, each asked about at the same interval; the rounds alternate
between the clients, and medians are printed. Ratios are comparable between machines, absolute figures are not.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path

Follow = Callable[[], Awaitable[None]]

WARM = 50  # jobs before memory is measured
INTERVAL = 2.0  # seconds between polls of one job
PAGE = os.sysconf("SC_PAGE_SIZE")
CLIENTS = ("ours", "aiohttp loop", "openai-python")


def resident() -> int:
    """Read the process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


class Meter:
    """Counts polls, and measures from a first mark to a second."""

    def __init__(self) -> None:
        self.polls = 0
        self.created = 0

    async def over(self, seconds: float, polls: Callable[[], int]) -> dict[str, float]:
        """Measure while the event loop works."""
        before, cpu = polls(), time.process_time()
        await asyncio.sleep(seconds)
        asked = polls() - before
        return {"polls": asked, "cpu_us": (time.process_time() - cpu) / max(asked, 1) * 1e6}


async def ours(url: str, key: str, jobs: int, seconds: float) -> dict[str, float]:
    """Follow the jobs in one session."""
    from aihubmix_video import VideoSession

    async with VideoSession(
        key, base_url=url, rate=1000, burst=50, poll_interval=INTERVAL, max_in_flight=10**6
    ) as session:
        warm = await asyncio.gather(*(session.submit("[stuck]", model="wan2.6-t2v") for _ in range(WARM)))
        gc.collect()
        empty = resident()
        held = [
            *warm,
            *await asyncio.gather(*(session.submit("[stuck]", model="wan2.6-t2v") for _ in range(jobs - WARM))),
        ]
        gc.collect()
        memory = (resident() - empty) / (jobs - WARM)
        await asyncio.sleep(INTERVAL)
        measured = await Meter().over(seconds, lambda: session.stats().polls_sent)
        assert len(held) == jobs
        return {**measured, "bytes_per_job": memory}


async def aiohttp_loop(url: str, key: str, jobs: int, seconds: float) -> dict[str, float]:
    """Follow each job in a coroutine of its own, with nothing but aiohttp."""
    import aiohttp

    meter = Meter()
    body = {"model": "wan2.6-t2v", "prompt": "[stuck]"}

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as client:

        async def create() -> str:
            async with client.post(f"{url}/v1/videos", json=body) as answer:
                return (await answer.json())["id"]

        async def follow() -> None:
            video_id = await create()
            meter.created += 1
            while True:
                await asyncio.sleep(INTERVAL)
                async with client.get(f"{url}/v1/videos/{video_id}") as answer:
                    if (await answer.json())["status"] == "completed":
                        return
                meter.polls += 1

        return await followed(follow, meter, jobs, seconds)


async def openai_python(url: str, key: str, jobs: int, seconds: float) -> dict[str, float]:
    """Follow each job in a coroutine of its own, with openai-python's `retrieve`."""
    import openai

    warnings.simplefilter("ignore", DeprecationWarning)
    meter = Meter()
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60) as client:

        async def create() -> str:
            headers = {"Content-Type": "application/json"}
            return (await client.videos.create(model="wan2.6-t2v", prompt="[stuck]", extra_headers=headers)).id

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
    gc.collect()
    empty = resident()
    tasks += [asyncio.create_task(follow()) for _ in range(jobs - WARM)]
    while meter.created < jobs:
        await asyncio.sleep(0.1)
    await asyncio.sleep(INTERVAL)
    gc.collect()
    memory = (resident() - empty) / (jobs - WARM)
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


def measure(client: str, jobs: int, seconds: float) -> dict[str, float]:
    """Run one client against a fresh gateway, each in a process of its own."""
    command = [sys.executable, __file__]
    with subprocess.Popen([*command, "--gateway"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url, key = server.stdout.readline().split()
        done = subprocess.run(
            [*command, "--client", client, "--at", url, "--key", key, "--jobs", str(jobs), "--seconds", str(seconds)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        server.stdin.close()
    return json.loads(done.stdout)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gateway", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--at", help=argparse.SUPPRESS)
    parser.add_argument("--key", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.gateway:
        asyncio.run(gateway())
        return
    if options.client:
        run = {"ours": ours, "aiohttp loop": aiohttp_loop, "openai-python": openai_python}[options.client]
        print(json.dumps(asyncio.run(run(options.at, options.key, options.jobs, options.seconds))))
        return
    rounds = [
        {client: measure(client, options.jobs, options.seconds) for client in CLIENTS} for _ in range(options.rounds)
    ]
    print(f"{options.jobs} jobs, one poll per {INTERVAL:g} s each, medians of {options.rounds} rounds\n")
    print("| client | polls measured | CPU per poll, µs | ÷ ours | memory per waiting job, bytes | ÷ ours |")
    print("|---|---|---|---|---|---|")
    median = {
        client: {name: statistics.median(one[client][name] for one in rounds) for name in rounds[0][client]}
        for client in CLIENTS
    }
    for client in CLIENTS:
        it, us = median[client], median["ours"]
        print(
            f"| {client} | {it['polls']:.0f} | {it['cpu_us']:.0f} | {it['cpu_us'] / us['cpu_us']:.1f} |"
            f" {it['bytes_per_job']:.0f} | {it['bytes_per_job'] / us['bytes_per_job']:.1f} |"
        )


if __name__ == "__main__":
    main()
