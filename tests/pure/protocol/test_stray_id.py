"""The id of a paid job, found in an answer that nothing else can be read from."""

from __future__ import annotations

import pytest

from aihubmix_video.protocol.sanitize import KEPT_BYTES, kept_ends
from aihubmix_video.protocol.stray_id import attach_hint, stray_id

ID = "video_0123456789"
HEAD = b"HTTP/1.1 200 OK\r\ngarbage\r\n\r\n"
FOUND = {
    "behind a head": HEAD + b'{"id":"video_0123456789","status":"queued"}',
    "a cut document": b'{"object":"video","id": "video_0123456789","sta',
    "a wrapper": b'{"code":"success","data":{"task_id":"video_0123456789"}}',
    "in chunks": HEAD + b'9\r\n{"id":"vi\r\n14\r\ndeo_0123456789","s":1}\r\n0\r\n\r\n',
    "escaped": b'{"id":"video\\u005f0123456789"}',
    "behind a value that is none": b'{"id":"","task_id":"video_0123456789"}',
    "beside other text": b'\xff\xfe\x00"video_id" : "video_0123456789" <html>',
}


@pytest.mark.parametrize("name", FOUND)
def test_an_id_is_found_whatever_stands_around_it(name: str):
    """What the parser cannot read, a reader of the bytes often can, and the job is paid for."""
    assert ID == stray_id(FOUND[name])


def test_a_number_is_an_id_in_its_digits():
    """Gateways number their tasks, and the console shows the same digits."""
    assert "12345678" == stray_id(b'{"id": 12345678, "status": 1')


@pytest.mark.parametrize(
    "came",
    [
        b"",
        HEAD,
        b'{"id":"video_01234',
        b'{"id":12345',
        b'{"request_id":"req_1","x":"id"}',
        b'{"id":".."}',
        b'{"id":"a\\u0000b"}',
        b'{"id":null}',
        b'{"id":"\xff"}',
        b'{"id":"' + b"x" * 2000 + b'"}',
    ],
)
def test_what_is_not_a_whole_id_is_not_offered(came: bytes):
    """Half an id would be looked for in vain, and attached by those who do not look."""
    assert stray_id(came) is None


def test_the_offer_is_a_command_ready_for_a_shell():
    """Text of a server in a command must stay one word of it."""
    assert "`aihubmix-video resume DIR --attach k1=video_0123456789`" in attach_hint(
        b'{"id":"video_0123456789"}', "k1", in_ledger=True
    )
    assert "`aihubmix-video download 'a; rm -rf b'`" in attach_hint(b'{"id":"a; rm -rf b"}', "k1", in_ledger=False)
    assert not attach_hint(b"nothing", "k1", in_ledger=True)


def test_of_a_long_response_both_ends_are_kept_and_keys_masked():
    """The head explains the refusal, and the id stands in the body behind it."""
    key = b"sk-0123456789abcdef"
    kept = kept_ends(b"HTTP/1.1 200 OK\r\nA: " + key + b"x" * 60_000 + key + b"\r\n\r\n" + FOUND["a wrapper"])
    assert len(kept) <= KEPT_BYTES
    assert kept.startswith(b"HTTP/1.1 200 OK\r\nA: sk-...")
    assert kept.endswith(b"sk-...\r\n\r\n" + FOUND["a wrapper"])
    assert key[:8] not in kept
    assert b"short" == kept_ends(b"short")
