"""Which request meets which fault, and what steps a fault makes of an answer."""

from __future__ import annotations

from itertools import islice
from json import loads

import pytest

from aihubmix_video.sandbox import Fault, FaultScript
from aihubmix_video.sandbox.fault_script import Seen
from aihubmix_video.sandbox.http_format import RenderedResponse
from aihubmix_video.sandbox.response_plan import Pause, ResponsePlan, deliver
from aihubmix_video.sandbox.video.media import Media

POLL = Seen("retrieve", "id-1", "sora-2", reused=False, unread=False)
CREATE = Seen("create", None, "sora-2", reused=True, unread=False)
REPLY = RenderedResponse(200, (("X", "y"),), Media((b"0123456789",)))


def script(*faults: Fault) -> FaultScript:
    """Give a script of these faults."""
    made = FaultScript()
    made.add(*faults)
    return made


def strikes(made: FaultScript, seen: Seen, *, count: int = 5, draw: float = 0.5) -> list[str | None]:
    """Give the names of the faults that strike *count* requests, one a second."""
    found = [made.find(seen, now=float(now), draw=draw) for now in range(count)]
    return [strike and strike.fault.name for strike in found]


@pytest.mark.parametrize(
    ("match", "seen", "struck"),
    [
        ({}, POLL, 1),
        ({"times": None}, POLL, 5),
        ({"times": 2, "skip": 1}, POLL, 2),
        ({"route": "create", "times": None}, POLL, 0),
        ({"model": "sora-2", "times": None}, POLL, 5),
        ({"model": "veo", "times": None}, POLL, 0),
        ({"video_id": "id-1", "times": None}, POLL, 5),
        ({"video_id": "id-2", "times": None}, POLL, 0),
        ({"reused": True, "times": None}, POLL, 0),
        ({"reused": True, "times": None}, CREATE, 5),
        ({"probability": 0.6, "times": None}, POLL, 5),
        ({"probability": 0.4, "times": None}, POLL, 0),
        ({"lasting": 3.0, "times": None}, POLL, 3),
        ({"unread": True, "times": None}, POLL, 0),
    ],
)
def test_a_fault_strikes_the_requests_it_is_meant_for(match: dict[str, object], seen: Seen, struck: int):
    """Five requests, one a second."""
    made = script(Fault.reset(**match))

    assert struck == len([name for name in strikes(made, seen) if name])
    assert [struck] == made.struck()


def test_faults_take_turns_in_the_order_they_were_added():
    """A sequence is written as several faults, each of which strikes once."""
    made = script(Fault.status(503), Fault.reset(skip=1), Fault.silence())

    assert ["status 503", "silence", "reset", None, None] == strikes(made, POLL)
    made.clear()
    assert not made


@pytest.mark.parametrize(
    ("fault", "forestalls"),
    [
        (Fault.status(500), False),
        (Fault.status(504), False),
        (Fault.status(408), False),
        (Fault.status(200, {"id": None}), False),
        (Fault.status(400), True),
        (Fault.status(429), True),
        (Fault.status(501), True),
        (Fault.status(500, after_processing=False), True),
        (Fault.busy(503), True),
        (Fault.no_channel(), True),
        (Fault.redirect("https://example.com/"), True),
        (Fault.html(502), False),
        (Fault.reset(), False),
        (Fault.reset(unread=True), True),
        (Fault.silence(), False),
        (Fault.cut(5), False),
        (Fault.edit({"id": None}), False),
    ],
)
def test_a_fault_that_leaves_the_outcome_open_comes_after_the_job_was_made(fault: Fault, *, forestalls: bool):
    """The truth a client's account is measured by: an unclear answer means a bought job, a plain refusal none."""
    assert forestalls == fault.forestalls


def test_an_edited_reply_has_its_fields_changed_added_and_removed():
    """For progress that falls back, a second id, a time that is none."""
    made = script(Fault.edit({"status": "in_progress", "data": {"id": "b"}, "url": ..., "progress": float("nan")}))
    reply = RenderedResponse(200, (), Media((b'{"id":"a","status":"completed","url":"x"}',)))

    edited = loads(made.find(POLL, now=0.0, draw=0.0).edit(reply).body.read())

    assert ["id", "status", "data", "progress"] == list(edited)
    assert edited["progress"] != edited["progress"]  # not a number


def test_what_is_no_json_object_is_left_as_it_is_by_an_edit():
    """A film has no fields."""
    made = script(Fault.edit({"a": 1}, times=None))
    for body in (b"\x00\x01", b"[1]"):
        reply = RenderedResponse(200, (), Media((body,)))
        assert body == made.find(POLL, now=0.0, draw=0.0).edit(reply).body.read()


def test_added_headers_number_the_strikes():
    """A cookie that differs every time."""
    made = script(Fault.add_headers({"Set-Cookie": "poll={n}"}, times=None))

    found = [made.find(POLL, now=0.0, draw=0.0).edit(REPLY).headers[-1] for _ in range(2)]

    assert [("Set-Cookie", "poll=0"), ("Set-Cookie", "poll=1")] == found


def flat(how: ResponsePlan, *, keep_alive: bool = True) -> tuple[bytes, str]:
    """Give all bytes sent, and the ending."""
    *steps, ending = deliver(REPLY, how, keep_alive=keep_alive)
    sent = b"".join(step.read() if isinstance(step, Media) else step for step in steps if not isinstance(step, Pause))
    return sent, ending


HEAD = b"HTTP/1.1 200 OK\r\nX: y\r\n"
LENGTH = HEAD + b"Content-Length: 10\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("how", "sent", "ending"),
    [
        (ResponsePlan(), LENGTH + b"0123456789", "keep"),
        (Fault.cut(4).delivery, LENGTH + b"0123", "close"),
        (Fault.cut(0, ending="reset").delivery, LENGTH, "reset"),
        (Fault.cut(4, framing="none").delivery, HEAD + b"\r\n0123", "close"),
        (Fault.cut(4, framing="chunked").delivery, CHUNKED + b"4\r\n0123\r\n", "close"),
        (Fault.drip(4, 0.1).delivery, LENGTH + b"0123456789", "keep"),
        (Fault.drip(4, 0.1, head=True).delivery, LENGTH + b"0123456789", "keep"),
        (Fault.chunked().delivery, CHUNKED + b"a\r\n0123456789\r\n0\r\n\r\n", "keep"),
        (Fault.chunked("missing").delivery, CHUNKED + b"a\r\n0123456789\r\n", "close"),
        (Fault.chunked("bad", stop=4).delivery, CHUNKED + b"4\r\n0123\r\nxyz\r\n", "close"),
        (Fault.length("5, 6").delivery, HEAD + b"Content-Length: 5, 6\r\n\r\n0123456789", "close"),
        (
            Fault.length("-1", chunked=True).delivery,
            HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: -1\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
            "close",
        ),
        (ResponsePlan(framing="none"), HEAD + b"Connection: close\r\n\r\n0123456789", "close"),
    ],
)
def test_a_delivery_sends_exactly_these_bytes(how: ResponsePlan, sent: bytes, ending: str):
    """What the fault does is decided here, byte for byte; the server only writes."""
    assert (sent, ending) == flat(how)


def test_a_client_that_wants_the_connection_closed_gets_it_closed():
    """And is told so."""
    sent, ending = flat(ResponsePlan(), keep_alive=False)

    assert "close" == ending
    assert b"Connection: close\r\n" in sent


def test_a_204_has_neither_body_nor_length():
    """RFC 9110, 8.6."""
    steps = list(deliver(RenderedResponse(204, (), Media((b"",)))))

    assert [b"HTTP/1.1 204 No Content\r\n\r\n", "keep"] == steps


@pytest.mark.parametrize(
    ("fault", "start"),
    [
        (Fault.endless("interim"), [b"HTTP/1.1 102 Processing\r\n\r\n", Pause(0.2)] * 3),
        (Fault.endless("headers"), [HEAD + b"Connection: close\r\n", b"X-Sandbox-More: and more\r\n", Pause(0.2)]),
    ],
)
def test_the_endless_never_end(fault: Fault, start: list[object]):
    """Only a deadline of the client's own ends them."""
    assert start == list(islice(deliver(REPLY, fault.delivery), len(start)))
    assert 1000 == len(list(islice(deliver(REPLY, fault.delivery), 1000)))


def test_an_endless_body_is_a_film_without_end():
    """It claims no length, so that only a cap of the client's own stops it."""
    head, body, ending = deliver(REPLY, Fault.endless("body").delivery)

    assert b"Content-Length" not in head
    assert body.length > 2**61
    assert "close" == ending
