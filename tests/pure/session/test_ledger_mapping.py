"""What a ledger's entry says of its job."""

from __future__ import annotations

import pytest

from aihubmix_video import Status, VideoRequest
from aihubmix_video.ledger.entry import LedgerEntry, LedgerState
from aihubmix_video.session.ledger_mapping import video_of

EXPECTED = {
    LedgerState.INTENDED: Status.IN_PROGRESS,
    LedgerState.SENDING: Status.IN_PROGRESS,
    LedgerState.BOUGHT: Status.IN_PROGRESS,
    LedgerState.UNCERTAIN: Status.IN_PROGRESS,
    LedgerState.COMPLETED: Status.COMPLETED,
    LedgerState.SAVED: Status.COMPLETED,
    LedgerState.DONE: Status.COMPLETED,
    LedgerState.FAILED: Status.FAILED,
    LedgerState.DROPPED: Status.FAILED,
}


@pytest.mark.parametrize("state", LedgerState)
def test_a_job_of_an_earlier_run_is_told_as_it_ended(state: LedgerState):
    """A failed row was reported as in progress by every later run."""
    video = video_of(LedgerEntry(key="k", request=VideoRequest(model="m", prompt="p"), state=state, video_id="v"))
    assert video is not None
    assert EXPECTED[state] is video.status
