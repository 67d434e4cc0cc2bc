"""Ranges and validators as RFC 9110 has them, and the ways to get them wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.sandbox.http_format import Validators, asked_range, head, serve
from aihubmix_video.sandbox.video.media import Media

TEN = Media((b"0123456789",))
STRONG = Validators(etag='"a"', modified=0.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", (0, 9)),
        ("bytes=3-5", (3, 5)),
        ("bytes=3-99", (3, 9)),
        ("bytes=-4", (6, 9)),
        ("bytes=-99", (0, 9)),
        ("bytes=10-", (10, 10)),
        ("bytes=-0", (10, 10)),
        ("bytes=5-3", None),
        ("bytes=a-b", None),
        ("bytes=1-2,4-5", None),
        ("items=0-1", None),
    ],
)
def test_a_range_header_is_read_as_the_standard_says(value: str | None, expected: tuple[int, int] | None):
    """What cannot be read is ignored, not refused (RFC 9110, 14.2)."""
    assert expected == asked_range(value, 10)


@given(st.text(max_size=12))
def test_no_range_header_breaks_the_server(text: str):
    """Clients send anything."""
    span = asked_range("bytes=" + text, 10)

    assert span is None or 0 <= span[0] <= 10


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "body"),
    [
        ({}, 200, None, b"0123456789"),
        ({"Range": "bytes=4-"}, 206, "bytes 4-9/10", b"456789"),
        ({"Range": "bytes=4-", "If-Range": '"a"'}, 206, "bytes 4-9/10", b"456789"),
        ({"Range": "bytes=4-", "If-Range": "Thu, 01 Jan 1970 00:00:00 GMT"}, 206, "bytes 4-9/10", b"456789"),
        ({"Range": "bytes=4-", "If-Range": '"b"'}, 200, None, b"0123456789"),
        ({"Range": "bytes=10-"}, 416, "bytes */10", b""),
    ],
)
def test_a_film_is_served_whole_or_in_the_range_asked_for(
    asked: dict[str, str], status: int, content_range: str | None, body: bytes
):
    """Resuming is only safe if a changed validator gives the whole file."""
    reply = serve(TEN, "video/mp4", asked, STRONG)

    assert (status, body) == (reply.status, reply.body.read())
    assert content_range == dict(reply.headers).get("Content-Range")
    assert '"a"' == dict(reply.headers)["ETag"]


def test_without_validators_ranges_are_ignored():
    """What many gateways do."""
    reply = serve(TEN, "video/mp4", {"Range": "bytes=4-"}, None)

    assert (200, (("Content-Type", "video/mp4"),)) == (reply.status, reply.headers)


@pytest.mark.parametrize(
    ("quirk", "status", "content_range", "body"),
    [
        ("ignored", 200, None, b"0123456789"),
        ("wrong_start", 206, "bytes 3-9/10", b"3456789"),
        ("wrong_total", 206, "bytes 4-9/11", b"456789"),
        ("unknown_total", 206, "bytes 4-9/*", b"456789"),
        ("no_range", 206, "bytes */10", b"456789"),
        ("unsatisfiable", 416, "bytes */10", b""),
    ],
)
def test_each_quirk_breaks_a_range_in_its_own_way(quirk: str, status: int, content_range: str | None, body: bytes):
    """A client that trusts any of these splices a file."""
    reply = serve(TEN, "video/mp4", {"Range": "bytes=4-"}, STRONG, quirk)

    assert (status, body) == (reply.status, reply.body.read())
    assert content_range == dict(reply.headers).get("Content-Range")


def test_a_partial_answer_can_come_unasked_or_in_parts():
    """206 without a Range, and multipart/byteranges, which needs its own parser."""
    unasked = serve(TEN, "video/mp4", {}, STRONG, "unasked")
    parts = serve(TEN, "video/mp4", {"Range": "bytes=4-5"}, STRONG, "multipart")

    assert (206, "bytes 0-9/10") == (unasked.status, dict(unasked.headers)["Content-Range"])
    assert dict(parts.headers)["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert b"Content-Range: bytes 4-5/10\r\n\r\n45\r\n--" in parts.body.read()


def test_a_head_is_written_with_its_reason_and_ends_in_an_empty_line():
    """Statuses of CDNs have no name in the standard."""
    assert b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n" == head(404, [("A", "b")])
    assert b"HTTP/1.1 524 Unknown\r\n\r\n" == head(524, [])
