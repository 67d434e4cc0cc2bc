"""A process in a bad situation of its own: ``python world_child.py URL KEY FOLDER OPTIONS``; tells one line per outcome."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

from aihubmix_video import VideoRequest, VideoSession


async def block(after: float, seconds: float) -> None:
    """Do what users should not."""
    await asyncio.sleep(after)
    time.sleep(seconds)  # noqa: ASYNC251 - this is what is tried


async def run(url: str, key: str, folder: str, options: dict[str, Any]) -> None:  # Any: JSON
    """Run a batch to its end."""
    asyncio.get_running_loop().slow_callback_duration = 60.0
    rows = (VideoRequest(model="wan2.6-t2v", prompt=f"cat {row}") for row in range(options["rows"]))
    blocking = asyncio.create_task(block(options["block_after"], 3.0)) if "block_after" in options else None
    async with VideoSession(key, base_url=url, ledger=f"{folder}/run.db", **options["session"]) as session:
        async for item in session.batch(rows, to=f"{folder}/{{index:03d}}.mp4"):
            outcome = {"index": item.index, "path": str(item.path), "error": repr(item.error) if item.error else None}
            sys.stdout.write(json.dumps(outcome) + "\n")
            sys.stdout.flush()
    if blocking is not None:
        await blocking


if __name__ == "__main__":
    given = json.loads(sys.argv[4])
    if "files" in given:
        resource.setrlimit(resource.RLIMIT_NOFILE, (given["files"], given["files"]))
    for _ in range(given.get("runs", 1)):
        asyncio.run(run(*sys.argv[1:4], given))
