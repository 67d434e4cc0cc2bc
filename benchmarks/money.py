"""How often one call to create a video buys it, when the answer goes wrong: POSTs that a server received per call.

    uv run --group bench python benchmarks/money.py

The server reads each request to its end, as a gateway does that then begins to work, and breaks the answer. Each client is
used as its documentation shows, with a timeout of a second where it has one. fal-client speaks TLS only, to a host from its
environment; it gets a certificate made for the run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import struct
import tempfile
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
import httpx
import openai
import trustme

from aihubmix_video import VideoSession
from aihubmix_video.session import request_executor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TIMEOUT = 1.0
KEY = "sk-0123456789"
JSON = b'{"id": "video_1", "object": "video", "status": "queued", "request_id": "1"}'


def answer(status: str, body: bytes, *headers: str, stated: int | None = None) -> bytes:
    """Write an answer down."""
    length = len(body) if stated is None else stated
    lines = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


FAULTS = {
    "reset after the request was read": None,
    "FIN after the request was read": b"",
    "no answer": b"silence",
    "500": answer("500 Internal Server Error", b'{"error": {"message": "oops"}}'),
    "504": answer("504 Gateway Timeout", b"<html>504</html>"),
    "200, body cut": answer("200 OK", JSON[:20], stated=len(JSON)),
    "307 to another path": answer("307 Temporary Redirect", b"", "Location: /elsewhere"),
}
"""What is sent for each; None resets."""


class Server:
    """Counts POSTs, and breaks the answers to them."""

    def __init__(self) -> None:
        self.fault: bytes | None = b""
        self.posts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = (
                line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(int(next(lengths, b"0")))
            self.posts += head.startswith(b"POST ")
            if self.fault == b"silence":
                await reader.read()
            elif self.fault is None:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            else:
                writer.write(answer("200 OK", JSON) if head.startswith(b"POST /elsewhere") else self.fault)
                await writer.drain()
        writer.close()


async def ours(url: str) -> object:
    """Create with this package."""
    async with VideoSession(KEY, base_url=url) as session:
        return await session.videos.create("a cat", model="sora-2")


async def openai_python(url: str) -> object:
    """Create with openai-python."""
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, timeout=TIMEOUT) as client:
        return await client.videos.create(prompt="a cat", model="sora-2")


async def fal_client(_url: str) -> object:
    """Submit with fal-client."""
    from fal_client import AsyncClient

    return await AsyncClient(key=KEY, default_timeout=TIMEOUT).submit(
        "fal-ai/some-model", arguments={"prompt": "a cat"}
    )


async def plain_httpx(url: str) -> object:
    """Post with httpx."""
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        return (await client.post(f"{url}/v1/videos", json={"prompt": "a cat"})).raise_for_status()


async def plain_aiohttp(url: str) -> object:
    """Post with aiohttp."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as client,
        client.post(f"{url}/v1/videos", json={"prompt": "a cat"}) as got,
    ):
        return await got.json()


CLIENTS: dict[str, Callable[[str], Awaitable[object]]] = {
    "ours": ours,
    "openai-python": openai_python,
    "fal-client": fal_client,
    "httpx": plain_httpx,
    "aiohttp": plain_aiohttp,
}


async def called(client: Callable[[str], Awaitable[object]], url: str) -> str:
    """Make one call; says how it ended for the caller."""
    try:
        await client(url)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return type(error).__name__
    return "success"


async def main() -> None:
    """Try everything and print a table."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore", DeprecationWarning)
    request_executor.CREATE_SECONDS = TIMEOUT  # ours waits three minutes, as an answer given up on may be a video lost
    server, authority = Server(), trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    with tempfile.NamedTemporaryFile(suffix=".pem") as trusted:
        trusted.write(authority.cert_pem.bytes())
        trusted.flush()
        plain = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        secure = await asyncio.start_server(server.serve, "localhost", 0, ssl=tls, family=socket.AF_INET)
        os.environ |= {
            "SSL_CERT_FILE": trusted.name,
            "FAL_QUEUE_RUN_HOST": f"localhost:{secure.sockets[0].getsockname()[1]}",
        }
        url = f"http://127.0.0.1:{plain.sockets[0].getsockname()[1]}"
        print("POSTs received for one call, and how it ended for the caller\n")
        print("|", " | ".join(["answer", *CLIENTS]), "|")
        print("|---" * (len(CLIENTS) + 1) + "|")
        for name, server.fault in FAULTS.items():
            cells = []
            for client in CLIENTS.values():
                server.posts = 0
                ended = await called(client, url)
                cells.append(f"{server.posts}, {ended}")
            print("|", " | ".join([name, *cells]), "|", flush=True)
        plain.close()
        secure.close()


if __name__ == "__main__":
    asyncio.run(main())
