"""What one client has bought in the last 24 hours, and whether its caps leave room for another video. No I/O.

The hours slide: a day that began anew at midnight would let twice the caps through around it.
"""

from __future__ import annotations

from bisect import insort
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.fastapi.http_errors import LimitReached
from aihubmix_video.pricing.caps import CapUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.pricing.caps import Caps

__all__ = ["CAPPED_SECONDS", "CapReached", "ClientUsage", "Purchase"]

CAPPED_SECONDS: Final = 24 * 3600.0
UNITS: Final = {"max_videos": "videos", "max_seconds": "seconds of video", "max_spend": "USD by list price"}


class CapReached(LimitReached):
    """What the client may buy in 24 hours is used up.

    Answered with 429.
    """


@attrs.frozen(kw_only=True, eq=False)
class Purchase:
    """One video that a client bought or is about to buy.

    Attributes:
        at: When it was requested, in Unix seconds.
        seconds: Its length; None if it is not known.
        price: Its list price in USD; None if it is not known.
    """

    at: float
    seconds: float | None
    price: float | None


class ClientUsage:
    """The purchases of one client in the last 24 hours.

    Args:
        caps: What it may buy in that time.
    """

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._bought: list[Purchase] = []  # the oldest first

    def check(self, wanted: Purchase) -> None:
        """Check that the caps leave room for a purchase.

        Raises:
            CapReached: They do not; `retry_after` tells when they will, None if they never do.
        """
        if not self._caps.any:
            return
        del self._bought[: self._outdated(wanted.at)]
        problem = _usage(self._caps, self._bought).refusal(wanted.seconds, wanted.price)
        if problem is None:
            return
        cap = getattr(self._caps, problem.field)
        unknown = wanted.seconds is None if problem.field == "max_seconds" else wanted.price is None
        if problem.field != "max_videos" and unknown:
            raise CapReached(
                f"this client is limited to {cap:g} {UNITS[problem.field]}, which are not known of this video"
            )
        room = self._has_room_at(wanted)
        raise CapReached(
            f"this client may buy {cap:g} {UNITS[problem.field]} in any 24 hours, and this video would exceed that",
            retry_after=None if room is None else room - wanted.at,
        )

    def add(self, purchase: Purchase) -> None:
        """Count a purchase."""
        insort(self._bought, purchase, key=attrgetter("at"))

    def remove(self, purchase: Purchase) -> None:
        """Count a purchase no longer: nothing was charged for it."""
        if purchase in self._bought:
            self._bought.remove(purchase)

    def _outdated(self, now: float) -> int:
        return next((n for n, each in enumerate(self._bought) if each.at > now - CAPPED_SECONDS), len(self._bought))

    def _has_room_at(self, wanted: Purchase) -> float | None:
        """Return when so many purchases are older than 24 hours that there is room; None if there never is."""
        for number, leaving in enumerate(self._bought, 1):
            if _usage(self._caps, self._bought[number:]).refusal(wanted.seconds, wanted.price) is None:
                return leaving.at + CAPPED_SECONDS
        return None


def _usage(caps: Caps, bought: Sequence[Purchase]) -> CapUsage:
    usage = CapUsage(caps)
    for each in bought:
        usage.take(each.seconds, each.price)
    return usage
