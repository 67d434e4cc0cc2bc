from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.cli.text_format import (
    bytes_text,
    error_text,
    pixels_text,
    safe,
    short_id,
    span_text,
    took_text,
    usd_text,
)
from aihubmix_video.errors import InvalidRequest


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (2_500_000_000, "2.5 GB")],
)
def test_sizes_are_short(count: int | None, text: str):
    """In powers of ten, as file managers show them."""
    assert text == bytes_text(count)


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (-3, "0s"), (59.4, "59s"), (65, "1:05"), (3725, "1:02:05")])
def test_spans_are_short(seconds: float | None, text: str):
    """An estimate below zero is over, not negative."""
    assert text == span_text(seconds)


def test_short_measurements_keep_a_tenth():
    """The sandbox is done in less than a second."""
    assert ("0.4s", "12s") == (took_text(0.42), took_text(12.4))


def test_pixels_are_written_as_the_api_writes_them():
    """What is shown can be typed as a size."""
    assert ("1280x720", "") == (pixels_text((1280, 720)), pixels_text(None))


def test_money_is_written_to_the_cent():
    """Less than a cent to four places, or it would look like nothing."""
    assert ["", "$0.00", "$0.0040", "$0.80", "$1,234.50"] == [usd_text(x) for x in (None, 0.0, 0.004, 0.8, 1234.5)]


def test_an_id_is_shown_by_both_ends():
    """Ids of one model begin alike for a hundred characters."""
    assert "eyJt…" + "b" * 18 == short_id("eyJt" + "a" * 100 + "b" * 18)
    assert "short" == short_id("short")


def test_an_error_is_whole_sentences():
    """What happened, and what to do, with a stop between them."""
    error = InvalidRequest.of("prompt", "", "must not be empty")

    assert "prompt='': must not be empty. Nothing was sent, nothing was charged." == error_text(error)
    assert "plain" == error_text(ValueError("plain"))


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str):
    """Server text is data: it moves no cursor and breaks no line."""
    assert safe(text).isprintable()
