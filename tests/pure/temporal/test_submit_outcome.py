"""What an error of a create or a fetch means for its row."""

from __future__ import annotations

import pytest

from aihubmix_video import errors
from aihubmix_video.temporal.submit_outcome import LONGEST_WAIT, fetch_result, note_of, retry_seconds, submit_result

HELD = (
    errors.SubmitUncertain("the answer was lost"),
    errors.MalformedReply("no id"),
    errors.GatewayError("502", charged="unknown"),
    errors.LedgerError("disk full", charged="yes"),
)


@pytest.mark.parametrize("error", HELD, ids=lambda error: type(error).__name__)
def test_what_does_not_prove_that_nothing_was_bought_is_held(error: errors.VideoError):
    """Trying it again might buy it twice."""
    assert "held" == submit_result(error).kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.InvalidRequest.of("size", "9x9", "is not allowed"), "refused"),
        (errors.RequestRefused("no"), "refused"),
        (errors.ContentRefused("no"), "refused"),
        (errors.RateLimited("slower", retry_after=7.0), "busy"),
        (errors.ConnectionFailed("nobody answers"), "busy"),
        (errors.SessionClosed("closing"), "busy"),
        (errors.AuthenticationError("401"), "halt"),
        (errors.InsufficientBalance("empty"), "halt"),
        (errors.LedgerError("cannot be written"), "halt"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_proof_that_nothing_was_bought_decides_whether_it_is_tried_again(error: errors.VideoError, kind: str):
    """A refusal of the row ends the row; one of the account stops the batch."""
    assert kind == submit_result(error).kind


def test_an_id_seen_is_an_id_kept():
    """Whatever went wrong after the gateway gave it."""
    result = submit_result(errors.LedgerError("disk full", job_id="video_1", charged="yes"))

    assert ("bought", "video_1") == (result.kind, result.video_id)


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (errors.JobFailed("the vendor failed"), True),
        (errors.JobExpired("gone"), True),
        (errors.JobNotFound("unknown"), True),
        (errors.WaitTimeout("still running"), False),
        (errors.DownloadFailed("cut"), False),
        (errors.SessionClosed("closing"), False),
        (errors.AuthenticationError("401"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_paid_job_is_given_up_only_for_a_fact(error: errors.VideoError, is_final: bool):  # noqa: FBT001 - a parameter
    """Everything else is trouble of this worker or this hour."""
    assert is_final is (fetch_result(error) is not None)


def test_waits_grow_keep_to_what_the_gateway_asks_and_end():
    """Without a bound one absurd Retry-After would stop a batch for good."""
    waits = [retry_seconds(attempt, None, 1.0) for attempt in range(1, 12)]

    assert sorted(waits) == waits
    assert LONGEST_WAIT == max(waits)
    assert retry_seconds(1, 30.0, 0.0) == pytest.approx(30.0)
    assert retry_seconds(1, 1e9, 0.0) == pytest.approx(LONGEST_WAIT)


def test_an_error_in_a_history_is_short():
    """A gateway's answer of a megabyte would fill it."""
    assert len(note_of(errors.GatewayError("x" * 10_000)).message) <= 600
