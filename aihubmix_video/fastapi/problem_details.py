"""Errors as problem details (RFC 9457): which status each has, what it says, and what it keeps to itself.

What is wrong with the application's own account, disk or configuration is nothing that its callers can mend or should read
of: they are told that the service cannot do it now, and the log says why. So a refused API key is never told as 401, which
would say that the caller's own credentials are wrong.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Final

from fastapi.responses import JSONResponse

from aihubmix_video import errors
from aihubmix_video.errors import InvalidRequest, Problem, VideoError, shown
from aihubmix_video.fastapi import http_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from starlette.responses import Response

__all__ = [
    "MEDIA_TYPE",
    "OURS",
    "STATUS",
    "add_problem_handlers",
    "error_of_validation",
    "problem_of",
    "problem_response",
    "retry_after",
    "status_of",
    "told",
]

log = logging.getLogger("aihubmix_video.fastapi")

MEDIA_TYPE: Final = "application/problem+json"

SCHEMA: Final[dict[str, Any]] = {
    "title": "ProblemDetails",
    "type": "object",
    "required": ["type", "title", "status", "detail", "error", "charged", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string", "description": "The class of the error."},
        "charged": {"enum": ["yes", "no", "unknown"]},
        "retryable": {"type": "boolean"},
        "job_key": {"type": "string"},
        "job_id": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "value", "message", "allowed", "nearest"],
                "properties": {
                    "field": {"type": "string"},
                    "value": {"type": "string"},
                    "message": {"type": "string"},
                    "allowed": {"type": "array", "items": {"type": "string"}},
                    "nearest": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
        },
    },
}
"""How problem details are described in OpenAPI."""

STATUS: Final[Mapping[type[VideoError], int]] = {
    errors.InvalidRequest: 422,
    errors.ContentRefused: 422,
    errors.ModelUnavailable: 422,
    errors.RequestRefused: 422,  # 501 where the vendor said so
    errors.JobNotFound: 404,
    errors.JobExpired: 410,
    errors.JobFailed: 502,
    errors.GatewayError: 502,
    errors.MalformedReply: 502,
    errors.SubmitUncertain: 502,
    errors.DownloadFailed: 502,
    errors.AuthenticationError: 502,  # the application's key, not the caller's
    errors.PermissionDenied: 502,
    errors.InsufficientBalance: 503,  # the application's money, not the caller's
    errors.RateLimited: 503,  # the application's share; 429 is for its own limits
    errors.ConnectionFailed: 503,
    errors.LedgerError: 503,
    errors.SessionClosed: 503,
    errors.WaitTimeout: 504,
    errors.ConfigurationError: 500,
    http_errors.NotAllowed: 403,
    http_errors.LimitReached: 429,
    http_errors.Crowded: 503,
    http_errors.UnreadableBody: 400,
    http_errors.WrongMediaType: 415,
    http_errors.BodyTooLarge: 413,
    http_errors.Conflict: 409,
    http_errors.Deleted: 410,
    http_errors.RangeUnsatisfiable: 416,
    VideoError: 500,
}
"""By the nearest class that is listed."""

RETRY_AFTER: Final[Mapping[type[VideoError], float]] = {
    errors.SessionClosed: 5.0,  # it restarts
    errors.RateLimited: 10.0,
    errors.ConnectionFailed: 10.0,
    http_errors.Crowded: 10.0,
}
"""Seconds, where the error itself knows none."""

OURS: Final = (
    errors.AuthenticationError,
    errors.PermissionDenied,
    errors.InsufficientBalance,
    errors.ConfigurationError,
    errors.LedgerError,
    errors.DownloadFailed,
)
"""Errors whose words are for the application's operator only: they name keys, accounts and paths."""

PLACE: Final = "to"
"""The field that names a job's file. Over HTTP nobody chooses it, so what is wrong with it is ours, too."""


def status_of(error: VideoError) -> int:
    """Return the HTTP status with which an error is answered."""
    if isinstance(error, errors.RequestRefused) and error.status_code == 501:
        return 501
    if _is_private(error) and isinstance(error, InvalidRequest):
        return 500
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def told(error: VideoError) -> str:
    """Return what callers may read of an error."""
    return _title(error) if _is_private(error) else error.message


def _is_private(error: VideoError) -> bool:
    return isinstance(error, OURS) or (isinstance(error, InvalidRequest) and error.field == PLACE)


def _title(error: VideoError) -> str:
    if isinstance(error, InvalidRequest) and error.field == PLACE:
        return "The video's file cannot be written."
    said = (type(error).__doc__ or type(error).__name__).strip().splitlines()[0]
    return {
        errors.AuthenticationError: "The video service cannot be used: its key was not accepted.",
        errors.PermissionDenied: "The video service cannot be used: its key may not do this.",
        errors.InsufficientBalance: "The video service cannot be used: its balance does not cover the job.",
    }.get(type(error), said)


def problem_of(error: VideoError) -> dict[str, Any]:  # Any: a JSON object
    """Describe an error as problem details."""
    problem: dict[str, Any] = {
        "type": f"urn:aihubmix-video:error:{type(error).__name__}",
        "title": _title(error),
        "status": status_of(error),
        "detail": told(error),
        "error": type(error).__name__,
        "charged": error.charged,
        "retryable": error.retryable,
    }
    if isinstance(error, InvalidRequest) and not _is_private(error):
        problem["problems"] = [_described(each) for each in error.problems]
    known = {"job_key": error.job_key, "job_id": error.job_id}
    return problem | {name: value for name, value in known.items() if value is not None}


def _described(problem: Problem) -> dict[str, object]:
    return {
        "field": problem.field,
        "value": problem.value,
        "message": problem.message,
        "allowed": list(problem.allowed),
        "nearest": problem.nearest,
    }


def retry_after(error: VideoError) -> int | None:
    """Return after how many whole seconds it is worth another try; None if nobody knows."""
    seconds = getattr(error, "retry_after", None)
    if seconds is None:
        seconds = next((RETRY_AFTER[kind] for kind in type(error).__mro__ if kind in RETRY_AFTER), None)
    return None if seconds is None or not math.isfinite(seconds) else max(math.ceil(seconds), 0)


def problem_response(error: VideoError) -> Response:
    """Answer with an error, and log it where it is ours to mend."""
    problem = problem_of(error)
    if problem["status"] >= 500:
        log.error("answered with %s: %s", problem["status"], error)
    after = retry_after(error)
    headers = {} if after is None else {"Retry-After": str(after)}
    if isinstance(error, http_errors.RangeUnsatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    return JSONResponse(problem, problem["status"], headers, media_type=MEDIA_TYPE)


def error_of_validation(error: RequestValidationError) -> InvalidRequest:
    """Return what FastAPI found wrong with a request's parameters in the form of our own problems."""
    problems = [
        Problem.of(
            ".".join(map(str, each["loc"][1:])) or str(each["loc"][0]), each.get("input"), str(each["msg"]).rstrip(".")
        )
        for each in error.errors()
    ]
    return InvalidRequest(problems or [Problem.of("request", shown(None), "cannot be read")])


def add_problem_handlers(app: FastAPI) -> None:
    """Make an application answer with problem details wherever one of its own handlers lets a `VideoError` through.

    The routes of `video_router` do so by themselves.
    """

    async def handle(_request: Request, error: Exception) -> Response:
        return problem_response(error if isinstance(error, VideoError) else VideoError("unexpected"))

    app.add_exception_handler(VideoError, handle)
