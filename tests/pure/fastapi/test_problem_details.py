"""Errors as problem details: their status, what they say, and what they keep to themselves."""

from __future__ import annotations

import inspect
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video import errors
from aihubmix_video.errors import InvalidRequest, VideoError
from aihubmix_video.fastapi import http_errors
from aihubmix_video.fastapi.problem_details import MEDIA_TYPE, OURS, STATUS, problem_of, problem_response, status_of

KINDS = [
    kind
    for module in (errors, http_errors)
    for kind in vars(module).values()
    if inspect.isclass(kind) and issubclass(kind, VideoError)
]
SECRET = "sk-secret /srv/jobs.db"


def made(kind: type[VideoError]) -> VideoError:
    """Make an error of a kind, with something in it that callers must not read."""
    if issubclass(kind, InvalidRequest):
        return kind([errors.Problem.of("size", "1x1", "is too small", allowed=("2x2",), nearest="2x2")])
    if kind is http_errors.RangeUnsatisfiable:
        return http_errors.RangeUnsatisfiable(7)
    return kind(SECRET, job_key="a-1", job_id="v-1", charged="unknown")


@pytest.mark.parametrize("kind", sorted(set(KINDS), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_a_body(kind: type[VideoError]):
    """Also those that are yet to be invented: they are told as the class that they are derived from."""
    problem = problem_of(made(kind))
    assert 400 <= problem["status"] < 600
    assert {"type", "title", "status", "detail", "error", "charged", "retryable"} <= problem.keys()
    assert kind.__name__ == problem["error"]
    assert json.loads(json.dumps(problem)) == problem
    assert problem["title"].endswith(".") or "(" in problem["title"]


@pytest.mark.parametrize("kind", OURS)
def test_our_own_trouble_is_not_described_to_strangers(kind: type[VideoError]):
    """Neither the key, nor the account, nor a path; and never as if it were theirs."""
    response = problem_response(made(kind))
    assert b"sk-" not in response.body
    assert b"/srv" not in response.body
    assert response.status_code >= 500
    assert MEDIA_TYPE == response.media_type


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.AuthenticationError("", status_code=401), 502),
        (errors.PermissionDenied("", status_code=403), 502),
        (errors.InsufficientBalance("", status_code=402), 503),
        (errors.RateLimited("", status_code=429), 503),
        (errors.RequestRefused("", status_code=400), 422),
        (errors.RequestRefused("", status_code=501), 501),
        (errors.ContentRefused(""), 422),
        (errors.JobFailed(""), 502),
        (errors.JobNotFound(""), 404),
        (errors.JobExpired(""), 410),
        (errors.WaitTimeout(""), 504),
        (errors.SubmitUncertain(""), 502),
        (errors.SessionClosed(""), 503),
        (errors.LedgerInUse(""), 503),
        (InvalidRequest.of("size", 1, "no"), 422),
        (InvalidRequest.of("to", "/srv/x", "no"), 500),
        (http_errors.NotAllowed(""), 403),
        (http_errors.LimitReached(""), 429),
        (http_errors.Crowded(""), 503),
        (http_errors.NotPlayable(""), 409),
    ],
)
def test_each_status_says_whose_fault_it_is(error: VideoError, status: int):
    """4xx is the caller's, and only his; what the gateway said to us has no meaning for him."""
    assert status == status_of(error)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (errors.RateLimited("", retry_after=2.2), "3"),
        (errors.RateLimited(""), "10"),
        (errors.RateLimited("", retry_after=float("inf")), None),
        (http_errors.LimitReached("", retry_after=0.0), "0"),
        (http_errors.LimitReached("", retry_after=-5.0), "0"),
        (http_errors.LimitReached(""), None),
        (http_errors.NotPlayable(""), "2"),
        (errors.SessionClosed(""), "5"),
        (errors.JobNotFound(""), None),
    ],
)
def test_when_to_try_again_is_said_where_it_is_known(error: VideoError, seconds: str | None):
    """In whole seconds, never less than the gateway asked for."""
    assert seconds == problem_response(error).headers.get("Retry-After")


def test_every_status_is_of_a_class_of_its_own():
    """The table is searched by class; one that is missing falls to `VideoError`, which must be there."""
    assert 500 == STATUS[VideoError]
    assert set(STATUS) <= {*KINDS, VideoError}


@given(st.text(max_size=50), st.text(max_size=50), st.one_of(st.text(), st.integers(), st.binary(), st.none()))
def test_any_problem_can_be_told(field: str, message: str, value: object):
    """Strangers write fields and values."""
    error = InvalidRequest.of(field, value, message, allowed=(1, "a"), nearest="a")
    assert json.loads(problem_response(error).body)["error"] == "InvalidRequest"
