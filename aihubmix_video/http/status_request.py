"""Status requests, over the library's connections and past its client.

A session of many jobs sends little else than status requests, and they are all alike: a path that differs, no body, no
redirect, no cookie. The library's client makes each of them from scratch, which is most of what a poll costs. So the
request is written here as a whole, while connections, TLS, proxies, the pool and the parsing of answers stay the library's.
Nothing here repeats a request: what broke is told to the scheduler, which asks again in its own time.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from aihubmix_video.http.response_head import PARSER_LIMITS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp.client_proto import ResponseHandler

    from aihubmix_video.settings import Secret

__all__ = ["StatusClient"]

SWITCHING_PROTOCOLS = 101


class StatusClient:
    """Asks about videos of one gateway.

    Args:
        client: Whose connections are used.
        videos_url: Of the videos endpoint.
        key: The API key; it is written into each request, and kept nowhere else.
        headers: Those that every request carries.
        proxy: Where the tunnel to the gateway starts.
        timeout: For connecting.
    """

    def __init__(
        self,
        client: aiohttp.ClientSession,
        videos_url: str,
        key: Secret,
        *,
        headers: Mapping[str, str],
        proxy: str | None,
        timeout: aiohttp.ClientTimeout,
    ) -> None:
        connector = client.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        url = URL(videos_url, encoded=True)
        self._connect = connector.connect
        self._timeout = timeout
        self._key = key
        # Requests for the library to connect by; they are never sent, so that the key is not in them. With a proxy each takes
        # a new one: the library writes into its headers, and tells connections apart by them.
        self._destination = partial(
            aiohttp.ClientRequest,
            "GET",
            url,
            session=client,
            loop=asyncio.get_running_loop(),
            proxy=URL(proxy) if proxy is not None else None,
            proxy_headers=headers if proxy is not None else None,
        )
        self._without_proxy = self._destination() if proxy is None else None
        self._path = url.raw_path
        lines = {"Host": url.host_port_subcomponent, "Accept": "*/*", **headers, "Authorization": "Bearer "}
        self._rest = " HTTP/1.1\r\n" + "\r\n".join(f"{name}: {value}" for name, value in lines.items())

    async def get(
        self, segment: str, leave: Callable[[], Awaitable[None]], received: bytearray, most: int
    ) -> tuple[int, Mapping[str, str]]:
        """Ask once; errors are the library's own.

        Args:
            segment: The video's id as one segment of a URL.
            leave: Awaited when the connection stands, before the first byte is written.
            received: Takes in the body.
            most: Bytes; of a longer body, a little more than that is read.

        Returns:
            Status and headers of the answer.
        """
        destination = self._without_proxy or self._destination()
        connection = await self._connect(destination, traces=[], timeout=self._timeout)
        whole = False
        try:
            protocol = connection.protocol
            if protocol is None:
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(read_until_eof=True, **PARSER_LIMITS)
            await leave()
            transport = protocol.transport
            if transport is None or protocol.should_close or transport.is_closing():
                raise aiohttp.ServerDisconnectedError  # while it waited for its turn
            transport.write(f"GET {self._path}/{segment}{self._rest}{self._key.reveal()}\r\n\r\n".encode())
            status, headers, content = await _answer(protocol)
            while piece := await content.readany():
                received += piece
                if len(received) > most:
                    return status, headers
            whole = True
            return status, headers
        finally:
            if whole:
                connection.release()
            else:
                connection.close()


async def _answer(protocol: ResponseHandler) -> tuple[int, Mapping[str, str], aiohttp.StreamReader]:
    """Wait for the final answer; informational ones may precede it."""
    while True:
        message, content = await protocol.read()
        if not 100 <= message.code <= 199 or message.code == SWITCHING_PROTOCOLS:
            return message.code, message.headers, content
