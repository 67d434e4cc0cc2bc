"""What one batch buys: within its caps, and once more where a finished video was refused and the user wants that."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aihubmix_video.errors import ContentRefused, LedgerError, VideoError

if TYPE_CHECKING:
    from aihubmix_video.ledger.entry import Entry
    from aihubmix_video.session.batch_budget import Allowance, Share
    from aihubmix_video.session.job_manager import Orchestrator
    from aihubmix_video.session.ledger_mapping import RowPlace
    from aihubmix_video.session.tracked_job import Record, Target, Watcher
    from aihubmix_video.types.request import VideoRequest

__all__ = ["Purchases"]


class Purchases:
    """Has jobs bought for a batch, and keeps account of it.

    Args:
        orchestrator: Takes the jobs on.
        allowance: What may be bought; None: what the ledger remembers of its last batch.
        retries: How often a row is bought anew after moderation refused its finished video.
    """

    def __init__(self, orchestrator: Orchestrator, allowance: Allowance | None, retries: int = 0) -> None:
        self._orchestrator = orchestrator
        self._given = allowance
        self._retries = retries
        self._shares: dict[int, Share] = {}  # by the job's number
        self._repeated: Counter[int] = Counter()  # by the row, for want of a ledger that counts

    async def begin(self) -> None:
        """Look what was bought before."""
        books = self._orchestrator.books
        if self._given is None:
            self._allowance = await books.allowance()
        else:
            self._allowance = self._given
            try:
                await books.keep_allowance(self._given)
            except LedgerError as trouble:  # what was bought is collected all the same
                self._orchestrator.stop_buying(trouble)
        if self._allowance.capped:
            self._allowance.begin(await books.spent())

    async def enlist(
        self, request: VideoRequest, target: Target | None, *, place: RowPlace | None, watcher: Watcher
    ) -> Record:
        """Queue a new job.

        Raises:
            BudgetExceeded: A cap forbids it. Nothing was sent.
            VideoError: As `Orchestrator.enlist`.
        """
        share = self._allowance.ask(request)
        try:
            record = await self._orchestrator.enlist(request, target, place=place, watcher=watcher)
        except BaseException:
            self._allowance.give_back(share)
            raise
        self._shares[record.number] = share
        return record

    async def readmit(self, entry: Entry, watcher: Watcher) -> Record:
        """Take up a job of the ledger's; raises as `enlist`. What was bought is counted already."""
        share = None if entry.video_id is not None else self._allowance.ask(entry.request)
        return await self._readmitted(entry, share, watcher)

    async def _readmitted(self, entry: Entry, share: Share | None, watcher: Watcher) -> Record:
        try:
            record = await self._orchestrator.readmit(entry, watcher)
        except BaseException:
            self._allowance.give_back(share)
            raise
        if share is not None:
            self._shares[record.number] = share
        return record

    def join(self, record: Record, request: VideoRequest) -> None:
        """Count a job that is followed already."""
        if record.video_id is None:
            self._shares[record.number] = self._allowance.count(request)

    def settle(self, record: Record) -> None:
        """A job is over: one that was not charged takes nothing of the caps."""
        share = self._shares.pop(record.number, None)
        if record.error is not None and record.error.charged == "no":
            self._allowance.give_back(share)

    # Buying anew.

    def wants(self, error: VideoError | None) -> bool:
        """Whether the same request may pass on another try, and the user wants one."""
        return self._retries > 0 and isinstance(error, ContentRefused) and error.stage == "output"

    async def again(self, index: int, record: Record, watcher: Watcher) -> Record | None:
        """Buy a row anew whose finished video was refused; None when that was done often enough.

        Raises:
            VideoError: As `enlist`.
        """
        if record.in_ledger:
            async with self._orchestrator.books.taking:
                entry = await self._orchestrator.books.entry(record.key)
                return None if entry is None else await self.anew(entry, watcher)
        if record.request is None or self._repeated[index] >= self._retries:
            return None
        self._repeated[index] += 1
        return await self.enlist(record.request, record.target, place=None, watcher=watcher)

    async def anew(self, entry: Entry, watcher: Watcher) -> Record | None:
        """Buy a job of the ledger's anew, likewise."""
        if entry.resubmitted >= self._retries:
            return None
        self._orchestrator.check_buying(entry.key)
        share = self._allowance.ask(entry.request)  # before the ledger is told: what it says is bought another day
        try:
            intended = await self._orchestrator.books.resubmit(entry.key)
        except BaseException:
            self._allowance.give_back(share)
            raise
        return await self._readmitted(intended, share, watcher)
