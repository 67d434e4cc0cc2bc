"""A server that answers each request exactly as scripted, broken answers included.

A script is a list of steps per request: bytes are sent, a number pauses (seconds), `FIN` and `RST` end the connection,
`SILENCE` says nothing more until the server closes. Requests beyond the last script get its last one again.
"""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Self

import attrs


class End(enum.Enum):
    """How a connection ends."""

    FIN = "fin"
    RST = "rst"
    SILENCE = "silence"


FIN, RST, SILENCE = End.FIN, End.RST, End.SILENCE
Step = bytes | float | End
Script = Sequence[Step]


def head(status: int = 200, **headers: object) -> bytes:
    """Make a status line and headers; underscores in names stand for hyphens."""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def whole(body: bytes, status: int = 200, **headers: object) -> list[Step]:
    """Answer with *body* and its length, and keep the connection."""
    return [head(status, content_length=len(body), **headers) + body]


def part(body: bytes, first: int, *, upto: int | None = None, **headers: object) -> list[Step]:
    """Answer 206 with *body* from byte *first* on."""
    last = len(body) if upto is None else upto
    return [
        head(206, content_range=f"bytes {first}-{last - 1}/{len(body)}", content_length=last - first, **headers)
        + body[first:last]
    ]


def chunked(*pieces: bytes) -> bytes:
    """Frame pieces as chunks, without the terminating one."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@attrs.frozen
class Request:
    """What was asked."""

    method: str
    path: str
    headers: Mapping[str, str]


class ScriptedServer:
    """Listens on a loopback port of its own; use it as an async context.

    Attributes:
        requests: What has been asked, in order.
        connections: How many were made.
    """

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.requests: list[Request] = []
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where to ask."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/video"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; gives whether the connection stays."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        pairs = (line.split(": ", 1) for line in lines[1:] if line)
        self.requests.append(Request(method, path, {name.lower(): value for name, value in pairs}))
        for step in self._scripts[min(len(self.requests), len(self._scripts)) - 1]:
            match step:
                case bytes():
                    writer.write(step)
                    await writer.drain()
                case End.SILENCE:
                    await asyncio.Event().wait()
                case End():
                    self._hang_up(writer, step)
                    return False
                case pause:
                    await asyncio.sleep(pause)
        return True

    @staticmethod
    def _hang_up(writer: asyncio.StreamWriter, how: End) -> None:
        if how is End.RST:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
