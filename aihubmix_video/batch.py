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
from aihubmix_video.ledger.entry import FINISHED, Entry, State
from aihubmix_video.record import Record, Target, Watcher
from aihubmix_video.request import VideoRequest
from aihubmix_video.rows import Row as FileRow

if TYPE_CHECKING:
    from types import TracebackType

    from aihubmix_video.naming import Template
    from aihubmix_video.orchestrator import Orchestrator

__all__ = ["Batch", "Row", "batch_name"]

Row = VideoRequest | Mapping[str, object] | FileRow
"""A request, a mapping of its fields, or a row of a batch file with a key or an output name of its own."""

LOOKAHEAD = 128  # rows queued and not yet bought, at most; each may hold its reference media
STEPS_AT_ONCE = 32  # rows taken from a plain iterable before others get a turn

HALTING = (AuthenticationError, PermissionDenied, InsufficientBalance)
"""After these every further create would fare the same: nothing more is bought, what was bought is still collected."""

CONTINUED = frozenset({State.INTENDED, State.BOUGHT, State.COMPLETED})
"""States of a job in which there is something left to do for it."""


def batch_name(to: Template) -> str:
    """Name a batch in the ledger: the same file names are the same batch, which goes on when it is run again."""
    return str(Path(to.text).absolute())


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
        self._name = batch_name(to) if to is not None else ""
        self._occurrences: Counter[str] = Counter()
        self._window = orchestrator.settings.max_in_flight + LOOKAHEAD
        self._open: dict[int, tuple[Record, Watcher]] = {}  # by the job's number
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
        for record, watcher in self._open.values():
            record.unwatch(watcher)
            if not record.awaited:
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
        index, request = taken, None
        try:
            if isinstance(row, Entry):
                index, request = row.index, row.request
                async with self._orchestrator.books.taking:
                    await self._take_up(index, row)
                return
            index = row.number if isinstance(row, FileRow) else taken
            request = _request(row)
            await self._take_on(index, row, request)
        except VideoError as error:
            self._put(BatchItem(index=index, request=request, error=error, charged=error.charged))

    async def _take_on(self, index: int, row: Row, request: VideoRequest) -> None:
        place = await self._place(index, request)
        if place is None:
            await self._enlist(index, row, request, None)
            return
        async with self._orchestrator.books.taking:
            known = await self._orchestrator.books.find(place)
            if known is not None:
                await self._take_up(index, known)
            else:
                await self._enlist(index, row, request, place)

    async def _enlist(self, index: int, row: Row, request: VideoRequest, place: RowPlace | None) -> None:
        if self._halted is not None:
            self._put(BatchItem(index=index, request=request, error=copy(self._halted), charged="no"))
            return
        target, watcher = self._target(index, row), self._watcher(index)
        record = await self._orchestrator.enlist(request, target, place=place, watcher=watcher)
        self._follow(record, watcher)

    async def _place(self, index: int, request: VideoRequest) -> RowPlace | None:
        """Tell the row from all others of the batch; equal ones are counted, so that intended duplicates stay apart."""
        digest = await self._orchestrator.books.fingerprint(request)
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
        watcher = self._watcher(index)
        if (record := await self._orchestrator.held(entry.key)) is not None:
            record.watchers += (watcher,)
            self._follow(record, watcher)
            return
        if entry.state not in FINISHED:
            entry = (
                await self._orchestrator.books.entry(entry.key) or entry
            )  # it may have gone on since it was looked up
        if entry.state in CONTINUED and not (entry.state is State.INTENDED and self._halted is not None):
            try:
                self._follow(await self._orchestrator.readmit(entry, watcher), watcher)
            except VideoError as refused:  # not now; what was bought stays bought
                self._retell(index, entry, refused)
            return
        self._retell(index, entry, copy(self._halted) if entry.state is State.INTENDED else error_of(entry))

    def _retell(self, index: int, entry: Entry, error: VideoError | None) -> None:
        """Tell of a row what the ledger knows."""
        self._put(
            BatchItem(
                index=index,
                key=entry.key,
                request=entry.request,
                video=video_of(entry),
                path=entry.path,
                error=error,
                charged=entry.charged,
                earlier=entry.state in FINISHED,
            )
        )

    def _follow(self, record: Record, watcher: Watcher) -> None:
        if record.over:
            return
        self._open[record.number] = record, watcher
        if record.video_id is None:
            self._queued.add(record.number)
            if self._halted is not None:  # it came about while the job was taken on
                self._orchestrator.withdraw(record)

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
            for other, _ in self._open.values():
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
