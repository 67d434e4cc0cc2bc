"""The content endpoint over HTTP: one request, its redirects, and the body as it arrives.

Errors of the library hold the request's headers, so they are returned as values of our own and raised outside of every
``except``, as in `client`.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import attrs
from yarl import URL

from aihubmix_video.download.attempt_result import ContentCut, ContentResponse
from aihubmix_video.errors import DownloadFailed, VideoError
from aihubmix_video.http.connection_errors import failure, reason
from aihubmix_video.http.redirects import MAX_HOPS, REDIRECTS, judge_addresses, next_hop, same_origin
from aihubmix_video.protocol.video_ids import id_segment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    import aiohttp

    from aihubmix_video.http.client import HttpClient, SendHook

__all__ = ["ContentRequest"]

FIRST_BYTE_SECONDS = 60.0  # until an answer begins; the gateway fetches from the vendor first


@attrs.frozen
class _Stream(ContentResponse):
    """An answer whose body is still to come."""

    _response: aiohttp.ClientResponse

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; see `ContentResponse.chunks`."""
        while True:
            piece = await self._piece()
            if isinstance(piece, str):
                raise ContentCut(piece)
            if piece:
                yield piece
            elif self._response.content.at_eof():
                return

    async def _piece(self) -> bytes | str:
        """Return what is there; a string is the reason why nothing more will come."""
        try:
            # Piece by piece as the socket gave it: joining them would copy every byte once more.
            return (await self._response.content.readchunk())[0]
        except Exception as exc:  # noqa: BLE001 - the library lets RuntimeError and others through as well as its own
            return f"was cut: {reason(exc)}"


@attrs.frozen
class ContentRequest:
    """Sends one request for a video's content each time it is called; a `ContentSource`.

    Attributes:
        send_hook: Counts the requests that left, redirects included.
    """

    _client: HttpClient
    _video_id: str
    send_hook: SendHook

    def __call__(self, headers: Mapping[str, str], /) -> AbstractAsyncContextManager[ContentResponse]:
        """Send the request; raises `ConnectionFailed`, or `DownloadFailed` for a redirect that is not followed."""
        return self._sent(headers)

    @asynccontextmanager
    async def _sent(self, headers: Mapping[str, str]) -> AsyncIterator[ContentResponse]:
        own_url = url = f"{self._client.videos_url}/{id_segment(self._video_id)}/content"
        async with AsyncExitStack() as stack:
            for _ in range(MAX_HOPS + 1):
                answer = await self._answer(stack, url, headers, with_key=same_origin(url, own_url))
                if isinstance(answer, BaseException):
                    raise answer
                if answer.status not in REDIRECTS:
                    yield _Stream(answer)
                    return
                url = next_hop(url, answer.headers.get("location"), local=self._client.is_local)
                await self._check_public(url)
                self.send_hook.allow_another()
            raise DownloadFailed(f"the gateway redirected the content more than {MAX_HOPS} times")

    async def _answer(
        self, stack: AsyncExitStack, url: str, headers: Mapping[str, str], *, with_key: bool
    ) -> aiohttp.ClientResponse | VideoError | asyncio.CancelledError:
        try:
            async with asyncio.timeout(FIRST_BYTE_SECONDS):
                return await stack.enter_async_context(
                    self._client.request(
                        "GET",
                        url,
                        self.send_hook,
                        headers={**headers, **(self._client.authorised() if with_key else {})},
                        decompress=False,
                    )
                )
        except asyncio.CancelledError as cancelled:
            return asyncio.CancelledError(*cancelled.args)
        except Exception as exc:  # noqa: BLE001 - the library lets ValueError and OSError through as well as its own
            return failure(exc, URL(url), sent=self.send_hook.left)

    async def _check_public(self, url: str) -> None:
        """Refuse a redirect to a host that resolves to a forbidden address; see `judge_addresses`."""
        host = URL(url).host or ""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            raise DownloadFailed(f"the content was redirected to {host}, which cannot be resolved") from None
        refusal = judge_addresses(host, (str(address[4][0]) for address in found), local=self._client.is_local)
        if refusal is not None:
            raise DownloadFailed(refusal)
