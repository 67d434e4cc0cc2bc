"""What one batch buys: within its caps, and once more where a finished video was refused and the user wants that."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aihubmix_video.errors import ContentRefused, LedgerError, VideoError

if TYPE_CHECKING:
    from aihubmix_video.ledger.entry import LedgerEntry
    from aihubmix_video.session.batch_budget import BatchBudget, BudgetShare
    from aihubmix_video.session.job_manager import JobManager
    from aihubmix_video.session.ledger_mapping import RowPlace
    from aihubmix_video.session.tracked_job import OutputTarget, TrackedJob, Watcher
    from aihubmix_video.types.request import VideoRequest

__all__ = ["BatchPurchases"]


class BatchPurchases:
    """Has jobs bought for a batch, and keeps account of it.

    Args:
        manager: Takes the jobs on.
        budget: What may be bought; None: what the ledger remembers of its last batch.
        retries: How often a row is bought again after moderation refused its finished video.
    """

    def __init__(self, manager: JobManager, budget: BatchBudget | None, retries: int = 0) -> None:
        self._manager = manager
        self._given = budget
        self._retries = retries
        self._shares: dict[int, BudgetShare] = {}  # by the job's number
        self._repeated: Counter[int] = Counter()  # by the row, without a ledger that counts

    async def begin(self) -> None:
        """Look what was bought before."""
        ledger_sync = self._manager.ledger_sync
        if self._given is None:
            self._budget = await ledger_sync.budget()
        else:
            self._budget = self._given
            try:
                await ledger_sync.keep_budget(self._given)
            except LedgerError as trouble:  # what was bought is collected all the same
                self._manager.stop_buying(trouble)
        if self._budget.capped:
            self._budget.begin(await ledger_sync.ledger.spent())

    async def add(
        self, request: VideoRequest, target: OutputTarget | None, *, place: RowPlace | None, watcher: Watcher
    ) -> TrackedJob:
        """Queue a new job.

        Raises:
            BudgetExceeded: A cap forbids it. Nothing was sent.
            VideoError: As `JobManager.add`.
        """
        share = self._budget.ask(request)
        try:
            tracked = await self._manager.add(request, target, place=place, watcher=watcher)
        except BaseException:
            self._budget.give_back(share)
            raise
        self._shares[tracked.number] = share
        return tracked

    async def resume_entry(self, entry: LedgerEntry, watcher: Watcher) -> TrackedJob:
        """Take up a job of the ledger's; raises as `add`. What was bought is counted already."""
        share = None if entry.video_id is not None else self._budget.ask(entry.request)
        return await self._resumed(entry, share, watcher)

    async def _resumed(self, entry: LedgerEntry, share: BudgetShare | None, watcher: Watcher) -> TrackedJob:
        try:
            tracked = await self._manager.resume_entry(entry, watcher)
        except BaseException:
            self._budget.give_back(share)
            raise
        if share is not None:
            self._shares[tracked.number] = share
        return tracked

    def join(self, tracked: TrackedJob, request: VideoRequest) -> None:
        """Count a job that is followed already."""
        if tracked.video_id is None:
            self._shares[tracked.number] = self._budget.count(request)

    def settle(self, tracked: TrackedJob) -> None:
        """A job is over: one that was not charged takes nothing of the caps."""
        share = self._shares.pop(tracked.number, None)
        if tracked.error is not None and tracked.error.charged == "no":
            self._budget.give_back(share)

    # Buying again.

    def wants(self, error: VideoError | None) -> bool:
        """Whether the same request may pass on another try, and the user wants one."""
        return self._retries > 0 and isinstance(error, ContentRefused) and error.stage == "output"

    async def again(self, index: int, tracked: TrackedJob, watcher: Watcher) -> TrackedJob | None:
        """Buy a row again whose finished video was refused; None when that was done often enough.

        Raises:
            VideoError: As `add`.
        """
        if tracked.in_ledger:
            async with self._manager.ledger_sync.taking:
                entry = await self._manager.ledger_sync.ledger.entry(tracked.key)
                return None if entry is None else await self.anew(entry, watcher)
        if tracked.request is None or self._repeated[index] >= self._retries:
            return None
        self._repeated[index] += 1
        return await self.add(tracked.request, tracked.target, place=None, watcher=watcher)

    async def anew(self, entry: LedgerEntry, watcher: Watcher) -> TrackedJob | None:
        """Buy a job of the ledger's again; see `again`."""
        if entry.resubmitted >= self._retries:
            return None
        self._manager.check_buying(entry.key)
        share = self._budget.ask(entry.request)  # before the ledger is told: what it says is bought another day
        try:
            intended = await self._manager.ledger_sync.resubmit(entry.key)
        except BaseException:
            self._budget.give_back(share)
            raise
        return await self._resumed(intended, share, watcher)
