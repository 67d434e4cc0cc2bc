"""A bad line in front of a gateway: slow, sliced, cut at random, or silently dead; and proxies that tunnel, or refuse to."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


class Connection:
    """One client's connection, and ours to the gateway."""

    def __init__(self) -> None:
        self.dead = False
        self.writers: list[asyncio.StreamWriter] = []

    def reset(self) -> None:
        """Close both ends with RST, whatever is under way."""
        for writer in self.writers:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


class Proxy:
    """Passes bytes on to a port of this machine.

    Args:
        port: The gateway's.
        delay: Seconds by which each chunk is late, either way.
        piece: Bytes passed on at a time.
        resets: Probability with which a chunk, either way, breaks the connection instead of being passed on.
        seed: Of what is random.
        edit: Changes what the client sends.

    Attributes:
        sent: All that clients sent, whatever became of it.
        resets_made: How many connections were broken.
        swallowed: How many chunks vanished in the silence.
    """

    def __init__(
        self,
        port: int,
        *,
        delay: float = 0.0,
        piece: int = CHUNK,
        resets: float = 0.0,
        seed: int = 0,
        edit: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._target = port
        self._delay, self._piece, self._resets, self._edit = delay, piece, resets, edit
        self._draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._silent = False
        self.sent = bytearray()
        self.resets_made = self.swallowed = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def go_silent(self) -> None:
        """Drop all traffic from now on, without a FIN or RST; connections are still accepted."""
        self._silent = True
        for connection in self._connections:
            connection.dead = True

    def replace(self) -> None:
        """Serve new connections again; those that were there stay dead."""
        self._silent = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection()
        connection.dead = self._silent
        connection.writers.append(writer)
        self._connections.add(connection)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._serve(connection, reader, writer)
        finally:
            connection.reset()
            self._connections.discard(connection)
            self._tasks.discard(task)

    async def _serve(self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._target)
        connection.writers.append(ours)
        ways = [
            asyncio.create_task(self._pump(connection, reader, ours, from_client=True)),
            asyncio.create_task(self._pump(connection, theirs, writer, from_client=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_client: bool
    ) -> None:
        while chunk := await reader.read(CHUNK):
            if from_client:
                self.sent += chunk
                chunk = self._edit(chunk)
            if self._delay:
                await asyncio.sleep(self._delay)
            if connection.dead:
                self.swallowed += 1
                continue
            if self._draw.random() < self._resets:
                self.resets_made += 1
                return
            for start in range(0, len(chunk), self._piece):
                writer.write(chunk[start : start + self._piece])
                await asyncio.sleep(0)  # each piece is a segment of its own
            await writer.drain()
        if connection.dead:  # the FIN vanishes, too
            await asyncio.Event().wait()


@asynccontextmanager
async def refusing(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run an HTTP proxy that gives one answer to everything; yields its port and what it was asked."""
    asked: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
            asked.append(await reader.read(CHUNK))  # nothing may follow
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


@asynccontextmanager
async def tunnelling(port: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run an HTTP proxy that tunnels to a port of this machine; yields its own port and what it was asked."""
    asked: list[bytes] = []
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while chunk := await reader.read(CHUNK):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pumps.update({asyncio.create_task(pump(reader, ours)), asyncio.create_task(pump(theirs, writer))})

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
