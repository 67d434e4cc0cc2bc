"""A process that buys one video over TLS: ``python tls_child.py URL KEY``; what it trusts is in its environment."""

from __future__ import annotations

import asyncio
import sys

from aihubmix_video import VideoSession
from aihubmix_video.errors import VideoError


async def buy(url: str, key: str) -> str:
    """Buy one, and tell what came of it."""
    async with VideoSession(key, base_url=url, trust_env=False) as session:
        try:
            await session.videos.create("a cat", model="wan2.6-t2v")
        except VideoError as error:
            return f"{type(error).__name__} {error}"
        return "bought"


if __name__ == "__main__":
    print(asyncio.run(buy(sys.argv[1], sys.argv[2])))  # noqa: T201 - how it tells its parent
