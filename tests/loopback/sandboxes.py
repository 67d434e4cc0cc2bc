"""Ways to talk to a sandbox that hide nothing: aiohttp for the plain cases, bare sockets for the broken ones."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from json import dumps
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aihubmix_video.sandbox import Sandbox

REQUEST = {"model": "wan2.6-t2v", "prompt": "a cat"}
NOW = {"generation": 0.0, "content": b"0123456789" * 100}
"""Options of a sandbox whose jobs are done at once and whose films cost nothing."""


@asynccontextmanager
async def client(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """Give an HTTP client that sends the sandbox's key."""
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(f"{sandbox.url}/", headers=headers, timeout=timeout) as session:
        yield session


async def create(session: aiohttp.ClientSession, **fields: object) -> str:
    """Create a job and give its id."""
    async with session.post("v1/videos", json=REQUEST | fields) as answer:
        assert 200 == answer.status, await answer.text()
        return str((await answer.json())["id"])


async def raw(
    sandbox: Sandbox,
    method: str = "POST",
    path: str = "/v1/videos",
    *,
    body: Mapping[str, object] | None = None,
    within: float = 5.0,
    until: bytes = b"",
    enough: int | None = None,
) -> tuple[bytes, str]:
    """Send one request over a bare socket and read until the connection ends.

    Returns:
        What came, and how it ended: ``"FIN"``, ``"RST"``, or ``"open"`` when it was still open after *within* seconds,
        after *enough* bytes, or a moment after *until* had come.
    """
    reader, writer = await asyncio.open_connection(sandbox.host, sandbox.port)
    data = dumps(REQUEST if body is None and method == "POST" else body).encode() if method == "POST" else b""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {sandbox.host}:{sandbox.port}",
        f"Authorization: Bearer {sandbox.api_key}",
        f"Content-Length: {len(data)}",
    ]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
    try:
        return await _drain(reader, within, until, enough)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def _drain(reader: asyncio.StreamReader, within: float, until: bytes, enough: int | None) -> tuple[bytes, str]:
    came = b""
    try:
        while enough is None or len(came) < enough:
            patience = 0.02 if until and came.endswith(until) else within
            piece = await asyncio.wait_for(reader.read(2**16), patience)
            if not piece:
                return came, "FIN"
            came += piece
    except ConnectionResetError:
        return came, "RST"
    except TimeoutError:
        pass
    return came, "open"
