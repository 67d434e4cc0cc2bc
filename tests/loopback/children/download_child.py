"""A process that downloads under a limit on file sizes, which is the nearest a test comes to a full disk."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

import aiohttp

from aihubmix_video.download.download import Disk, Download
from tests.loopback.sources import source


async def main(url: str, target: Path, limit: int) -> None:
    """Try twice with files of *limit* bytes at most, and once without the limit; print what came of it."""
    disk = Disk()
    download = Download(target, disk=disk)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    told: list[object] = []
    async with aiohttp.ClientSession() as session:
        for allowed in (limit, limit, hard):
            resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, hard))
            outcome = await download.attempt(source(session, url))
            there = target.exists()  # noqa: ASYNC240  # nothing else runs here
            told.append([type(outcome).__name__, there, download.part is not None])
    await disk.aclose()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
