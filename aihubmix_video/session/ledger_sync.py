"""Writes into the ledger what happens to a session's jobs, and what users decide about them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.errors import InvalidRequest, LedgerError
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.ledger.fingerprint import fingerprint
from aihubmix_video.ledger.interface import entries
from aihubmix_video.ledger.null_ledger import NullLedger
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.session.batch_budget import BatchBudget
from aihubmix_video.session.ledger_mapping import closing_transition, entry_of
from aihubmix_video.storage.disk import to_the_end
from aihubmix_video.storage.reference_files import load

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from aihubmix_video.errors import VideoError
    from aihubmix_video.ledger.entry import LedgerEntry
    from aihubmix_video.ledger.interface import Ledger
    from aihubmix_video.ledger.transitions import Transition
    from aihubmix_video.session.ledger_mapping import IdempotencyKey, RowPlace
    from aihubmix_video.session.tracked_job import TrackedJob
    from aihubmix_video.types.request import VideoRequest

__all__ = ["LedgerSync"]

log = logging.getLogger("aihubmix_video")

CAPS = "caps"  # the name under which a batch's caps are remembered
PROOF = "proof"  # the name under which it is tried whether anything can be written


class LedgerSync:
    """The one writer of a session's ledger; others read it through `ledger`.

    Args:
        ledger: The ledger.
        capabilities: The tables that say how long the videos of new jobs will be.

    Attributes:
        ledger: For asking.
        has_ledger: Whether anything is kept at all.
        taking: Held from looking a job up until it is added or resumed: two tasks that look would both buy it.
        on_broken: Called when what has happened already could not be written.
    """

    def __init__(self, ledger: Ledger, capabilities: CapabilitySet = BUILT_IN) -> None:
        self.ledger = ledger
        self._capabilities = capabilities
        self.has_ledger = not isinstance(ledger, NullLedger)
        self.taking = asyncio.Lock()
        self.on_broken: Callable[[LedgerError], None] = lambda _: None

    # Jobs of this session.

    async def intend(
        self, tracked: TrackedJob, request: VideoRequest, place: RowPlace | None, name: IdempotencyKey | None
    ) -> None:
        """Write down that a job is wanted; *request* holds its media.

        If cancelled, the intent is dropped, unless the job has a name under which it is asked for again.
        """
        entry = entry_of(tracked, request, place, name, self._capabilities.find(request.model))
        intending = asyncio.create_task(self.ledger.intend([entry]))
        try:
            await to_the_end(intending)
        except asyncio.CancelledError:
            nameless = entry.batch is None and entry.client_key is None
            if nameless and not intending.cancelled() and intending.exception() is None:
                try:
                    await to_the_end(self.ledger.record(tracked.key, transitions.dropped()))
                except LedgerError as error:  # a cancellation is never turned into something else
                    log.warning("job %s was cancelled, and stays in the ledger: %s", tracked.key, error)
            raise

    async def record(self, tracked: TrackedJob, transition: Transition) -> None:
        """Write down what is about to happen to a job.

        Raises:
            LedgerError: It could not be written, so it must not happen.
        """
        if tracked.in_ledger:
            await self.ledger.record(tracked.key, transition)

    async def note(self, tracked: TrackedJob, transition: Transition) -> None:
        """Write down what has happened already; if it cannot be written, new purchases stop, and this job goes on."""
        try:
            await self.record(tracked, transition)
        except LedgerError as error:
            log.critical("job %s (%s): %s", tracked.key, tracked.video_id or "not bought", error)
            self.on_broken(error)

    async def finish(self, tracked: TrackedJob, error: VideoError | None) -> None:
        """Write down how a job ended, if that is final."""
        transition = closing_transition(tracked, error)
        if transition is not None:
            await self.note(tracked, transition)

    async def prove(self) -> None:
        """Write something that means nothing.

        Raises:
            LedgerError: It could not be written.
        """
        await self.remember(PROOF, b"")

    # Requests and batches.

    async def fingerprint(self, request: VideoRequest) -> str | None:
        """Return a digest of what a request asks for; None without a ledger, where nothing is matched."""
        return fingerprint(await load(request)) if self.has_ledger else None

    async def budget(self) -> BatchBudget:
        """Return the caps of the ledger's last batch, so that what resumes it keeps to them."""
        kept = await self.ledger.recall(CAPS)
        return BatchBudget() if kept is None else BatchBudget.restored(kept, self._capabilities)

    async def keep_budget(self, budget: BatchBudget) -> None:
        """Remember a batch's caps, or that it has none."""
        kept = await self.ledger.recall(CAPS)
        if kept != budget.packed() and (budget.capped or kept is not None):
            await self.remember(CAPS, budget.packed())

    async def remember(self, name: str, value: bytes) -> None:
        """Keep some bytes under a name."""
        await self.ledger.remember(name, value)

    # Decisions.

    async def drop(self, key: str, states: Collection[LedgerState] = frozenset(LedgerState)) -> None:
        """Write down that the user does not want a job any more, if it is in one of *states*."""
        entry = await self.ledger.entry(key)
        if entry is not None and entry.state in states:
            await self.ledger.record(key, transitions.dropped())

    async def decide(self, key: str, *, attach: str | None, drop: bool) -> None:
        """Carry out a user's decision about an uncertain job: attach it to an id, drop it, or else buy it again.

        Raises:
            InvalidRequest: The id is another job's.
            LedgerError: Nothing is to be decided about the job, or there is none.
        """
        entry = await self._entry(key)
        if attach is not None:
            await self._check_unowned(attach)
            await self.ledger.record(key, transitions.attach(attach))
        elif not drop:
            await self.ledger.record(key, transitions.resubmit())
        elif entry.state is LedgerState.UNCERTAIN:
            await self.ledger.record(key, transitions.dropped())
        else:
            raise LedgerError(f"job {key} is {entry.state}, not uncertain. Nothing was changed.", job_key=key)

    async def resubmit(self, key: str) -> LedgerEntry:
        """Record that a failed job is to be bought again, and return it.

        Raises:
            LedgerError: It did not fail, or there is no such job.
        """
        await self.ledger.record(key, transitions.resubmit())
        return await self._entry(key)

    async def _entry(self, key: str) -> LedgerEntry:
        entry = await self.ledger.entry(key)
        if entry is None:
            raise LedgerError(f"the ledger has no job {plain(key, 80)!r}. Nothing was changed.", job_key=key)
        return entry

    async def _check_unowned(self, video_id: str) -> None:
        """Refuse an id that another job has: one video would be saved twice, and another one be forgotten."""
        async for entry in entries(self.ledger):
            if video_id in {entry.video_id, entry.also_id}:
                raise InvalidRequest.of("attach", video_id, f"is the id of job {entry.key}")

    async def aclose(self) -> None:
        """Close the ledger, once media that nobody needs any more are deleted."""
        try:
            await self.ledger.sweep()
        except LedgerError as error:
            log.warning("reference media were left over: %s", error.message)
        await self.ledger.aclose()
