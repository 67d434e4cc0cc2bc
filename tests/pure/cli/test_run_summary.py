from __future__ import annotations

from aihubmix_video import errors
from aihubmix_video.cli.exit_codes import Exit, exit_of_all
from aihubmix_video.cli.row_result import Outcome
from aihubmix_video.cli.run_summary import Tally
from aihubmix_video.ledger.entry import Entry
from aihubmix_video.types.request import VideoRequest


def left(*keys: str) -> list[Entry]:
    """Give unfinished jobs."""
    return [Entry(key=key, request=VideoRequest(model="sora-2", prompt="x")) for key in keys]


def test_what_the_ledger_has_left_is_unfinished_whatever_the_outcomes_say():
    """A create that was only refused for now looks like a failure, and is bought by the next run."""
    tally = Tally(total=2)
    tally.add(Outcome(index=0, job_key="a"))
    tally.add(Outcome(index=1, job_key="b", error=errors.RateLimited("later")))
    tally.settle(left("b"), whole=True)

    assert (Exit.UNFINISHED, 0) == (exit_of_all(tally.exits), tally.untaken)


def test_rows_that_were_never_taken_up_are_counted():
    """`resume` knows only what is in the ledger; for the rest of the file the batch must be run again."""
    tally = Tally(total=6)
    tally.add(Outcome(index=0, job_key="a"))
    tally.add(Outcome(index=1, skipped=True))
    tally.add(Outcome(index=2, error=errors.InsufficientBalance("empty")))
    tally.settle(left("b"), whole=True)

    assert (Exit.UNFINISHED, 3) == (exit_of_all(tally.exits), tally.untaken)


def test_a_finished_ledger_is_done():
    """Zero means that nothing at all is left to be done."""
    tally = Tally(total=1)
    tally.add(Outcome(index=0, job_key="a"))
    tally.settle([], whole=True)

    assert (Exit.DONE, 0) == (exit_of_all(tally.exits), tally.untaken)
