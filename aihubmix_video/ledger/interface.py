"""The protocol of a ledger: what a session writes to it and reads from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from aihubmix_video.ledger.entry import LedgerEntry, LedgerState, Spent
    from aihubmix_video.ledger.transitions import Transition

__all__ = [
    "Ledger",
    "entries",
]


PAGE: Final = 500  # entries read at a time


async def entries(ledger: Ledger, states: Collection[LedgerState] = ()) -> AsyncIterator[LedgerEntry]:
    """Yield the jobs in these states, the newest first; all jobs if *states* is empty."""
    after: int | None = None
    while page := await ledger.page(after, PAGE, states):
        for entry in page:
            yield entry
        after = page[-1].number


class Ledger(Protocol):
    """The record of every job; `transitions` lists the legal transitions.

    Each call that writes returns when its change is durable. A call that is cancelled is still carried out, in order.
    Jobs are named by their local key.

    Raises:
        LedgerError: From any call: the ledger could not be written or read, the transition is not legal, or the job
            does not exist. Nothing was changed. The error has the job's key, and its id if the call was given one.
        SessionClosed: From any call after `aclose`.
    """

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Bind the ledger to an account, once per session.

        A ledger of another account or gateway is refused, and the error names both.

        Args:
            base_url: The gateway's base URL.
            api_key: The key. Only a salted one-way digest of it is kept.
            new_key: Whether the key is a new one of the same account, to which the ledger is to be bound from now on.
                The gateway must be the same.
        """

    # Writing.

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Write the intents: record the jobs, completely enough to request them again, before anything of them is sent.

        Either all are recorded, or none.

        Raises:
            InvalidRequest: A request cannot be recorded: it is not JSON, or a file in it was not read yet.
        """

    async def record(self, key: str, transition: Transition) -> None:
        """Record what happened to a job, or what the user decided about it; see `transitions`.

        `transitions.sending` is recorded once the connection is established. The first byte of the create is sent after
        the call returns.
        """

    async def remember(self, name: str, value: bytes) -> None:
        """Store a small value under a name, replacing what had that name."""

    # Reading.

    def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Yield every job that is unfinished at the time of the call, each with its media.

        First those to be downloaded, the earliest expiry first; then those that may have been bought; then those to be
        sent. A job intended after the call is not among them.
        """

    def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:
        """Yield every job of a batch in the order of its rows, without media."""

    async def entry(self, key: str) -> LedgerEntry | None:
        """Return the job with this local key; None if there is none."""

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:
        """Return the job to which the user gave this idempotency key; None if there is none."""

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:
        """Return the row of a batch with this fingerprint and occurrence; None if there is none."""

    async def page(
        self,
        after: int | None = None,
        limit: int = 100,
        states: Collection[LedgerState] = (),
        *,
        owner: str | None = None,
    ) -> Sequence[LedgerEntry]:
        """Return a page of jobs, the newest first, without media.

        Args:
            after: The `number` of the last entry of the previous page; None for the first page.
            limit: The most entries to return.
            states: Only jobs in these states; all jobs if empty.
            owner: Only this owner's jobs; the jobs of all owners if None.
        """

    async def counts(self) -> Mapping[LedgerState, int]:
        """Return the number of jobs in each state."""

    async def spent(self) -> Mapping[str, Spent]:
        """Return, by model, the sums of what was bought or may have been bought."""

    async def recall(self, name: str) -> bytes | None:
        """Return what was remembered under a name; None if nothing was."""

    # Closing.

    async def sweep(self) -> int:
        """Delete the media that no create can need any more; return how many were deleted."""

    async def aclose(self) -> None:
        """Close the ledger. It may be called again, also while a first call is under way."""
