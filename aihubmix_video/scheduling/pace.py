"""The shared rate, over everything a session sends.

Theory: the generic cell rate algorithm (GCRA, ITU-T I.371) in its virtual-scheduling form. `arrival` is the moment at
which the next request would leave if all were evenly spaced; a request may leave up to ``(burst - 1) × interval``
earlier. Whatever happened before, any window of W seconds then holds at most ``W / interval + burst`` requests. A leaky
bucket that starts full, or one that counts per calendar second, lets twice the rate through in some window.
"""

from __future__ import annotations

from math import inf

import attrs

__all__ = ["Pace"]


@attrs.frozen
class Pace:
    """One request per *interval* seconds, up to *burst* back to back; shut altogether during a cool-down.

    Attributes:
        interval: Seconds between requests.
        burst: Requests that may leave back to back, at least 1.
        arrival: Theoretical arrival time of the next request, on the caller's clock.
        shut_until: End of the cool-down in force, on the caller's clock.
    """

    interval: float
    burst: int = 1
    arrival: float = -inf
    shut_until: float = -inf

    @classmethod
    def of_rate(cls, rate: float, burst: int = 1) -> Pace:
        """Allow *rate* requests per second."""
        return cls(1.0 / rate, burst)

    def opens_at(self) -> float:
        """Say from when on the next request may leave."""
        return max(self.arrival - (self.burst - 1) * self.interval, self.shut_until)

    def spend(self, now: float) -> Pace:
        """Account for a request that leaves now, allowed or not."""
        return Pace(self.interval, self.burst, max(self.arrival, now) + self.interval, self.shut_until)

    def cool(self, until: float) -> Pace:
        """Let nothing leave before *until*; never shortens a cool-down in force."""
        return Pace(self.interval, self.burst, self.arrival, max(self.shut_until, until))
