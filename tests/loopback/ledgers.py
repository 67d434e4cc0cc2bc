"""Entries and ledgers for tests, and a process of its own that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import attrs

from aihubmix_video.ledger.entry import LedgerEntry
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aihubmix_video.ledger.entry import LedgerState

CHILD = Path(__file__).parent / "children" / "ledger_child.py"
ROOT = Path(__file__).parents[2]


def entry(key: str = "a", **fields: object) -> LedgerEntry:
    """Give an entry with only what a test is about."""
    model = str(fields.pop("model", "sora-2"))
    request = fields.pop("request", VideoRequest(model=model, prompt=key))
    return attrs.evolve(LedgerEntry(key=key, request=request, fingerprint=f"of {key}"), **fields)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteLedger]:
    """Open a ledger for a while."""
    ledger = await SqliteLedger.open(path)
    try:
        yield ledger
    finally:
        await ledger.aclose()


async def states(path: Path) -> dict[str, tuple[LedgerState, str | None]]:
    """Open a ledger and say of each job where it stands and what its id is."""
    async with opened(path) as ledger:
        return {each.key: (each.state, each.video_id) for each in await ledger.page(limit=1_000_000)}


@contextmanager
def child(mode: str, *arguments: object, alone: Path | None = None) -> Iterator[tuple[int, IO[bytes]]]:
    """Run `ledger_child` as a process; gives its id and what it prints. It is killed at the end, if it still runs.

    Args:
        mode: The function of it to run.
        *arguments: For that function.
        alone: Run it where nobody else sees what is mounted on this folder, half a megabyte of memory.
    """
    command = [sys.executable, str(CHILD), mode, *map(str, arguments)]
    if alone is not None:
        mount = 'mount -t tmpfs -o size=512k none "$0" && exec "$@"'
        command = ["unshare", "-rm", "sh", "-c", mount, str(alone), *command]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)  # noqa: S603 - ourselves
    assert process.stdout is not None
    try:
        yield process.pid, process.stdout
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def report(mode: str, *arguments: object, alone: Path | None = None) -> dict[str, Any]:
    """Run `ledger_child` to its end, and give the JSON object that it printed."""
    with child(mode, *arguments, alone=alone) as (_, printed):
        said: dict[str, Any] = json.loads(printed.read())
        return said


def can_mount(folder: Path) -> bool:
    """Say whether this machine lets us have a small disk of our own."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(folder)]
    try:
        tried = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - part of most systems
    except OSError:
        return False
    return tried.returncode == 0
