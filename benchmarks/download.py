"""Bringing finished videos to disk: throughput beside curl's, how long the event loop is held up, and memory.

    python benchmarks/download.py [--size 512] [--rounds 5] [--folder .]

The local gateway serves valid MP4s of the size asked for, from a process of its own. Each client runs in a process of its
own and writes to the same folder; ours also hashes, checks the structure, syncs file and folder and renames. Rounds
alternate between the clients, and medians are printed. The folder must be on a real disk for fsync to cost what it costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from pathlib import Path

MIB = 1 << 20
MANY = 16
BEAT = 0.005  # seconds between beats of the timer that shows whether the loop is held up


async def gateway(size: int) -> None:
    """Serve films of *size* bytes until standard input closes."""
    from aihubmix_video.sandbox import Sandbox

    async with Sandbox(content=size, generation=0.0, render=False) as sandbox:
        print(sandbox.url, sandbox.api_key, flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def beat(late: list[float]) -> None:
    """Note how late an unrelated timer is."""
    clock = asyncio.get_running_loop().time
    due = clock() + BEAT
    while True:
        await asyncio.sleep(due - clock())
        late.append(clock() - due)
        due = clock() + BEAT


async def ours(url: str, key: str, ids: list[str], folder: Path) -> dict[str, float]:
    """Fetch with one session."""
    from aihubmix_video import VideoSession

    late: list[float] = []
    async with VideoSession(key, base_url=url, rate=1000, burst=MANY, max_downloads=MANY) as session:
        timer = asyncio.create_task(beat(late))
        await asyncio.sleep(10 * BEAT)
        late.clear()
        started = time.perf_counter()
        fetches = (session.videos.download_content(one, folder / f"ours-{n}.mp4") for n, one in enumerate(ids))
        videos = await asyncio.gather(*fetches)
        seconds = time.perf_counter() - started
        timer.cancel()
        assert all(video.verified for video in videos)
    return {"seconds": seconds, "late_ms": max(late) * 1000}


async def openai_python(url: str, key: str, ids: list[str], folder: Path) -> dict[str, float]:
    """Fetch with openai-python, streaming to disk."""
    import openai

    warnings.simplefilter("ignore", DeprecationWarning)
    late: list[float] = []
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, timeout=600) as client:

        async def fetch(one: str, path: Path) -> None:
            async with client.videos.with_streaming_response.download_content(one) as answer:
                await answer.stream_to_file(path)

        timer = asyncio.create_task(beat(late))
        started = time.perf_counter()
        await asyncio.gather(*(fetch(one, folder / f"openai-{n}.mp4") for n, one in enumerate(ids)))
        seconds = time.perf_counter() - started
        timer.cancel()
    return {"seconds": seconds, "late_ms": max(late) * 1000}


def curl(url: str, key: str, ids: list[str], folder: Path) -> dict[str, float]:
    """Fetch with curl; several at once by its own means."""
    command = ["curl", "--silent", "--fail", "--parallel", "--parallel-immediate", "--parallel-max", str(MANY)]
    command += ["-H", f"Authorization: Bearer {key}"]
    for n, one in enumerate(ids):
        command += ["-o", str(folder / f"curl-{n}.mp4"), f"{url}/v1/videos/{one}/content"]
    started = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return {"seconds": time.perf_counter() - started}


def curl_kept(url: str, key: str, ids: list[str], folder: Path) -> dict[str, float]:
    """Fetch with curl, then do what ours does beside fetching, as far as there are commands for it: sync and hash."""
    figures = curl(url, key, ids, folder)
    files = [str(folder / f"curl-{n}.mp4") for n in range(len(ids))]
    started = time.perf_counter()
    subprocess.run(["sync", *files], check=True)
    subprocess.run(["sha256sum", *files], check=True, stdout=subprocess.DEVNULL)
    return {"seconds": figures["seconds"] + time.perf_counter() - started}


CLIENTS = {"curl": curl, "curl + sync + sha256sum": curl_kept, "ours": ours, "openai-python": openai_python}


def create(url: str, key: str) -> str:
    """Make one job, which is finished at once."""
    request = urllib.request.Request(  # noqa: S310 - the local gateway's
        f"{url}/v1/videos",
        json.dumps({"model": "wan2.6-t2v", "prompt": "a film"}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - likewise
        return json.load(answer)["id"]


def measure(client: str, url: str, key: str, count: int, folder: Path) -> dict[str, float]:
    """Fetch *count* films with one client in a process of its own."""
    ids = [create(url, key) for _ in range(count)]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        job = json.dumps({"client": client, "url": url, "key": key, "ids": ids, "folder": place})
        done = subprocess.run(
            [sys.executable, __file__, "--job"], input=job, check=True, stdout=subprocess.PIPE, text=True
        )
    return json.loads(done.stdout)


def work() -> None:
    """Be one client, as told on standard input."""
    job = json.load(sys.stdin)
    run, folder = CLIENTS[job["client"]], Path(job["folder"])
    done = run(job["url"], job["key"], job["ids"], folder)
    figures = asyncio.run(done) if asyncio.iscoroutine(done) else done
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    figures["cpu"] = sum(one.ru_utime + one.ru_stime for one in usage)
    figures["peak_mib"] = usage["curl" in job["client"]].ru_maxrss / 1024
    print(json.dumps(figures))


def table(title: str, size: int, count: int, rounds: int, folder: Path) -> None:
    """Measure one case with every client, and print it."""
    command = [sys.executable, __file__, "--gateway", str(size)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url, key = server.stdout.readline().split()
        measure("curl", url, key, 1, folder)  # the film is made, and cached
        runs = [{client: measure(client, url, key, count, folder) for client in CLIENTS} for _ in range(rounds)]
        server.stdin.close()
    print(f"\n{title}, medians of {rounds} rounds\n")
    print("| client | MiB/s | x curl | CPU s | worst lateness of a timer, ms | peak memory, MiB |")
    print("|---|---|---|---|---|---|")
    for client in CLIENTS:
        middle = {name: statistics.median(run[client][name] for run in runs) for name in runs[0][client]}
        ratio = statistics.median(run["curl"]["seconds"] / run[client]["seconds"] for run in runs)
        worst = f"{max(run[client]['late_ms'] for run in runs):.1f}" if "late_ms" in middle else "–"
        rate = size * count / MIB / middle["seconds"]
        print(f"| {client} | {rate:.0f} | {ratio:.2f} | {middle['cpu']:.2f} | {worst} | {middle['peak_mib']:.0f} |")


def main() -> None:
    """Measure both cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="MiB in all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--gateway", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--job", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.gateway is not None:
        asyncio.run(gateway(options.gateway))
    elif options.job:
        work()
    else:
        size = options.size * MIB
        table(f"One video of {options.size} MiB", size, 1, options.rounds, options.folder)
        table(
            f"{MANY} videos of {options.size // MANY} MiB at once", size // MANY, MANY, options.rounds, options.folder
        )


if __name__ == "__main__":
    main()
