"""A thousand browsers that look at one process, and what they cost it."""

from __future__ import annotations

import asyncio
import resource
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.sandbox import Sandbox
from tests.loopback.fastapi.test_event_routes import SLOW
from tests.loopback.fastapi.test_process import process
from tests.loopback.servers import CAT

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Iterator

    import httpx

CLIENTS = 1000
AT_ONCE = 50
TO_OPEN = 64 << 10
"""Bytes that an open stream may take: its socket, its request, and a place to wait."""
TO_LISTEN = 8 << 10
"""Bytes by which it may grow for what it does not read."""

Connection = tuple["StreamReader", "StreamWriter"]


@contextmanager
def many_descriptors() -> Iterator[None]:
    """Let this process, and those it starts, open enough sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * CLIENTS:
        pytest.skip("this machine does not let a process open so many sockets")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * CLIENTS), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(pid: int) -> int:
    """Give the bytes of memory that a process occupies."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def listening(port: int, path: str) -> Connection:
    """Open an event stream that nobody will read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def open_all(port: int, paths: list[str], count: int) -> list[Connection]:
    """Open so many streams, a few at a time."""
    opened: list[Connection] = []
    while len(opened) < count:
        some = (listening(port, paths[number % len(paths)]) for number in range(AT_ONCE))
        opened += await asyncio.gather(*some)
    return opened


async def bustle(client: httpx.AsyncClient) -> None:
    """Have something happen that everybody is told."""
    long = CAT | {"prompt": "a cat " * 200}
    jobs = [(await client.post("/videos/", json=long)).headers["Location"] for _ in range(12)]
    for job in jobs:
        assert 204 == (await client.delete(job)).status_code


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
async def test_a_thousand_open_streams_take_little_memory_and_no_more_of_it_as_things_happen(tmp_path: Path):
    """Pages are left open over night. Judged in bytes of the server's process, with clients that read nothing."""
    with many_descriptors():
        async with Sandbox(**SLOW) as sandbox, process(sandbox, tmp_path) as (child, client):
            port = client.base_url.port or 0
            job = (await client.post("/videos/", json=CAT)).headers["Location"]
            paths = [f"{job}/events", "/videos/events"]
            for _, writer in await open_all(port, paths, AT_ONCE):  # so that the server has its buffers and caches
                writer.close()
            before = resident(child.pid)
            connections = await open_all(port, paths, CLIENTS)
            opened = resident(child.pid)
            await bustle(client)
            once = resident(child.pid)
            await bustle(client)
            twice = resident(child.pid)
            for _, writer in connections:
                writer.close()
            assert 200 == (await client.get(job)).status_code
        assert CLIENTS == len(connections)
        assert (opened - before) / CLIENTS <= TO_OPEN
        assert (once - opened) / CLIENTS <= TO_LISTEN
        assert (twice - once) / CLIENTS <= TO_LISTEN
