"""One run over a batch file, which `batch` and `demo` share."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.batch_file import BadRow, Row
from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.cli.batch_plan import plan_of
from aihubmix_video.cli.command_options import CapArguments
from aihubmix_video.cli.open_batch_file import BatchFile, OutputPlaces, judged
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.gallery.row_result import RowResult

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from aihubmix_video.capabilities import Validate
    from aihubmix_video.cli.batch_plan import Plan
    from aihubmix_video.session.session import VideoSession

__all__ = ["BatchRun"]


@attrs.frozen(kw_only=True)
class BatchRun:
    """One run over a batch file.

    Attributes:
        file: Where the rows are; it is read again, row by row, as jobs finish.
        places: Where the videos go.
        validate: How rows are judged, by the tables of `capabilities`.
        capabilities: The tables of the models.
        overwrite: Whether existing files are replaced.
        skip_existing: Whether rows whose file exists are left out.
        known: Numbers of the rows that the ledger knows; their state is the ledger's, whether their file exists or not.
        caps: What may be bought.
    """

    file: BatchFile
    places: OutputPlaces
    validate: Validate
    capabilities: CapabilitySet = BUILT_IN
    overwrite: bool = False
    skip_existing: bool = False
    known: frozenset[int] = frozenset()
    caps: CapArguments = attrs.field(factory=CapArguments)

    def rows(self) -> Iterable[Row | BadRow]:
        """Yield the rows, read and judged."""
        judge = partial(self.capabilities.judge, validate=self.validate)
        return judged(self.file.rows(), self.file.source, judge)

    def plan(self) -> Plan:
        """Return their sum.

        Raises:
            ConfigurationError: Rows whose file exists are to be left out, and a file's name cannot be known beforehand.
        """
        return plan_of(self._placed(), self.validate, self.caps.get("prices"), self.capabilities)

    def _placed(self) -> Iterator[Row | BadRow]:
        for row in self.rows():
            if self.skip_existing and isinstance(row, Row) and self.places.of(row) is None:
                place = f"{self.file.source}:{row.line}"
                raise ConfigurationError(
                    f"--skip-existing needs names known beforehand: use {{index}} in --name, or give the row a key [{place}]."
                )
            yield row

    async def results(self, session: VideoSession) -> AsyncIterator[RowResult]:
        """Buy what the good rows ask for, and yield each result as it comes; bad rows are left out."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        there: set[int] = set()
        for row in self.good():
            if row.number not in self.known and self._is_there(row):
                there.add(row.number)
                yield RowResult(
                    index=row.number, key=row.key, request=row.request, path=self.places.of(row), skipped=True
                )
        under_way: dict[int, Row] = {}

        def wanted() -> Iterator[Row]:
            for row in self.good():
                if row.number not in there:
                    under_way[row.number] = row
                    yield row

        items = session.batch(wanted(), to=self.places.template.text, overwrite=self.overwrite, **self.caps)
        async with aclosing(items) as finished:
            async for item in finished:
                row = under_way.pop(item.index)
                yield attrs.evolve(RowResult.of(item, key=row.key, took=loop.time() - began), own=row.own)

    def good(self) -> Iterator[Row]:
        """Yield the good rows."""
        return (row for row in self.rows() if isinstance(row, Row))

    def _is_there(self, row: Row) -> bool:
        path = self.places.of(row) if self.skip_existing else None
        return path is not None and path.exists()
