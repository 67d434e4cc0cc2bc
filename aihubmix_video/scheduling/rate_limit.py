"""The shared rate, over everything a session sends.

Theory: the generic cell rate algorithm (GCRA, ITU-T I.371) in its virtual-scheduling form. `arrival` is the moment at
which the next request would leave if all were evenly spaced; a request may leave up to ``(burst - 1) × interval``
earlier. Whatever happened before, any window of W seconds then holds at most ``W / interval + burst`` requests. A leaky
bucket that starts full, or one that counts per calendar second, lets twice the rate through in some window.

The rate in force may be lower for a while: it drops by a factor and recovers evenly, with time and with good answers. Each
request then moves `arrival` by more, and the room for a burst stays as it was, so the law holds on the way down and up again.
"""

from __future__ import annotations

from math import inf

import attrs

__all__ = ["DROP_FACTOR", "MIN_RATE_SHARE", "RECOVERY_SECONDS", "RateLimit"]

DROP_FACTOR = 0.7  # what a drop leaves of the rate in force
MIN_RATE_SHARE = 1 / 16  # of the rate is always left
RECOVERY_SECONDS = 120.0  # seconds, or good answers, in which a rate would recover from nothing to all of it


@attrs.frozen
class RateLimit:
    """One request per *interval* seconds, up to *burst* back to back.

    Attributes:
        interval: Seconds between requests, when the rate has not dropped.
        burst: Requests that may leave back to back, at least 1.
        arrival: Theoretical arrival time of the next request, on the caller's clock.
        share: Of the rate, what was left of it at `since`.
        since: When it dropped last, or will begin to recover.
    """

    interval: float
    burst: int = 1
    arrival: float = -inf
    share: float = 1.0
    since: float = -inf

    @classmethod
    def of_rate(cls, rate: float, burst: int = 1) -> RateLimit:
        """Allow *rate* requests per second."""
        return cls(1.0 / rate, burst)

    def opens_at(self) -> float:
        """Return the moment from which the next request may leave."""
        return self.arrival - (self.burst - 1) * self.interval

    def share_at(self, now: float) -> float:
        """Return how much of the rate is in force: 1 when it has not dropped, or has recovered."""
        return 1.0 if self.share >= 1 else min(self.share + max(now - self.since, 0.0) / RECOVERY_SECONDS, 1.0)

    def rate_at(self, now: float) -> float:
        """Return how many requests per second are in force."""
        return self.share_at(now) / self.interval

    def spend(self, now: float) -> RateLimit:
        """Account for a request that leaves now, allowed or not."""
        share = self.share_at(now)
        step = self.interval if share >= 1 else self.interval / share
        return RateLimit(self.interval, self.burst, max(self.arrival, now) + step, share, now)

    def recover(self, now: float) -> RateLimit:
        """A good answer came."""
        if self.share >= 1:
            return self
        share = min(self.share_at(now) + 1 / RECOVERY_SECONDS, 1.0)
        return RateLimit(self.interval, self.burst, self.arrival, share, max(now, self.since))

    def drop(self, now: float, until: float = -inf) -> RateLimit:
        """Lower the rate in force; it begins to recover when the cool-down that lasts *until* then is over."""
        share = max(self.share_at(now) * DROP_FACTOR, MIN_RATE_SHARE)
        return RateLimit(self.interval, self.burst, self.arrival, share, max(now, until))
