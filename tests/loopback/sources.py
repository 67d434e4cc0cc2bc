"""Content sources for download tests: aiohttp against a scripted server."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import attrs

from aihubmix_video.download.attempt_result import ContentCut, ContentResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aihubmix_video.download.attempt_result import ContentSource


@attrs.frozen
class Stream(ContentResponse):
    """An aiohttp answer."""

    response: aiohttp.ClientResponse

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Values by lower-case name."""
        return self.response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body as it arrives."""
        try:
            while piece := await self.response.content.readany():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise ContentCut(f"was cut ({type(error).__name__})") from error


def source(session: aiohttp.ClientSession, url: str) -> ContentSource:
    """Ask *url* for the content."""

    @asynccontextmanager
    async def send(headers: Mapping[str, str], /) -> AsyncIterator[ContentResponse]:
        asked = {"accept-encoding": "identity", **headers}
        try:
            async with session.get(url, headers=asked, auto_decompress=False) as response:
                yield Stream(response)
        except (aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            raise ContentCut(f"got no answer ({type(error).__name__})") from error

    return send
