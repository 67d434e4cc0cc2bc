from __future__ import annotations

from aihubmix_video import errors
from aihubmix_video.cli.exit_codes import ExitCode, exit_of_all
from aihubmix_video.cli.run_summary import RunSummary
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.ledger.entry import LedgerEntry
from aihubmix_video.types.request import VideoRequest


def left(*keys: str) -> list[LedgerEntry]:
    """Give unfinished jobs."""
    return [LedgerEntry(key=key, request=VideoRequest(model="sora-2", prompt="x")) for key in keys]


def test_what_the_ledger_has_left_is_unfinished_whatever_the_outcomes_say():
    """A create that was only refused for now looks like a failure, and is bought by the next run."""
    summary = RunSummary(total=2)
    summary.add(RowResult(index=0, job_key="a"))
    summary.add(RowResult(index=1, job_key="b", error=errors.RateLimited("later")))
    summary.settle(left("b"), whole=True)

    assert (ExitCode.UNFINISHED, 0) == (exit_of_all(summary.exits), summary.untaken)


def test_rows_that_were_never_taken_up_are_counted():
    """`resume` knows only what is in the ledger; for the rest of the file the batch must be run again."""
    summary = RunSummary(total=6)
    summary.add(RowResult(index=0, job_key="a"))
    summary.add(RowResult(index=1, skipped=True))
    summary.add(RowResult(index=2, error=errors.InsufficientBalance("empty")))
    summary.settle(left("b"), whole=True)

    assert (ExitCode.UNFINISHED, 3) == (exit_of_all(summary.exits), summary.untaken)


def test_a_finished_ledger_is_done():
    """Zero means that nothing at all is left to be done."""
    summary = RunSummary(total=1)
    summary.add(RowResult(index=0, job_key="a"))
    summary.settle([], whole=True)

    assert (ExitCode.DONE, 0) == (exit_of_all(summary.exits), summary.untaken)
