"""The sandbox: its options, its life on a loopback port, and what can be asked of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from math import isfinite
from random import Random
from typing import IO, TYPE_CHECKING, Self, get_args

import attrs
from aiohttp import web

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.sandbox.fault_script import FaultScript
from aihubmix_video.sandbox.gateway import Gateway, Rules
from aihubmix_video.sandbox.http_server import HttpServer
from aihubmix_video.sandbox.profiles import PROFILES, ProfileName
from aihubmix_video.sandbox.request_handler import RequestHandler
from aihubmix_video.sandbox.vendors import BY_MODEL
from aihubmix_video.sandbox.vendors.seedance import SeedanceReads
from aihubmix_video.sandbox.vendors.user_models import with_user_models
from aihubmix_video.sandbox.video.clips import Studio, can_render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from ssl import SSLContext
    from types import TracebackType

    from aihubmix_video.sandbox.jobs import SandboxJob
    from aihubmix_video.sandbox.request_log import LoggedRequest
    from aihubmix_video.sandbox.vendors.user_models import PlainModel
    from aihubmix_video.sandbox.vendors.vendor import Order

API_KEY = "sk-sandbox-" + "0" * 40
HOSTS = ("127.0.0.1", "::1")
SILENT = logging.getLogger("aihubmix_video.sandbox.aiohttp")
SILENT.setLevel(logging.CRITICAL + 1)
"""Broken requests are what the sandbox is for; aiohttp need not report them."""


@attrs.define(kw_only=True, eq=False)
class Sandbox:
    """A local gateway that behaves like AIHubMix's video API. Nothing leaves this machine, nothing costs anything.

        async with Sandbox(speed=60) as sandbox:
            client = SomeClient(base_url=sandbox.url, api_key=sandbox.api_key)

    Attributes:
        speed: How much faster than the vendors it generates: 60 makes a minute a second. Nothing else is scaled.
        seed: Of all its random draws; the same seed and the same order of requests give the same jobs.
        api_key: The one key it accepts.
        host: ``"127.0.0.1"`` or ``"::1"``; nothing else, as it must not be reached from outside.
        port: The port; 0 for any free one.
        ssl: Serve https with this context.
        rate_limit: Requests in any second above which it answers 429; None for no limit.
        link_lifetime: Seconds from creation until a video is gone; None for the vendors' own, 24 hours or 30 days.
        balance: Jobs the account can pay for; None for no limit.
        profile: ``"page"`` answers as the official page and the API reference document it, so that other clients work as they are;
            ``"field"`` as was observed: see `GatewayProfile`.
        seedance_reads: Where Seedance's options are read, as reports differ: ``"both"`` places, ``"top"``, ``"nested"`` (in
            ``extra_body``, as the official page's example has them), or ``"observed"`` (length and pixels at the top, the rest nested).
        models: Models of your own, as plain data in the form of a file of tables: each is answered as the model that it is
            ``like``, or as one of its ``dialect``, with its own lengths, sizes and choices.
        generation: Seconds a job takes before `speed`: a number, or a function of the `Order`; None for the vendors' own.
        content: What every video is: these bytes, or a valid MP4 of so many bytes that is never held in memory. None for
            films of the size and length asked for.
        render: Whether films are rendered, which needs PyAV; None to render where it is installed.
        resumable: Whether videos come with ETag, Last-Modified and ranges.
        chunked: Whether videos are sent without Content-Length.
        clock_offset: Seconds by which its clock is ahead of this machine's.
        keep_headers: Whether the log keeps the headers of requests, without Authorization.
        log_limit: Requests the log holds at most, the newest; None for all.
        faults: What is to go wrong, and when.

    Raises:
        ConfigurationError: An option that is out of range.
    """

    speed: float = 60.0
    seed: int = 0
    api_key: str = attrs.field(default=API_KEY, repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    ssl: SSLContext | None = None
    rate_limit: float | None = None
    link_lifetime: float | None = None
    balance: int | None = None
    profile: ProfileName = "page"
    seedance_reads: SeedanceReads = "both"
    models: Sequence[PlainModel] = ()
    generation: float | Callable[[Order], float] | None = None
    content: bytes | int | None = attrs.field(default=None, repr=False)
    render: bool | None = None
    resumable: bool = True
    chunked: bool = False
    clock_offset: float = 0.0
    keep_headers: bool = False
    log_limit: int | None = None
    faults: FaultScript = attrs.field(factory=FaultScript, init=False, repr=False)
    _log: deque[LoggedRequest] = attrs.field(init=False, repr=False)
    _edge: HttpServer | None = attrs.field(default=None, init=False, repr=False)
    _server: web.Server | None = attrs.field(default=None, init=False, repr=False)
    _listener: asyncio.Server | None = attrs.field(default=None, init=False, repr=False)
    _studio: Studio = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _check(self)
        self._log = deque(maxlen=self.log_limit)
        self._studio = Studio(can_render() if self.render is None else self.render)

    @property
    def url(self) -> str:
        """The base URL, without ``/v1``."""
        if self._edge is None:
            raise ConfigurationError("the sandbox is not running; open it with `async with Sandbox() as sandbox:`")
        return self._origin()

    @property
    def log(self) -> list[LoggedRequest]:
        """Every request so far, in the order in which they were decided."""
        return list(self._log)

    @property
    def billed(self) -> int:
        """How many jobs were bought, whatever their clients learned of them."""
        return 0 if self._edge is None else self._edge.desk.billed

    @property
    def jobs(self) -> Mapping[str, SandboxJob]:
        """Every job so far by id."""
        return {} if self._edge is None else self._edge.desk.gateway.jobs

    async def sha256(self, video_id: str) -> str:
        """Return the hex digest of a job's video, as it is served without faults.

        Raises:
            KeyError: There is no such job.
        """
        edge = self._running()
        job = self.jobs[video_id]
        source = await edge.source(job)
        return await asyncio.to_thread(lambda: edge.desk.film(job, source).sha256())

    async def start(self) -> None:
        """Begin to serve; `async with` does it for you.

        Raises:
            ConfigurationError: The port is taken, or it runs already.
        """
        if self._server is not None:
            raise ConfigurationError("the sandbox is running already")
        await self._studio.open()
        filler = await self._studio.filler_file() if isinstance(self.content, int) and self.ssl is None else None
        self._edge = self._make_edge(filler)
        self._server = web.Server(self._edge.handle, handler_cancellation=True, access_log=None, logger=SILENT)
        try:
            await self.up()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Stop serving and drop every connection. Jobs remain readable until it is started again; the log goes on."""
        await self.down()
        self._server = None
        await self._studio.close()
        if self._edge is not None and self._edge.filler is not None:
            self._edge.filler.close()
            self._edge.filler = None

    async def down(self) -> None:
        """Play dead: connections are dropped, new ones are refused. Jobs go on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        if self._server is not None:
            for connection in self._server.connections:
                if connection.transport is not None:
                    connection.transport.abort()
            await self._server.shutdown(timeout=1.0)

    async def up(self) -> None:
        """Listen again, on the same port.

        Raises:
            ConfigurationError: The port is taken.
        """
        self._running()
        if self._listener is not None or self._server is None:
            return
        loop = asyncio.get_running_loop()
        try:
            listener = await loop.create_server(self._server, self.host, self.port, ssl=self.ssl, backlog=1024)
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {self.host} port {self.port}: {error.strerror}") from error
        self._listener = listener
        self.port = listener.sockets[0].getsockname()[1]
        gateway = self._running().desk.gateway
        gateway.rules = attrs.evolve(gateway.rules, origin=self._origin())

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        async with self:
            await asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _make_edge(self, filler: IO[bytes] | None) -> HttpServer:
        epoch = time.time() + self.clock_offset
        rules = Rules(
            api_key=self.api_key,
            speed=self.speed,
            epoch=epoch,
            rate_limit=self.rate_limit,
            link_lifetime=self.link_lifetime,
            balance=self.balance,
            seedance_reads=self.seedance_reads,
            profile=PROFILES[self.profile],
            vendors=with_user_models(BY_MODEL, self.models),
            generation=self.generation,
        )
        size = self.content if isinstance(self.content, int) else None
        desk = RequestHandler(Gateway(rules), self.faults, self._log, size, self.resumable, self.keep_headers)
        return HttpServer(
            desk=desk,
            studio=self._studio,
            started=asyncio.get_running_loop().time(),
            epoch=epoch,
            chance=Random(self.seed),  # noqa: S311  # a play, not a secret
            fault_chance=Random(self.seed + 1),  # noqa: S311  # see above
            content=self.content if isinstance(self.content, bytes) else None,
            filler=filler,
            chunked=self.chunked,
        )

    def _origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self.ssl is None else 'https'}://{host}:{self.port}"

    def _running(self) -> HttpServer:
        if self._edge is None:
            raise ConfigurationError("the sandbox is not running; open it with `async with Sandbox() as sandbox:`")
        return self._edge


def _check(sandbox: Sandbox) -> None:
    if sandbox.host not in HOSTS:
        raise ConfigurationError(f"host {sandbox.host!r} is not loopback; the sandbox serves {' or '.join(HOSTS)} only")
    if not 0 <= sandbox.port <= 65_535:
        raise ConfigurationError(f"port {sandbox.port} is not within 0 to 65535")
    if (
        not sandbox.api_key
        or not sandbox.api_key.isascii()
        or not sandbox.api_key.isprintable()
        or " " in sandbox.api_key
    ):
        raise ConfigurationError("api_key must be printable ASCII without spaces")
    for name in ("speed", "rate_limit", "link_lifetime"):
        value = getattr(sandbox, name)
        if value is not None and not (isfinite(value) and value > 0):
            raise ConfigurationError(f"{name} {value} is not a positive number")
    for name in ("balance", "content", "log_limit"):
        value = getattr(sandbox, name)
        if isinstance(value, int) and value < 0:
            raise ConfigurationError(f"{name} {value} is negative")
    with_user_models(BY_MODEL, sandbox.models)
    if sandbox.profile not in PROFILES:
        raise ConfigurationError(f"profile {sandbox.profile!r} is not one of {', '.join(PROFILES)}")
    if sandbox.seedance_reads not in get_args(SeedanceReads):
        allowed = ", ".join(get_args(SeedanceReads))
        raise ConfigurationError(f"seedance_reads {sandbox.seedance_reads!r} is not one of {allowed}")
    if sandbox.render and not can_render():
        raise ConfigurationError("rendering needs PyAV: pip install 'aihubmix-video[media]'")
