"""What an attempt to fetch a video means for its job, when it brought no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aihubmix_video.download.attempt_result import Broken, Cut, Declined, DiskTrouble, NotReady
from aihubmix_video.errors import DownloadFailed, JobExpired, JobNotFound, VideoError
from aihubmix_video.protocol.error_body import read_envelope
from aihubmix_video.protocol.error_mapping import refusal, refusal_of_get

if TYPE_CHECKING:
    from aihubmix_video.protocol.response import Response

__all__ = ["Miss", "error_of"]

Miss = NotReady | Declined | Cut | Broken | DiskTrouble

EXPIRED = frozenset({403, 404, 410})  # how gateways answer for a link that is gone


def error_of(miss: Miss, *, video_id: str, expired: bool, now: float) -> VideoError:
    """Make the error of an attempt that brought no file.

    Args:
        miss: How it came out.
        video_id: The job's id.
        expired: Whether the link's lifetime is over.
        now: Unix seconds.
    """
    match miss:
        case NotReady(response=response):
            said = refusal(response, job_id=video_id, now=now)
            return DownloadFailed(
                f"the gateway says that the content is not ready: {said.message}",
                job_id=video_id,
                request_id=said.request_id,
                status_code=response.status,
            )
        case Declined(response=response, elsewhere=True) if not expired:
            return _storage_refused(response, video_id)
        case Declined(response=response):
            return _declined(response, video_id, expired=expired, now=now)
        case Cut(reason=reason):
            return DownloadFailed(f"the download {reason}", job_id=video_id)
        case Broken(reason=reason, retry=retry):
            return DownloadFailed(f"the file {reason}", job_id=video_id, retryable=retry)
        case DiskTrouble(reason=reason, retry=retry, kept=kept):
            where = f"; the whole video lies at {kept}" if kept is not None else ""
            return DownloadFailed(f"the file {reason}{where}", job_id=video_id, retryable=retry)
        case _:
            assert_never(miss)


def _storage_refused(response: Response, video_id: str) -> VideoError:
    """Report a refusal of the storage that the gateway redirected to: a fault of the link, never of the key."""
    said = read_envelope(response)
    words = f": {said.line}" if said.message or said.code else ""
    return DownloadFailed(
        f"the storage that the gateway redirected to refused the link{words}",
        job_id=video_id,
        status_code=response.status,
    )


def _declined(response: Response, video_id: str, *, expired: bool, now: float) -> VideoError:
    error = refusal_of_get(response, job_id=video_id, now=now)
    if expired and response.status in EXPIRED:
        return JobExpired("the video's link has expired", job_id=video_id, status_code=response.status)
    error.charged = "unknown" if isinstance(error, JobNotFound) else "yes"
    return error
