"""What the session tells its ledger, and what it asks of it."""

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


PAGE: Final = 500  # entries looked at together


async def entries(ledger: Ledger, states: Collection[LedgerState] = ()) -> AsyncIterator[LedgerEntry]:
    """Give the jobs in these states, or all, the newest first."""
    after: int | None = None
    while page := await ledger.page(after, PAGE, states):
        for entry in page:
            yield entry
        after = page[-1].number


class Ledger(Protocol):
    """The record of every job; `transitions` says which may follow which.

    Each call that tells something returns when it will survive the process. A call that is
    cancelled is carried out all the same, in its order. Jobs go by their local key.

    Raises:
        LedgerError: From any call: it could not be written or read, the transition is not legal, or there is no such job. It
            changed nothing, and carries the job's key, and its id where one was told.
        SessionClosed: From any call after `aclose`.
    """

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Say whose jobs these are, once per session; a ledger of another account or gateway is refused, naming both.

        Args:
            base_url: The gateway's.
            api_key: Of which a salted one-way digest is kept, and nothing else.
            new_key: The key is another one of the same account: the ledger is its from now on. The gateway must be the same.
        """

    # Telling.

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Before anything of these jobs is sent: what is asked for, whole enough to ask for it again. All, or none.

        Raises:
            InvalidRequest: One cannot be written down: it is no JSON, or a file in it was not read yet.
        """

    async def record(self, key: str, transition: Transition) -> None:
        """Write down what happened to a job, or what the user decided about it; see `transitions`.

        `transitions.sending` is recorded when the connection stands: the create's first byte leaves when the call returns.
        """

    async def remember(self, name: str, value: bytes) -> None:
        """Keep something small that was learnt, in place of what had that name."""

    # Asking.

    def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Give every job that needs something, as of now, each with its media.

        First those to be fetched, the earliest expiry first; then those that may have been bought; then those to be sent.
        A job intended after the call is not among them.
        """

    def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:
        """Give every job of a batch in the order of its rows, without media."""

    async def entry(self, key: str) -> LedgerEntry | None:
        """Find a job."""

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:
        """Find the job that the user gave this idempotency key."""

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:
        """Find the row of a batch that asked for the same, for the n-th time."""

    async def page(
        self,
        after: int | None = None,
        limit: int = 100,
        states: Collection[LedgerState] = (),
        *,
        owner: str | None = None,
    ) -> Sequence[LedgerEntry]:
        """Give jobs, the newest first, without media.

        Args:
            after: The `number` of the last entry of the page before; None for the first page.
            limit: How many, at most.
            states: Only these; all if empty.
            owner: Only this one's; everybody's if None.
        """

    async def counts(self) -> Mapping[LedgerState, int]:
        """Count the jobs in each state."""

    async def spent(self) -> Mapping[str, Spent]:
        """Add up, by model, what was bought or may have been."""

    async def recall(self, name: str) -> bytes | None:
        """Give back what was remembered under a name."""

    # Ending.

    async def sweep(self) -> int:
        """Delete the media that no create can need any more, and say how many."""

    async def aclose(self) -> None:
        """Nothing more will be told. It may be called again, also meanwhile."""
