"""What an error of a purchase or of a fetch means for the row: decided here, from the error alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    ContentRefused,
    GatewayError,
    InsufficientBalance,
    InvalidRequest,
    JobExpired,
    JobFailed,
    JobNotFound,
    LedgerError,
    MalformedReply,
    PermissionDenied,
    RateLimited,
    SessionClosed,
    SubmitUncertain,
)
from aihubmix_video.temporal.workflow_values import ErrorNote, FetchResult, SubmitResult

if TYPE_CHECKING:
    from aihubmix_video.errors import VideoError

__all__ = ["MAX_ATTEMPTS", "fetch_result", "note_of", "retry_seconds", "submit_result"]

MAX_ATTEMPTS: Final = 6
"""Submits of one row that bought nothing, after which the whole batch is halted: the gateway cannot be reached, or is busy."""

HALTS: Final = (AuthenticationError, PermissionDenied, InsufficientBalance, ConfigurationError, LedgerError)
"""Nothing was bought, and every other purchase would fare the same."""
BUSY: Final = (RateLimited, ConnectionFailed, GatewayError, SessionClosed)
FINAL: Final = (JobFailed, ContentRefused, JobExpired, JobNotFound, InvalidRequest)
"""Ends of a fetch that no further try changes."""

MESSAGE_CHARACTERS: Final = 600
FIRST_WAIT: Final = 2.0
LONGEST_WAIT: Final = 300.0


def note_of(error: BaseException) -> ErrorNote:
    """Return an error as text of a bounded length."""
    text = str(error)
    cut = text if len(text) <= MESSAGE_CHARACTERS else text[: MESSAGE_CHARACTERS - 1] + "…"
    return ErrorNote(type=type(error).__name__, message=cut)


def submit_result(error: VideoError) -> SubmitResult:
    """Return what an error of a create means.

    Where the error names an id, the job was bought. Where it does not say that nothing was charged, the row is held.
    """
    note = note_of(error)
    if isinstance(error, SubmitUncertain | MalformedReply) or error.charged == "unknown":
        return SubmitResult(kind="held", video_id=error.job_id, error=note)
    if error.job_id is not None:
        return SubmitResult(kind="bought", video_id=error.job_id)
    if error.charged == "yes":
        return SubmitResult(kind="held", error=note)
    if isinstance(error, HALTS):
        return SubmitResult(kind="halt", error=note)
    if isinstance(error, BUSY):
        wait = error.retry_after if isinstance(error, RateLimited) else None
        return SubmitResult(kind="busy", error=note, wait_seconds=wait)
    return SubmitResult(kind="refused", error=note)


def retry_seconds(attempt: int, asked: float | None, draw: float) -> float:
    """Return how long a row waits after a submit that bought nothing.

    Args:
        attempt: How many there were, from 1.
        asked: Seconds that the gateway asked for.
        draw: A random number from 0 to 1.
    """
    longest = min(FIRST_WAIT * 2.0 ** (attempt - 1), LONGEST_WAIT)
    return max(longest * (0.5 + draw / 2), min(asked or 0.0, LONGEST_WAIT))


def fetch_result(error: VideoError) -> FetchResult | None:
    """Return the end of a fetch, or None if another try may bring the file."""
    if not isinstance(error, FINAL):
        return None
    return FetchResult(error=note_of(error), charged="yes" if error.charged == "no" else error.charged)
