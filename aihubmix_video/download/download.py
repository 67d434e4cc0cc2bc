"""Download one video to its path: the file is absent or complete at every instant, and verified before it gets its name.

One call is one request; when it may be made is decided elsewhere. The bytes of an attempt stay in a ``.part`` file beside the
target as long as the server has named the version that they belong to, and the next attempt resumes there:

    body -> .part -> length and boxes checked -> fsync -> rename -> fsync of the folder

While one batch is written and hashed on a thread, the next one arrives. Between two attempts no file is open, and every
``.part`` that is left can be resumed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from aihubmix_video.download.attempt_result import (
    Broken,
    ContentCut,
    ContentResponse,
    ContentSource,
    Cut,
    DiskTrouble,
    Outcome,
    Saved,
    judge_answer,
)
from aihubmix_video.download.mp4_check import BoxWalk
from aihubmix_video.download.resume import (
    MAX_FRUITLESS,
    Fresh,
    Other,
    Partial,
    Resumed,
    TooLarge,
    Useless,
    Validator,
    range_headers,
    read_content_reply,
)
from aihubmix_video.download.stall_timeout import StallTimeout
from aihubmix_video.download.write_buffer import ANSWER_BYTES, DownloadLimits, WriteBuffer
from aihubmix_video.protocol.response import Response
from aihubmix_video.storage.disk import Disk, DiskRefused, to_the_end
from aihubmix_video.storage.filesystem import check_target
from aihubmix_video.storage.part_file import PartFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

__all__ = ["Disk", "Download", "check_target"]


class Download:
    """The download of one video, from one attempt to the next.

    Args:
        target: The path of the video; see `check_target`.
        disk: Shared by all downloads.
        overwrite: Whether a file that is there may be replaced.
        seconds: Playing time ordered, for files whose shape does not prove that they are whole.
        limits: When to give up.
        on_progress: Called with the bytes on the disk, and the total where it is known.
        on_saved: Awaited as soon as the file has its name, even if the caller is cancelled meanwhile.
    """

    def __init__(
        self,
        target: Path,
        *,
        disk: Disk,
        overwrite: bool = False,
        seconds: float | None = None,
        limits: DownloadLimits | None = None,
        on_progress: Callable[[int, int | None], None] | None = None,
        on_saved: Callable[[Saved], Awaitable[None]] | None = None,
    ) -> None:
        self._target = target.absolute()
        self._disk = disk
        self._overwrite = overwrite
        self._seconds = seconds
        self._limits = limits or DownloadLimits()
        self._on_progress = on_progress
        self._on_saved = on_saved
        self._part: PartFile | None = None
        self._digest, self._walk = hashlib.sha256(), BoxWalk()
        self._total: int | None = None
        self._validator: Validator | None = None
        self._fruitless = 0
        self._saved: Saved | None = None
        self._writing: asyncio.Task[None] | None = None

    @property
    def part(self) -> Path | None:
        """The unfinished file, if there is one."""
        return None if self._part is None else self._part.path

    @property
    def kept(self) -> int:
        """Between two attempts: the bytes that need not be fetched again."""
        return 0 if self._part is None else self._part.size

    async def attempt(self, source: ContentSource) -> Outcome:
        """Make one request, unless all bytes are there, and return its outcome.

        A cancellation takes effect when the write under way has ended, and leaves at most a ``.part`` that can be
        resumed. What *source* raises passes through, except for `ContentCut`.
        """
        try:
            if self._saved is None:
                outcome = await self._fetch(source)
                if not isinstance(outcome, Saved):
                    return outcome
                self._saved = outcome
            return await to_the_end(self._name(self._saved))
        except DiskRefused as refused:
            return DiskTrouble(reason=str(refused), retry=refused.passing)
        finally:
            await to_the_end(self._put_down())

    async def discard(self) -> None:
        """Delete the unfinished file. A file that is whole and only lacks its name is kept."""
        if self._saved is None:
            await to_the_end(self._drop())

    # The request and what its answer means.

    async def _fetch(self, source: ContentSource) -> Outcome:
        """Bring the whole file to the disk, still under its ``.part`` name; `Saved` is what its name will hold."""
        if self._part is not None and self._part.size == self._total and await self._reopened():
            return await self._prove()
        await self._room()
        partial = self._partial()
        stall_timeout = StallTimeout(self._limits)
        try:
            async with stall_timeout.timeout, source(range_headers(partial)) as response:
                stall_timeout.answered()
                failed = await self._take(response, partial, stall_timeout)
        except ContentCut as cut:
            return self._cut(str(cut))
        except TimeoutError:
            return self._cut(stall_timeout.complaint)
        return failed or await self._prove()

    async def _take(
        self, response: ContentResponse, partial: Partial | None, stall_timeout: StallTimeout
    ) -> Outcome | None:
        """Act on the answer, and return the outcome; None when all of its body is on the disk."""
        match read_content_reply(response.status, response.headers, partial, max_bytes=self._limits.max_bytes):
            case Other():
                return judge_answer(await _answer(response, stall_timeout))
            case TooLarge(stated=stated):
                await self._drop()
                return Broken(reason=f"would have {stated[:40]} bytes", retry=False)
            case Useless(reason=reason):
                await self._start_over(partial)
                return self._cut(reason)
            case Fresh(total=total, validator=validator):
                await self._start_over(partial)
                self._total, self._validator = total, validator
            case Resumed(total=total):
                self._total = total
                if not await self._reopened():
                    return self._cut("could not be continued: its first part is gone")
        return await self._receive(response, stall_timeout)

    def _partial(self) -> Partial | None:
        if self._part is None or self._validator is None:
            return None
        return Partial(size=self._part.size, total=self._total, validator=self._validator)

    async def _start_over(self, partial: Partial | None) -> None:
        self._fruitless += partial is not None
        await self._drop()

    async def _reopened(self) -> bool:
        try:
            if self._part is not None:
                await self._part.reopen()
        except DiskRefused:
            await self._drop()
        return self._part is not None

    # Its body.

    async def _receive(self, response: ContentResponse, stall_timeout: StallTimeout) -> Outcome | None:
        """Receive the body to its end; return None when all of it is on the disk."""
        room = await self._room()
        most = self._limits.max_bytes if self._total is None else self._total
        batch = WriteBuffer(start=0 if self._part is None else self._part.size)
        try:
            async with _body(response) as pieces:
                async for piece in pieces:
                    now = stall_timeout.arrived(len(piece))
                    batch.add(piece, now)
                    if batch.end > most:
                        return await self._refuse(
                            Broken(reason=f"is longer than {most} bytes", retry=most == self._total)
                        )
                    if room is not None and batch.end > room:
                        raise DiskRefused("does not fit on the disk", passing=True)
                    if batch.due(now, idle=self._writing is None or self._writing.done()):
                        with stall_timeout.paused():
                            failed = await self._write(batch.take(), response)
                        if failed is not None:
                            return failed
        except ContentCut:
            if batch.end != self._total:  # once all bytes are there, how the connection ended does not matter
                await self._write(batch.take(), response)
                await self._written()
                raise
        failed = await self._write(batch.take(), response)
        await self._written()
        return failed

    async def _write(self, pieces: Sequence[bytes | bytearray], response: ContentResponse) -> Outcome | None:
        """Hand a batch to a thread, once the batch before has been written."""
        await self._written()
        if not pieces:
            return None
        if self._part is None:
            if _no_video(pieces):
                return await self._refuse(judge_answer(_response(response, b"".join(pieces))))
            self._digest, self._walk = hashlib.sha256(), BoxWalk()
            self._part = await PartFile.create(self._disk, self._target, observers=(self._digest, self._walk))
        self._writing = asyncio.create_task(self._part.append(pieces))
        return None

    async def _written(self) -> None:
        """Wait for the batch under way."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await to_the_end(writing)
            if self._on_progress is not None and self._part is not None:
                self._on_progress(self._part.size, self._total)

    async def _room(self) -> int | None:
        """Return how long the file may become on this disk; None where the disk does not say."""
        free = await self._disk.free_bytes(self._target.parent)
        if free is None:
            return None
        there = 0 if self._part is None else self._part.size
        room = there + free - self._limits.reserve
        if room < max(self._total or 0, there + 1):
            raise DiskRefused(f"does not fit on the disk: {free >> 20} MiB are free", passing=True)
        return room

    # The end.

    async def _prove(self) -> Outcome:
        """Verify the complete file, and flush it to the disk."""
        part, declared = self._part, self._total is not None
        if part is None:
            return self._cut("brought no bytes")
        if self._total is not None and part.size < self._total:
            return self._cut(f"ended after {part.size} of {self._total} bytes")
        verdict = self._walk.verdict(declared=declared, seconds=self._seconds)
        if verdict.kind == "truncated" and not declared:
            return self._cut(f"ended early: the file {verdict.reason}")
        if verdict.kind in {"truncated", "broken"}:
            return await self._refuse(Broken(reason=verdict.reason))
        try:
            await part.make_durable()
        except DiskRefused as refused:
            # After a failed fsync the kernel may have dropped the bytes, and a second one would succeed all the same.
            return await self._refuse(DiskTrouble(reason=str(refused), retry=refused.passing))
        await part.close()
        return Saved(
            path=self._target,
            bytes_written=part.size,
            sha256=self._digest.hexdigest(),
            verified=verdict.kind == "whole",
        )

    async def _name(self, saved: Saved) -> Outcome:
        """Rename the whole file and report it, as one step: if cancelled in between, no one would know of the file."""
        if self._part is not None:
            try:
                await self._part.publish(self._target, overwrite=self._overwrite, sha256=saved.sha256)
            except DiskRefused as refused:
                return DiskTrouble(reason=str(refused), retry=refused.passing, kept=self._part.path)
            self._part = None
        await self._disk.sync_folder(self._target.parent)
        if self._on_saved is not None:
            await self._on_saved(saved)
        return saved

    def _cut(self, reason: str) -> Cut:
        return Cut(received=self._part.size if self._part is not None and self._continuable() else 0, reason=reason)

    def _continuable(self) -> bool:
        return self._validator is not None and self._fruitless < MAX_FRUITLESS

    async def _refuse(self, outcome: Outcome) -> Outcome:
        with contextlib.suppress(DiskRefused):
            await self._written()
        await self._drop()
        return outcome

    async def _drop(self) -> None:
        """Delete the part file and forget it."""
        part, self._part = self._part, None
        self._total, self._validator = None, None
        if part is not None:
            with contextlib.suppress(DiskRefused):
                await to_the_end(part.remove())

    async def _put_down(self) -> None:
        """Leave no file open, and no part file that could not be resumed."""
        with contextlib.suppress(DiskRefused):
            await self._written()
        if self._part is None or self._saved is not None:
            return
        try:
            await self._part.close()
        except DiskRefused:
            await self._drop()
        if self._part is not None and not (self._continuable() and self._part.size):
            await self._drop()


@contextlib.asynccontextmanager
async def _body(response: ContentResponse) -> AsyncIterator[AsyncIterator[bytes]]:
    """Yield the body's pieces; a body that is left early is closed here, not some time later by the garbage collector."""
    pieces = response.chunks()
    try:
        yield pieces
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


def _no_video(pieces: Sequence[bytes | bytearray]) -> bool:
    """Return whether the beginning of a body is not that of an MP4."""
    walk = BoxWalk()
    for piece in pieces:
        walk.update(piece)
    return walk.fault is not None


def _response(response: ContentResponse, body: bytes | bytearray) -> Response:
    return Response(status=response.status, headers=response.headers, body=bytes(body[:ANSWER_BYTES]))


async def _answer(response: ContentResponse, stall_timeout: StallTimeout) -> Response:
    """Return the beginning of an answer that is not a video; if it is cut, what has come of it."""
    body = bytearray()
    with contextlib.suppress(ContentCut):
        async with _body(response) as pieces:
            async for piece in pieces:
                stall_timeout.arrived(len(piece))
                body += piece
                if len(body) >= ANSWER_BYTES:
                    break
    return _response(response, body)
