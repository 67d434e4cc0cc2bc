"""What the ledger costs: durable calls per second, and the event loop's share of each, by how many call at once.

One caller alone waits for one flush of the disk each time. Many share flushes, so that their number hardly matters: the
calls per flush are printed beside. The loop's share is the processor time of its own thread. A life is the five calls of a
job, as a session makes them. Run it with ``python benchmarks/ledger.py [callers …]``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import attrs

from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import Destination, LedgerEntry
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.types.request import VideoRequest

CALLS_OF_A_LIFE = 5
LIVES = 20_000
FEW_LIVES = 60  # for one caller, who waits for the disk each time
FLUSHES = 200
OLD_JOBS = 100_000

REQUEST = VideoRequest(model="sora-2", prompt="a cat plays jazz piano in a smoky bar, warm light " * 4, seconds=8)
TARGET = Destination(text="/videos/{index:04d}-{slug}.mp4", template=True)


@attrs.frozen
class Figures:
    """What was measured with so many callers."""

    callers: int
    calls_per_second: float
    calls_per_flush: float
    loop_microseconds: float


async def lives(ledger: SqliteLedger, name: int, number: int) -> None:
    """Take jobs through their lives, one after the other."""
    for each in range(number):
        key = f"{name}-{each}"
        await ledger.intend([LedgerEntry(key=key, request=REQUEST, target=TARGET, batch="run", fingerprint=key)])
        await ledger.record(key, transitions.sending())
        await ledger.record(key, transitions.bought("video-" + "x" * 120))
        await ledger.record(key, transitions.completed(2e9))
        await ledger.record(
            key, transitions.saved(Path("/videos/a.mp4"), bytes_written=1 << 22, sha256="0" * 64, verified=True)
        )


async def measured(folder: Path, callers: int) -> Figures:
    """Let so many callers work at once on a new ledger."""
    each = FEW_LIVES if callers == 1 else max(LIVES // callers, 1)
    ledger = await SqliteLedger.open(folder / f"{callers}.db")
    commits, started, used = ledger.commits, time.perf_counter(), time.thread_time()
    await asyncio.gather(*(lives(ledger, name, each) for name in range(callers)))
    seconds, loop = time.perf_counter() - started, time.thread_time() - used
    calls = callers * each * CALLS_OF_A_LIFE
    await ledger.aclose()
    return Figures(callers, calls / seconds, calls / (ledger.commits - commits), loop / calls * 1e6)


def flushes_per_second(folder: Path) -> float:
    """Measure what the disk itself does: a small write, and waiting until it is safe."""
    with (folder / "flushes").open("wb", buffering=0) as file:
        started = time.perf_counter()
        for _ in range(FLUSHES):
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
        return FLUSHES / (time.perf_counter() - started)


async def opening(folder: Path) -> tuple[float, float]:
    """Measure opening, in milliseconds: an empty ledger, and one full of jobs that need nothing."""
    path = folder / "old.db"
    ledger = await SqliteLedger.open(path)
    await ledger.intend([LedgerEntry(key=f"{number}", request=REQUEST) for number in range(OLD_JOBS)])
    await ledger.aclose()
    found = []
    for each in (folder / "empty.db", path):
        started = time.perf_counter()
        ledger = await SqliteLedger.open(each)
        found.append((time.perf_counter() - started) * 1e3)
        await ledger.aclose()
    return found[0], found[1]


async def main(numbers: list[int]) -> None:
    """Print one line per number of callers."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:  # where users have theirs; a temp folder may be memory
        folder = Path(name)
        flushes = flushes_per_second(folder)
        print(f"the disk alone: {flushes:,.0f} flushes/s")
        print(
            f"{'callers':>8}  {'durable calls/s':>15}  {'× the disk':>10}  {'calls/flush':>11}  {'µs of the loop/call':>19}"
        )
        for callers in numbers:
            found = await measured(folder, callers)
            print(
                f"{callers:>8,}  {found.calls_per_second:>15,.0f}  {found.calls_per_second / flushes:>10.1f}"
                f"  {found.calls_per_flush:>11,.1f}  {found.loop_microseconds:>19.1f}"
            )
        empty, full = await opening(folder)
        print(f"opening: {empty:.1f} ms empty, {full:.1f} ms with {OLD_JOBS:,} jobs")


if __name__ == "__main__":
    asyncio.run(main([int(number) for number in sys.argv[1:]] or [1, 100, 1000]))
