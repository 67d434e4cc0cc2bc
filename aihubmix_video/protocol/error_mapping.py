"""Which of our errors an unwelcome answer is.

Plain words go before the status, whatever it is. The status decides where nothing plain was said, and words that are less plain
only where one status means several things:

    an HTML page, an object store's XML  GatewayError          a box in between; of any status but 3xx, 429, and a create's 413, 414, 431
    a balance, in plain words            InsufficientBalance   AIHubMix: 403 insufficient_user_quota, once seen as 400
    401; 200 about the key               AuthenticationError
    402; 429, 503 about a quota          InsufficientBalance
    429; a rate or a ceiling             RateLimited           AIHubMix: 503 "Rate limited by provider"; Kling's ceiling as 400
    404; no such task                    JobNotFound           of a job; the gateway's code base: 400 task_not_exist
    410                                  JobExpired            of a job
    400, 404, 500, 503 no channel        ModelUnavailable      of a create only; a job's own channel may come back
    403                                  PermissionDenied
    400, 422, 451 moderation             ContentRefused
    408, 425, other 5xx                  GatewayError
    other 4xx, 501                       RequestRefused
    3xx                                  ConfigurationError    never followed; names the new host and nothing else

An error in a 200 (AIHubMix's own clients expect it) is read by its words, or by its code where that is an HTTP status.
A wait that the body states counts like ``Retry-After``, and makes a "quota" a pace.

Source: AIHubMix HTTP status page and video guide, updated 2026-06-01; field observations, 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import attrs

from aihubmix_video.errors import (
    AuthenticationError,
    ConfigurationError,
    ContentRefused,
    GatewayError,
    InsufficientBalance,
    JobExpired,
    JobNotFound,
    Known,
    ModelUnavailable,
    PermissionDenied,
    RateLimited,
    RequestRefused,
    VideoError,
)
from aihubmix_video.protocol.error_body import ErrorBody, read_envelope
from aihubmix_video.protocol.error_phrases import (
    says_auth,
    says_balance,
    says_concurrency,
    says_moderation,
    says_no_job,
    says_no_model,
    says_not_ready,
    says_rate_limit,
)
from aihubmix_video.protocol.headers import RETRY_AFTER_CAP, retry_after
from aihubmix_video.protocol.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from aihubmix_video.protocol.response import Response

__all__ = ["not_ready", "refusal", "refusal_of_get"]


@attrs.frozen
class _Rule:
    """One line of the table: these statuses, if these words are said, are this error."""

    kind: type[VideoError]
    statuses: Container[int]
    says: Callable[[ErrorBody], bool] = attrs.field(default=lambda _said: True)


_ANY = range(1000)
_BY_STATUS = {413, 414, 431}  # of a create: too large for a box in between is too large


def _balance(said: ErrorBody) -> bool:
    return says_balance(said.words, wait=said.wait)


def _quota(said: ErrorBody) -> bool:
    return says_balance(said.words, loosely=True, wait=said.wait)


def _busy(said: ErrorBody) -> bool:
    return says_rate_limit(said.words, loosely=True)


def _plainly_busy(said: ErrorBody) -> bool:
    return says_rate_limit(said.words) or (said.wait is not None and says_balance(said.words))


def _pace(said: ErrorBody) -> bool:
    """Google's limits per time, in the words that it also has for an empty account."""
    return _busy(said) or (said.wait is not None and says_balance(said.words, loosely=True))


_MONEY_AND_PACE = (
    _Rule(InsufficientBalance, {200, *range(400, 600)}, _balance),
    _Rule(AuthenticationError, {401}),
    _Rule(AuthenticationError, {200}, lambda said: says_auth(said.words, loosely=True)),
    _Rule(InsufficientBalance, {402}),
    _Rule(InsufficientBalance, {429, 503}, _quota),
    _Rule(RateLimited, {429}),
    _Rule(RateLimited, {200, 503}, _pace),
    _Rule(RateLimited, {400, 403, 422, *range(500, 600)}, _plainly_busy),
)
_OTHERS = (
    _Rule(PermissionDenied, {403}),
    _Rule(ContentRefused, {200, 400, 422, 451}, lambda said: says_moderation(said.words)),
    _Rule(GatewayError, {408, 425, *range(502, 600), 500}),
)
_OF_CREATE = (
    *_MONEY_AND_PACE,
    _Rule(ModelUnavailable, {200, 400, 404, 500, 503}, lambda said: says_no_model(said.words)),
    *_OTHERS,
    _Rule(RequestRefused, _ANY),
)
_OF_JOB = (
    *_MONEY_AND_PACE,
    _Rule(JobNotFound, {404}),
    _Rule(JobExpired, {410}),
    _Rule(JobNotFound, {200, *range(400, 600)}, lambda said: says_no_job(said.words)),
    *_OTHERS,
    # An error in a 200 that says nothing we know is not a verdict on the job.
    _Rule(GatewayError, {200}),
    _Rule(RequestRefused, _ANY),
)


def refusal(
    response: Response, *, create: bool = False, job_id: str | None = None, now: float | None = None
) -> VideoError:
    """Return the error that *response* is: any answer but a 2xx, or a 2xx that carries an `error`.

    Args:
        response: The answer.
        create: Whether it answers a create; otherwise it is about a job that has been bought.
        job_id: The job's id, for the error to carry.
        now: Unix seconds, for a Retry-After date in an answer without a ``date``.
    """
    said = read_envelope(response)
    known: Known = {"job_id": job_id, "request_id": said.request_id, "status_code": response.status}
    if not create:
        known["charged"] = "unknown"  # the job is bought; whether it is charged depends on how it ends
    if 300 <= response.status < 400:
        return ConfigurationError(_redirected(response), **known)
    status = _status(response, said)
    kind = _kind(status, said, create=create)
    if kind is RateLimited:
        loosely = status in {429, 503} and not said.foreign
        limit: Literal["rate", "concurrency"] = (
            "concurrency" if says_concurrency(said.words, loosely=loosely) else "rate"
        )
        return RateLimited(said.line, limit=limit, retry_after=_wait(response, said, now), **known)
    if kind is ContentRefused:
        return ContentRefused(said.line, stage="request" if create else "output", **known)
    if kind is JobExpired:
        known["charged"] = "yes"
    return kind(f"{said.line}{_sender(said)}", **known)


def _kind(status: int, said: ErrorBody, *, create: bool) -> type[VideoError]:
    if said.foreign and status != 429:
        return RequestRefused if create and status in _BY_STATUS else GatewayError
    # What is not JSON does not speak for the gateway: a page never, and other text not where the gateway has failed.
    if not said.structured and (said.foreign or status >= 500):
        said = ErrorBody()
    rules = _OF_CREATE if create else _OF_JOB
    return next((rule.kind for rule in rules if status in rule.statuses and rule.says(said)), GatewayError)


def _sender(said: ErrorBody) -> str:
    """Return who said it, where that was not the gateway."""
    if said.form == "xml":
        return ", says the store of the file"
    return "; it is not the gateway's answer but that of a box in between" if said.form == "page" else ""


def _wait(response: Response, said: ErrorBody, now: float | None) -> float | None:
    """Return the seconds to wait: the header's, else the body's."""
    stated = retry_after(response.headers, now=now)
    return stated if stated is not None or said.wait is None else min(said.wait, RETRY_AFTER_CAP)


def refusal_of_get(response: Response, *, job_id: str | None, now: float | None = None) -> VideoError:
    """Return the error that *response* is to a GET about a job that has been bought; arguments are those of `refusal`.

    It is `retryable` where it is not a verdict on the job: a gateway that fails, 501 included, and any page or empty answer
    of a box in between, whatever its status. That the gateway does not know the job is one, if it is said in words.
    """
    error = refusal(response, job_id=job_id, now=now)
    if isinstance(error, JobNotFound):
        return error
    if response.status >= 500 or (isinstance(error, RequestRefused) and not read_envelope(response).structured):
        error.retryable = True
    return error


def not_ready(response: Response) -> bool:
    """Whether a refused content request only came too early.

    OpenAI answers 404 "Video is not ready yet", the gateway's task form 400 "Task is not completed yet", the newer
    surface 409 ``result_not_ready``; 425 says so by itself.
    """
    if response.status == 425:
        return True
    said = read_envelope(response)
    return response.status in {400, 403, 404, 409, 422} and not said.foreign and says_not_ready(said.words)


def _status(response: Response, said: ErrorBody) -> int:
    """Return the status; of a 2xx the error's own code, where that is an HTTP status, else 200."""
    if not response.ok:
        return response.status
    code = said.code or ""
    told = int(code) if len(code) == 3 and code.isdecimal() and code.isascii() else 200
    return told if 400 <= told < 600 else 200


def _redirected(response: Response) -> str:
    try:
        host = urlsplit(response.headers.get("location", "")).hostname
    except ValueError:  # a bracket that is not an IPv6 address, and the like
        host = None
    where = f"to the host {plain(host, 253)}" if host else "elsewhere"
    return f"the gateway redirects this request {where}; the base URL is wrong, or a proxy intervenes"
