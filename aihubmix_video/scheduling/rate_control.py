"""What follows when the gateway says "too fast": a pause for all, and a lower rate that recovers by itself.

Theory: additive increase, multiplicative decrease (Chiu and Jain, 1989), as networks share a line: several programs under one
account find a rate that the gateway bears for all of them. Requests that had left before the last refusal came may all come back
refused, and say nothing new: they count as one. And a few refusals among many answers say nothing about the rate, which some
gateways have at any; only their share does.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from aihubmix_video.scheduling.retry import Backoff, bounded

if TYPE_CHECKING:
    from aihubmix_video.scheduling.rate_limit import RateLimit

__all__ = ["RateController"]

FIRST_COOLDOWN_REQUESTS = (
    5  # requests that would have left during the first cool-down after a 429 that does not say how long
)
FIRST_COOLDOWN_SECONDS_RANGE = (0.05, 2.0)  # seconds between which that is kept
MAX_COOLDOWN_SECONDS = 60.0  # seconds
TOLERATED_REFUSAL_SHARE = 0.08  # share of refusals that says nothing about the rate
ANSWERS_REMEMBERED = 200.0  # answers


class RateController:
    """The shared rate, and how far the gateway has had it lowered.

    Attributes:
        rate_limit: The rate in force, with what was spent of it.
    """

    def __init__(self, rate_limit: RateLimit) -> None:
        self.rate_limit = rate_limit
        shortest, longest = FIRST_COOLDOWN_SECONDS_RANGE
        self._cooling = Backoff(
            first=min(max(FIRST_COOLDOWN_REQUESTS * rate_limit.interval, shortest), longest), cap=MAX_COOLDOWN_SECONDS
        )
        self._strikes = 0  # cool-downs in a row
        self._refusals = 0.0  # share of refusals among the answers, of late
        self._refused_at = -inf

    def spend(self, now: float) -> None:
        """Account for a request that leaves now."""
        self.rate_limit = self.rate_limit.spend(now)

    def admitted(self) -> None:
        """A request was not refused for the rate, whatever else came of it."""
        self._refusals -= self._refusals / ANSWERS_REMEMBERED

    def worked(self, now: float) -> None:
        """A good answer: the next refusal is a new one."""
        self._strikes = 0
        self.rate_limit = self.rate_limit.recover(now)

    def refused(self, retry_after: float | None, now: float, draw: float, *, sent_at: float) -> None:
        """A request was refused for the rate.

        Args:
            retry_after: Seconds the gateway asked to wait, or None.
            now: The moment.
            draw: A random number, 0 <= draw < 1.
            sent_at: When the request left; *now* where that is not known.
        """
        is_news = sent_at > self._refused_at and now >= self.rate_limit.shut_until
        wait = bounded(retry_after)
        if wait is None and is_news:
            self._strikes += 1
            wait = self._cooling.delay(self._strikes, draw)
        if wait is not None:
            self.rate_limit = self.rate_limit.cool(now + wait)
        if is_news:
            self._refused_at = now
            self._refusals += (1 - self._refusals) / ANSWERS_REMEMBERED
            if self._refusals > TOLERATED_REFUSAL_SHARE:
                self.rate_limit = self.rate_limit.drop(now)
