"""Requests of the user's own, about one job each, under the shared rate."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, TypeVar

from aihubmix_video.errors import RateLimited, VideoError
from aihubmix_video.http.client import SendHook
from aihubmix_video.protocol.create_result import read_poll
from aihubmix_video.protocol.error_mapping import refusal
from aihubmix_video.protocol.video_ids import check_id
from aihubmix_video.scheduling.messages import SlowDown
from aihubmix_video.scheduling.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.http.client import HttpClient
    from aihubmix_video.protocol.response import Response
    from aihubmix_video.session.scheduler_loop import SchedulerLoop
    from aihubmix_video.types.video import Video

__all__ = ["DirectCalls"]

T = TypeVar("T")

POLL_SECONDS = 30.0
DELETE_SECONDS = 60.0
GONE = frozenset({404, 410})
DIRECT_CALL_RETRY = Backoff(attempts=3, first=1.0, cap=30.0)  # all of them are safe to repeat


class DirectCalls:
    """Asks about jobs, and deletes them, when the user says so."""

    def __init__(self, scheduler_loop: SchedulerLoop, client: HttpClient) -> None:
        self._scheduler_loop = scheduler_loop
        self._client = client

    async def retrieve(self, video_id: str) -> Video:
        """Ask about a job once; transient failures are tried again."""
        return await self._retrying("GET", video_id, POLL_SECONDS, _video)

    async def delete(self, video_id: str) -> None:
        """Delete a job; one that is gone already counts as deleted."""
        await self._retrying("DELETE", video_id, DELETE_SECONDS, _deleted)

    async def _retrying(self, method: str, video_id: str, seconds: float, read: Callable[[Response, str], T]) -> T:
        check_id(video_id)
        failures = 0
        while True:
            await self._scheduler_loop.permit()
            try:
                return read(await self._client.send(method, video_id, seconds=seconds, send_hook=SendHook()), video_id)
            except VideoError as error:
                failures += 1
                wait = DIRECT_CALL_RETRY.delay(failures, random.random()) if error.retryable else None  # noqa: S311 - jitter
                if wait is None:
                    raise
                if isinstance(error, RateLimited):
                    self._scheduler_loop.tell(SlowDown(error.retry_after))
            await asyncio.sleep(wait)


def _video(response: Response, video_id: str) -> Video:
    return read_poll(response, job_id=video_id, now=time.time())


def _deleted(response: Response, video_id: str) -> None:
    if not response.ok and response.status not in GONE:
        raise refusal(response, job_id=video_id, now=time.time())
