"""Which errors leave a job behind that may be alive at the gateway."""

from __future__ import annotations

from typing import Final

from aihubmix_video.errors import DownloadFailed, LedgerError, SessionClosed, SubmitUncertain, VideoError, WaitTimeout

__all__ = ["is_resumable"]

RESUMABLE: Final = (SubmitUncertain, WaitTimeout, DownloadFailed, LedgerError)


def is_resumable(error: VideoError) -> bool:
    """Return whether a job that ended with this error may be alive at the gateway, to be resumed."""
    if isinstance(error, RESUMABLE):
        return True
    return error.charged == "yes" and (error.retryable or isinstance(error, SessionClosed))
