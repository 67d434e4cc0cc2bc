"""Which error an unwelcome answer is."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import (
    AuthenticationError,
    ConfigurationError,
    ContentRefused,
    GatewayError,
    InsufficientBalance,
    JobExpired,
    JobNotFound,
    ModelUnavailable,
    PermissionDenied,
    RateLimited,
    RequestRefused,
    VideoError,
)
from aihubmix_video.protocol.error_mapping import not_ready, refusal, refusal_of_get
from aihubmix_video.protocol.response import Response
from tests.pure.protocol.samples import NAMES, answer, sample

ERRORS = [name for name in NAMES if name.startswith(("error", "redirect"))]

CATALOGUE = {
    "error-no-key": (AuthenticationError, AuthenticationError),
    "error-bad-key": (AuthenticationError, AuthenticationError),
    "error-key-disabled": (PermissionDenied, PermissionDenied),
    "error-balance": (InsufficientBalance, InsufficientBalance),
    "error-balance-400": (InsufficientBalance, InsufficientBalance),
    "error-no-channel": (ModelUnavailable, GatewayError),
    "error-incorrect-model": (ModelUnavailable, GatewayError),
    "error-too-fast": (RateLimited, RateLimited),
    "error-too-many-at-once": (RateLimited, RateLimited),
    "error-quota-429": (InsufficientBalance, InsufficientBalance),
    "error-quota-per-minute": (RateLimited, RateLimited),
    "error-provider-busy": (RateLimited, RateLimited),
    "error-parameter": (RequestRefused, RequestRefused),
    "error-upstream-blank": (RequestRefused, RequestRefused),
    "error-task-form": (RequestRefused, RequestRefused),
    "error-moderation-dashscope": (ContentRefused, ContentRefused),
    "error-moderation-openai": (ContentRefused, ContentRefused),
    "error-string": (RequestRefused, RequestRefused),
    "error-list": (RequestRefused, RequestRefused),
    "error-in-200": (RequestRefused, GatewayError),
    "error-upstream-500": (GatewayError, GatewayError),
    "error-html-502": (GatewayError, GatewayError),
    "error-html-524": (GatewayError, GatewayError),
    "error-empty-504": (GatewayError, GatewayError),
    "error-null-500": (GatewayError, GatewayError),
    "error-not-found": (RequestRefused, JobNotFound),
    "error-expired": (RequestRefused, JobExpired),
    "error-not-supported": (RequestRefused, RequestRefused),
    "error-not-ready-sora": (RequestRefused, JobNotFound),
    "error-not-ready-task": (RequestRefused, RequestRefused),
    "redirect": (ConfigurationError, ConfigurationError),
}
"""Sample: its error as the answer to a create, and as an answer about a job."""


@given(st.integers(0, 999), st.binary(), st.dictionaries(st.sampled_from(["location", "retry-after"]), st.text()))
def test_any_answer_is_one_of_our_errors(status: int, body: bytes, headers: dict[str, str]):
    """Foreign exceptions must never leave the decoder, whatever a server sends."""
    for create in (True, False):
        error = refusal(Response(status=status, headers=headers, body=body), create=create)

        assert isinstance(error, VideoError)
        assert error.message.isprintable()


@pytest.mark.parametrize("name", ERRORS)
def test_every_sample_is_the_error_of_the_catalogue(name: str):
    """The catalogue of documented and observed refusals; a sample without an entry fails here."""
    create, job = CATALOGUE[name]

    assert create is type(refusal(sample(name), create=True))
    assert job is type(refusal(sample(name)))


@pytest.mark.parametrize("name", [name for name in ERRORS if name.startswith("error")])
def test_every_error_carries_status_and_request_id_and_survives_pickling(name: str):
    """Row 79: support asks for the id; process pools pickle errors."""
    response = sample(name)

    error = pickle.loads(pickle.dumps(refusal(response, job_id="job-1")))  # noqa: S301 - our own bytes

    assert (response.status, "job-1") == (error.status_code, error.job_id)
    assert response.headers.get("x-request-id") == error.request_id


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefused),
        (401, AuthenticationError),
        (402, InsufficientBalance),
        (403, PermissionDenied),
        (404, JobNotFound),
        (405, RequestRefused),
        (408, GatewayError),
        (410, JobExpired),
        (413, RequestRefused),
        (415, RequestRefused),
        (422, RequestRefused),
        (425, GatewayError),
        (429, RateLimited),
        (500, GatewayError),
        (501, RequestRefused),
        (502, GatewayError),
        (503, GatewayError),
        (504, GatewayError),
        (520, GatewayError),
        (302, ConfigurationError),
        (999, RequestRefused),
    ],
)
def test_a_bare_status_decides_by_itself(status: int, kind: type[VideoError]):
    """A body may be missing, or in a language that we do not read."""
    assert kind is type(refusal(Response(status=status)))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
def test_passing_trouble_is_retryable(status: int):
    """L4: none of these says anything about a job."""
    assert refusal(Response(status=status)).retryable


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 410, 422, 501])
def test_final_refusals_are_not_retryable(status: int):
    """The same request would only be refused again."""
    assert not refusal(Response(status=status)).retryable


def test_too_fast_and_too_many_at_once_are_told_apart():
    """One is answered by a lower rate, the other by fewer jobs; both arrive as 429."""
    assert "rate" == refusal(sample("error-too-fast")).limit
    assert "concurrency" == refusal(sample("error-too-many-at-once")).limit
    assert "rate" == refusal(sample("error-provider-busy")).limit


def test_the_servers_pace_travels_with_the_error():
    """R3: one shared cool-down for all jobs is set from here."""
    assert 7.0 == refusal(answer({}, 429, retry_after="7")).retry_after
    assert refusal(answer({}, 429)).retry_after is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Your quota is used up", InsufficientBalance),
        ("insufficient balance", InsufficientBalance),
        ("rate limit reached: insufficient balance", InsufficientBalance),
        ("账户余额不足", InsufficientBalance),
        ("Throttling.RateQuota", RateLimited),
        ("Quota exceeded for requests per minute", RateLimited),
        ("Resource has been exhausted (e.g. check quota).", RateLimited),
        ("concurrency quota exceeded", RateLimited),
        ("slow down", RateLimited),
    ],
)
def test_a_429_about_money_is_no_matter_of_pace(text: str, kind: type[VideoError]):
    """A used-up balance must stop new creates; a limit per time must not."""
    assert kind is type(refusal(answer({"error": {"message": text}}, 429), create=True))


@pytest.mark.parametrize(
    "text",
    [
        "Input data may contain inappropriate content. (DataInspectionFailed)",
        "IPInfringementSuspect",
        "The request failed because the input image may contain real person.",
        "Your prompt may violate our usage guidelines",
        "blocked by our content_policy",
        "InputTextSensitiveContentDetected",
        "提示词包含敏感内容",
    ],
)
def test_moderation_at_create_is_told_from_a_wrong_parameter(text: str):
    """Both are 400; one is answered by another prompt, the other by another value."""
    error = refusal(answer({"error": {"message": text}}, 400), create=True)

    assert isinstance(error, ContentRefused)
    assert "request" == error.stage


@pytest.mark.parametrize(
    "text", ["model names are case sensitive", "seconds must be a string", "field is case-insensitive", "white balance"]
)
def test_ordinary_words_are_not_taken_for_moderation_or_money(text: str):
    """A false friend would send the user to the wrong place."""
    assert RequestRefused is type(refusal(answer({"error": {"message": text}}, 400), create=True))


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:secret@api.elsewhere.test:8443/v1/videos?key=1", "to the host api.elsewhere.test;"),
        ("/login", "redirects this request elsewhere;"),
        ("", "redirects this request elsewhere;"),
        ("https://[::1/x", "redirects this request elsewhere;"),
        ("https://h\x07.test/", "to the host h.test;"),
    ],
)
def test_a_redirect_names_the_new_host_and_nothing_else(location: str, shown: str):
    """S5: never followed; its path, query and user may be secrets or traps."""
    text = str(refusal(answer({}, 302, location=location), create=True))

    assert shown in text
    assert "secret" not in text
    assert "key=1" not in text


def test_an_http_status_in_a_200s_error_is_believed():
    """Google-style bodies carry the status as `error.code`; some gateways relay them with 200."""
    assert AuthenticationError is type(refusal(answer({"error": {"code": 401, "message": "no"}})))
    assert JobNotFound is type(refusal(answer({"error": {"code": "404", "message": "no"}})))
    assert GatewayError is type(refusal(answer({"error": {"code": "1303000", "message": "no"}})))


def test_a_page_is_not_believed_about_models_or_limits():
    """Only JSON names a rate limit or a missing channel; a content network's page is a plain 5xx."""
    page = b"<html><title>Rate limited: no valid channel, balance insufficient</title></html>"

    assert GatewayError is type(refusal(answer(page, 503), create=True))
    assert GatewayError is type(refusal(answer(b"no valid channel", 500), create=True))


@pytest.mark.parametrize(("create", "charged"), [(True, "no"), (False, "unknown")])
def test_what_is_refused_before_it_is_bought_is_not_charged(*, create: bool, charged: str):
    """Of a job that exists, only its end says whether it is charged."""
    assert charged == refusal(sample("error-parameter"), create=create).charged
    assert "yes" == refusal(sample("error-expired")).charged


@pytest.mark.parametrize("name", ["error-not-ready-sora", "error-not-ready-task"])
def test_content_that_is_only_not_there_yet_is_known_as_such(name: str):
    """S10: asked again, not given up."""
    assert not_ready(sample(name))


def test_other_refusals_of_content_are_not_taken_for_not_ready():
    """They would be asked again for nothing."""
    assert not_ready(Response(status=425))
    assert not not_ready(sample("error-not-found"))
    assert not not_ready(sample("error-expired"))
    assert not not_ready(sample("error-html-502"))


@given(
    st.integers(300, 599), st.sampled_from([b"", b"no", b"<html><title>405</title>", b"\xff\xfe", b'{"error": "cut'])
)
def test_a_box_in_between_says_nothing_of_a_job(status: int, body: bytes):
    """What is not JSON was not said by the gateway; only the account, 404 and 410 are believed by their status alone."""
    error = refusal_of_get(Response(status=status, body=body), job_id="abc")
    believed = (AuthenticationError, ConfigurationError, InsufficientBalance, JobExpired, JobNotFound, PermissionDenied)
    assert error.retryable or isinstance(error, believed)


@given(st.integers(500, 599), st.sampled_from(["unknown", "no_valid_channel_error", "tasks cannot be deleted"]))
def test_a_gateway_that_fails_says_nothing_of_a_job(status: int, text: str):
    """Not even a 501, which to a create or a delete is final."""
    response = Response(status=status, body=json.dumps({"error": {"message": text}}).encode())
    assert refusal_of_get(response, job_id="abc").retryable
