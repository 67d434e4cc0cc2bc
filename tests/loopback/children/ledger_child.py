"""What a ledger's process does, in one that may be killed. Run it with a function's name and its arguments."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.errors import LedgerError, VideoError
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import LedgerEntry
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Callable

WORKERS = 20
ROOM = 100_000  # bytes that the ledger may still take before its disk is full


def say(text: str) -> None:
    """Print at once, in one piece."""
    os.write(1, f"{text}\n".encode())


def entry(key: str) -> LedgerEntry:
    """Give an entry that takes some room."""
    return LedgerEntry(key=key, request=VideoRequest(model="sora-2", prompt="x" * 1000))


async def work(path: str) -> None:
    """Take jobs through their lives for ever, and acknowledge each call that has returned."""
    ledger = await SqliteLedger.open(path)

    async def worker(name: int) -> None:
        number = 0
        while True:
            number += 1
            key = f"{name}-{number}"
            await ledger.intend([entry(key)])
            say(f"{key} intended")
            await ledger.record(key, transitions.sending())
            say(f"{key} sending")
            await ledger.record(key, transitions.bought(f"id of {key}"))
            say(f"{key} bought")
            await ledger.record(key, transitions.completed(1.0))
            say(f"{key} completed")
            await ledger.record(key, transitions.saved(Path("a.mp4"), bytes_written=1, sha256="00", verified=True))
            say(f"{key} saved")

    await asyncio.gather(*map(worker, range(WORKERS)))


async def hold(path: str) -> None:
    """Keep a ledger open until the end comes."""
    ledger = await SqliteLedger.open(path)
    say("open")
    await asyncio.Event().wait()
    await ledger.aclose()


async def _until_full(path: Path, make_room: Callable[[], None]) -> None:
    """Fill the disk, make room, go on; then say what was acknowledged, refused and found."""
    ledger = await SqliteLedger.open(path)
    await ledger.intend([entry("first")])
    await ledger.record("first", transitions.sending())
    acknowledged, refusal = 2, ""
    while not refusal:
        try:
            await ledger.intend([entry(f"{acknowledged}")])
            acknowledged += 1
        except LedgerError as error:
            refusal = str(error)
    lost = ""
    with contextlib.suppress(LedgerError):
        while True:  # the smallest thing there is may still fit for a while
            await ledger.remember("filler", b"x")
    try:
        await ledger.record("first", transitions.bought("paid for"))
    except LedgerError as error:
        lost = f"{error.job_key} {error.job_id} {error.charged}"
    readable = sum((await ledger.counts()).values())
    make_room()
    await ledger.record("first", transitions.bought("paid for"))
    await ledger.aclose()
    ledger = await SqliteLedger.open(path)
    jobs = await ledger.page(limit=100_000)
    await ledger.aclose()
    found = {
        "acknowledged": acknowledged - 1,
        "refusal": refusal,
        "lost": lost,
        "readable": readable,
        "found": len(jobs),
        "first": jobs[-1].state.value,
    }
    say(json.dumps(found))


async def full(folder: str) -> None:
    """Fill a small disk."""
    await _until_full(Path(folder, "run.db"), _filler(folder).unlink)


def _filler(folder: str) -> Path:
    filler = Path(folder, "filler")
    filler.write_bytes(b"\1" * 200_000)
    return filler


async def limited(path: str) -> None:
    """Reach the largest size that a file may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    await _until_full(Path(path), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard)))


async def readonly(folder: str) -> None:
    """Have the disk mounted read-only while the ledger is open, and open it again there."""
    path = Path(folder, "run.db")
    ledger = await SqliteLedger.open(path)
    await ledger.intend([entry("first")])
    await ledger.aclose()
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)  # noqa: ASYNC221, S603, S607 - nobody else runs here
    try:
        await SqliteLedger.open(path)
    except LedgerError as error:
        say(json.dumps({"refusal": str(error)}))


async def fork(path: str) -> None:
    """Use a ledger in a forked child, then leave it to the child alone."""
    ledger = await SqliteLedger.open(path)
    await ledger.intend([entry("first")])
    told, tell = os.pipe()
    ended, end = os.pipe()
    if os.fork() == 0:
        os.close(end)
        os.write(tell, asyncio.run(_refused(ledger)).encode())
        os.read(ended, 1)  # lives on until its parent has ended
        os._exit(0)
    os.close(tell)
    refusal = os.read(told, 10_000).decode()
    await ledger.record("first", transitions.sending())
    await ledger.aclose()
    ledger = await SqliteLedger.open(path)
    found = await ledger.entry("first")
    await ledger.aclose()
    say(json.dumps({"refusal": refusal, "state": found and found.state.value}))


async def _refused(ledger: SqliteLedger) -> str:
    try:
        await ledger.entry("first")
    except VideoError as error:
        await ledger.aclose()
        return str(error)
    return "not refused"


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
