"""A batch that tells what it takes: ``python flat_child.py URL KEY FOLDER JOBS``, with as many in flight whatever JOBS is."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from pathlib import Path

from aihubmix_video import VideoRequest, VideoSession

IN_FLIGHT = 50
BEAT = 0.02


def taken() -> dict[str, int]:
    """Count what this process takes at the moment: memory in KiB, and the blocks of it that Python's objects are in."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    (resident,) = re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return {
        "memory": int(resident),
        "blocks": sys.getallocatedblocks(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
    }


async def watch(most: dict[str, int]) -> None:
    """Keep the most of each that there ever was."""
    while True:
        for name, now in taken().items():
            most[name] = max(most.get(name, 0), now)
        await asyncio.sleep(BEAT)


async def main(url: str, key: str, folder: str, jobs: int) -> None:
    """Run the batch, and print what it took at its peak."""
    most: dict[str, int] = {}
    told = 0
    watching = asyncio.create_task(watch(most))
    rows = (VideoRequest(model="wan2.6-t2v", prompt=f"cat {number}") for number in range(jobs))
    options = {
        "rate": 1000.0,
        "burst": 50,
        "poll_interval": 0.2,
        "max_in_flight": IN_FLIGHT,
        "ledger": f"{folder}/run.db",
    }
    async with VideoSession(key, base_url=url, **options) as session:
        async for item in session.batch(rows, to=f"{folder}/{{index}}.mp4"):
            assert item.path is not None, item.error
            item.path.unlink()
            told += 1
            if told == IN_FLIGHT:
                most.clear()  # opening takes 16 MiB for a moment, to digest the key
    watching.cancel()
    sys.stdout.write(json.dumps(most))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
