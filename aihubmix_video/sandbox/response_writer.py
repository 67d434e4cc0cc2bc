"""Puts steps on a connection's raw transport."""

from __future__ import annotations

import asyncio
import socket
from struct import pack
from typing import IO, TYPE_CHECKING

from aihubmix_video.sandbox.response_plan import Pause
from aihubmix_video.sandbox.video.media import Filler, Media, block

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from aihubmix_video.sandbox.response_plan import Ending, Step

PIECE = 2**18
FLUSH = 0.02
"""Seconds left to the bytes before a reset, so that the reset does not overtake them."""


async def send(request: web.BaseRequest, steps: Iterable[Step], filler: IO[bytes] | None) -> Ending:
    """Perform *steps* and give the last one.

    Args:
        request: Whose connection to write to.
        steps: From `deliver`.
        filler: A file that holds the filler of large films, for the kernel to send from; None to send from memory.

    Raises:
        ConnectionError: The client has gone.
    """
    for step in steps:
        if isinstance(step, bytes):
            await _write(request, step)
        elif isinstance(step, Media):
            await _send_media(request, step, filler)
        elif isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
        else:
            return step
    return "close"


async def end(request: web.BaseRequest, ending: Ending) -> None:
    """Bring a connection to its end."""
    transport = request.transport
    if ending == "keep" or transport is None:
        return
    if ending == "silence":
        # Ends by cancellation, when the client goes or the sandbox closes.
        await asyncio.get_running_loop().create_future()
    if ending == "close":
        transport.close()
        return
    while transport.get_write_buffer_size():  # noqa: ASYNC110  # a transport has no event for it
        await asyncio.sleep(FLUSH)
    await asyncio.sleep(FLUSH)
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # Lingering for zero seconds turns the close into a reset.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
    transport.abort()


async def _write(request: web.BaseRequest, data: bytes) -> None:
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has gone")
    transport.write(data)
    await request.writer.drain()


async def _send_media(request: web.BaseRequest, media: Media, filler: IO[bytes] | None) -> None:
    for segment in media.segments:
        if isinstance(segment, Filler):
            await _send_filler(request, segment, filler)
            continue
        for piece in Media((segment,)).pieces(PIECE):
            await _write(request, piece)


async def _send_filler(request: web.BaseRequest, segment: Filler, filler: IO[bytes] | None) -> None:
    loop = asyncio.get_running_loop()
    for start, length in segment.runs():
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        if filler is not None:
            try:
                await loop.sendfile(transport, filler, start, length)
            except NotImplementedError:  # uvloop
                filler = None
            else:
                continue
        for at in range(start, start + length, PIECE):
            await _write(request, block()[at : min(at + PIECE, start + length)])
