"""What is killed: a batch with a ledger, or its resumption. Prints a line when the session is open, then one per outcome."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from aihubmix_video import VideoRequest, VideoSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


OPTIONS: Mapping[str, Any] = {"rate": 1000.0, "burst": 4, "poll_interval": 0.1}  # Any: the session's options


async def outcomes(
    url: str, key: str, folder: str, command: str, prefix: str, rows: int
) -> AsyncIterator[dict[str, str | None]]:
    """Run *rows* jobs whose prompts begin with *prefix*, or take up what is left of them; nothing comes when it is open."""
    async with VideoSession(key, base_url=url, ledger=f"{folder}/run.db", **OPTIONS) as session:
        yield {}
        requests = (VideoRequest(model="wan2.6-t2v", prompt=f"{prefix} {row}") for row in range(rows))
        items = session.batch(requests, to=f"{folder}/{{index:03d}}.mp4") if command == "batch" else session.resume()
        async for item in items:
            path = None if item.path is None else str(item.path)
            error = None if item.error is None else type(item.error).__name__
            yield {"key": item.key, "prompt": item.request and item.request.prompt, "path": path, "error": error}


async def main(url: str, key: str, folder: str, command: str, prefix: str, rows: int) -> None:
    """Print what comes of it."""
    async for outcome in outcomes(url, key, folder, command, prefix, rows):
        sys.stdout.write((json.dumps(outcome) if outcome else "open") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6], int(sys.argv[6])))
