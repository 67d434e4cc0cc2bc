"""What is killed: a batch with a ledger, or its resumption. Prints a line when the session is open, then one per outcome."""

from __future__ import annotations

import asyncio
import json
import sys

from aihubmix_video import VideoRequest, VideoSession


async def main(url: str, key: str, folder: str, command: str, prefix: str, rows: int) -> None:
    """Run *rows* jobs whose prompts begin with *prefix*, or take up what is left of them."""
    options = {"rate": 1000.0, "burst": 4, "poll_interval": 0.1}
    async with VideoSession(key, base_url=url, ledger=f"{folder}/run.db", **options) as session:
        sys.stdout.write("open\n")
        sys.stdout.flush()
        requests = (VideoRequest(model="wan2.6-t2v", prompt=f"{prefix} {row}") for row in range(rows))
        items = session.batch(requests, to=f"{folder}/{{index:03d}}.mp4") if command == "batch" else session.resume()
        async for item in items:
            path = None if item.path is None else str(item.path)
            error = None if item.error is None else type(item.error).__name__
            sys.stdout.write(
                json.dumps({"key": item.key, "prompt": item.request.prompt, "path": path, "error": error}) + "\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6], int(sys.argv[6])))
