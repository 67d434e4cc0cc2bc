"""Sees to it that no paid job is left alone: what an earlier process left, and what was given up on for now."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import SessionClosed, VideoError
from aihubmix_video.scheduling.retry import Backoff

if TYPE_CHECKING:
    from aihubmix_video.ledger.entry import LedgerEntry
    from aihubmix_video.session.session import VideoSession

__all__ = ["JobRecovery"]

log = logging.getLogger("aihubmix_video.fastapi")

ROUND: Final = 60.0  # seconds between looks at the ledger
RETRY: Final = Backoff(first=60.0, cap=3600.0)
"""When a job is followed again that was given up on, such as one whose deadline has passed."""
MAX_WAITING_JOBS: Final = 128
"""Jobs queued to be bought above which no more are taken up from the ledger: each holds its request in memory."""


class JobRecovery:
    """Takes up the ledger's unfinished jobs: at the start all of them, and later those that are paid for.

    What was never sent is bought at the start only. Later such a job is one that was withdrawn, and nobody wants it now.
    """

    def __init__(self, session: VideoSession) -> None:
        self._session = session
        self._registry = session.registry
        self._clock = asyncio.get_running_loop().time
        self._tries: dict[str, tuple[int, float]] = {}  # by key: how often it was taken up, and when it may be again

    async def run(self) -> None:
        """Look after the ledger's jobs until cancelled, or the session is closed."""
        first = True
        while True:
            try:
                await self._round(unsent=first)
                first = False
            except SessionClosed:
                return
            except VideoError as error:
                log.warning("the ledger's unfinished jobs cannot be taken up: %s", error)
            await asyncio.sleep(ROUND)

    async def _round(self, *, unsent: bool) -> None:
        before, self._tries = self._tries, {}
        async for entry in self._registry.unfinished():
            tries, due = self._tries[entry.key] = before.get(entry.key, (0, 0.0))
            if (unsent or entry.video_id is not None) and due <= self._clock():
                await self._take_up(entry, tries)

    async def _take_up(self, entry: LedgerEntry, tries: int) -> None:
        await self._room()
        try:
            taken = await self._registry.resume_entry(entry)
        except SessionClosed:
            raise
        except VideoError as error:
            log.warning("job %s cannot be taken up: %s", entry.key, error)
            taken = True
        if taken:
            wait = RETRY.delay(tries + 1, random.random()) or ROUND  # noqa: S311 - spreads them
            self._tries[entry.key] = tries + 1, self._clock() + wait

    async def _room(self) -> None:
        """Wait until few enough jobs are queued."""
        changed = asyncio.Event()
        stop = self._registry.observe(lambda _: changed.set())
        try:
            while self._session.stats().waiting >= MAX_WAITING_JOBS:
                changed.clear()
                await changed.wait()
        finally:
            stop()
