"""Requests of the user's own, about one job each, under the shared rate."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, TypeVar

from aihubmix_video.errors import RateLimited, VideoError
from aihubmix_video.http.client import SendHook
from aihubmix_video.protocol.video_ids import check_id
from aihubmix_video.scheduling.messages import SlowDown
from aihubmix_video.scheduling.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aihubmix_video.session.request_executor import RequestExecutor
    from aihubmix_video.session.scheduler_loop import SchedulerLoop
    from aihubmix_video.types.video import Video

__all__ = ["DirectCalls"]

T = TypeVar("T")

DIRECT_CALL_RETRY = Backoff(attempts=3, first=1.0, cap=30.0)  # all of them are safe to repeat


class DirectCalls:
    """Asks about jobs, and deletes them, when the user says so."""

    def __init__(self, loop: SchedulerLoop, executor: RequestExecutor) -> None:
        self._loop = loop
        self._executor = executor

    async def retrieve(self, video_id: str) -> Video:
        """Ask about a job once; transient failures are tried again."""
        check_id(video_id)
        return await self._patiently(lambda send_hook: self._executor.retrieve(video_id, send_hook))

    async def delete(self, video_id: str) -> None:
        """Delete a job; one that is gone already counts as deleted."""
        check_id(video_id)
        await self._patiently(lambda send_hook: self._executor.delete(video_id, send_hook))

    async def _patiently(self, send: Callable[[SendHook], Awaitable[T]]) -> T:
        failures = 0
        while True:
            await self._loop.permit()
            try:
                return await send(SendHook())
            except VideoError as error:
                failures += 1
                wait = DIRECT_CALL_RETRY.delay(failures, random.random()) if error.retryable else None  # noqa: S311 - jitter
                if wait is None:
                    raise
                if isinstance(error, RateLimited):
                    self._loop.tell(SlowDown(error.retry_after))
            await asyncio.sleep(wait)
