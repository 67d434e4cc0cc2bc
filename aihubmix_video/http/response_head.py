"""What is taken in of a response before it is understood: a bound on its head, and the raw bytes of a create's.

The library limits single lines and the number of headers, at sizes that proxies exceed, and not the head as a whole. Here
single lines may be as long as the head, and the head is limited: what one response can hold in memory before its body
begins is at most `MAX_HEAD_BYTES`, what the socket gave with it (256 KiB at most), and as much again as text.

A create's response that the parser refuses may hold the id of a paid job. So its bytes are kept as the socket gave them, and
the connection is read for a moment longer: the head and the body often come in different packets.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final, TypedDict

import attrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from aiohttp import BaseConnector, StreamReader
    from aiohttp.http import RawResponseMessage

__all__ = ["MAX_HEAD_BYTES", "PARSER_LIMITS", "RAW_BYTES", "RawResponse", "keep_raw", "watch_heads"]

MAX_HEAD_BYTES: Final = 256 << 10
"""Of one response's status line and headers; CDNs pass on up to 128 KiB."""
MAX_HEADERS: Final = 1000
RAW_BYTES: Final = 64 << 10
"""Kept of a create's response, as received: the first half of it from the beginning, the rest from the end."""
LINGER_SECONDS: Final = 3.0
"""For which a create's connection is still read after the parser has refused the response."""


class ParserLimits(TypedDict):
    """The library's names of its limits."""

    max_line_size: int
    max_field_size: int
    max_headers: int


PARSER_LIMITS: Final = ParserLimits(
    max_line_size=MAX_HEAD_BYTES, max_field_size=MAX_HEAD_BYTES, max_headers=MAX_HEADERS
)


@attrs.define
class RawResponse:
    """A response as the socket gave it, without its middle if it is long."""

    _beginning: bytearray = attrs.field(factory=bytearray, repr=False)
    _end: bytearray = attrs.field(factory=bytearray, repr=False)

    def update(self, data: bytes) -> None:
        """Take in what came next."""
        room = RAW_BYTES // 2 - len(self._beginning)
        self._beginning += data[:room]
        self._end += data[room:]
        del self._end[: -RAW_BYTES // 2]

    def clear(self) -> None:
        """Forget what came: it was of another connection, as a proxy's answer to CONNECT is."""
        self._beginning.clear()
        self._end.clear()

    def __bytes__(self) -> bytes:
        return bytes(self._beginning + self._end)


keep_raw: Final[ContextVar[RawResponse | None]] = ContextVar("keep_raw", default=None)
"""Set while a request is sent: takes in what comes over the connection that is made for it."""


class HeadWatcher(ResponseHandler):
    """Reads responses as the library does, and bounds and keeps what it does not.

    Connections of creates are used once, and made by the task that sends the create; so what is to be kept is known when a
    connection is made.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._raw = keep_raw.get()
        if self._raw is not None:
            self._raw.clear()
        self._head_bytes: int | None = 0  # None once the head is over
        self._refusal: tuple[BaseException, ...] | None = None  # held back while the connection is still read
        self._told = False

    def set_response_params(self, **options: object) -> None:
        """Expect the response to another request."""
        self._head_bytes = 0
        super().set_response_params(**options)  # type: ignore[arg-type]

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take in a head that was understood; after an informational one another follows."""
        self._head_bytes = 0 if 100 <= data[0].code <= 199 else None
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Take in what the socket gave."""
        if self._raw is not None:
            self._raw.update(data)
            if self._refusal is not None:
                return
        if self._head_bytes is None:
            super().data_received(data)
            return
        self._head_bytes += len(data)
        transport = self.transport
        if self._raw is not None:
            self.transport = None  # which the library would close, with the body still to come
        try:
            super().data_received(data)
        finally:
            self.transport = transport
        if self._head_bytes is not None and self._head_bytes > MAX_HEAD_BYTES and self._exception is None:
            self.set_exception(HttpProcessingError(message="the head is too long"))
            if self._raw is None and transport is not None:
                transport.close()

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Tell the task that waits what is wrong; that a create's response is refused, once its rest has come as well."""
        if self._refusal is not None:
            return  # which is what is wrong; that the connection then ends is not
        if self._raw is None or self._head_bytes is None or not isinstance(exc, HttpProcessingError):
            super().set_exception(exc, *cause)
            return
        self._refusal = (exc, *cause)
        self._loop.call_later(LINGER_SECONDS, self._tell)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing more will come."""
        self._tell()
        super().connection_lost(exc)

    def _tell(self) -> None:
        if self._refusal is not None and not self._told:
            self._told = True
            super().set_exception(*self._refusal)
            if self.transport is not None:
                self.transport.close()


def watch_heads(connector: BaseConnector) -> None:
    """Have a connector make connections that are watched.

    A release of the library that makes them otherwise is used without; a test tells.
    """
    connector._factory = partial(HeadWatcher, loop=asyncio.get_running_loop())  # type: ignore[assignment]  # noqa: SLF001  # there is no other way in
