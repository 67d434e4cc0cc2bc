"""The results of a command, added up to its exit code and to what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.cli.exit_codes import ExitCode, exit_of
from aihubmix_video.session.batch import STOPS_BUYING
from aihubmix_video.types.resumable import is_resumable

if TYPE_CHECKING:
    from collections.abc import Collection

    from aihubmix_video.gallery.row_result import RowResult
    from aihubmix_video.ledger.entry import LedgerEntry

__all__ = ["RunSummary"]


@attrs.define(kw_only=True)
class RunSummary:
    """The results of a command so far.

    Attributes:
        total: How many results are expected.
        begun: Whether the session was opened.
        exits: The exit codes of the results.
        paid: Ids of jobs to resume, in order.
        untaken: Rows that the ledger does not know yet.
        unproved: Saved videos that are not proved whole.
    """

    total: int
    begun: bool = False
    exits: set[ExitCode] = attrs.field(factory=set)
    paid: dict[str, None] = attrs.field(factory=dict)
    untaken: int = 0
    unproved: int = 0
    _jobs: set[str] = attrs.field(factory=set, init=False)
    _others: int = attrs.field(default=0, init=False)

    def add(self, result: RowResult) -> None:
        """Count one result."""
        error = result.error
        self.exits.add(exit_of(error))
        self.unproved += error is None and result.video is not None and result.video.doubt is not None
        if error is not None and result.id is not None and is_resumable(error):
            self.paid[result.id] = None
        if result.job_key is not None:
            self._jobs.add(result.job_key)
        elif not isinstance(error, STOPS_BUYING):
            self._others += 1

    def settle(self, left: Collection[LedgerEntry], *, whole: bool) -> None:
        """Take in what the ledger has left to do; *whole* if the results are those of all rows of a batch."""
        unfinished = {entry.key for entry in left}
        if whole:
            self.untaken = max(self.total - self._others - len(self._jobs | unfinished), 0)
        if unfinished or self.untaken:
            self.exits.add(ExitCode.UNFINISHED)
