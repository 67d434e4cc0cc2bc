"""Many requests, bounded memory: rows are drawn only as fast as jobs are bought, finish and are taken."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator
from copy import copy
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Self

import attrs

from aihubmix_video.batch_file import Row as FileRow
from aihubmix_video.errors import (
    AuthenticationError,
    InsufficientBalance,
    PermissionDenied,
    SessionClosed,
    VideoError,
)
from aihubmix_video.ledger.entry import LedgerEntry, LedgerState
from aihubmix_video.session.batch_purchases import BatchPurchases
from aihubmix_video.session.batch_rows import drawn, request_of
from aihubmix_video.session.job_views import told, told_again
from aihubmix_video.session.ledger_mapping import RowPlace, error_of
from aihubmix_video.session.refusal_streak import RefusalStreak
from aihubmix_video.session.tracked_job import OutputTarget, TrackedJob, Watcher
from aihubmix_video.types.events import BatchItem
from aihubmix_video.types.object_url import split_root

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable
    from types import TracebackType

    from aihubmix_video.output.template import Template
    from aihubmix_video.session.batch_budget import BatchBudget
    from aihubmix_video.session.batch_rows import Row
    from aihubmix_video.session.job_manager import JobManager
    from aihubmix_video.types.request import VideoRequest

__all__ = ["STOPS_BUYING", "Batch", "batch_name"]

log = logging.getLogger("aihubmix_video")

MAX_UNBOUGHT_ROWS = 128  # rows queued and not yet bought, at most; each may hold its reference media

STOPS_BUYING = (AuthenticationError, PermissionDenied, InsufficientBalance)
"""After these every further create would fare the same: nothing more is bought, what was bought is still collected."""

RESUMABLE = frozenset({LedgerState.INTENDED, LedgerState.BOUGHT, LedgerState.COMPLETED})
"""States of a job in which there is something left to do for it."""


def batch_name(to: Template) -> str:
    """Name a batch in the ledger: the same file names are the same batch, which goes on when it is run again."""
    return to.text if to.root is not None else str(Path(to.text).absolute())


def _beside(text: str, name: str) -> str:
    """Return the path, or URL, of *name* in the folder of *text*."""
    parts = split_root(text)
    return str(PurePath(text).parent / name) if parts is None else f"{parts[0]}/{PurePath(parts[1]).parent / name}"


class Batch(AsyncIterator[BatchItem]):
    """The outcomes of many requests, each as soon as it is there.

    Leaving the iteration early withdraws what was not sent yet; jobs already bought are followed, and saved, as long as the
    session is open.

    Args:
        manager: Takes the jobs on.
        rows: What to draw from: requests, or jobs of the ledger to be taken up where they were left.
        to: Names the files of requests.
        overwrite: Whether existing files are replaced.
        budget: What may be bought; None: what the ledger remembers.
        moderation_retries: How often a row is bought again after its finished video was refused.
    """

    def __init__(
        self,
        manager: JobManager,
        rows: Iterable[Row] | AsyncIterable[Row] | AsyncIterable[LedgerEntry],
        to: Template | None = None,
        *,
        overwrite: bool = False,
        budget: BatchBudget | None = None,
        moderation_retries: int = 0,
        keep_buying: bool = False,
    ) -> None:
        self._manager = manager
        self._rows = rows
        self._to = to
        self._overwrite = overwrite
        self._purchases = BatchPurchases(manager, budget, moderation_retries)
        self._name = batch_name(to) if to is not None else ""
        self._occurrences: Counter[str] = Counter()
        self._window = manager.settings.max_in_flight + MAX_UNBOUGHT_ROWS
        self._open: dict[int, tuple[TrackedJob, Watcher]] = {}  # by the job's number
        self._queued: set[int] = set()  # of these, those not bought yet
        self._items: deque[BatchItem] = deque()
        self._changed = asyncio.Event()
        self._halted: VideoError | None = None
        self._streak = RefusalStreak(keep_buying=keep_buying)
        self._repeating: set[asyncio.Task[None]] = set()
        self._feeder: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BatchItem:
        if self._feeder is None:
            self._feeder = asyncio.create_task(self._feed(), name="aihubmix-video batch")
        while not self._items:
            if self._feeder.done() and not self._open and not self._repeating:
                await self._feeder  # raises what the user's iterable raised, once all it gave has been told
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        item = self._items.popleft()
        self._changed.set()
        return item

    async def aclose(self) -> None:
        """Take no more rows, and withdraw those not sent yet."""
        working = [*self._repeating, *([self._feeder] if self._feeder is not None else [])]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for tracked, watcher in self._open.values():
            tracked.unwatch(watcher)
            if not tracked.awaited:
                self._manager.cancel(tracked)
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
            await self._purchases.begin()
            async for row in drawn(self._rows):
                await self._enter(taken, row)
                taken += 1
                while (
                    len(self._queued) >= (self._streak.may_be_under_way or MAX_UNBOUGHT_ROWS)
                    or len(self._open) + len(self._items) >= self._window
                ):
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            self._changed.set()

    async def _enter(self, taken: int, row: Row | LedgerEntry) -> None:
        index, request = taken, None
        try:
            if isinstance(row, LedgerEntry):
                index, request = row.index, row.request
                async with self._manager.looked_up(partial(self._manager.ledger_sync.ledger.entry, row.key)) as now:
                    await self._resume_entry(index, now or row)
                return
            index = row.number if isinstance(row, FileRow) else taken
            request = request_of(row)
            await self._add_row(index, row, request)
        except VideoError as error:
            self._put(BatchItem(index=index, request=request, error=error, charged=error.charged))

    async def _add_row(self, index: int, row: Row, request: VideoRequest) -> None:
        place = await self._place(index, request)
        if place is None:
            await self._add(index, row, request, None)
            return
        ledger = self._manager.ledger_sync.ledger
        async with self._manager.looked_up(
            partial(ledger.find, place.batch, place.fingerprint, place.occurrence)
        ) as known:
            if known is not None:
                await self._resume_entry(index, known)
            else:
                await self._add(index, row, request, place)

    async def _add(self, index: int, row: Row, request: VideoRequest, place: RowPlace | None) -> None:
        if self._halted is not None:
            self._put(BatchItem(index=index, request=request, error=copy(self._halted), charged="no"))
            return
        watcher = self._watcher(index)
        tracked = await self._purchases.add(request, self._target(index, row), place=place, watcher=watcher)
        self._follow(tracked, watcher)

    async def _place(self, index: int, request: VideoRequest) -> RowPlace | None:
        """Return what tells the row from all others of the batch; equal ones are counted, so that intended duplicates stay apart."""
        digest = await self._manager.ledger_sync.fingerprint(request)
        if digest is None:
            return None
        occurrence = self._occurrences[digest]
        self._occurrences[digest] += 1
        return RowPlace(batch=self._name, index=index, fingerprint=digest, occurrence=occurrence)

    def _target(self, index: int, row: Row) -> OutputTarget | None:
        if self._to is None:
            return None
        path: str | Template = self._to
        key = None
        if isinstance(row, FileRow):
            key = row.key
            path = _beside(self._to.text, row.output) if row.output is not None else path
        return OutputTarget(path=path, index=index, key=key, overwrite=self._overwrite, make_folder=True)

    async def _resume_entry(self, index: int, entry: LedgerEntry) -> None:
        """Go on with a job of the ledger's, or tell how it ended."""
        watcher = self._watcher(index)
        if (tracked := self._manager.live(entry.key)) is not None:
            self._purchases.join(tracked, entry.request)
            tracked.watchers += (watcher,)
            self._follow(tracked, watcher)
            return
        error = error_of(entry)
        try:
            taken = await self._resumed(entry, error, watcher)
        except VideoError as refused:  # not now; what was bought stays bought
            taken, error = None, refused
        if taken is not None:
            self._follow(taken, watcher)
        else:
            self._put(told_again(index, entry, error))

    async def _resumed(self, entry: LedgerEntry, error: VideoError | None, watcher: Watcher) -> TrackedJob | None:
        """Resume the ledger's job, if there is anything left to do for it."""
        if self._halted is not None and entry.video_id is None and entry.state in RESUMABLE:
            raise copy(self._halted)
        if entry.state in RESUMABLE:
            return await self._purchases.resume_entry(entry, watcher)
        if self._purchases.wants(error) and self._halted is None:
            return await self._purchases.anew(entry, watcher)
        return None

    def _follow(self, tracked: TrackedJob, watcher: Watcher) -> None:
        if tracked.over:
            return
        self._open[tracked.number] = tracked, watcher
        if tracked.video_id is None:
            self._queued.add(tracked.number)
            if self._halted is not None:  # it came about while the job was taken on
                self._manager.cancel(tracked)

    # Telling outcomes.

    def _watcher(self, index: int) -> Watcher:
        return _RowWatcher(self, index)

    def heard(self, index: int, tracked: TrackedJob) -> None:
        """A job was accepted, or is over."""
        self._queued.discard(tracked.number)
        if not tracked.over:
            self._streak.accepted()
            self._changed.set()
            return
        self._open.pop(tracked.number, None)
        self._purchases.settle(tracked)
        error = tracked.error
        if error is not None and tracked.video_id is None and self._halted is None:
            self._halt(error if isinstance(error, STOPS_BUYING) else self._streak.refused(error))
        if self._halted is not None and isinstance(error, SessionClosed) and tracked.video_id is None:
            error = copy(self._halted)  # withdrawn because of it
        if self._purchases.wants(error) and self._halted is None:
            task = asyncio.create_task(self._repeat(index, tracked))
            self._repeating.add(task)
            task.add_done_callback(self._repeated)
        else:
            self._put(told(index, tracked, error))

    def _halt(self, error: VideoError | None) -> None:
        """Buy nothing more, if there is a reason."""
        self._halted = error
        if error is not None:
            log.warning("the batch stops buying: %s", error.message)
            for other, _ in self._open.values():
                self._manager.cancel(other)

    async def _repeat(self, index: int, tracked: TrackedJob) -> None:
        """Buy a row again whose finished video was refused; tell the refusal where that cannot be."""
        watcher = self._watcher(index)
        try:
            repeated = await self._purchases.again(index, tracked, watcher)
        except VideoError:
            repeated = None
        if repeated is not None:
            self._follow(repeated, watcher)
        else:
            self._put(told(index, tracked, tracked.error))

    def _repeated(self, done: asyncio.Task[None]) -> None:
        self._repeating.discard(done)
        self._changed.set()

    def _put(self, item: BatchItem) -> None:
        self._items.append(item)
        self._changed.set()


@attrs.frozen(eq=False, weakref_slot=False)
class _RowWatcher:
    """Tells a batch of the job of one row; a hundred bytes less than a function of its own would take per job."""

    _batch: Batch
    _index: int

    def __call__(self, tracked: TrackedJob) -> None:
        self._batch.heard(self._index, tracked)
