"""Which errors are worth a `resume`."""

from __future__ import annotations

from aihubmix_video import errors
from aihubmix_video.types.resumable import is_resumable


def test_only_what_may_be_alive_is_resumable():
    """A failed or expired job cannot be fetched, however often."""
    assert not is_resumable(errors.JobExpired("no"))
    assert not is_resumable(errors.JobFailed("no"))
    assert is_resumable(errors.WaitTimeout("no"))


def test_a_closed_session_leaves_only_paid_jobs_behind():
    """One that was not sent yet is not at the gateway."""
    assert is_resumable(errors.SessionClosed("closed", charged="yes"))
    assert not is_resumable(errors.SessionClosed("closed"))
