"""The HTTP edge: one request per call, over one aiohttp session, and another for creates.

Status requests take a shorter way, `status_request`. Five habits of the library are turned off or watched here:

* It follows redirects, sending a POST's body again. None is followed, except for content, and there without the key.
* It repeats a GET or DELETE by itself when a connection breaks. The second sending is refused: one call is one request.
* Its errors carry the request's headers, so the key, in `args` and in the locals of their frames. `_exchange` returns them
  as values of our own, which are raised outside of every ``except``, with nothing of the library's chained.
* It sends a request over a kept connection that the server may be closing at that moment, and whether it arrived cannot be
  known. A create gets a connection of its own.
* Its ``trust_env`` reads ``~/.netrc`` for each request. The proxy is found once, by `settings`, instead.

`SendHook` is the point of no return: the library calls it when the connection stands and before the first byte is written.
What fails before it was provably not sent.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
import attrs
from yarl import URL

from aihubmix_video.errors import ConfigurationError, MalformedReply, VideoError
from aihubmix_video.http.checked_resolver import CheckedResolver
from aihubmix_video.http.connection_errors import CONNECT_SECONDS, RepeatRefusedError, failure
from aihubmix_video.http.response_head import PARSER_LIMITS, RawResponse, keep_raw, watch_heads
from aihubmix_video.http.shared_timeouts import TimeLimits
from aihubmix_video.http.status_request import StatusClient
from aihubmix_video.protocol.response import Response
from aihubmix_video.protocol.sanitize import kept, kept_ends
from aihubmix_video.protocol.video_ids import id_segment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from types import SimpleNamespace

    from aihubmix_video.http.rate_gate import RateGate
    from aihubmix_video.settings import Settings

__all__ = ["HttpClient", "SendHook"]

IDLE_CONNECTION_SECONDS = 15.0  # shorter than any server's, so that requests seldom meet a connection being closed
MAX_RESPONSE_BYTES = 1 << 20
CONTENT_BUFFER_BYTES = 1 << 20
RESERVED_DESCRIPTORS = 128  # for files, the ledger, and what else the process has open

LIBRARY_MISMATCH = (TypeError, AttributeError)  # what a release of the library raises that has other insides

HEADERS = {"User-Agent": "aihubmix-video-python", "Accept-Encoding": "identity"}


@attrs.define
class SendHook:
    """Watches and counts the sending of one call's request.

    Attributes:
        before: Awaited when the connection stands; if it raises, nothing is sent.
        at_last: Called when the first byte is about to leave; if it raises, nothing is sent.
        requests: How often a request left; more than one only where redirects were followed.
    """

    before: Callable[[], Awaitable[None]] | None = None
    at_last: Callable[[], None] | None = None
    requests: int = 0
    _hop: int = attrs.field(default=0, init=False)

    @property
    def left(self) -> bool:
        """Whether any byte may have reached the gateway."""
        return self.requests > 0

    def allow_another(self) -> None:
        """Let one more request leave, for a redirect."""
        self._hop += 1

    @property
    def may_leave(self) -> bool:
        """Whether a request that is ready was asked for, not repeated by the library."""
        return self.requests <= self._hop


class HttpClient:
    """Sends requests to one gateway with one key.

    Attributes:
        videos_url: The URL of the videos endpoint.
        is_local: Whether the gateway is on this machine.
        watcher: Called with the method, the body sent and the answer of every request about videos, but for content.
    """

    def __init__(self, settings: Settings, gate: RateGate) -> None:
        self._settings = settings
        self._gate = gate
        self.is_local = settings.origin_is_local
        self._base = URL(settings.base_url)
        self.videos_url = f"{settings.base_url}/v1/videos"
        self._client: aiohttp.ClientSession | None = None
        self._buyer: aiohttp.ClientSession | None = None
        self._direct: StatusClient | None = None
        self._resolver: CheckedResolver | None = None
        self._limits = TimeLimits()
        self.watcher: Callable[[str, bytes | None, Response], None] | None = None

    def open(self) -> None:
        """Open the sessions; nothing is connected before the first request."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        most = _most_connections()
        proxy = self._settings.proxy
        own = [host for host in (self._base.raw_host, URL(proxy).raw_host if proxy else None) if host]
        self._resolver = resolver = CheckedResolver(own, local=self.is_local)
        self._client = self._session(
            aiohttp.TCPConnector(limit=most, keepalive_timeout=IDLE_CONNECTION_SECONDS, resolver=resolver),
            timeout=timeout,
        )
        self._buyer = self._session(
            aiohttp.TCPConnector(limit=most, force_close=True, resolver=resolver), timeout=timeout
        )
        with suppress(*LIBRARY_MISMATCH):
            self._direct = StatusClient(
                self._client,
                self.videos_url,
                self._settings.api_key,
                headers=HEADERS,
                proxy=self._settings.proxy,
                timeout=timeout,
            )

    def _session(self, connector: aiohttp.TCPConnector, *, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(self._departing)
        watch_heads(connector)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=timeout,
            trace_configs=[tracing],
            headers=HEADERS,
            **PARSER_LIMITS,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        self._limits.close()
        self._direct = None
        for session in (self._client, self._buyer):
            if session is not None:
                await session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def send(
        self,
        method: str,
        video_id: str | None = None,
        *,
        body: bytes | None = None,
        seconds: float,
        send_hook: SendHook,
    ) -> Response:
        """Send one request and read its answer.

        Args:
            method: ``POST`` creates, ``GET`` retrieves, ``DELETE`` deletes.
            video_id: The job, for the latter two.
            body: JSON.
            seconds: For everything, from connecting to the last byte.
            send_hook: Tells afterwards whether the request left.

        Raises:
            ConnectionFailed: No whole answer came; `sent` says whether the request had left.
            MalformedReply: The answer is not HTTP, or longer than 1 MiB.
        """
        outcome = await self._exchange(method, video_id, body, seconds, send_hook)
        if isinstance(outcome, Response):
            if self.watcher is not None:
                self.watcher(method, body, outcome)
            return outcome
        raise outcome

    async def get(
        self,
        path: str,
        *,
        with_key: bool,
        seconds: float,
        send_hook: SendHook,
        headers: Mapping[str, str] | None = None,
        most: int | None = None,
    ) -> Response:
        """Send one GET to another path of the gateway, and read its answer; redirects are not followed.

        Args:
            path: What follows the base URL, encoded.
            with_key: Whether the key is sent; public endpoints do without.
            seconds: For everything, from connecting to the last byte.
            send_hook: Tells afterwards whether the request left.
            headers: Further headers.
            most: Bytes of the body that are read, where a look at its beginning is wanted; None for all of it.

        Raises:
            ConnectionFailed: No whole answer came.
            MalformedReply: The answer is not HTTP, or longer than 1 MiB.
        """
        outcome = await self._look(path, with_key, seconds, send_hook, headers or {}, most)
        if isinstance(outcome, Response):
            return outcome
        raise outcome

    async def _look(
        self,
        path: str,
        with_key: bool,  # noqa: FBT001 - as above
        seconds: float,
        send_hook: SendHook,
        headers: Mapping[str, str],
        most: int | None,
    ) -> Response | VideoError | asyncio.CancelledError:
        received = bytearray()
        keep_raw.set(None)
        try:
            with self._limits.within(seconds):
                async with self.request(
                    "GET",
                    self.url_of(path),
                    send_hook,
                    headers={**headers, **(self.authorised() if with_key else {})},
                ) as response:
                    async for piece in response.content.iter_any():
                        received += piece
                        if len(received) > (MAX_RESPONSE_BYTES if most is None else most):
                            break
                    status, answered = response.status, response.headers
        except asyncio.CancelledError as cancelled:
            return asyncio.CancelledError(*cancelled.args)
        except Exception as exc:  # noqa: BLE001 - as in `_exchange`
            return failure(exc, self._base, sent=send_hook.left, body=kept(self._unquoted(received)))
        if most is None and len(received) > MAX_RESPONSE_BYTES:
            return _too_long(status, self._unquoted(received))
        return Response(status=status, headers=answered, body=self._unquoted(received)[:most])

    def url_of(self, path: str) -> str:
        """Return the URL of a path of the gateway's."""
        return f"{self._settings.base_url}{path}"

    async def _exchange(
        self, method: str, video_id: str | None, body: bytes | None, seconds: float, send_hook: SendHook
    ) -> Response | VideoError | asyncio.CancelledError:
        received = bytearray()
        raw = RawResponse()
        keep_raw.set(raw if method == "POST" else None)
        segment = None if video_id is None else id_segment(video_id)
        try:
            with self._limits.within(seconds):
                if method == "GET" and segment is not None and self._direct is not None:
                    status, headers = await self._asked(self._direct, segment, send_hook, received)
                else:
                    status, headers = await self._answer(method, segment, body, send_hook, received)
        except asyncio.CancelledError as cancelled:
            return asyncio.CancelledError(*cancelled.args)
        except Exception as exc:  # noqa: BLE001 - the library lets ValueError and OSError through as well as its own
            # What was understood of the body, else everything that came: an id may stand in it.
            came = kept(self._unquoted(received)) or kept_ends(self._unquoted(bytes(raw)))
            return failure(exc, self._base, sent=send_hook.left, body=came)
        if (
            len(received) > MAX_RESPONSE_BYTES and status < HTTPStatus.BAD_REQUEST
        ):  # a refusal says enough by its status
            return _too_long(status, self._unquoted(received))
        return Response(status=status, headers=headers, body=self._unquoted(received))

    async def _asked(
        self, direct: StatusClient, segment: str, send_hook: SendHook, received: bytearray
    ) -> tuple[int, Mapping[str, str]]:
        """Ask past the library's client, or through it if this release of the library does not allow that."""
        try:
            return await direct.get(segment, partial(self._leave, send_hook), received, MAX_RESPONSE_BYTES)
        except LIBRARY_MISMATCH:
            if send_hook.left:
                raise
            self._direct = None
        return await self._answer("GET", segment, None, send_hook, received)

    async def _answer(
        self, method: str, segment: str | None, body: bytes | None, send_hook: SendHook, received: bytearray
    ) -> tuple[int, Mapping[str, str]]:
        """Send a request that may have a body, by way of the library's client."""
        url = self.videos_url if segment is None else f"{self.videos_url}/{segment}"
        async with self.request(method, url, send_hook, headers=self.authorised(body), body=body) as response:
            async for piece in response.content.iter_any():
                received += piece
                if len(received) > MAX_RESPONSE_BYTES:
                    break
            return response.status, response.headers

    def _unquoted(self, received: bytes | bytearray) -> bytes:
        """Mask the key in an answer that quotes it: it would be in the locals of every function that reads the answer."""
        return bytes(received).replace(self._settings.api_key.reveal().encode(), b"sk-...")

    def authorised(self, body: bytes | None = None) -> dict[str, str]:
        """Headers for a request to the gateway's own origin; never kept in a variable."""
        headers = {"Authorization": f"Bearer {self._settings.api_key.reveal()}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def request(
        self,
        method: str,
        url: str,
        send_hook: SendHook,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        decompress: bool = True,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Open one request to *url*, which is already encoded; errors are the library's own."""
        session = self._buyer if method == "POST" else self._client
        if session is None:
            raise ConfigurationError("the transport is not open")
        return session.request(
            method,
            URL(url, encoded=True),
            data=None if body is None else BytesIO(body),  # of large bytes the library warns, and that may be an error
            headers=headers,
            allow_redirects=False,
            proxy=self._settings.proxy,
            auto_decompress=decompress,
            read_bufsize=CONTENT_BUFFER_BYTES,
            trace_request_ctx=send_hook,
        )

    async def _departing(
        self, _client: aiohttp.ClientSession, context: SimpleNamespace, _params: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        await self._leave(context.trace_request_ctx)

    async def _leave(self, send_hook: SendHook) -> None:
        if not send_hook.may_leave:
            raise RepeatRefusedError
        if send_hook.before is not None:
            await send_hook.before()
        await self._gate.passed()
        if send_hook.at_last is not None:
            send_hook.at_last()
        send_hook.requests += 1


def _most_connections() -> int:
    """Return how many connections to keep open at most; 0 for any number.

    The scheduler bounds how many are used. Idle ones stay open, though, and must not take the last descriptors: no file could
    be opened then.
    """
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if descriptors == resource.RLIM_INFINITY else max(descriptors // 2, descriptors - RESERVED_DESCRIPTORS)


def _too_long(status: int, received: bytes) -> MalformedReply:
    message = f"the answer is longer than {MAX_RESPONSE_BYTES} bytes"
    return MalformedReply(message, body=kept(received), status_code=status)
