"""A ledger's jobs one after the other, read a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from aihubmix_video.ledger.entry import Entry, State
    from aihubmix_video.ledger.interface import Ledger

__all__ = ["entries"]

PAGE: Final = 500  # entries looked at together


async def entries(ledger: Ledger, states: Collection[State] = ()) -> AsyncIterator[Entry]:
    """Give the jobs in these states, or all, the newest first."""
    after: int | None = None
    while page := await ledger.page(after, PAGE, states):
        for entry in page:
            yield entry
        after = page[-1].number
