"""A batch file compared with what its ledger knows of it."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING

import attrs
from anyio import to_thread

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.ledger.entry import LedgerEntry, LedgerState
from aihubmix_video.ledger.fingerprint import fingerprint
from aihubmix_video.ledger.interface import entries
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.storage.reference_files import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from aihubmix_video.batch_file import Row

__all__ = ["Changes", "GoneRow", "changes_of"]

PROMPT = 60
"""Characters of a prompt that tell it from others."""


@attrs.frozen
class GoneRow:
    """A row that the ledger knows and the file no longer has.

    Attributes:
        index: Its place in the file as it was.
        prompt: The beginning of its prompt, in one printable line.
    """

    index: int
    prompt: str


@attrs.frozen(kw_only=True)
class Changes:
    """The differences between a batch file and its ledger.

    Attributes:
        known: Numbers of the rows that the ledger knows.
        new: The rows that it does not know.
        gone: The rows that it knows and the file no longer asks for.
        elsewhere: Another batch of the ledger that has rows of this file, if this batch has none yet.
        again: How many of them that batch has.
    """

    known: frozenset[int] = frozenset()
    new: tuple[Row, ...] = ()
    gone: tuple[GoneRow, ...] = ()
    elsewhere: str | None = None
    again: int = 0

    @property
    def doubtful(self) -> bool:
        """Whether the same video may be bought twice: in two versions, or under two names."""
        return bool((self.new and self.gone) or self.elsewhere)


async def changes_of(path: Path, batch: str, rows: Iterable[Row]) -> Changes:
    """Return how a batch file differs from its ledger, if there is one yet.

    Args:
        path: File of the ledger; no session may have it open.
        batch: Name of the batch in it (`batch_name`).
        rows: The rows of the file as it is now.

    Raises:
        LedgerError: The ledger cannot be read.
        LedgerInUse: A session or another process has it open.
    """
    if not await to_thread.run_sync(path.exists):
        return Changes()
    async with aclosing(await SqliteLedger.open(path)) as ledger:
        kept = {
            (entry.fingerprint, entry.occurrence): None if _costs_nothing(entry) else _gone(entry)
            async for entry in ledger.rows_of(batch)
        }
        if not kept:
            others = {entry.fingerprint: entry.batch async for entry in _others(ledger, batch)}
            return await _elsewhere(others, rows) if others else Changes()
    return await _compared(kept, rows)


async def _others(ledger: SqliteLedger, batch: str) -> AsyncIterator[LedgerEntry]:
    """Yield the rows of all other batches that may have been bought."""
    async for entry in entries(ledger):
        if entry.batch not in {None, batch} and (entry.video_id is not None or entry.charged != "no"):
            yield entry


async def _elsewhere(others: dict[str, str | None], rows: Iterable[Row]) -> Changes:
    found = [others[digest] async for _, digest in _digested(rows) if digest in others]
    return Changes(elsewhere=found[0], again=len(found)) if found else Changes()


def _costs_nothing(entry: LedgerEntry) -> bool:
    """Whether a row may be replaced by another without a video being bought twice."""
    unpaid = entry.state is LedgerState.FAILED and entry.charged == "no" and not entry.written_off
    return unpaid or entry.state is LedgerState.DROPPED


def _gone(entry: LedgerEntry) -> GoneRow:
    return GoneRow(entry.index, plain(entry.request.prompt, PROMPT))


async def _compared(kept: dict[tuple[str, int], GoneRow | None], rows: Iterable[Row]) -> Changes:
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
    """Yield the rows that can be read, each with the fingerprint of its request."""
    for row in rows:
        try:
            digest = fingerprint(await load(row.request))
        except InvalidRequest:
            continue  # the batch itself reports what is wrong with it
        yield row, digest
