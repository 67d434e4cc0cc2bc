"""The last check before a request leaves: the shared rate, kept where the first byte is about to go.

The scheduler spaces its decisions, but between a decision and the first byte lies the connection: a slow handshake would
let requests pile up and leave together. So each request, whoever made it, passes here once its connection is up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aihubmix_video.scheduling.pace import Pace

__all__ = ["Gate"]


class Gate:
    """Lets requests pass in their order, no faster than the pace allows."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._turn = asyncio.Lock()

    async def passed(self) -> None:
        """Return when the next request may leave; it is accounted for at the moment at which it really does."""
        clock = asyncio.get_running_loop().time
        async with self._turn:
            opens = self._pace.opens_at()
            if (wait := opens - clock()) > 0:
                await asyncio.sleep(wait)
            # A loop wakes up early by as much as its clock is coarse; waiting again for so little would spin.
            self._pace = self._pace.spend(max(clock(), opens))
