"""How an answer leaves: whole, in drops, cut, framed wrongly, or never. Pure: a reply becomes steps for the server."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Literal

import attrs

from aihubmix_video.sandbox.http_format import head
from aihubmix_video.sandbox.video.media import BLOCK_SIZE, Filler, Media

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.sandbox.http_format import RenderedResponse

Ending = Literal["keep", "close", "reset", "silence"]
"""What becomes of the connection: kept, closed with FIN, closed with RST, or left open for ever without a word."""
CHUNK = 2**16
WITHOUT_BODY = frozenset({204, 304})


@attrs.frozen(kw_only=True)
class ResponsePlan:
    """How an answer leaves.

    Attributes:
        framing: How the body's end is told: Content-Length, chunked, or ``none`` (by closing).
        length: A Content-Length to claim instead of the right one.
        stop: Bytes of the body after which the sending ends; None for all.
        ending: What becomes of the connection then.
        tail: What ends a chunked body: ``good``, ``missing``, or ``bad`` for a chunk size that is not a number.
        pieces: Bytes per write; None for as they come.
        every: Seconds between the writes.
        slow_head: Whether status line and headers are sent in such pieces too.
        endless: What never stops: interim answers, header lines or the body.
        interim: The status of endless interim answers.
    """

    framing: Literal["length", "chunked", "none"] = "length"
    length: str | None = None
    stop: int | None = None
    ending: Ending = "keep"
    tail: Literal["good", "missing", "bad"] = "good"
    pieces: int | None = None
    every: float = 0.0
    slow_head: bool = False
    endless: Literal["interim", "headers", "body"] | None = None
    interim: int = 102


WHOLE = ResponsePlan()


@attrs.frozen
class Pause:
    """Wait for so many seconds."""

    seconds: float


Step = bytes | Media | Pause | Ending
"""Bytes or a film to write, a pause, or at last what becomes of the connection."""


def deliver(reply: RenderedResponse, how: ResponsePlan = WHOLE, *, keep_alive: bool = True) -> Iterator[Step]:
    """Yield the steps that send *reply*; the last is the `Ending`, unless it is endless."""
    closes = how.ending == "keep" and (not keep_alive or how.framing == "none")
    if how.endless == "interim":
        yield from _forever(head(how.interim, ()), how.every)
    start = head(reply.status, (*reply.headers, *_framing(reply, how), *_connection(closes=closes)))
    if how.endless == "headers":
        yield start[:-2]
        yield from _forever(b"X-Sandbox-More: and more\r\n", how.every)
    if how.slow_head and how.pieces is not None:
        yield from _paced(Media((start,)), how)
    else:
        yield start
    yield from _body(reply, how)
    yield "close" if closes else how.ending


def _body(reply: RenderedResponse, how: ResponsePlan) -> Iterator[Step]:
    body = reply.body
    if how.endless == "body":
        body = Media((*body.segments, Filler(0, 2**62)))
    if how.stop is not None:
        body = body.slice(0, how.stop)
    if reply.status in WITHOUT_BODY or how.stop == 0:
        return
    if how.framing == "chunked":
        yield from _chunks(body, how)
    elif how.pieces is not None:
        yield from _paced(body, how)
    else:
        yield body


def _chunks(body: Media, how: ResponsePlan) -> Iterator[Step]:
    for piece in body.pieces(how.pieces or CHUNK):
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
        if how.every:
            yield Pause(how.every)
    tails = {"good": b"0\r\n\r\n", "missing": b"", "bad": b"xyz\r\n"}
    if how.stop is None or how.tail == "bad":
        yield tails[how.tail]


def _paced(body: Media, how: ResponsePlan) -> Iterator[Step]:
    for piece in body.pieces(how.pieces or BLOCK_SIZE):
        yield piece
        yield Pause(how.every)


def _forever(data: bytes, every: float) -> Iterator[Step]:
    for _ in count():
        yield data
        yield Pause(every)


def _framing(reply: RenderedResponse, how: ResponsePlan) -> tuple[tuple[str, str], ...]:
    chunked = (("Transfer-Encoding", "chunked"),) if how.framing == "chunked" else ()
    if how.length is not None:
        return (*chunked, ("Content-Length", how.length))
    if chunked or how.framing == "none" or reply.status in WITHOUT_BODY:
        return chunked
    if how.endless == "body":
        return (("Content-Length", str(2**62)),)
    return (("Content-Length", str(reply.body.length)),)


def _connection(*, closes: bool) -> tuple[tuple[str, str], ...]:
    # Said only where closing is regular: a connection that is going to break does not announce it.
    return (("Connection", "close"),) if closes else ()
