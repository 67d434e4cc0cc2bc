"""The last check before a request leaves: the shared rate, kept where the first byte is about to go.

The scheduler spaces its decisions, but between a decision and the first byte lies the connection: a slow handshake would
let requests pile up and leave together. So each request, whatever made it, passes here once its connection is up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.scheduling.rate_limit import RateLimit

__all__ = ["RateGate"]


class RateGate:
    """Lets requests pass in their order, no faster than the rate allows."""

    def __init__(self, rate_limit: RateLimit) -> None:
        self._rate_limit = rate_limit
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def passed(self) -> None:
        """Return when the next request may leave; it is accounted for at the moment at which it really does."""
        clock = asyncio.get_running_loop().time
        if not self._waiting and self._rate_limit.opens_at() <= (now := clock()):
            self._rate_limit = self._rate_limit.spend(now)
            return
        self._waiting += 1
        try:
            await self._open(clock)
        finally:
            self._waiting -= 1

    async def _open(self, clock: Callable[[], float]) -> None:
        async with self._turn:
            opens = self._rate_limit.opens_at()
            if (wait := opens - clock()) > 0:
                await asyncio.sleep(wait)
            # A loop wakes up early by as much as its clock is coarse; waiting again for so little would spin.
            self._rate_limit = self._rate_limit.spend(max(clock(), opens))
