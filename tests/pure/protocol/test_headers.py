"""Answer headers."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.protocol.headers import clock_skew, request_id, retry_after, served_at

NOON = 1_780_315_200.0  # 2026-06-01 12:00:00 UTC
NOON_TEXT = "Mon, 01 Jun 2026 12:00:00 GMT"
LATER_TEXT = "Mon, 01 Jun 2026 12:00:30 GMT"

DATES = st.datetimes(timezones=st.just(UTC)).map(format_datetime)
HEADER_TEXT = st.text(max_size=40) | st.floats().map(str) | st.integers().map(str) | DATES


@given(HEADER_TEXT, HEADER_TEXT, HEADER_TEXT, st.none() | st.floats(0, 4e9), st.floats(0, 1e6))
def test_any_header_gives_a_wait_within_bounds_or_none(
    seconds: str, millis: str, date: str, now: float | None, cap: float
):
    """S5: no text of a server may stop the session, make it spin or make it crash."""
    headers = {"retry-after": seconds, "retry-after-ms": millis, "date": date}

    wait = retry_after(headers, now=now, cap=cap)

    assert wait is None or 0 <= wait <= cap


@given(HEADER_TEXT)
def test_any_date_gives_a_moment_or_none(date: str):
    """The standard parser raises five kinds of exceptions on strange dates."""
    assert served_at({"date": date}) is None or isinstance(served_at({"date": date}), float)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("1", 1.0),
        ("0", 0.0),
        (" 2.5 ", 2.5),
        ("-5", 0.0),
        ("1e20", 60.0),
        ("9" * 60, 60.0),
        ("9" * 400, None),
        ("NaN", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("1_0", None),
        ("٨", None),
        ("12, 13", None),
    ],
)
def test_seconds_are_clamped_and_garbage_is_none(text: str, wait: float | None):
    """S5: each spelling of the list."""
    assert wait == retry_after({"retry-after": text}, now=NOON, cap=60.0)


def test_milliseconds_go_before_seconds():
    """OpenAI sends both; the finer one is meant."""
    assert 1.5 == retry_after({"retry-after-ms": "1500", "retry-after": "2"})


def test_unintelligible_milliseconds_do_not_hide_the_seconds():
    """One broken header must not cost the other."""
    assert 2.0 == retry_after({"retry-after-ms": "soon", "retry-after": "2"})


def test_a_date_is_counted_from_the_servers_own_clock():
    """T2: with a clock an hour off, the local difference would be an hour wrong."""
    headers = {"retry-after": LATER_TEXT, "date": NOON_TEXT}

    assert 30.0 == retry_after(headers, now=NOON - 3600)
    assert 30.0 == retry_after(headers)


def test_a_date_without_a_server_clock_is_counted_from_now():
    """There is nothing better to count from, and without that nothing at all."""
    assert 30.0 == retry_after({"retry-after": LATER_TEXT}, now=NOON)
    assert 0.0 == retry_after({"retry-after": LATER_TEXT}, now=NOON + 99)
    assert retry_after({"retry-after": LATER_TEXT}) is None


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_the_server_clock_is_read_in_utc(zone: str):
    """A date of unknown zone is UTC by RFC 5322, never this machine's zone."""
    assert datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp() == served_at({"date": NOON_TEXT.replace("GMT", zone)})


def test_the_skew_is_how_far_the_server_is_ahead():
    """T2: `expires_at` and dates are on the server's clock."""
    assert 3600.0 == clock_skew({"date": NOON_TEXT}, NOON - 3600)
    assert clock_skew({}, NOON) is None


def test_the_request_id_is_bounded_and_printable():
    """It goes into messages and logs, and is the server's text."""
    assert "20260531" == request_id({"x-request-id": "\x1b[31m20260531\x07"})
    assert 128 == len(request_id({"x-request-id": "9" * 5_000}))
    assert request_id({}) is None
