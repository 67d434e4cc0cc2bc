"""What follows when the gateway says "too fast": a pause for requests of that kind, and a lower rate for all.

Theory: additive increase, multiplicative decrease (Chiu and Jain, 1989), as networks share a line: several programs under one
account find a rate that the gateway bears for all of them. Requests that had left before the last refusal came may all come back
refused, and say nothing new: they count as one. And a few refusals among many answers say nothing about the rate, which some
gateways have at any; only their share does.

Creates, and requests about jobs that are bought, cool down apart: a purchase that is refused for an hour must not keep a
video that was paid for from being fetched while its link lives. The rate that is lowered is shared, so either slows the other.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.scheduling.retry import Backoff, bounded

if TYPE_CHECKING:
    from aihubmix_video.scheduling.rate_limit import RateLimit

__all__ = ["Cooldown", "RateController"]

# Requests that would have left during the first cool-down after a 429 that does not say how long.
FIRST_COOLDOWN_REQUESTS = 5
FIRST_COOLDOWN_SECONDS_RANGE = (0.05, 2.0)  # seconds between which that is kept
MAX_COOLDOWN_SECONDS = 60.0  # seconds
TOLERATED_REFUSAL_SHARE = 0.08  # share of refusals that says nothing about the rate
ANSWERS_REMEMBERED = 200.0  # answers


@attrs.define(eq=False)
class Cooldown:
    """The pause of one kind of request.

    Attributes:
        until: Its end, on the scheduler's clock.
        strikes: Cool-downs in a row without a good answer.
        refused_at: When a request was refused last, in a way that was news.
    """

    until: float = -inf
    strikes: int = 0
    refused_at: float = -inf


class RateController:
    """The shared rate, how far the gateway has had it lowered, and the pauses it asked for.

    Attributes:
        rate_limit: The rate in force, with what was spent of it.
        creates: The cool-down of creates.
        followed: The cool-down of requests about jobs that are bought: polls, downloads and direct calls.
    """

    def __init__(self, rate_limit: RateLimit) -> None:
        self.rate_limit = rate_limit
        self.creates, self.followed = Cooldown(), Cooldown()
        shortest, longest = FIRST_COOLDOWN_SECONDS_RANGE
        self._backoff = Backoff(
            first=min(max(FIRST_COOLDOWN_REQUESTS * rate_limit.interval, shortest), longest), cap=MAX_COOLDOWN_SECONDS
        )
        self._refusals = 0.0  # share of refusals among the recent answers

    def opens_at(self, _now: float) -> float:
        """Return the moment from which the next request may leave; infinity while none is known."""
        return self.rate_limit.opens_at()

    def wakes_from(self) -> float:
        """Return the moment before which nothing can leave without an event."""
        return self.rate_limit.opens_at()

    def expects(self, at: float, now: float) -> None:
        """Something could be sent from *at* on, if the rate allowed it; of use to a rate that has to be asked for."""

    def spend(self, now: float) -> None:
        """Account for a request that leaves now."""
        self.rate_limit = self.rate_limit.spend(now)

    def admitted(self) -> None:
        """A request was not refused for the rate, whatever else came of it."""
        self._refusals -= self._refusals / ANSWERS_REMEMBERED

    def worked(self, cooldown: Cooldown, now: float) -> None:
        """A good answer: the next refusal of its kind is a new one."""
        cooldown.strikes = 0
        self.rate_limit = self.rate_limit.recover(now)

    def refused(
        self, cooldown: Cooldown, retry_after: float | None, now: float, draw: float, *, sent_at: float
    ) -> None:
        """A request was refused for the rate.

        Args:
            cooldown: That of its kind.
            retry_after: Seconds the gateway asked to wait, or None.
            now: The moment.
            draw: A random number, 0 <= draw < 1.
            sent_at: When the request left; *now* where that is not known.
        """
        is_news = sent_at > cooldown.refused_at and now >= cooldown.until
        wait = bounded(retry_after)
        if wait is None and is_news:
            cooldown.strikes += 1
            wait = self._backoff.delay(cooldown.strikes, draw)
        if wait is not None:
            cooldown.until = max(cooldown.until, now + wait)
        if is_news:
            cooldown.refused_at = now
            self._refusals += (1 - self._refusals) / ANSWERS_REMEMBERED
            if self._refusals > TOLERATED_REFUSAL_SHARE:
                self.rate_limit = self.rate_limit.drop(now, until=cooldown.until)
