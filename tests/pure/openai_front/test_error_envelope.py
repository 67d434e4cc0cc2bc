"""Errors as OpenAI's clients read them."""

from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException

from aihubmix_video import errors
from aihubmix_video.fastapi import http_errors
from aihubmix_video.openai_front.api_client import UnknownToken
from aihubmix_video.openai_front.client_usage import CapReached
from aihubmix_video.openai_front.error_envelope import envelope_of, http_envelope

CASES = [
    (errors.InvalidRequest.of("seconds", 9, "no"), 400, "invalid_value", False),
    (errors.ContentRefused("no"), 400, "moderation_blocked", False),
    (errors.ModelUnavailable("no"), 404, "model_not_found", False),
    (errors.RequestRefused("no", status_code=501), 501, "request_refused", False),
    (errors.JobNotFound("no"), 404, "job_not_found", False),
    (errors.GatewayError("no"), 502, "gateway_error", True),
    (errors.GatewayError("no", charged="unknown"), 502, "gateway_error", False),
    (errors.SubmitUncertain("no"), 502, "submit_uncertain", False),
    (errors.ConnectionFailed("no"), 503, "connection_failed", True),
    (errors.AuthenticationError("no"), 502, "authentication_error", False),
    (errors.InsufficientBalance("no"), 503, "insufficient_balance", False),
    (errors.SessionClosed("no"), 503, "session_closed", True),
    (errors.LedgerError("no"), 503, "ledger_error", True),
    (UnknownToken("no"), 401, "invalid_api_key", False),
    (CapReached("no"), 429, "insufficient_quota", False),
    (http_errors.LimitReached("no"), 429, "rate_limit_exceeded", True),
    (http_errors.Crowded("no"), 503, "server_overloaded", True),
    (http_errors.NotPlayable("no"), 404, "not_playable", True),
    (http_errors.Conflict("no"), 400, "conflict", False),
    (http_errors.Deleted("no"), 404, "deleted", False),
]


@pytest.mark.parametrize(("error", "status", "code", "repeated"), CASES)
def test_an_error_has_its_status_its_code_and_a_word_on_retries(
    error: errors.VideoError,
    status: int,
    code: str,
    repeated: bool,  # noqa: FBT001  # cases of a table
):
    """OpenAI's libraries repeat every 409, 429 and 5xx unless they are told not to."""
    told, body, headers = envelope_of(error)

    assert (status, code) == (told, body["error"]["code"])
    assert {"message", "type", "param", "code"} == set(body["error"])
    assert repeated == ("x-should-retry" not in headers)


def test_no_error_is_a_status_that_libraries_repeat_by_itself():
    """408 and 409 are repeated for the sake of their number."""
    assert not {408, 409} & {envelope_of(error)[0] for error, *_ in CASES}


@pytest.mark.parametrize("kind", [errors.AuthenticationError, errors.ConfigurationError, errors.LedgerError])
def test_the_operators_troubles_are_kept_from_clients(kind: type[errors.VideoError]):
    """They name keys, accounts and paths."""
    assert "/srv/secret" not in envelope_of(kind("at /srv/secret"))[1]["error"]["message"]


def test_the_frameworks_own_errors_look_the_same():
    """Also what never came to a route."""
    status, body, _ = http_envelope(HTTPException(405))

    assert (405, "invalid_request_error") == (status, body["error"]["type"])
