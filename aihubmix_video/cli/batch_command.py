"""The commands that read a batch file."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.batch_file import BadRow, Row
from aihubmix_video.cli.command_options import CapArguments
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.open_batch_file import BatchFile, OutputPlaces, judged
from aihubmix_video.cli.plan_command import plan_of
from aihubmix_video.cli.row_result import RowResult
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.session.batch_changes import Changes, changes_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from aihubmix_video.capabilities import Validate
    from aihubmix_video.cli.console import Screen
    from aihubmix_video.cli.plan_command import Plan
    from aihubmix_video.cli.runner import Runner
    from aihubmix_video.session.session import VideoSession

__all__ = ["BatchRun", "run_batch"]

NAMED = 20
"""Changed rows told one by one."""


async def run_batch(batch: BatchRun, videos: int, runner: Runner, *, accept_changes: bool) -> ExitCode:
    """Run a batch, or go on with it; rows changed since the ledger saw them are refused unless accepted."""
    changes = await changes_of(runner.location, batch.good()) if runner.location is not None else Changes()
    if changes.doubtful and not accept_changes:
        tell_changes(changes, batch.file.source, runner.screen)
        return ExitCode.BAD_INPUT
    code = await runner.follow(attrs.evolve(batch, known=changes.known).outcomes, videos)
    return ExitCode.FAILED if code is ExitCode.USAGE else code  # one row's fault; others may have been bought


def tell_changes(changes: Changes, source: str, screen: Screen) -> None:
    """Name the rows that the ledger does not know, and those it misses."""
    if changes.elsewhere is not None:
        screen.error(
            f"the ledger has {changes.again} of these rows in another batch, {changes.elsewhere}: they would be bought anew"
        )
    for row in changes.new[:NAMED]:
        screen.error(f"{source}:{row.line}: row {row.number} is new, or was changed since this batch was begun")
    for text in changes.gone[:NAMED]:
        screen.error(f"the ledger knows a row that {source} no longer has: {text}")
    more = sum(max(len(rows) - NAMED, 0) for rows in (changes.new, changes.gone))
    if more:
        screen.error(f"and {more} more")
    screen.insist(
        "Nothing was sent. --accept-changes buys the new rows as well; what was bought for the old ones stays bought."
    )


@attrs.frozen(kw_only=True)
class BatchRun:
    """One run over a batch file.

    Attributes:
        file: Where the rows are; read once more, row by row, as jobs finish.
        places: Where the videos go.
        validate: How rows are judged.
        overwrite: Whether existing files are replaced.
        skip_existing: Whether rows whose file is there are left out.
        known: Numbers of the rows that the ledger knows; it tells how they stand, whether their file is there or not.
        caps: What may be bought.
    """

    file: BatchFile
    places: OutputPlaces
    validate: Validate
    overwrite: bool = False
    skip_existing: bool = False
    known: frozenset[int] = frozenset()
    caps: CapArguments = attrs.field(factory=CapArguments)

    def rows(self) -> Iterable[Row | BadRow]:
        """Read and judge the rows."""
        return judged(self.file.rows(), self.file.source, self.validate)

    def plan(self) -> Plan:
        """Add them up.

        Raises:
            ConfigurationError: It cannot be told beforehand which files are there, and that is asked for.
        """
        return plan_of(self._placed(), self.validate)

    def _placed(self) -> Iterator[Row | BadRow]:
        for row in self.rows():
            if self.skip_existing and isinstance(row, Row) and self.places.of(row) is None:
                place = f"{self.file.source}:{row.line}"
                raise ConfigurationError(
                    f"--skip-existing needs names known beforehand: use {{index}} in --name, or give the row a key [{place}]."
                )
            yield row

    async def outcomes(self, session: VideoSession) -> AsyncIterator[RowResult]:
        """Buy and save what the good rows ask for, each told as it is there; bad rows are left out."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        there: set[int] = set()
        for row in self.good():
            if row.number not in self.known and self._is_there(row):
                there.add(row.number)
                yield RowResult(
                    index=row.number, key=row.key, request=row.request, path=self.places.of(row), skipped=True
                )
        keys: dict[int, str | None] = {}  # of rows under way

        def wanted() -> Iterator[Row]:
            for row in self.good():
                if row.number not in there:
                    keys[row.number] = row.key
                    yield row

        items = session.batch(wanted(), to=self.places.template.text, overwrite=self.overwrite, **self.caps)
        async with aclosing(items) as finished:
            async for item in finished:
                yield RowResult.of(item, key=keys.pop(item.index), took=loop.time() - began)

    def good(self) -> Iterator[Row]:
        """Read the good rows."""
        return (row for row in self.rows() if isinstance(row, Row))

    def _is_there(self, row: Row) -> bool:
        path = self.places.of(row) if self.skip_existing else None
        return path is not None and path.exists()
