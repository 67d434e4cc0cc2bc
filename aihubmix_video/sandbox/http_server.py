"""Between aiohttp and the desk: reads requests, asks the desk, puts its replies on the wire."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import IO, TYPE_CHECKING
from weakref import WeakSet

import attrs
from aiohttp import web

from aihubmix_video.sandbox.gateway import Draws
from aihubmix_video.sandbox.http_format import REASONS
from aihubmix_video.sandbox.ids import request_id
from aihubmix_video.sandbox.response_plan import WHOLE, ResponsePlan, deliver
from aihubmix_video.sandbox.response_writer import end, send

if TYPE_CHECKING:
    from random import Random

    from aiohttp.abc import AbstractStreamWriter

    from aihubmix_video.sandbox.gateway_response import GatewayResponse
    from aihubmix_video.sandbox.http_format import RenderedResponse
    from aihubmix_video.sandbox.jobs import SandboxJob
    from aihubmix_video.sandbox.request_handler import RequestHandler, Visit
    from aihubmix_video.sandbox.response_plan import Ending
    from aihubmix_video.sandbox.video.clips import Studio
    from aihubmix_video.sandbox.video.films import Clip

LARGEST_BODY = 64 * 2**20
"""Bytes of a request; a reference image as data URL may have 20 MB or more."""
CHUNKED = ResponsePlan(framing="chunked")


class Written(web.StreamResponse):
    """Tells aiohttp that the answer is on the wire already."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keeps = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may carry another request."""
        return self._keeps

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002  # aiohttp's signature
        """Send nothing."""
        return None

    async def write_eof(self, data: bytes | bytearray | memoryview = b"") -> None:
        """Send nothing."""


KEPT, CLOSED = Written(keep_alive=True), Written(keep_alive=False)


@attrs.define(eq=False)
class HttpServer:
    """Handles requests.

    Attributes:
        desk: Decides.
        studio: Provides clips.
        started: Zero of the sandbox's clock, on the event loop's.
        epoch: Unix time at that moment.
        chance: Draws for jobs; also `fault_chance`, apart so that a fault does not change later jobs.
        content: Serves these bytes as every film.
        filler: The file that large films are filled from.
        chunked: Whether films are sent without Content-Length.
    """

    desk: RequestHandler
    studio: Studio
    started: float
    epoch: float
    chance: Random
    fault_chance: Random
    content: bytes | None = None
    filler: IO[bytes] | None = None
    chunked: bool = False
    _requests: int = 0
    _second: int = -1
    _date: str = ""
    _used: WeakSet[asyncio.BaseTransport] = attrs.field(factory=WeakSet)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one request; the entry point that aiohttp calls."""
        visit = self._arrive(request)
        try:
            await self._read(request, visit)
            answer = self._answer(visit)
            if visit.strike is None and answer.film is None and not answer.headers and request.keep_alive:
                return self._write_at_once(request, visit, answer)
            return await self._write(request, visit, answer)
        except ConnectionError:
            return CLOSED

    def _arrive(self, request: web.BaseRequest) -> Visit:
        at = asyncio.get_running_loop().time()
        self._requests += 1
        transport = request.transport
        reused = transport in self._used
        if transport is not None and not reused:
            self._used.add(transport)
        now = at - self.started
        return self.desk.arrive(
            request.method,
            request.raw_path,
            request.headers,
            at=at,
            now=now,
            request_id=request_id(self.epoch + now, self._requests),
            reused=reused,
        )

    async def _read(self, request: web.BaseRequest, visit: Visit) -> None:
        """Read the body, unless a fault strikes before."""
        desk = self.desk
        if desk.faults:
            strike = desk.struck(visit, unread=True, draw=self.fault_chance.random())
            if strike is not None and strike.fault.answer is not None:
                return
        body = b""
        if request.can_read_body:
            body = await self._body(request, visit)
        desk.read(visit, body)
        if desk.faults and visit.strike is None:
            desk.struck(visit, unread=False, draw=self.fault_chance.random())

    async def _body(self, request: web.BaseRequest, visit: Visit) -> bytes:
        if "Expect" in request.headers and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if (request.content_length or 0) > LARGEST_BODY:
            return b""
        try:
            return await request.content.read()
        except (ConnectionError, asyncio.CancelledError, web.RequestPayloadError):
            self.desk.note(visit, None, None)
            raise

    def _answer(self, visit: Visit) -> GatewayResponse:
        creates = visit.target is not None and visit.target.route == "create"
        return self.desk.answer(visit, self._draw() if creates else None)

    def _draw(self) -> Draws:
        chance = self.chance
        return Draws(
            normal=chance.normalvariate(),
            queue=chance.random(),
            url=chance.random(),
            length=chance.random(),
            bits=chance.getrandbits(192),
            channel=chance.randrange(1000, 10_000),
        )

    def _write_at_once(self, request: web.BaseRequest, visit: Visit, answer: GatewayResponse) -> web.StreamResponse:
        """Answer in one write: the usual case, and the one that has to be cheap."""
        status = answer.status
        self.desk.note(visit, answer, status)
        start = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {answer.content_type}\r\n"
            f"Date: {self._now(visit)}\r\nX-Request-Id: {visit.request_id}\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        )
        transport = request.transport
        if transport is None or transport.is_closing():
            return CLOSED
        transport.write(start.encode() + answer.body)
        return KEPT

    async def _write(self, request: web.BaseRequest, visit: Visit, answer: GatewayResponse) -> web.StreamResponse:
        """Answer in steps: films, and whatever a fault makes of an answer."""
        fault = None if visit.strike is None else visit.strike.fault
        source = None
        if answer.film is not None and (fault is None or fault.answer is None):
            source = await self.source(answer.film)
        reply = self.desk.reply(visit, answer, source)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        how = WHOLE if fault is None else fault.delivery
        if how is WHOLE and source is not None and self.chunked:
            how = CHUNKED
        ending: Ending = how.ending
        if reply is not None:
            steps = deliver(self._stamped(reply, visit), how, keep_alive=request.keep_alive)
            ending = await send(request, steps, self.filler)
        await end(request, ending)
        return KEPT if ending == "keep" else CLOSED

    async def source(self, job: SandboxJob) -> Clip | bytes:
        """Return what a job's film is made of."""
        if self.content is not None:
            return self.content
        order = job.order
        if self.desk.size is not None:
            return self.studio.shipped(order.width, order.height, order.seconds)
        return await self.studio.clip(order)

    def _stamped(self, reply: RenderedResponse, visit: Visit) -> RenderedResponse:
        named = {name.lower() for name, _ in reply.headers}
        common = (("Date", self._now(visit)), ("X-Request-Id", visit.request_id))
        return reply.with_headers((name, value) for name, value in common if name.lower() not in named)

    def _now(self, visit: Visit) -> str:
        second = int(self.epoch + visit.now)
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
        return self._date
