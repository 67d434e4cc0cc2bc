"""What an answer means for money: is the job bought, refused, to be asked for later, or unknown?

    answer to a create                                            outcome
    2xx with an id, also with an error beside it                  Bought
    2xx that refuses in so many words, without any id             Refused; Busy if it names a rate limit
    2xx otherwise: no id, null, a number, cut or not JSON         Unknown
    3xx, 400 to 451 but the ones below, 501                       Refused
    a rate limit or too many jobs at once, in JSON; 429           Busy; Refused if it is the balance
    a balance, a missing channel for the model, in JSON           Refused
    408, 409, 425, 499, other 5xx, HTML with a 2xx or 5xx         Unknown

Nothing but an answer in so many words makes a create safe to send again. 409, 425 and 499 are not promised to mean
"not processed" by any vendor, so they count as unknown. An HTML page with a 4xx comes from a box in front of the gateway, which
let nothing through: nothing was bought, but neither the key nor the request was judged. What the transport saw (never sent,
connection lost) is decided there.
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
from aihubmix_video.protocol.decode_video import (
    UNEXPLAINED,
    has_status,
    may_be_complete,
    other_id,
    read_video,
    status_word,
)
from aihubmix_video.protocol.error_body import describe, read_envelope
from aihubmix_video.protocol.error_mapping import refusal, refusal_of_get
from aihubmix_video.protocol.error_phrases import says_moderation
from aihubmix_video.protocol.explicit_refusal import is_explicit_refusal
from aihubmix_video.protocol.headers import request_id
from aihubmix_video.protocol.json_places import as_object
from aihubmix_video.protocol.json_reader import read_json
from aihubmix_video.protocol.sanitize import kept, plain
from aihubmix_video.protocol.status_words import word_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.protocol.response import Response
    from aihubmix_video.types.video import Video

__all__ = [
    "Bought",
    "Busy",
    "CreateOutcome",
    "Refused",
    "Unknown",
    "create_outcome",
    "failure_of",
    "may_be_complete",
    "read_poll",
]


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
    """Nothing was bought. Most errors say that the same request would be refused again; a `GatewayError` does not."""

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
        """Return the error that tells the user."""
        return SubmitUncertain(
            self.reason, body=self.body, job_key=job_key, status_code=self.status_code, request_id=self.request_id
        )


CreateOutcome = Bought | Refused | Busy | Unknown

_UNSURE = frozenset({408, 409, 425, 499})
_LOST = frozenset({408, 502, 504, 520, 522, 524})
"""Codes in the body of a 2xx with which a gateway says that it did not hear from the vendor."""
_UNCHARGED_ENDS = frozenset({"failed", "fail", "failure", "error", "errored", "失败", "已失败", "生成失败", "任务失败"})
_QUOTED = 240  # characters of an answer that an uncertain create repeats


def create_outcome(response: Response, *, now: float | None = None) -> CreateOutcome:
    """Return what *response*, read to its end, means for the create it answers.

    Args:
        response: Any status, any bytes.
        now: Unix seconds, for a Retry-After date in an answer without a ``date``.
    """
    if response.ok:
        return _accepted(response, now)
    if response.status in _UNSURE or not 300 <= response.status < 600:
        return _unknown(response, read_envelope(response).line)
    error = refusal(response, create=True, now=now)
    if isinstance(error, GatewayError) and response.status >= 500 and response.status != 501:
        return _unknown(response, error.message)
    return _refused(error)


def _refused(error: VideoError) -> Refused | Busy:
    return Busy(error=error, retry_after=error.retry_after) if isinstance(error, RateLimited) else Refused(error=error)


def _accepted(response: Response, now: float | None) -> CreateOutcome:
    try:
        value = read_json(response.body)
        if is_explicit_refusal(value) and not _was_lost(response):
            return _refused(refusal(response, create=True, now=now))
        body = as_object(value)
        video = read_video(body)
    except MalformedReply as error:
        return _unknown(response, error.message)
    also = other_id(body, video.id)
    return Bought(video=video, also=also, warning=_warning(response, body, also))


def _was_lost(response: Response) -> bool:
    """Whether the error in a 2xx says no more than that the vendor's answer is missing."""
    said = read_envelope(response)
    code = said.code or ""
    lost = code.isdecimal() and code.isascii() and len(code) == 3 and int(code) in _LOST
    return lost and isinstance(refusal(response, create=True), GatewayError)


def _warning(response: Response, body: Mapping[str, object], also: str | None) -> str | None:
    if body.get("error"):
        return f"the gateway accepted the job and reported an error beside it: {read_envelope(response).line}"
    return None if also is None else "the gateway named the job twice, by different ids; the first is used"


def _unknown(response: Response, reason: str) -> Unknown:
    return Unknown(
        reason=f"the create was answered, but not so that its outcome is known: {reason}{_quoted(response, reason)}",
        body=kept(response.body),
        status_code=response.status,
        request_id=read_envelope(response).request_id,
    )


def _quoted(response: Response, reason: str) -> str:
    """Return the answer as a user may read it, unless *reason* holds it already."""
    told = read_envelope(response)
    said = told.line if told.foreign else plain(response.body[: _QUOTED * 16].decode("utf-8", "replace"), _QUOTED)
    return "" if not said or reason.startswith(told.line) else f"; it reads: {said}"


def read_poll(response: Response, *, job_id: str | None = None, now: float | None = None) -> Video:
    """Return the video that the answer to a status request describes.

    Whatever JSON a 2xx brings is a video, if only one that is still running, unless it refuses the question in so many words and
    tells no status. See also `may_be_complete`.

    Args:
        response: Any status, any bytes.
        job_id: The id that was asked about. It stays the video's id, whatever the answer says. Without it an answer that has no
            id is malformed.
        now: Unix seconds, for a Retry-After date in an answer without a ``date``.

    Raises:
        JobNotFound, JobExpired: 404, 410, or words that say so.
        AuthenticationError, PermissionDenied, InsufficientBalance, ConfigurationError: The account or the way there;
            no verdict on the job.
        RateLimited, GatewayError, MalformedReply, or any other error with `retryable`: Ask again later. A `MalformedReply` is
            a body that cannot be read at all.
        ContentRefused, RequestRefused: The gateway will not say more about this job.
    """
    if not response.ok:
        raise refusal_of_get(response, job_id=job_id, now=now)
    try:
        value = read_json(response.body)
        if has_status(value) or not _refuses_question(value):
            return read_video(value, job_id=job_id)
    except MalformedReply as error:
        error.job_id, error.request_id, error.status_code = job_id, request_id(response.headers), response.status
        error.body = error.body or kept(response.body)
        error.charged = "unknown"
        raise
    raise refusal_of_get(response, job_id=job_id, now=now)


def _refuses_question(value: object) -> bool:
    """Whether *value* is about the question and not about the job: an error that the gateway put in a 200."""
    return is_explicit_refusal(value) or (isinstance(value, dict) and bool(value.get("error")))


def failure_of(video: Video) -> JobFailed:
    """Return the error of a failed *video*: `ContentRefused` if its words are those of moderation, else `JobFailed`.

    "No charge for failed generation" (AIHubMix video guide, updated 2026-06-01); of cancelled, expired and aborted jobs it
    says nothing, so whether they are charged is unknown.
    """
    reason = video.error or UNEXPLAINED
    charged: Charged = "no" if word_of(status_word(video)) in _UNCHARGED_ENDS else "unknown"
    known: Known = {"job_id": video.id, "request_id": describe(reason).request_id, "charged": charged}
    message = f"the video could not be generated: {reason}"
    if says_moderation(reason):
        return ContentRefused(message, stage="output", **known)
    return JobFailed(message, **known)
