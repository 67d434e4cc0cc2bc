"""Batches on a disk that others fill: ``python full_child.py URL KEY FOLDER``, where FOLDER has 48 MiB for itself alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from aihubmix_video import VideoRequest, VideoSession

RESERVED = 40 << 20  # so much is taken that a film does not fit beside what is always left free
ROWS = 60


class Folder:
    """The small disk."""

    def __init__(self, url: str, key: str, folder: str) -> None:
        self.path, self._url, self._key = Path(folder), url, key
        self._filler = self.path / "filler"

    def session(self) -> VideoSession:
        """Open its ledger."""
        options: dict[str, Any] = {
            "rate": 1000.0,
            "poll_interval": 0.1,
            "max_in_flight": 8,
        }  # Any: the session's options
        return VideoSession(self._key, base_url=self._url, ledger=self.path / "run.db", **options)

    def fill(self, wanted: int) -> None:
        """Take so many bytes, or all there are."""
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            for piece in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while filler.tell() + piece <= wanted:
                        filler.write(bytes(piece))

    async def make_room(self, after: float) -> None:
        """Give it all back."""
        await asyncio.sleep(after)
        self._filler.unlink()

    async def batch(self, name: str, rows: int, *, full_after: int | None = None) -> Counter[str]:
        """Run a batch; count how its rows ended. After so many the disk is full to the last byte, for a second."""
        told: Counter[str] = Counter()
        room: asyncio.Task[None] | None = None
        requests = (VideoRequest(model="wan2.6-t2v", prompt=f"{name} {row} {'.' * 3000}") for row in range(rows))
        async with self.session() as session:
            async for item in session.batch(requests, to=self.path / f"{name}-{{index}}.mp4"):
                told[type(item.error).__name__] += 1
                if told.total() == full_after:
                    self.fill(1 << 30)
                    room = asyncio.create_task(self.make_room(1.0))
        if room is not None:
            await room
        return told


async def main(url: str, key: str, folder: str) -> None:
    """No room for films at first, then none for the ledger, then enough."""
    disk = Folder(url, key, folder)
    disk.fill(RESERVED)
    room = asyncio.create_task(disk.make_room(1.0))
    told = {"films": await disk.batch("film", 5)}
    await room
    told["ledger"] = await disk.batch("row", ROWS, full_after=5)
    told["again"] = await disk.batch("row", ROWS)
    files = {hashlib.sha256(path.read_bytes()).hexdigest() for path in disk.path.glob("*.mp4")}
    rest = [path.name for path in disk.path.iterdir() if path.suffix != ".mp4" and not path.name.startswith("run.db")]
    sys.stdout.write(json.dumps({**told, "files": sorted(files), "rest": rest}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
