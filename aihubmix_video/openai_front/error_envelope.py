"""Errors as OpenAI's clients read them: which status and envelope each has, and whether a client may send the request again.

Clients of OpenAI's own libraries send a request again after 408, 409, 429 and every 5xx, unless the answer says
``x-should-retry: false``. So that is said wherever sending it again would be of no use, or could buy a second time.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from aihubmix_video import errors
from aihubmix_video.errors import InvalidRequest, VideoError
from aihubmix_video.fastapi import http_errors
from aihubmix_video.fastapi.problem_details import OURS, error_of_validation, retry_after, status_of, told
from aihubmix_video.openai_front.api_client import UnknownToken
from aihubmix_video.openai_front.client_usage import CapReached
from aihubmix_video.openai_front.video_object import error_code, video_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.exceptions import HTTPException
    from starlette.responses import Response

__all__ = ["Envelope", "envelope_of", "enveloped", "http_envelope"]

log = logging.getLogger("aihubmix_video.openai_front")

Envelope = tuple[int, dict[str, Any], dict[str, str]]
"""Status, body and headers. Any: a JSON object."""

INVALID: Final = "invalid_request_error"
STATUS: Final[Mapping[type[VideoError], int]] = {
    UnknownToken: 401,
    errors.ModelUnavailable: 404,
    errors.JobExpired: 404,
    http_errors.NotPlayable: 404,  # as OpenAI answers; its clients send a request again after a 409
    http_errors.Conflict: 400,
    http_errors.Deleted: 404,
}
"""Where it is not the status of problem details; of these, 422 is told as 400."""
CODE: Final[Mapping[type[VideoError], str | None]] = {
    UnknownToken: "invalid_api_key",
    CapReached: "insufficient_quota",
    http_errors.Crowded: "server_overloaded",
    http_errors.LimitReached: "rate_limit_exceeded",
    errors.ModelUnavailable: "model_not_found",
    errors.InvalidRequest: "invalid_value",
}
"""Where OpenAI has a code of its own; of others it is the error's name."""
TYPE: Final[Mapping[int, str]] = {403: "permission_error", 429: "rate_limit_error"}


def envelope_of(error: VideoError) -> Envelope:
    """Return an error as status, body and headers."""
    status = _status(error)
    param = error.field if isinstance(error, InvalidRequest) and status < 500 else None
    code = next((CODE[kind] for kind in type(error).__mro__ if kind in CODE), error_code(type(error)))
    kind = code if code == "insufficient_quota" else None
    headers = {} if _may_be_repeated(error) else {"x-should-retry": "false"}
    after = retry_after(error)
    if after is not None and status != 404:
        headers["Retry-After"] = str(after)
    if isinstance(error, http_errors.RangeUnsatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    return status, _body(_message(error), status, kind=kind, param=param, code=code), headers


def _status(error: VideoError) -> int:
    found = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    status = status_of(error) if found is None else found
    return 400 if status == 422 else status


def _message(error: VideoError) -> str:
    said = told(error)
    if isinstance(error, InvalidRequest) and said == error.message:
        return f"{said}. {error.advice}"  # it begins with a field's name
    if error.job_key is not None and error.job_key not in said:
        said = f"{said} ({video_id(error.job_key)})"
    return said[:1].upper() + said[1:]


def _may_be_repeated(error: VideoError) -> bool:
    if isinstance(error, (CapReached, *OURS)) and not isinstance(error, errors.LedgerError):
        return False
    return error.charged == "no" and (error.retryable or isinstance(error, (errors.SessionClosed, errors.LedgerError)))


def http_envelope(error: HTTPException | RequestValidationError) -> Envelope:
    """Return the framework's own error as status, body and headers."""
    if isinstance(error, RequestValidationError):
        return envelope_of(error_of_validation(error))
    status = error.status_code
    headers = dict(error.headers or {}) | {"x-should-retry": "false"}
    said = "There is no such path, or not with this method." if status in {404, 405} else str(error.detail)
    return status, _body(said, status, code={401: "invalid_api_key", 404: "unknown_url"}.get(status)), headers


def _body(
    message: str, status: int, *, kind: str | None = None, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    kind = kind or TYPE.get(status, INVALID if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def enveloped(error: VideoError | HTTPException | RequestValidationError) -> Response:
    """Answer with an error, and log it where it is the operator's to mend."""
    status, body, headers = envelope_of(error) if isinstance(error, VideoError) else http_envelope(error)
    if status >= 500:
        log.error("answered with %s: %s", status, error)
    return JSONResponse(body, status, headers)
