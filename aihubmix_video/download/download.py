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

import attrs

from aihubmix_video.download.attempt_result import (
    Broken,
    ContentCut,
    ContentResponse,
    ContentSource,
    Cut,
    DiskTrouble,
    Outcome,
    Publisher,
    Saved,
    judge_answer,
)
from aihubmix_video.download.container import SNIFFED_BYTES, is_text, suffix_of
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
from aihubmix_video.errors import VideoError
from aihubmix_video.protocol.response import Response
from aihubmix_video.storage.disk import Disk, DiskRefused, to_the_end
from aihubmix_video.storage.filesystem import check_target
from aihubmix_video.storage.part_file import PartFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

__all__ = ["Disk", "Download", "check_target"]


MAX_SECOND_LOOKS = 2
"""Second looks cut short after which the first is kept; an answer without a file decides at once, as the link may be gone."""


@attrs.define
class Candidate:
    """A file that is not proved whole, while it is looked at a second time.

    Attributes:
        part: The file, on the disk.
        saved: What is told of it if it is kept.
        failed: Tries of a second look that brought no file.
    """

    part: PartFile
    saved: Saved
    failed: int = 0


class Download:
    """The download of one video, from one attempt to the next.

    Args:
        target: The path of the video; see `check_target`.
        disk: Shared by all downloads.
        overwrite: Whether a file that is there may be replaced.
        seconds: Playing time ordered, for files whose shape does not prove that they are whole.
        limits: When to give up.
        on_progress: Called with the bytes on the disk, and the total where it is known.
        publisher: Stores the whole file elsewhere, instead of giving it its name.
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
        publisher: Publisher | None = None,
        on_saved: Callable[[Saved], Awaitable[None]] | None = None,
    ) -> None:
        self._target = target.absolute()
        self._disk = disk
        self._overwrite = overwrite
        self._seconds = seconds
        self._limits = limits or DownloadLimits()
        self._on_progress = on_progress
        self._publisher = publisher
        self._on_saved = on_saved
        self._part: PartFile | None = None
        self._digest, self._walk = hashlib.sha256(), BoxWalk()
        self._head: bytes | None = None
        self._total: int | None = None
        self._validator: Validator | None = None
        self._fruitless = 0
        self._saved: Saved | None = None
        self._candidate: Candidate | None = None
        self._unanswered = 0
        self._writing: asyncio.Task[None] | None = None

    @property
    def part(self) -> Path | None:
        """The unfinished file, if there is one."""
        return None if self._part is None else self._part.path

    @property
    def parts(self) -> tuple[Path, ...]:
        """Every file of it that has no name yet: the unfinished one, and one that is looked at a second time."""
        held = (self._part, self._candidate.part if self._candidate is not None else None)
        return tuple(part.path for part in held if part is not None)

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
                outcome = await self._brought(source)
                if not isinstance(outcome, Saved):
                    return outcome
                self._saved = outcome
            if self._publisher is not None and self._part is not None:
                self._saved = await self._store_elsewhere(self._publisher, self._part, self._saved)
            return await to_the_end(self._name(self._saved))
        except DiskRefused as refused:
            kept = self.part if self._publisher is not None and self._saved is not None else None
            return DiskTrouble(reason=str(refused), retry=refused.passing, kept=kept)
        finally:
            await to_the_end(self._put_down())

    async def discard(self) -> None:
        """Delete the unfinished file. A file that is whole and only lacks its name is kept."""
        if self._saved is None:
            await to_the_end(self._drop())
            await self._drop_candidate()

    async def _store_elsewhere(self, publisher: Publisher, part: PartFile, whole: Saved) -> Saved:
        """Store the whole file; one whose upload is refused is kept on the disk, one whose upload is cancelled is not."""
        try:
            return await publisher(part.path, whole)
        except asyncio.CancelledError:
            self._saved = None
            await to_the_end(self._drop())
            raise

    # The request and what its answer means.

    async def _fetch(self, source: ContentSource) -> Outcome:
        """Bring the whole file to the disk, still under its ``.part`` name; `Saved` is what its name will hold."""
        if self._part is not None and self._part.size == self._total and await self._reopened():
            return await self._prove()
        await self._room()
        partial = self._partial()
        stall_timeout = StallTimeout(self._limits, tries_unanswered=self._unanswered)
        try:
            async with stall_timeout.timeout, source(range_headers(partial)) as response:
                stall_timeout.answered()
                failed = await self._take(response, partial, stall_timeout)
        except ContentCut as cut:
            return self._cut(str(cut))
        except TimeoutError:
            self._unanswered += stall_timeout.unanswered
            return self._cut(stall_timeout.complaint)
        return failed or await self._prove()

    async def _take(
        self, response: ContentResponse, partial: Partial | None, stall_timeout: StallTimeout
    ) -> Outcome | None:
        """Act on the answer, and return the outcome; None when all of its body is on the disk."""
        match read_content_reply(response.status, response.headers, partial, max_bytes=self._limits.max_bytes):
            case Other():
                return judge_answer(await _answer(response, stall_timeout), elsewhere=response.elsewhere)
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
            if is_text(b"".join(pieces)[:SNIFFED_BYTES]):
                return await self._refuse(
                    judge_answer(_response(response, b"".join(pieces)), elsewhere=response.elsewhere)
                )
            self._digest, self._walk = hashlib.sha256(), BoxWalk()
            self._head = b"".join(pieces)[:SNIFFED_BYTES]
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
        try:
            await part.make_durable()
        except DiskRefused as refused:
            # After a failed fsync the kernel may have dropped the bytes, and a second one would succeed all the same.
            return await self._refuse(DiskTrouble(reason=str(refused), retry=refused.passing))
        await part.close()
        whole = verdict.kind == "whole"
        saved = Saved(
            path=self._target if self._head is None else self._named_after(self._head),
            bytes_written=part.size,
            sha256=self._digest.hexdigest(),
            verified=whole,
            unverified=None if whole else verdict.reason,
        )
        return saved if whole else await self._look_again(part, saved)

    async def _look_again(self, part: PartFile, saved: Saved) -> Outcome:
        """Keep a file that is not proved whole only after a second look: the same bytes twice are what the gateway has."""
        before, self._candidate = self._candidate, Candidate(part=part, saved=saved)
        self._part, self._total, self._validator = None, None, None
        if before is None:
            return Broken(reason=f"{saved.unverified}; it is fetched once more to compare")
        if before.saved.sha256 != saved.sha256:
            if before.saved.bytes_written > saved.bytes_written:
                before, self._candidate = self._candidate, before
            with contextlib.suppress(DiskRefused):
                await to_the_end(before.part.remove())
            return Broken(reason=f"{saved.unverified}, and came with other bytes than before")
        with contextlib.suppress(DiskRefused):
            await to_the_end(before.part.remove())
        return self._take_candidate()

    async def _brought(self, source: ContentSource) -> Outcome:
        """Fetch the file; where a second look at one fails, keep the first: a paid video is never thrown away."""
        try:
            outcome = await self._fetch(source)
        except VideoError:
            if self._candidate is None or not self._second_look_failed(1):
                raise
        else:
            if isinstance(outcome, Saved):
                await self._drop_candidate()
            if self._candidate is None or isinstance(outcome, (Saved, Broken, DiskTrouble)):
                return outcome
            if not self._second_look_failed(1 if isinstance(outcome, Cut) else MAX_SECOND_LOOKS):
                return outcome
        await self._drop()
        return self._take_candidate()

    def _second_look_failed(self, weight: int) -> bool:
        """Count a second look that brought no file, and return whether there were enough."""
        if self._candidate is not None:
            self._candidate.failed += weight
        return self._candidate is not None and self._candidate.failed >= MAX_SECOND_LOOKS

    def _take_candidate(self) -> Outcome:
        assert self._candidate is not None  # noqa: S101 - both callers have looked
        kept, self._candidate = self._candidate, None
        self._part = kept.part
        return kept.saved

    def _named_after(self, head: bytes) -> Path:
        """Return the target with the suffix of what came, where that is not an MP4; an unknown format keeps the name."""
        suffix = suffix_of(head)
        if suffix in {None, ".mp4"} or self._target.suffix.lower() == suffix:
            return self._target
        return self._target.with_suffix(suffix or "")

    async def _name(self, saved: Saved) -> Outcome:
        """Rename the whole file and report it, as one step: if cancelled in between, no one would know of the file."""
        if saved.path is None:
            await self._drop()
        elif self._part is not None:
            try:
                await self._part.publish(saved.path, overwrite=self._overwrite, sha256=saved.sha256)
            except DiskRefused as refused:
                return DiskTrouble(reason=str(refused), retry=refused.passing, kept=self._part.path)
            self._part = None
        if saved.path is not None:
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

    async def _drop_candidate(self) -> None:
        candidate, self._candidate = self._candidate, None
        if candidate is not None:
            with contextlib.suppress(DiskRefused):
                await to_the_end(candidate.part.remove())

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
