"""Which of our errors an unwelcome answer is.

The status decides first, and the words only where one status means several things:

    401                              AuthenticationError
    402; 400, 403, 429, 503 balance  InsufficientBalance   AIHubMix: 403 insufficient_user_quota, once seen as 400
    429; 503 naming a rate limit     RateLimited           AIHubMix: 503 "Rate limited by provider"
    404, 410 about an id             JobNotFound, JobExpired
    400, 404, 500, 503 no channel    ModelUnavailable      of a create only; a job's own channel may come back
    403                              PermissionDenied
    400, 422, 451 moderation         ContentRefused
    408, 425, other 5xx              GatewayError
    other 4xx, 501                   RequestRefused
    3xx                              ConfigurationError    never followed; names the new host and nothing else

An `error` in a 200 (AIHubMix's own clients expect it) is read by its words, or by its code where that is an HTTP status.

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
    says_balance,
    says_concurrency,
    says_moderation,
    says_no_model,
    says_not_ready,
    says_rate_limit,
)
from aihubmix_video.protocol.headers import retry_after
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
    says: Callable[[str], bool] = attrs.field(default=lambda _words: True)


def _says_quota(words: str) -> bool:
    return says_balance(words, loosely=True)


_MONEY_AND_PACE = (
    _Rule(AuthenticationError, {401}),
    _Rule(InsufficientBalance, {402}),
    _Rule(InsufficientBalance, {200, 400, 403}, says_balance),
    _Rule(InsufficientBalance, {429, 503}, _says_quota),
    _Rule(RateLimited, {429}),
    _Rule(RateLimited, {200, 503}, says_rate_limit),
)
_OTHERS = (
    _Rule(PermissionDenied, {403}),
    _Rule(ContentRefused, {200, 400, 422, 451}, says_moderation),
    _Rule(GatewayError, {408, 425, *range(502, 600), 500}),
)
_OF_CREATE = (
    *_MONEY_AND_PACE,
    _Rule(ModelUnavailable, {200, 400, 404, 500, 503}, says_no_model),
    *_OTHERS,
    _Rule(RequestRefused, range(1000)),
)
_OF_JOB = (
    *_MONEY_AND_PACE,
    _Rule(JobNotFound, {404}),
    _Rule(JobExpired, {410}),
    *_OTHERS,
    # An error in a 200 that says nothing we know is no verdict on the job.
    _Rule(GatewayError, {200}),
    _Rule(RequestRefused, range(1000)),
)


def refusal(
    response: Response, *, create: bool = False, job_id: str | None = None, now: float | None = None
) -> VideoError:
    """Say which error *response* is: any answer but a 2xx, or a 2xx that carries an `error`.

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
    # A content network's page does not speak for the gateway, so a 5xx page is a 5xx whatever it says.
    words = said.words if said.structured or status < 500 else ""
    rules = _OF_CREATE if create else _OF_JOB
    kind = next((rule.kind for rule in rules if status in rule.statuses and rule.says(words)), GatewayError)
    if kind is RateLimited:
        limit: Literal["rate", "concurrency"] = "concurrency" if says_concurrency(words) else "rate"
        return RateLimited(said.line, limit=limit, retry_after=retry_after(response.headers, now=now), **known)
    if kind is ContentRefused:
        return ContentRefused(said.line, stage="request" if create else "output", **known)
    if kind is JobExpired:
        known["charged"] = "yes"
    return kind(said.line, **known)


def refusal_of_get(response: Response, *, job_id: str | None, now: float | None = None) -> VideoError:
    """Say which error *response* is to a GET about a job that has been bought; arguments are those of `refusal`.

    It is `retryable` where it is no verdict on the job: a gateway that fails, 501 included, and any page or empty answer
    of a box in between, whatever its status.
    """
    error = refusal(response, job_id=job_id, now=now)
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
    return response.status in {400, 404, 409} and says_not_ready(read_envelope(response).words)


def _status(response: Response, said: ErrorBody) -> int:
    """Take the status; of a 2xx the error's own code, where that is an HTTP status, else 200."""
    if not response.ok:
        return response.status
    code = said.code or ""
    told = int(code) if len(code) == 3 and code.isdecimal() and code.isascii() else 200
    return told if 400 <= told < 600 else 200


def _redirected(response: Response) -> str:
    try:
        host = urlsplit(response.headers.get("location", "")).hostname
    except ValueError:  # a bracket that is no IPv6 address, and the like
        host = None
    where = f"to the host {plain(host, 253)}" if host else "elsewhere"
    return f"the gateway redirects this request {where}; the base URL is wrong, or a proxy intervenes"
