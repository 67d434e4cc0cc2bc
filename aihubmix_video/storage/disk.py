"""The disk: every call that may block runs through aiofiles on a few threads of its own, and is never abandoned.

Two habits of file work on threads are guarded against. On the event loop's shared threads a few slow writes hold up everything
else, name look-ups included; so the disk has threads of its own. And a cancelled call continues in its thread, and would create
or write a file that nothing closes. So a cancellation waits until the call has ended, which takes little time: a write has a
megabyte or so.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

import aiofiles
import aiofiles.os

from aihubmix_video.errors import ConfigurationError, SessionClosed
from aihubmix_video.storage import filesystem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from _typeshed import OpenBinaryMode
    from aiofiles.threadpool.binary import AsyncFileIO

    from aihubmix_video.storage.object_storage import ObjectStorage

__all__ = ["Disk", "DiskRefused", "refusals", "to_the_end"]

T = TypeVar("T")

MAX_THREADS: Final = 8

PASSING_ERRNOS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ESTALE}
)
"""Errors that may pass without anyone's doing."""


class DiskRefused(Exception):
    """The operating system refused; its text completes "the file …".

    Attributes:
        passing: Whether that may pass without anyone's doing.
    """

    def __init__(self, reason: str, *, passing: bool) -> None:
        super().__init__(reason)
        self.passing = passing


@contextlib.contextmanager
def refusals(doing: str) -> Iterator[None]:
    """Raise the system's errors as `DiskRefused`; *doing* completes "the file could not be …"."""
    try:
        yield
    except FileExistsError as error:
        raise DiskRefused(f"could not be {doing}: another file has that name", passing=False) from error
    except OSError as error:
        passing = error.errno in PASSING_ERRNOS
        raise DiskRefused(f"could not be {doing}: {error.strerror or error}", passing=passing) from error


async def to_the_end(work: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:  # Any: what a coroutine is sent is its own
    """Await *work*; a cancellation takes effect only when it has ended."""
    task = work if isinstance(work, asyncio.Task) else asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as caught:
            cancelled = caught
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # retrieved, or the loop would report that it never was
        raise cancelled
    return task.result()


class Disk:
    """Runs file operations on threads of its own; shared by all downloads of a session.

    Args:
        downloads: How many files are written at once, at most.
        open_objects: Opens the object stores, when the first target names one.
    """

    def __init__(self, downloads: int = MAX_THREADS, open_objects: Callable[[], ObjectStorage] | None = None) -> None:
        self._open_objects = open_objects
        self._objects: ObjectStorage | None = None
        self._threads = ThreadPoolExecutor(min(max(downloads, 1), MAX_THREADS), thread_name_prefix="aihubmix-disk")
        mask = os.umask(0o077)  # it can be read only by setting it; meanwhile a new file is closed rather than open
        os.umask(mask)
        self.file_mode = 0o666 & ~mask
        self._closed = False

    @property
    def objects(self) -> ObjectStorage:
        """The object stores.

        Raises:
            ConfigurationError: What they need is not installed.
        """
        if self._objects is None:
            if self._open_objects is None:
                raise ConfigurationError("no object stores are configured; give a path.")
            self._objects = self._open_objects()
        return self._objects

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Call *work* on a thread; a cancellation waits for it."""
        return await to_the_end(self.call(work, *args))

    async def call(self, work: Callable[..., T], *args: object) -> T:
        """Call *work* on a thread. Run it as a task, or a cancellation would abandon it.

        Raises:
            SessionClosed: The disk has been closed.
        """
        self._check_open()
        result: T = await aiofiles.os.wrap(work)(*args, executor=self._threads)
        return result

    async def open(self, path: Path, mode: OpenBinaryMode) -> AsyncFileIO:
        """Open a file of ours. Run it as a task too; it also raises `SessionClosed`."""
        self._check_open()
        return await aiofiles.open(path, mode, buffering=0, opener=filesystem.open_private, executor=self._threads)

    async def free_bytes(self, folder: Path) -> int | None:
        """Return how many bytes may be written into *folder*; None where the file system does not say."""
        with refusals("written"):
            return await self.run(filesystem.free_bytes, folder)

    async def sync_folder(self, folder: Path) -> None:
        """Flush the names in *folder* to the disk."""
        with refusals("made durable under its name"):
            await self.run(filesystem.sync_folder, folder)

    async def aclose(self) -> None:
        """Stop the threads, once they have finished their work."""
        self._closed = True
        await to_the_end(asyncio.to_thread(self._threads.shutdown))

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed("the session was closed")
