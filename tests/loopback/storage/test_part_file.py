"""A part file hands its bytes to observers, and knows nothing of what they are."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import threading
from typing import TYPE_CHECKING, TypeVar

import attrs
import pytest

from aihubmix_video.storage import filesystem
from aihubmix_video.storage.disk import Disk, DiskRefused, to_the_end
from aihubmix_video.storage.part_file import PartFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.asyncio

T = TypeVar("T")


@attrs.define
class Recorder:
    """Keeps the bytes, and on which threads they came."""

    seen: bytearray = attrs.field(factory=bytearray)
    threads: set[str] = attrs.field(factory=set)

    def update(self, data: bytes | bytearray, /) -> None:
        """Keep the next bytes."""
        self.seen += data
        self.threads.add(threading.current_thread().name)


class FullDisk(Disk):
    """Has no room for the second write."""

    writes = 0

    async def call(self, work: Callable[..., T], *args: object) -> T:
        """Refuse it."""
        self.writes += work is filesystem.append
        if work is filesystem.append and self.writes == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return await super().call(work, *args)


async def test_every_observer_receives_the_written_bytes_once_and_in_order(tmp_path: Path):
    """A digest or a walk over other bytes than those on the disk would prove the wrong file; a refused write counts for none."""
    disk, recorder, digest = FullDisk(), Recorder(), hashlib.sha256()
    part = await PartFile.create(disk, tmp_path / "film.mp4", observers=(recorder, digest))
    await to_the_end(asyncio.create_task(part.append([b"ab", bytearray(b"c")])))
    with pytest.raises(DiskRefused):
        await to_the_end(asyncio.create_task(part.append([b"de"])))
    await part.close()
    await part.reopen()
    await to_the_end(asyncio.create_task(part.append([b"de"])))

    assert b"abcde" == recorder.seen == part.path.read_bytes()
    assert hashlib.sha256(b"abcde").digest() == digest.digest()
    assert 5 == part.size
    await part.publish(tmp_path / "film.mp4", overwrite=False, sha256=digest.hexdigest())
    await part.close()
    await disk.aclose()
    assert b"abcde" == (tmp_path / "film.mp4").read_bytes()


async def test_observers_are_called_on_the_thread_that_writes(tmp_path: Path):
    """Hashing on the event loop's thread would hold up everything else there."""
    disk, recorder = Disk(), Recorder()
    part = await PartFile.create(disk, tmp_path / "film.mp4", observers=[recorder])
    await to_the_end(asyncio.create_task(part.append([b"x"])))
    await part.close()
    await disk.aclose()

    assert threading.current_thread().name not in recorder.threads
    assert 1 == len(recorder.threads)
