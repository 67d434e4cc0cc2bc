"""Requests of the user's own, about one job each, under the shared rate."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, TypeVar

from aihubmix_video.errors import RateLimited, VideoError
from aihubmix_video.http.client import Departure
from aihubmix_video.protocol.video_ids import check_id
from aihubmix_video.scheduling.backoff import Backoff
from aihubmix_video.scheduling.messages import SlowDown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aihubmix_video.session.request_executor import Performer
    from aihubmix_video.session.scheduler_loop import Driver
    from aihubmix_video.types.video import Video

__all__ = ["Singles"]

T = TypeVar("T")

PATIENCE = Backoff(attempts=3, first=1.0, cap=30.0)  # all of them are safe to repeat


class Singles:
    """Asks about jobs, and deletes them, when the user says so."""

    def __init__(self, driver: Driver, performer: Performer) -> None:
        self._driver = driver
        self._performer = performer

    async def retrieve(self, video_id: str) -> Video:
        """Ask about a job once; transient failures are tried again."""
        check_id(video_id)
        return await self._patiently(lambda departure: self._performer.retrieve(video_id, departure))

    async def delete(self, video_id: str) -> None:
        """Delete a job; one that is gone already counts as deleted."""
        check_id(video_id)
        await self._patiently(lambda departure: self._performer.delete(video_id, departure))

    async def _patiently(self, send: Callable[[Departure], Awaitable[T]]) -> T:
        failures = 0
        while True:
            await self._driver.permit()
            try:
                return await send(Departure())
            except VideoError as error:
                failures += 1
                wait = PATIENCE.delay(failures, random.random()) if error.retryable else None  # noqa: S311 - jitter
                if wait is None:
                    raise
                if isinstance(error, RateLimited):
                    self._driver.tell(SlowDown(error.retry_after))
            await asyncio.sleep(wait)
