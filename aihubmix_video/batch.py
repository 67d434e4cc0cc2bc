"""Many requests, bounded memory: rows are drawn only as fast as jobs are bought, finish and are taken."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from copy import copy
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Self

from aihubmix_video.books import RowPlace, error_of, video_of
from aihubmix_video.errors import (
    AuthenticationError,
    InsufficientBalance,
    InvalidRequest,
    PermissionDenied,
    SessionClosed,
    VideoError,
)
from aihubmix_video.events import BatchItem
from aihubmix_video.ledger.entry import Entry, State
from aihubmix_video.record import Record, Target, Watcher
from aihubmix_video.request import VideoRequest
from aihubmix_video.rows import Row as FileRow

if TYPE_CHECKING:
    from types import TracebackType

    from aihubmix_video.naming import Template
    from aihubmix_video.orchestrator import Orchestrator

__all__ = ["Batch", "Row"]

Row = VideoRequest | Mapping[str, object] | FileRow
"""A request, a mapping of its fields, or a row of a batch file with a key or an output name of its own."""

LOOKAHEAD = 128  # rows queued and not yet bought, at most; each may hold its reference media
STEPS_AT_ONCE = 32  # rows taken from a plain iterable before others get a turn

HALTING = (AuthenticationError, PermissionDenied, InsufficientBalance)
"""After these every further create would fare the same: nothing more is bought, what was bought is still collected."""

CONTINUED = frozenset({State.INTENDED, State.BOUGHT, State.COMPLETED})
"""States of a job in which there is something left to do for it."""


class Batch(AsyncIterator[BatchItem]):
    """The outcomes of many requests, each as soon as it is there.

    Leaving the iteration early withdraws what was not sent yet; jobs already bought are followed, and saved, as long as the
    session is open.

    Args:
        orchestrator: Takes the jobs on.
        rows: What to draw from: requests, or jobs of the ledger to be taken up where they were left.
        to: Names the files of requests.
        overwrite: Whether existing files are replaced.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        rows: Iterable[Row] | AsyncIterable[Row] | AsyncIterable[Entry],
        to: Template | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        self._orchestrator = orchestrator
        self._rows = rows
        self._to = to
        self._overwrite = overwrite
        # The same file names are the same batch: run again, it goes on.
        self._name = str(Path(to.text).absolute()) if to is not None else ""
        self._occurrences: Counter[str] = Counter()
        self._window = orchestrator.settings.max_in_flight + LOOKAHEAD
        self._open: dict[int, Record] = {}  # by the job's number
        self._queued: set[int] = set()  # of these, those not bought yet
        self._items: deque[BatchItem] = deque()
        self._changed = asyncio.Event()
        self._halted: VideoError | None = None
        self._feeder: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BatchItem:
        if self._feeder is None:
            self._feeder = asyncio.create_task(self._feed(), name="aihubmix-video batch")
        while not self._items:
            if self._feeder.done() and not self._open:
                await self._feeder  # raises what the user's iterable raised, once all it gave has been told
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        item = self._items.popleft()
        self._changed.set()
        return item

    async def aclose(self) -> None:
        """Take no more rows, and withdraw those not sent yet."""
        if self._feeder is not None:
            self._feeder.cancel()
            await asyncio.gather(self._feeder, return_exceptions=True)
        for record in self._open.values():
            record.watcher = None
            self._orchestrator.withdraw(record)
        self._open.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # Drawing rows.

    async def _feed(self) -> None:
        try:
            taken = 0
            async for row in _drawn(self._rows):
                await self._enter(taken, row)
                taken += 1
                while len(self._queued) >= LOOKAHEAD or len(self._open) + len(self._items) >= self._window:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            self._changed.set()

    async def _enter(self, taken: int, row: Row | Entry) -> None:
        if isinstance(row, Entry):
            await self._take_up(row.index, row)
            return
        index = row.number if isinstance(row, FileRow) else taken
        request: VideoRequest | None = None
        try:
            request = _request(row)
            place = await self._place(index, request)
            known = await self._orchestrator.find(place) if place is not None else None
            if known is not None:
                await self._take_up(index, known)
            elif self._halted is not None:
                self._put(BatchItem(index=index, request=request, error=copy(self._halted), charged="no"))
            else:
                target = self._target(index, row)
                watcher = self._watcher(index)
                self._follow(await self._orchestrator.enlist(request, target, place=place, watcher=watcher))
        except VideoError as error:
            self._put(BatchItem(index=index, request=request, error=error, charged=error.charged))

    async def _place(self, index: int, request: VideoRequest) -> RowPlace | None:
        """Tell the row from all others of the batch; equal ones are counted, so that intended duplicates stay apart."""
        digest = await self._orchestrator.fingerprint(request)
        if digest is None:
            return None
        occurrence = self._occurrences[digest]
        self._occurrences[digest] += 1
        return RowPlace(batch=self._name, index=index, fingerprint=digest, occurrence=occurrence)

    def _target(self, index: int, row: Row) -> Target | None:
        if self._to is None:
            return None
        path: str | Template = self._to
        key = None
        if isinstance(row, FileRow):
            key = row.key
            path = str(PurePath(self._to.text).parent / row.output) if row.output is not None else path
        return Target(path=path, index=index, key=key, overwrite=self._overwrite, make_folder=True)

    async def _take_up(self, index: int, entry: Entry) -> None:
        """Go on with a job of the ledger's, or tell how it ended."""
        if entry.state in CONTINUED and not (entry.state is State.INTENDED and self._halted is not None):
            self._follow(await self._orchestrator.readmit(entry, self._watcher(index)))
            return
        error = copy(self._halted) if entry.state is State.INTENDED else error_of(entry)
        video = video_of(entry)
        self._put(
            BatchItem(
                index=index,
                key=entry.key,
                request=entry.request,
                video=video,
                path=entry.path,
                error=error,
                charged=entry.charged,
            )
        )

    def _follow(self, record: Record) -> None:
        if not record.over:
            self._open[record.number] = record
            if record.video_id is None:
                self._queued.add(record.number)

    # Telling outcomes.

    def _watcher(self, index: int) -> Watcher:
        return lambda record: self._heard(index, record)

    def _heard(self, index: int, record: Record) -> None:
        """A job was accepted, or is over."""
        self._queued.discard(record.number)
        if not record.over:
            self._changed.set()
            return
        self._open.pop(record.number, None)
        error = record.error
        if isinstance(error, HALTING) and record.video_id is None and self._halted is None:
            self._halted = error
            for other in self._open.values():
                self._orchestrator.withdraw(other)
        if self._halted is not None and isinstance(error, SessionClosed) and record.video_id is None:
            error = copy(self._halted)  # withdrawn because of it
        self._put(
            BatchItem(
                index=index,
                key=record.key,
                request=record.request,
                video=record.video,
                path=record.video.path if record.video is not None else None,
                error=error,
                charged=error.charged if error is not None else "yes",
            )
        )

    def _put(self, item: BatchItem) -> None:
        self._items.append(item)
        self._changed.set()


def _request(row: object) -> VideoRequest:
    if isinstance(row, VideoRequest):
        return row
    if isinstance(row, FileRow):
        return row.request
    if isinstance(row, Mapping):
        return VideoRequest.from_mapping(row)
    raise InvalidRequest.of("row", row, f"must be a VideoRequest or a mapping, not {type(row).__name__}")


async def _drawn(
    rows: Iterable[Row] | AsyncIterable[Row] | AsyncIterable[Entry],
) -> AsyncIterator[Row | Entry]:
    """Iterate over either sort of iterable; a plain one lets others have their turn now and then."""
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
        return
    for taken, row in enumerate(rows):
        yield row
        if taken % STEPS_AT_ONCE == 0:
            await asyncio.sleep(0)
