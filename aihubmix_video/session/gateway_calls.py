"""Requests to the gateway's other endpoints, under the shared rate: model lists, balances, and what `doctor` asks."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aihubmix_video.catalog.model_list import LIST_PATH
from aihubmix_video.catalog.snapshot import Catalog
from aihubmix_video.errors import VideoError
from aihubmix_video.http.client import SendHook
from aihubmix_video.protocol.error_mapping import refusal
from aihubmix_video.session.direct_calls import DIRECT_CALL_RETRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aihubmix_video.http.client import HttpClient
    from aihubmix_video.protocol.response import Response
    from aihubmix_video.session.scheduler_loop import SchedulerLoop

__all__ = ["GatewayCalls"]

CALL_SECONDS = 30.0


class GatewayCalls:
    """Reads endpoints of the gateway that are not about one job. Available as ``session.gateway``."""

    def __init__(self, scheduler_loop: SchedulerLoop, client: HttpClient) -> None:
        self._scheduler_loop = scheduler_loop
        self._client = client
        self._catalog: Catalog | None = None

    async def get(
        self, path: str, *, with_key: bool = True, headers: Mapping[str, str] | None = None, most: int | None = None
    ) -> Response:
        """Send one GET to a path of the gateway's own origin, and return whatever it answers. It is not repeated.

        Args:
            path: From the slash behind the base URL on, encoded.
            with_key: Whether the key is sent.
            headers: Further headers.
            most: Bytes of the body that are read, for a look at a long one; None reads the whole, up to 1 MiB.

        Raises:
            ConnectionFailed: No whole answer came.
            MalformedReply: The answer is not HTTP, or longer than 1 MiB.
        """
        await self._scheduler_loop.permit()
        return await self._client.get(
            path, with_key=with_key, headers=headers, most=most, seconds=CALL_SECONDS, send_hook=SendHook()
        )

    @contextmanager
    def watching(self, watcher: Callable[[str, bytes | None, Response], None]) -> Iterator[None]:
        """Call *watcher* with the method, the body sent and the answer of every create, poll and delete meanwhile."""
        self._client.watcher = watcher
        try:
            yield
        finally:
            self._client.watcher = None

    async def catalog(self, *, max_age: float = 300.0) -> Catalog:
        """Return the public model list, read no longer than *max_age* seconds ago.

        Raises:
            MalformedReply: The answer is not a model list.
            VideoError: The last failure; transient ones are retried, with three attempts in all.
        """
        if self._catalog is None or self._catalog.age(time.time()) > max_age:
            self._catalog = await self._read_catalog()
        return self._catalog

    async def _read_catalog(self) -> Catalog:
        failures = 0
        while True:
            try:
                response = await self.get(LIST_PATH, with_key=False)
                if not response.ok:
                    raise refusal(response, now=time.time())
                source = self._client.url_of(LIST_PATH)
                return Catalog.decode(response.body, source=source, read_at=time.time())
            except VideoError as error:
                failures += 1
                wait = DIRECT_CALL_RETRY.delay(failures, random.random()) if error.retryable else None  # noqa: S311 - jitter
                if wait is None:
                    raise
            await asyncio.sleep(wait)
