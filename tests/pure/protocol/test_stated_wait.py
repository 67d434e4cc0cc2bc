"""How long a body asks to wait."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.protocol.error_body import describe
from aihubmix_video.protocol.error_mapping import refusal
from aihubmix_video.protocol.stated_wait import wait_in_fields, wait_in_text
from tests.pure.protocol.samples import answer
from tests.pure.protocol.test_json_reader import JSON


@given(
    JSON
    | st.dictionaries(st.sampled_from(["retry_after", "retryDelay", "seconds", "nanos", "details"]), JSON | st.floats())
)
def test_any_json_gives_seconds_or_nothing(value: object):
    """It is a stranger's number: never negative, never endless, never an exception."""
    seconds = wait_in_fields(value)

    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(st.text(st.sampled_from("retry in after again 请秒后重试分钟0123456789.msh ")))
def test_any_text_gives_seconds_or_nothing(text: str):
    """Likewise of prose."""
    seconds = wait_in_text(text)

    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please retry in 2.1 s.", 2.1),
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Please try again in 20ms.", 0.02),
        ("Try again in 1m12.5s", 72.5),
        ("try again in 6m0s. Visit the console", 360.0),
        ("Limit: 3 / min. Please try again in 20s.", 20.0),
        ("Please retry after 21 seconds", 21.0),
        ("Retry-After: 12 s", 12.0),
        ("wait 10 seconds before the next request", 10.0),
        ("Try again in 2 minutes", 120.0),
        ("请 30 秒后重试", 30.0),
        ("请在30秒后再试", 30.0),
        ("请求过多,1分钟后重试", 60.0),
        ("请等待 15 秒", 15.0),
        ("请1分30秒后再试", 90.0),
        ("please retry later", None),
        ("again with 3 models", None),
        ("the request timed out after 30 seconds", None),
        ("the video must have 5 s", None),
        ("请稍后重试", None),
    ],
)
def test_prose_is_read_where_it_asks_to_wait(text: str, seconds: float | None):
    """Other lengths in a message, of a video or of a timeout, are not waits."""
    assert seconds == pytest.approx(wait_in_text(text)) if seconds is not None else wait_in_text(text) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ({"retry_after": 30}, 30.0),
        ({"error": {"retryAfter": "30"}}, 30.0),
        ({"retry_after_ms": 1500}, 1.5),
        ({"error": {"details": [{"@type": "RetryInfo", "retryDelay": "2s"}]}}, 2.0),
        ({"retryDelay": {"seconds": 2, "nanos": 500_000_000}}, 2.5),
        ({"retry_in_seconds": 4.5}, 4.5),
        ({"retry_after": "soon"}, None),
        ({"retry_after": True}, None),
        ({"retry_after": -1}, None),
        ({"retry_after": None}, None),
        ({"after": 3}, None),
    ],
)
def test_fields_are_read_by_their_names_and_units(value: object, seconds: float | None):
    """Each gateway spells it in its own way."""
    assert seconds == wait_in_fields(value)


def test_a_wait_beyond_the_shown_line_and_in_quoted_json_is_found():
    """Google's texts are long, and gateways relay them as text inside a message."""
    assert 2.0 == describe({"error": {"message": "long " * 300 + "retry in 2 s"}}).wait
    assert (
        3.0 == describe({"error": {"message": '{"error": {"message": "no", "details": [{"retryDelay": "3s"}]}}'}}).wait
    )


def test_the_header_goes_first_and_both_are_capped():
    """A stranger's number must not stop a session for a day."""
    said = {"error": {"message": "too many requests, retry in 9 s"}}

    assert 7.0 == refusal(answer(said, 429, retry_after="7")).retry_after
    assert 9.0 == refusal(answer(said, 429)).retry_after
    assert 300.0 == refusal(answer({"error": "slow", "retry_after": 86400}, 429)).retry_after
