"""A batch that tells what it takes: ``python flat_child.py URL KEY FOLDER JOBS``, with as many in flight whatever JOBS is.

It prints a list: for each hundred jobs the most that was taken while they ended. Blocks are counted once, when they have ended and
garbage is collected: how much of that lies about depends on when the collector last ran, and says nothing about what is kept.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import threading
from pathlib import Path

from aihubmix_video import VideoRequest, VideoSession

IN_FLIGHT = 50
STRETCH = 100
BEAT = 0.02


def taken() -> dict[str, int]:
    """Count what this process takes at the moment, memory in KiB."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    (resident,) = re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return {
        "memory": int(resident),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
    }


async def watch(stretches: list[dict[str, int]]) -> None:
    """Keep the most of each that there ever was in the last stretch."""
    while True:
        most = stretches[-1]
        for name, now in taken().items():
            most[name] = max(most.get(name, 0), now)
        await asyncio.sleep(BEAT)


async def main(url: str, key: str, folder: str, jobs: int) -> None:
    """Run the batch, and print what it took."""
    stretches: list[dict[str, int]] = [{}]
    told = 0
    watching = asyncio.create_task(watch(stretches))
    rows = (VideoRequest(model="wan2.6-t2v", prompt=f"cat {number}") for number in range(jobs))
    options = {"rate": 1000.0, "burst": 50, "poll_interval": 0.2, "max_in_flight": IN_FLIGHT}
    async with VideoSession(key, base_url=url, ledger=f"{folder}/run.db", **options) as session:
        async for item in session.batch(rows, to=f"{folder}/{{index}}.mp4"):
            assert item.path is not None, item.error
            item.path.unlink()
            told += 1
            if told % STRETCH == 0:
                await asyncio.sleep(2 * BEAT)
                gc.collect()
                stretches[-1]["blocks"] = sys.getallocatedblocks()
                stretches.append({})
    watching.cancel()
    sys.stdout.write(json.dumps([most for most in stretches if "blocks" in most]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
