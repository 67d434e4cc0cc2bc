"""What an answer means for money: is the job bought, refused, to be asked for later, or unknown?

    answer to a create                                       outcome
    2xx with an id, also with an error beside it             Bought
    2xx with an error and no id                              Refused
    2xx otherwise: no id, null, a number, cut or no JSON     Unknown
    3xx, 400 to 451 but the ones below, 501                  Refused
    429, 503 whose JSON names a rate limit                   Busy; Refused if it is the balance
    500, 503 without a channel for the model                 Refused
    408, 409, 425, 499, other 5xx, HTML with a 2xx or 5xx    Unknown

Nothing but an answer in so many words makes a create safe to send again. 409, 425 and 499 are not promised to mean
"not processed" by any vendor, so they count as unknown. What the transport saw (never sent, connection lost) is
decided there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import (
    Charged,
    ContentRefused,
    GatewayError,
    JobFailed,
    Known,
    MalformedReply,
    RateLimited,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.protocol.decode_video import UNEXPLAINED, other_id, read_video, unwrapped
from aihubmix_video.protocol.error_body import describe, read_envelope
from aihubmix_video.protocol.error_mapping import refusal, refusal_of_get
from aihubmix_video.protocol.error_phrases import says_moderation
from aihubmix_video.protocol.headers import request_id
from aihubmix_video.protocol.json_reader import read_object
from aihubmix_video.protocol.sanitize import kept

if TYPE_CHECKING:
    from aihubmix_video.protocol.response import Response
    from aihubmix_video.types.video import Video

__all__ = ["Bought", "Busy", "CreateOutcome", "Refused", "Unknown", "create_outcome", "failure_of", "read_poll"]


@attrs.frozen(kw_only=True)
class Bought:
    """The gateway accepted the job; its id is to be kept before anything else happens.

    Attributes:
        video: The job as first described.
        also: A second, different id in the same answer; kept beside the first, never used by itself.
        warning: What was odd about the answer, as a sentence, or None.
    """

    video: Video
    also: str | None = None
    warning: str | None = None


@attrs.frozen(kw_only=True)
class Refused:
    """Nothing was bought, and the same request would be refused again."""

    error: VideoError


@attrs.frozen(kw_only=True)
class Busy:
    """Nothing was bought now; the same request may be sent again later.

    Attributes:
        error: Its `limit` tells requests that came too fast from too many jobs at once.
        retry_after: Seconds the gateway asked to wait, or None.
    """

    error: RateLimited
    retry_after: float | None = None


@attrs.frozen(kw_only=True)
class Unknown:
    """The job may have been bought. The create is never sent again by itself.

    Attributes:
        reason: Why it cannot be known, as a sentence.
        body: The beginning of the answer, with keys masked; an id may be legible in it.
        status_code: The HTTP status.
        request_id: The gateway's id of the request.
    """

    reason: str
    body: bytes = attrs.field(default=b"", repr=False)
    status_code: int | None = None
    request_id: str | None = None

    def error(self, job_key: str | None = None) -> SubmitUncertain:
        """Make the error that tells the user."""
        return SubmitUncertain(
            self.reason, body=self.body, job_key=job_key, status_code=self.status_code, request_id=self.request_id
        )


CreateOutcome = Bought | Refused | Busy | Unknown

_UNSURE = frozenset({408, 409, 425, 499})
_UNCHARGED_ENDS = frozenset({"failed", "fail", "failure", "error"})


def create_outcome(response: Response, *, now: float | None = None) -> CreateOutcome:
    """Say what *response*, read to its end, means for the create it answers.

    Args:
        response: Any status, any bytes.
        now: Unix seconds, for a Retry-After date in an answer without a ``date``.
    """
    if response.ok:
        return _accepted(response, now)
    if response.status in _UNSURE or not 300 <= response.status < 600:
        return _unknown(response, read_envelope(response).line)
    error = refusal(response, create=True, now=now)
    match error:
        case RateLimited():
            return Busy(error=error, retry_after=error.retry_after)
        case GatewayError():
            return _unknown(response, error.message)
        case _:
            return Refused(error=error)


def _accepted(response: Response, now: float | None) -> CreateOutcome:
    try:
        body = read_object(response.body)
        if body.get("error") and not _names_a_job(body):
            return Refused(error=refusal(response, create=True, now=now))
        video = read_video(body)
    except MalformedReply as error:
        return _unknown(response, error.message)
    also = other_id(body, video.id)
    return Bought(video=video, also=also, warning=_warning(response, body, also))


def _names_a_job(body: dict[str, object]) -> bool:
    """Whether anything stands where an id would: even a bad one may be the trace of a job."""
    return any(body.get(name) not in (None, "") for name in ("id", "video_id", "task_id")) or bool(body.get("data"))


def _warning(response: Response, body: dict[str, object], also: str | None) -> str | None:
    if body.get("error"):
        return f"the gateway accepted the job and reported an error beside it: {read_envelope(response).line}"
    return None if also is None else "the gateway named the job twice, by different ids; the first is used"


def _unknown(response: Response, reason: str) -> Unknown:
    return Unknown(
        reason=f"the create was answered, but not so that its outcome is known: {reason}",
        body=kept(response.body),
        status_code=response.status,
        request_id=read_envelope(response).request_id,
    )


def read_poll(response: Response, *, job_id: str | None = None, now: float | None = None) -> Video:
    """Read the answer to a status request.

    Args:
        response: Any status, any bytes.
        job_id: The id that was asked about. With it an answer that repeats no id is understood too, as the page's own
            sample of a failed job is; without it such an answer is malformed.
        now: Unix seconds, for a Retry-After date in an answer without a ``date``.

    Raises:
        JobNotFound, JobExpired: 404, 410.
        AuthenticationError, PermissionDenied, InsufficientBalance, ConfigurationError: The account or the way there;
            no verdict on the job.
        RateLimited, GatewayError, MalformedReply, or any other error with `retryable`: Ask again later.
        ContentRefused, RequestRefused: The gateway will not say more about this job.
    """
    if not response.ok:
        raise refusal_of_get(response, job_id=job_id, now=now)
    try:
        body = read_object(response.body)
        if not (body.get("error") and _is_no_job(body)):
            return read_video(body, job_id=job_id)
    except MalformedReply as error:
        error.job_id, error.request_id, error.status_code = job_id, request_id(response.headers), response.status
        error.body = error.body or kept(response.body)
        error.charged = "unknown"
        raise
    raise refusal_of_get(response, job_id=job_id, now=now)


def _is_no_job(body: dict[str, object]) -> bool:
    return not isinstance(body.get("status"), str) and not isinstance(body.get("data"), dict)


def failure_of(video: Video) -> JobFailed:
    """Make the error of a failed *video*: `ContentRefused` if its words are those of moderation, else `JobFailed`.

    "No charge for failed generation" (AIHubMix video guide, updated 2026-06-01); of cancelled, expired and aborted jobs it
    says nothing, so whether they are charged is unknown.
    """
    reason = video.error or UNEXPLAINED
    charged: Charged = "no" if _word(video) in _UNCHARGED_ENDS else "unknown"
    known: Known = {"job_id": video.id, "request_id": describe(reason).request_id, "charged": charged}
    message = f"the video could not be generated: {reason}"
    if says_moderation(reason):
        return ContentRefused(message, stage="output", **known)
    return JobFailed(message, **known)


def _word(video: Video) -> str:
    word = unwrapped(video.raw).get("status")
    return word.strip().lower() if isinstance(word, str) else ""
