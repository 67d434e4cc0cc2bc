"""The one task of a process that asks for its slots, and what it does while the store is lost."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from aihubmix_video.shared_rate.shared_controller import SharedRateController
from aihubmix_video.shared_rate.slot_store import StoreLostError
from aihubmix_video.shared_rate.slots import SlotRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.scheduling.rate_limit import RateLimit
    from aihubmix_video.shared_rate.slot_store import SlotStore

__all__ = ["SlotAcquirer"]

log = logging.getLogger("aihubmix_video")

STORE_SECONDS = 1.0  # seconds until an exchange is given up, whatever the store's own limits
PROBE_SECONDS = 1.0  # seconds between tries to reach a lost store


class SlotAcquirer:
    """Exchanges with the store whenever this process needs to.

    Attributes:
        controller: What the scheduler is given.
        lost: Whether the store cannot be reached now.
    """

    def __init__(self, store: SlotStore, rate_limit: RateLimit, fallback_share: float) -> None:
        self._store = store
        self._needed = asyncio.Event()
        self._fallback_share = fallback_share
        self.controller = SharedRateController(rate_limit, fallback_share, self._needed.set)
        self.lost = False
        self._clock = asyncio.get_running_loop().time
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, turn: Callable[[], None]) -> None:
        """Begin; *turn* lets the scheduler decide again."""
        for work in (self._acquire(turn), self._probe()):
            self._tasks.append(asyncio.create_task(work, name="aihubmix-video shared rate"))

    async def _acquire(self, turn: Callable[[], None]) -> None:
        while True:
            await self._needed.wait()
            self._needed.clear()
            if not self.controller.has_news:
                continue
            if self.lost:
                self.controller.grant_alone(self._clock())
            else:
                await self._ask(self.controller.take_request(self._clock()))
            turn()

    async def _ask(self, ask: SlotRequest) -> None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                reply = await self._store.exchange(ask)
        except (StoreLostError, TimeoutError) as error:
            self.lost = True
            log.warning(
                "the shared rate at %s cannot be reached (%s): this process goes on at %g of the rate",
                *(self._store.place, error or "no answer", self._fallback_share),
            )
            self.controller.grant_alone(self._clock())
        else:
            self.controller.granted(ask, reply, self._clock())

    async def _probe(self) -> None:
        """Look for a lost store until it is back, telling it nothing and asking for nothing."""
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            if not self.lost:
                continue
            ask = SlotRequest(interval=self.controller.rate_limit.interval, slots=0)
            with suppress(StoreLostError, TimeoutError):
                async with asyncio.timeout(STORE_SECONDS):
                    reply = await self._store.exchange(ask)
                self.controller.granted(ask, reply, self._clock())
                self.lost = False
                log.warning("the shared rate at %s can be reached again", self._store.place)

    async def aclose(self) -> None:
        """Stop, and let go of the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.aclose()
