"""No ledger: jobs are remembered by the session alone, and only while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from aihubmix_video.ledger.entry import LedgerEntry, LedgerState, Spent
    from aihubmix_video.ledger.transitions import Transition

__all__ = ["NullLedger"]


class NullLedger:
    """See `interface.Ledger`. Keeps nothing, and knows of nothing."""

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Nothing to compare with."""

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Keep nothing."""

    async def record(self, key: str, transition: Transition) -> None:
        """Keep nothing."""

    async def remember(self, name: str, value: bytes) -> None:
        """Keep nothing."""

    async def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Give nothing."""
        nothing: tuple[LedgerEntry, ...] = ()
        for entry in nothing:
            yield entry

    async def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:  # noqa: ARG002 - the port's
        """Give nothing."""
        nothing: tuple[LedgerEntry, ...] = ()
        for entry in nothing:
            yield entry

    async def entry(self, key: str) -> LedgerEntry | None:  # noqa: ARG002 - the port's
        """Find nothing."""
        return None

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:  # noqa: ARG002 - the port's
        """Find nothing."""
        return None

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:  # noqa: ARG002 - the port's
        """Find nothing."""
        return None

    async def page(
        self,
        after: int | None = None,  # noqa: ARG002 - the port's
        limit: int = 100,  # noqa: ARG002 - the port's
        states: Collection[LedgerState] = (),  # noqa: ARG002 - the port's
        *,
        owner: str | None = None,  # noqa: ARG002 - the port's
    ) -> Sequence[LedgerEntry]:
        """Give nothing."""
        return ()

    async def counts(self) -> Mapping[LedgerState, int]:
        """Count nothing."""
        return {}

    async def spent(self) -> Mapping[str, Spent]:
        """Add up nothing."""
        return {}

    async def recall(self, name: str) -> bytes | None:  # noqa: ARG002 - the port's
        """Find nothing."""
        return None

    async def sweep(self) -> int:
        """Delete nothing."""
        return 0

    async def aclose(self) -> None:
        """Close nothing."""
