"""What answers mean for money."""

from __future__ import annotations

import json

import attrs
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
    JobFailed,
    JobNotFound,
    MalformedReply,
    ModelUnavailable,
    PermissionDenied,
    RateLimited,
    RequestRefused,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.protocol.create_result import Bought, Busy, Refused, Unknown, create_outcome, failure_of, read_poll
from aihubmix_video.protocol.response import Response
from aihubmix_video.types.video import Status, Video
from tests.pure.protocol.samples import NAMES, answer, sample
from tests.pure.protocol.test_decode_video import BODIES

BYTES = st.binary() | BODIES.map(lambda body: json.dumps(body).encode())
REPLIES = st.builds(
    Response,
    status=st.integers(0, 999) | st.sampled_from([200, 201, 204, 400, 401, 403, 404, 429, 500, 503]),
    headers=st.dictionaries(st.sampled_from(["retry-after", "date", "location", "x-request-id"]), st.text()),
    body=BYTES,
)
JOB = {"id": "job-1", "status": "queued"}


@given(REPLIES)
def test_any_answer_to_a_create_has_one_outcome_and_money_is_never_denied_by_accident(response: Response):
    """The law behind M2: what is not said in so many words is unknown, and an id always means bought."""
    outcome = create_outcome(response)

    assert isinstance(outcome, Bought | Refused | Busy | Unknown)
    if isinstance(outcome, Refused | Busy):
        assert "no" == outcome.error.charged
    if isinstance(outcome, Bought):
        assert response.ok
        assert outcome.video.id
    if isinstance(outcome, Busy):
        assert "no" == outcome.error.charged


@given(REPLIES, st.none() | st.just("job-1"))
def test_any_answer_to_a_poll_is_a_video_or_one_of_our_errors(response: Response, job_id: str | None):
    """Nothing foreign leaves, and no answer of a failing gateway is final."""
    result: Video | VideoError
    try:
        result = read_poll(response, job_id=job_id)
    except VideoError as error:
        result = error

    if isinstance(result, VideoError):
        assert response.status == result.status_code
        assert result.retryable or not 500 <= response.status < 600
    else:
        assert response.ok


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("create")])
def test_a_create_answered_as_documented_is_bought(name: str):
    """Both dialects, and the Veo answer as observed."""
    outcome = create_outcome(sample(name))

    assert Bought(video=outcome.video) == outcome
    assert json.loads(sample(name).body)["id"] == outcome.video.id


def test_an_id_with_an_error_beside_it_is_bought_with_a_warning():
    """The id is the purchase; the error is news about it."""
    outcome = create_outcome(answer({**JOB, "error": {"message": "slow today"}}))

    assert "job-1" == outcome.video.id
    assert "slow today" in outcome.warning


def test_a_second_id_is_kept_beside_the_first():
    """S4: which of the two is right shows only later."""
    outcome = create_outcome(answer({**JOB, "data": {"id": "job-2"}}))

    assert ("job-1", "job-2") == (outcome.video.id, outcome.also)
    assert "twice" in outcome.warning


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("error-in-200", RequestRefused),
        ("error-parameter", RequestRefused),
        ("error-no-key", AuthenticationError),
        ("error-key-disabled", PermissionDenied),
        ("error-balance", InsufficientBalance),
        ("error-balance-400", InsufficientBalance),
        ("error-quota-429", InsufficientBalance),
        ("error-no-channel", ModelUnavailable),
        ("error-incorrect-model", ModelUnavailable),
        ("error-moderation-openai", ContentRefused),
        ("error-not-found", RequestRefused),
        ("error-not-supported", RequestRefused),
        ("redirect", ConfigurationError),
    ],
)
def test_a_create_refused_in_so_many_words_is_refused(name: str, kind: type[VideoError]):
    """Each row of the table that is final and free."""
    outcome = create_outcome(sample(name))

    assert isinstance(outcome, Refused)
    assert kind is type(outcome.error)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 415, 422, 501, 301, 302, 307, 308])
def test_these_statuses_refuse_a_create_whatever_the_body(status: int):
    """The table's rows; an nginx in front answers 413 with a page, and a content network 403."""
    for body in (b"", b"<html></html>", b"null", b'{"error":'):
        assert isinstance(create_outcome(answer(body, status)), Refused)


@pytest.mark.parametrize("name", ["error-too-fast", "error-too-many-at-once", "error-provider-busy"])
def test_a_busy_gateway_asks_to_come_back(name: str):
    """429, and AIHubMix's 503 that names a rate limit."""
    outcome = create_outcome(attrs.evolve(sample(name), headers={"retry-after": "9"}))

    assert isinstance(outcome, Busy)
    assert (9.0, 9.0) == (outcome.retry_after, outcome.error.retry_after)


@pytest.mark.parametrize(
    "name", ["error-upstream-500", "error-html-502", "error-html-524", "error-empty-504", "error-null-500"]
)
def test_a_gateway_that_fails_leaves_a_create_unknown(name: str):
    """The vendor behind it may have started the job."""
    outcome = create_outcome(sample(name))

    assert isinstance(outcome, Unknown)
    assert sample(name).body == outcome.body
    assert sample(name).status == outcome.status_code


@pytest.mark.parametrize("status", [0, 100, 199, 408, 409, 425, 499, 500, 502, 503, 504, 520, 522, 524, 599, 600, 999])
def test_these_statuses_leave_a_create_unknown(status: int):
    """None of them promises that nothing was done."""
    assert isinstance(create_outcome(Response(status=status)), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'{"id": null}',
        b'{"id": 7.5}',
        b'{"id": true}',
        b'{"id": 0}',
        b'{"id": ["a"]}',
        b'{"id": ""}',
        b'{"id": "a\\u0000"}',
        b'{"id": "\\ud800"}',
        b'{"id": [7], "error": "no"}',
        b'{"error": null}',
        b'{"error": {}}',
        b'{"data": {"id": {}, "jobUuid": "x-1"}, "error": "no"}',
        b'{"id": "abc',
        b'{"id": "a", "id": "b"}',
        b"[" * 100_000,
        b"<html>ok</html>",
        b'{"id": "abc"}'.ljust(1 << 21),
        '{"id": "abc"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_2xx_that_says_nothing_clear_is_unknown(body: bytes):
    """N8, S18: the money may be gone; the body is kept, for the id may be legible in it."""
    outcome = create_outcome(answer(body, 200, x_request_id="req-1"))

    assert isinstance(outcome, Unknown)
    assert body[:64] == outcome.body[:64]
    assert len(outcome.body) <= 16_384
    assert "req-1" == outcome.request_id


def test_an_unknown_outcome_makes_the_error_users_see():
    """M3: loud, with the body, and never said to be free."""
    error = create_outcome(sample("error-html-502")).error("key-1")

    assert isinstance(error, SubmitUncertain)
    assert ("key-1", 502, "unknown", False) == (error.job_key, error.status_code, error.charged, error.retryable)
    assert "502 Bad Gateway" in error.message
    assert sample("error-html-502").body == error.body


def test_an_uncertain_create_quotes_the_answer_in_bounds_and_without_keys():
    """S1, S2: the vendor's words are what the user decides by; they are a stranger's text all the same."""
    error = create_outcome(answer({"note": "\x1b[31mkey sk-" + "0a" * 24 + " seen", "rest": "x" * 9000})).error()

    assert "it reads: " in error.message
    assert "sk-…" in error.message
    assert "0a0a" not in error.message
    assert error.message.isprintable()
    assert len(error.message) < 500


def test_keys_are_masked_in_what_is_kept():
    """S1: the body goes into the ledger."""
    outcome = create_outcome(answer(b'{"echo": "Bearer sk-' + b"0a" * 24 + b'"', 200))

    assert b'{"echo": "Bearer sk-..."' == outcome.body


def test_an_id_that_only_looks_like_a_key_is_kept():
    """It is what the answer is kept for: "task-…" ends in letters that keys begin with."""
    outcome = create_outcome(answer(b'{"task": "task-0123456789abcdef"', 200))
    assert isinstance(outcome, Unknown)
    assert b'{"task": "task-0123456789abcdef"' == outcome.body


@pytest.mark.parametrize(
    ("name", "kind", "retryable"),
    [
        ("error-no-key", AuthenticationError, False),
        ("error-key-disabled", PermissionDenied, False),
        ("error-not-found", JobNotFound, False),
        ("error-expired", JobExpired, False),
        ("error-too-fast", RateLimited, True),
        ("error-provider-busy", RateLimited, True),
        ("error-no-channel", GatewayError, True),
        ("error-html-502", GatewayError, True),
        ("error-empty-504", GatewayError, True),
        ("error-in-200", GatewayError, True),
        ("error-not-supported", RequestRefused, True),
        ("redirect", ConfigurationError, False),
    ],
)
def test_a_poll_that_is_no_answer_is_its_typed_error(name: str, kind: type[VideoError], *, retryable: bool):
    """L4: what fails at the gateway is not a verdict on the job; even a missing channel may come back."""
    with pytest.raises(kind) as caught:
        read_poll(sample(name), job_id="job-1")

    error = caught.value
    assert (kind, retryable, "job-1") == (type(error), error.retryable, error.job_id)


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"id": "a", "st', b"\xff", b'{"id": "a", "id": "b"}'])
def test_a_poll_that_cannot_be_read_is_asked_again(body: bytes):
    """L4: it says nothing about the job; the error knows which one."""
    with pytest.raises(MalformedReply) as caught:
        read_poll(answer(body, 200, x_request_id="req-1"), job_id="job-1")

    error = caught.value
    assert ("job-1", "req-1", 200, True) == (error.job_id, error.request_id, error.status_code, error.retryable)
    assert "unknown" == error.charged
    assert body == error.body


@pytest.mark.parametrize("body", [{}, [], None, 7, "ok", {"id": 7}, {"id": ["a"]}, {"data": [1, 2]}, {"error": None}])
def test_a_poll_that_says_nothing_is_of_a_running_job(body: object):
    """The id is known; that a gateway answers at all says at least that it has not lost the job."""
    video = read_poll(answer(body), job_id="job-1")

    assert ("job-1", Status.IN_PROGRESS) == (video.id, video.status)
    assert body in (video.raw, video.raw.get("answer"))


@pytest.mark.parametrize("body", [{"error": "nope"}, {"id": "job-1", "error": {"message": "nope"}}])
def test_an_error_in_place_of_a_status_is_raised(body: object):
    """A 200 with `error` and no status is a refusal of the question, not news of the job."""
    with pytest.raises(GatewayError, match="nope"):
        read_poll(answer(body), job_id="job-1")


def test_a_failed_job_is_a_video_and_no_exception_of_the_poll():
    """The poll went well; the job did not. The two are decided apart."""
    assert Status.FAILED is read_poll(sample("poll-failed-page"), job_id="job-1").status


@pytest.mark.parametrize("name", ["poll-failed-page", "poll-failed-reason"])
def test_words_of_moderation_make_a_failure_a_refused_content(name: str):
    """Row 81: answered by another prompt, not by another try of the same one."""
    error = failure_of(read_poll(sample(name), job_id="job-1"))

    assert isinstance(error, ContentRefused)
    assert ("output", "job-1", "no") == (error.stage, error.job_id, error.charged)


@pytest.mark.parametrize("name", ["poll-failed-code", "poll-failed-string", "poll-failed-null", "poll-failed-message"])
def test_other_failures_are_the_vendors(name: str):
    """The page: no charge for failed generation."""
    error = failure_of(read_poll(sample(name), job_id="job-1"))

    assert JobFailed is type(error)
    assert "no" == error.charged
    assert not error.message.endswith(("None", ": "))


def test_the_request_id_in_a_failure_is_kept_for_support():
    """It stands only in the vendor's sentence."""
    assert "0217801234abcdef" == failure_of(read_poll(sample("poll-failed-reason"))).request_id


@pytest.mark.parametrize("word", ["cancelled", "expired", "aborted", "timed_out", "TASK_STATUS_REJECTED"])
def test_whether_a_job_that_was_ended_is_charged_is_unknown(word: object):
    """The page speaks of failed generations only."""
    assert "unknown" == failure_of(read_poll(answer({"id": "a", "status": word}))).charged


def test_a_video_without_words_still_fails_with_a_sentence():
    """A ledger may hand back a failed job of which only the status was kept."""
    assert "the vendor gave no reason" in failure_of(Video(id="a", status=Status.FAILED)).message
