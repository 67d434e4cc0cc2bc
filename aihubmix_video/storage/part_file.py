"""The unfinished file of a download, beside its target."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from typing import TYPE_CHECKING, Self

from aihubmix_video.storage import filesystem
from aihubmix_video.storage.disk import DiskRefused, refusals, to_the_end

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from _typeshed import OpenBinaryMode
    from aiofiles.threadpool.binary import AsyncFileIO

    from aihubmix_video.storage.disk import Disk
    from aihubmix_video.storage.filesystem import ByteObserver

__all__ = ["PartFile"]


class PartFile:
    """An unfinished file beside its target.

    Its observers receive the bytes that have been written, in order and each once, so that resuming needs no second look at
    them. They are called on the thread that writes, between the awaits of `append`.

    Args:
        disk: Runs the work on its threads.
        path: The file's path.
        observers: Receive the bytes, such as a digest of `hashlib`.

    Attributes:
        path: The file's path.
        size: Bytes that have been written without an error.
    """

    def __init__(self, disk: Disk, path: Path, observers: Sequence[ByteObserver] = ()) -> None:
        self.path = path
        self.size = 0
        self._disk = disk
        self._observers = tuple(observers)
        self._file: AsyncFileIO | None = None
        self._identity: tuple[int, int] | None = None

    @classmethod
    async def create(cls, disk: Disk, target: Path, observers: Sequence[ByteObserver] = ()) -> Self:
        """Create an empty part file of *target*, readable to its owner only."""
        part = cls(disk, filesystem.part_path(target), observers)
        try:
            await part._open("xb")
        except (asyncio.CancelledError, DiskRefused):
            if part._file is not None:  # else it is not ours
                with contextlib.suppress(DiskRefused):
                    await to_the_end(part.remove())
            raise
        return part

    async def reopen(self) -> None:
        """Open the file again, to append behind the bytes that have been written."""
        await self._open("r+b")

    async def _open(self, mode: OpenBinaryMode) -> None:
        with refusals("opened"):
            await to_the_end(self._open_there(mode))

    async def _open_there(self, mode: OpenBinaryMode) -> None:
        self._file = await self._disk.open(self.path, mode)
        self._identity = await self._disk.call(filesystem.go_on, self._file.fileno(), self.size, self._identity)

    async def append(self, pieces: Sequence[bytes | bytearray]) -> None:
        """Write *pieces* and hand them to the observers, all in one call on a thread.

        Run it as a task and await that by `to_the_end`, so that the next pieces can arrive meanwhile.
        """
        with refusals("written"):
            self.size = await self._disk.call(filesystem.append, self._descriptor(), pieces, self._observers, self.size)

    async def make_durable(self) -> None:
        """Flush the bytes to the disk, and set the mode that the user's files have."""
        with refusals("put on the disk"):
            await self._disk.run(filesystem.make_durable, self._descriptor(), self._disk.file_mode)

    async def close(self) -> None:
        """Close the file, if it is open."""
        file, self._file = self._file, None
        if file is not None:
            with refusals("closed"):
                await to_the_end(file.close())

    async def remove(self) -> None:
        """Close and delete the file. Await it by `to_the_end`, or a cancellation would leave the file closed only."""
        with contextlib.suppress(DiskRefused):
            await self.close()
        with refusals("removed"):
            await self._disk.run(filesystem.remove, self.path)

    async def publish(self, target: Path, *, overwrite: bool, sha256: str) -> None:
        """Rename the file to *target* atomically; *sha256* is its digest, by which it is recognised if it is there already."""
        with refusals("given its name"):
            await self._disk.run(filesystem.publish, self.path, target, overwrite, sha256)

    def _descriptor(self) -> int:
        if self._file is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._file.fileno()
