"""A batch file beside what its ledger knows of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.cli.ledger_location import LedgerLocation, opened_ledger, said
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.ledger.entry import LedgerEntry, LedgerState
from aihubmix_video.ledger.fingerprint import fingerprint
from aihubmix_video.ledger.interface import entries
from aihubmix_video.storage.reference_files import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aihubmix_video.batch_file import Row
    from aihubmix_video.ledger.sqlite_ledger import SqliteLedger

__all__ = ["Changes", "changes_of"]


@attrs.frozen(kw_only=True)
class Changes:
    """A batch file beside what the ledger knows of it.

    Attributes:
        known: Numbers of the rows that the ledger knows.
        new: The rows that it does not know.
        gone: What it knows and the file no longer asks for.
        elsewhere: Another batch of the ledger's that has rows of this file, of which none is known here.
        again: How many of them it has.
    """

    known: frozenset[int] = frozenset()
    new: tuple[Row, ...] = ()
    gone: tuple[str, ...] = ()
    elsewhere: str | None = None
    again: int = 0

    @property
    def doubtful(self) -> bool:
        """Whether the same may be bought twice: in two versions, or under two names."""
        return bool((self.new and self.gone) or self.elsewhere)


async def changes_of(ledger_sync: LedgerLocation, rows: Iterable[Row]) -> Changes:
    """Compare a batch file with its ledger, if there is one yet.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    if ledger_sync.batch is None or not ledger_sync.path.exists():
        return Changes()
    async with opened_ledger(ledger_sync.path) as ledger:
        kept = {
            (entry.fingerprint, entry.occurrence): None if entry.state is LedgerState.DROPPED else _row(entry)
            async for entry in ledger.rows_of(ledger_sync.batch)
        }
        if not kept:
            others = {entry.fingerprint: entry.batch async for entry in _others(ledger, ledger_sync.batch)}
            return await _elsewhere(others, rows) if others else Changes()
    return await _compared(kept, rows)


async def _others(ledger: SqliteLedger, batch: str) -> AsyncIterator[LedgerEntry]:
    """Give the rows of all other batches that may have been bought."""
    async for entry in entries(ledger):
        if entry.batch not in {None, batch} and (entry.video_id is not None or entry.charged != "no"):
            yield entry


async def _elsewhere(others: dict[str, str | None], rows: Iterable[Row]) -> Changes:
    found = [others[digest] async for _, digest in _digested(rows) if digest in others]
    return Changes(elsewhere=found[0], again=len(found)) if found else Changes()


def _row(entry: LedgerEntry) -> str:
    return f"row {entry.index}: {said(entry.request.prompt)}"


async def _compared(kept: dict[tuple[str, int], str | None], rows: Iterable[Row]) -> Changes:
    known: set[int] = set()
    new: list[Row] = []
    occurrences: Counter[str] = Counter()
    async for row, digest in _digested(rows):
        place = (digest, occurrences[digest])
        occurrences[digest] += 1
        if place in kept:
            known.add(row.number)
            del kept[place]
        else:
            new.append(row)
    return Changes(known=frozenset(known), new=tuple(new), gone=tuple(filter(None, kept.values())))


async def _digested(rows: Iterable[Row]) -> AsyncIterator[tuple[Row, str]]:
    """Give the rows that can be read, each with what tells its request from others."""
    for row in rows:
        try:
            digest = fingerprint(await load(row.request))
        except InvalidRequest:
            continue  # the batch itself tells what is wrong with it
        yield row, digest
