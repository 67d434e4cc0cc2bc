"""The disk: every call that may block runs through aiofiles on a few threads of its own, and is never abandoned.

Two habits of file work on threads are guarded against. On the event loop's shared threads a few slow writes hold up
everything else there, name look-ups included; so these are separate. And a cancelled call goes on in its thread, making
or writing a file that nobody closes; so a cancellation waits until the call has ended, which for a write of a megabyte or
so is soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import aiofiles
import aiofiles.os

from aihubmix_video.download.mp4_check import BoxWalk
from aihubmix_video.errors import SessionClosed
from aihubmix_video.storage import filesystem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from pathlib import Path

    from _typeshed import OpenBinaryMode
    from aiofiles.threadpool.binary import AsyncFileIO

__all__ = ["Disk", "DiskRefused", "PartFile", "to_the_end"]

T = TypeVar("T")

MAX_THREADS: Final = 8

PASSING_ERRNOS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ESTALE}
)
"""Errors that may go away by themselves."""


class DiskRefused(Exception):
    """The operating system refused; its text completes "the file …".

    Attributes:
        passing: Whether that may go away by itself.
    """

    def __init__(self, reason: str, *, passing: bool) -> None:
        super().__init__(reason)
        self.passing = passing


@contextlib.contextmanager
def _told(doing: str) -> Iterator[None]:
    """Tell the system's errors in our own words; *doing* completes "the file could not be …"."""
    try:
        yield
    except FileExistsError as error:
        raise DiskRefused(f"could not be {doing}: another one has that name", passing=False) from error
    except OSError as error:
        passing = error.errno in PASSING_ERRNOS
        raise DiskRefused(f"could not be {doing}: {error.strerror or error}", passing=passing) from error


async def to_the_end(work: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:  # Any: what a coroutine is sent is its own
    """Await *work*; a cancellation is let through only when it has ended."""
    task = work if isinstance(work, asyncio.Task) else asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as caught:
            cancelled = caught
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, or the loop would report that nobody did
        raise cancelled
    return task.result()


class Disk:
    """Works on files on threads of its own; shared by all downloads of a session.

    Args:
        downloads: How many files are written at once, at most.
    """

    def __init__(self, downloads: int = MAX_THREADS) -> None:
        self._threads = ThreadPoolExecutor(min(max(downloads, 1), MAX_THREADS), thread_name_prefix="aihubmix-disk")
        mask = os.umask(0o077)  # it can be read only by setting it; meanwhile a new file is closed rather than open
        os.umask(mask)
        self.file_mode = 0o666 & ~mask
        self._closed = False

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Call *work* on a thread; a cancellation waits for it."""
        return await to_the_end(self.call(work, *args))

    async def call(self, work: Callable[..., T], *args: object) -> T:
        """Call *work* on a thread; to be run as a task, or a cancellation would abandon it.

        Raises:
            SessionClosed: Nothing is worked on any more.
        """
        self._check_open()
        result: T = await aiofiles.os.wrap(work)(*args, executor=self._threads)
        return result

    async def open(self, path: Path, mode: OpenBinaryMode) -> AsyncFileIO:
        """Open a file of ours; likewise to be run as a task, and refused when closed."""
        self._check_open()
        return await aiofiles.open(path, mode, buffering=0, opener=filesystem.open_private, executor=self._threads)

    async def free_bytes(self, folder: Path) -> int | None:
        """Ask how much may be written into *folder*; None where the file system does not say."""
        with _told("written"):
            return await self.run(filesystem.free_bytes, folder)

    async def sync_folder(self, folder: Path) -> None:
        """Put the names in *folder* on the disk."""
        with _told("made durable under its name"):
            await self.run(filesystem.sync_folder, folder)

    async def aclose(self) -> None:
        """End the threads, once what they do is done."""
        self._closed = True
        await to_the_end(asyncio.to_thread(self._threads.shutdown))

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed("the session was closed")


class PartFile:
    """An unfinished file beside its target, and what is known of its bytes.

    Digest and walk follow the bytes that are on the disk, so that continuing needs no second look at them; all that is
    known can be had again by reading the file from its beginning.

    Attributes:
        path: Where it lies.
        size: Bytes that are surely there.
        digest: SHA-256 of them.
        walk: The boxes of them.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self.size = 0
        self.digest = hashlib.sha256()
        self.walk = BoxWalk()
        self._disk = disk
        self._file: AsyncFileIO | None = None
        self._identity: tuple[int, int] | None = None

    @classmethod
    async def create(cls, disk: Disk, target: Path) -> Self:
        """Begin an empty one, readable to its owner only."""
        part = cls(disk, filesystem.part_path(target))
        try:
            await part._open("xb")
        except (asyncio.CancelledError, DiskRefused):
            if part._file is not None:  # else it is not ours
                with contextlib.suppress(DiskRefused):
                    await to_the_end(part.remove())
            raise
        return part

    async def reopen(self) -> None:
        """Open it again, to go on where its known bytes end."""
        await self._open("r+b")

    async def _open(self, mode: OpenBinaryMode) -> None:
        with _told("opened"):
            await to_the_end(self._open_there(mode))

    async def _open_there(self, mode: OpenBinaryMode) -> None:
        self._file = await self._disk.open(self.path, mode)
        self._identity = await self._disk.call(filesystem.go_on, self._file.fileno(), self.size, self._identity)

    async def append(self, pieces: Sequence[bytes | bytearray]) -> None:
        """Write *pieces*, hash them and walk their boxes, all in one call on a thread.

        To be run as a task and awaited by `to_the_end`, so that the next pieces can arrive meanwhile.
        """
        with _told("written"):
            self.size = await self._disk.call(
                filesystem.append, self._descriptor(), pieces, self.digest, self.walk, self.size
            )

    async def make_durable(self) -> None:
        """Put its bytes on the disk, and give it the mode that the user's files have."""
        with _told("put on the disk"):
            await self._disk.run(filesystem.make_durable, self._descriptor(), self._disk.file_mode)

    async def close(self) -> None:
        """Close it, if it is open."""
        file, self._file = self._file, None
        if file is not None:
            with _told("closed"):
                await to_the_end(file.close())

    async def remove(self) -> None:
        """Close and delete it; to be awaited by `to_the_end`, or a cancellation would leave it closed only."""
        with contextlib.suppress(DiskRefused):
            await self.close()
        with _told("removed"):
            await self._disk.run(filesystem.remove, self.path)

    async def publish(self, target: Path, *, overwrite: bool) -> None:
        """Give it its name, all at once."""
        with _told("given its name"):
            await self._disk.run(filesystem.publish, self.path, target, overwrite, self.digest.hexdigest())

    def _descriptor(self) -> int:
        if self._file is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._file.fileno()
