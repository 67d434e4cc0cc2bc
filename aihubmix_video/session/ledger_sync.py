"""Tells the ledger of a session's jobs, and asks it for those of earlier ones."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aihubmix_video.errors import InvalidRequest, LedgerError
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.ledger.fingerprint import fingerprint
from aihubmix_video.ledger.interface import entries
from aihubmix_video.ledger.null_ledger import NullLedger
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.session.batch_budget import BatchBudget
from aihubmix_video.session.ledger_mapping import close, entry_of
from aihubmix_video.storage.disk import to_the_end
from aihubmix_video.storage.reference_files import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from aihubmix_video.errors import VideoError
    from aihubmix_video.ledger.entry import LedgerEntry, Spent
    from aihubmix_video.ledger.interface import Ledger
    from aihubmix_video.session.ledger_mapping import IdempotencyKey, RowPlace
    from aihubmix_video.session.tracked_job import TrackedJob
    from aihubmix_video.types.request import VideoRequest

__all__ = ["LedgerSync"]

log = logging.getLogger("aihubmix_video")

CAPS = "caps"  # the name under which a batch's caps are remembered
PROOF = "proof"  # the name under which it is tried whether anything can be written


class LedgerSync:
    """Keeps one session's ledger.

    Attributes:
        has_ledger: Whether anything is kept at all.
        taking: Held from looking a job up until it is taken on: two who look would both buy it.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.has_ledger = not isinstance(ledger, NullLedger)
        self.taking = asyncio.Lock()

    # Telling.

    async def intend(
        self, tracked: TrackedJob, request: VideoRequest, place: RowPlace | None, name: IdempotencyKey | None
    ) -> None:
        """Write down that a job is wanted; *request* holds its media.

        Cancelled, it is not, unless it has a name under which it is asked for again.
        """
        entry = entry_of(tracked, request, place, name)
        intending = asyncio.create_task(self._ledger.intend([entry]))
        try:
            await to_the_end(intending)
        except asyncio.CancelledError:
            nameless = entry.batch is None and entry.client_key is None
            if nameless and not intending.cancelled() and intending.exception() is None:
                try:
                    await to_the_end(self._ledger.dropped(tracked.key))
                except LedgerError as error:  # a cancellation is never turned into something else
                    log.warning("job %s was given up, and stays in the ledger: %s", tracked.key, error)
            raise

    async def close(self, tracked: TrackedJob, error: VideoError | None) -> None:
        """Write down how a job ended."""
        await close(self._ledger, tracked, error)

    async def prove(self) -> None:
        """Write something that means nothing.

        Raises:
            LedgerError: It could not be written.
        """
        await self._ledger.remember(PROOF, b"")

    # Asking.

    async def fingerprint(self, request: VideoRequest) -> str | None:
        """Digest what a request asks for; None without a ledger, where nothing is matched."""
        return fingerprint(await load(request)) if self.has_ledger else None

    async def entry(self, key: str) -> LedgerEntry | None:
        """Find a job as it stands now."""
        return await self._ledger.entry(key)

    async def find(self, place: RowPlace) -> LedgerEntry | None:
        """Find the job that a row of a batch became in an earlier run."""
        return await self._ledger.find(place.batch, place.fingerprint, place.occurrence)

    async def named(self, client_key: str) -> LedgerEntry | None:
        """Find the job that the user gave this name."""
        return await self._ledger.by_client_key(client_key)

    async def page(
        self, after: int | None, limit: int, states: Collection[LedgerState], owner: str | None
    ) -> Sequence[LedgerEntry]:
        """Give jobs, the newest first; see `Ledger.page`."""
        return await self._ledger.page(after, limit, states, owner=owner)

    async def spent(self) -> Mapping[str, Spent]:
        """Add up, by model, what was bought or may have been."""
        return await self._ledger.spent()

    async def budget(self) -> BatchBudget:
        """Give back the caps of the ledger's last batch, so that what goes on with it keeps to them."""
        kept = await self._ledger.recall(CAPS)
        return BatchBudget() if kept is None else BatchBudget.restored(kept)

    async def keep_budget(self, budget: BatchBudget) -> None:
        """Remember a batch's caps, or that it has none."""
        kept = await self._ledger.recall(CAPS)
        if kept != budget.packed() and (budget.capped or kept is not None):
            await self._ledger.remember(CAPS, budget.packed())

    def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Give every job that needs something."""
        return self._ledger.unfinished()

    # Deciding.

    async def drop(self, key: str) -> None:
        """Write down that the user does not want a job any more."""
        await self._ledger.dropped(key)

    async def drop_unfinished(self, key: str) -> None:
        """Write down of a job that was deleted that it is not to be followed any more; what it came to before stays."""
        entry = await self._ledger.entry(key)
        if entry is not None and entry.state in {LedgerState.BOUGHT, LedgerState.COMPLETED}:
            await self._ledger.dropped(key)

    async def decide(self, key: str, *, attach: str | None, drop: bool) -> None:
        """Carry out a user's decision about an uncertain job: attach it to an id, drop it, or else intend it anew.

        Raises:
            InvalidRequest: The id is another job's.
            LedgerError: Nothing is to be decided about the job, or there is none.
        """
        entry = await self._ledger.entry(key)
        if entry is None:
            raise LedgerError(f"the ledger has no job {plain(key, 80)!r}. Nothing was changed.", job_key=key)
        if attach is not None:
            await self._check_unowned(attach)
            await self._ledger.attach(key, attach)
        elif not drop:
            await self._ledger.resubmit(key)
        elif entry.state is LedgerState.UNCERTAIN:
            await self._ledger.dropped(key)
        else:
            raise LedgerError(f"job {key} is {entry.state}, not uncertain. Nothing was changed.", job_key=key)

    async def resubmit(self, key: str) -> LedgerEntry:
        """Have a job that failed bought anew.

        Raises:
            LedgerError: It did not fail, or there is no such job.
        """
        await self._ledger.resubmit(key)
        entry = await self._ledger.entry(key)
        if entry is None:
            raise LedgerError(f"the ledger has lost job {plain(key, 80)!r}.", job_key=key)
        return entry

    async def _check_unowned(self, video_id: str) -> None:
        """Refuse an id that another job has: one video would be saved twice, and another one be forgotten."""
        async for entry in entries(self._ledger):
            if video_id in {entry.video_id, entry.also_id}:
                raise InvalidRequest.of("attach", video_id, f"is the id of job {entry.key}")

    async def aclose(self) -> None:
        """Close the ledger, once media that nobody needs any more are deleted."""
        try:
            await self._ledger.sweep()
        except LedgerError as error:
            log.warning("reference media were left over: %s", error.message)
        await self._ledger.aclose()
