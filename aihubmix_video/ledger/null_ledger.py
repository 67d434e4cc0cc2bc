"""The null ledger: only the session remembers its jobs, and only while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from aihubmix_video.ledger.entry import LedgerEntry, LedgerState, Spent
    from aihubmix_video.ledger.transitions import Transition

__all__ = ["NullLedger"]


class NullLedger:
    """See `interface.Ledger`. It records nothing, and finds nothing."""

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Do nothing: there is no account to compare with."""

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Record nothing."""

    async def record(self, key: str, transition: Transition) -> None:
        """Record nothing."""

    async def remember(self, name: str, value: bytes) -> None:
        """Record nothing."""

    async def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Yield nothing."""
        nothing: tuple[LedgerEntry, ...] = ()
        for entry in nothing:
            yield entry

    async def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:  # noqa: ARG002 - the protocol's
        """Yield nothing."""
        nothing: tuple[LedgerEntry, ...] = ()
        for entry in nothing:
            yield entry

    async def entry(self, key: str) -> LedgerEntry | None:  # noqa: ARG002 - the protocol's
        """Return None."""
        return None

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:  # noqa: ARG002 - the protocol's
        """Return None."""
        return None

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:  # noqa: ARG002 - the protocol's
        """Return None."""
        return None

    async def page(
        self,
        after: int | None = None,  # noqa: ARG002 - the protocol's
        limit: int = 100,  # noqa: ARG002 - the protocol's
        states: Collection[LedgerState] = (),  # noqa: ARG002 - the protocol's
        *,
        owner: str | None = None,  # noqa: ARG002 - the protocol's
    ) -> Sequence[LedgerEntry]:
        """Return an empty page."""
        return ()

    async def counts(self) -> Mapping[LedgerState, int]:
        """Return no counts."""
        return {}

    async def spent(self) -> Mapping[str, Spent]:
        """Return no sums."""
        return {}

    async def recall(self, name: str) -> bytes | None:  # noqa: ARG002 - the protocol's
        """Return None."""
        return None

    async def sweep(self) -> int:
        """Delete nothing."""
        return 0

    async def aclose(self) -> None:
        """Close nothing."""
