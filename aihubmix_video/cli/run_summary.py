"""What came of a command's work, and what that means together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.cli.exit_codes import ExitCode, exit_of, goes_on
from aihubmix_video.session.batch import STOPS_BUYING

if TYPE_CHECKING:
    from collections.abc import Collection

    from aihubmix_video.cli.row_result import RowResult
    from aihubmix_video.ledger.entry import LedgerEntry

__all__ = ["RunSummary"]


@attrs.define(kw_only=True)
class RunSummary:
    """What came of a command's work so far.

    Attributes:
        total: How many outcomes there are to be.
        begun: Whether the session was opened.
        exits: What the outcomes mean.
        paid: Ids of jobs to go on with, in order.
        untaken: Rows that the ledger does not know yet.
    """

    total: int
    begun: bool = False
    exits: set[ExitCode] = attrs.field(factory=set)
    paid: dict[str, None] = attrs.field(factory=dict)
    untaken: int = 0
    _jobs: set[str] = attrs.field(factory=set, init=False)
    _others: int = attrs.field(default=0, init=False)

    def add(self, outcome: RowResult) -> None:
        """Count one outcome."""
        error = outcome.error
        self.exits.add(exit_of(error))
        if error is not None and outcome.id is not None and goes_on(error):
            self.paid[outcome.id] = None
        if outcome.job_key is not None:
            self._jobs.add(outcome.job_key)
        elif not isinstance(error, STOPS_BUYING):
            self._others += 1

    def settle(self, left: Collection[LedgerEntry], *, whole: bool) -> None:
        """Take in what the ledger has left to do; *whole* when the outcomes are all rows of a batch."""
        unfinished = {entry.key for entry in left}
        if whole:
            self.untaken = max(self.total - self._others - len(self._jobs | unfinished), 0)
        if unfinished or self.untaken:
            self.exits.add(ExitCode.UNFINISHED)
