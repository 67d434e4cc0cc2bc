"""One of several processes under one rate: ``python rate_child.py URL KEY NAME SECONDS OPTIONS``; buys without an end until then."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

from aihubmix_video import VideoSession
from aihubmix_video.errors import VideoError


async def buy(session: VideoSession, name: str) -> None:
    """Buy one job after the other."""
    while True:
        with suppress(VideoError):
            await session.submit(name, model="wan2.6-t2v")


async def run(url: str, key: str, name: str, seconds: float, options: dict[str, Any]) -> None:  # Any: JSON
    """Open a session, say so, wait for the word to begin, and buy."""
    async with VideoSession(key, base_url=url, trust_env=False, poll_interval=3600, **options) as session:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        buyers = [asyncio.create_task(buy(session, name)) for _ in range(24)]
        await asyncio.sleep(seconds)
        for buyer in buyers:
            buyer.cancel()
        await asyncio.gather(*buyers, return_exceptions=True)


if __name__ == "__main__":
    url, key, name, seconds, options = sys.argv[1:]
    asyncio.run(run(url, key, name, float(seconds), json.loads(options)))
