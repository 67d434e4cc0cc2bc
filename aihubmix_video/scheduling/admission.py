"""How many jobs may be in flight at once: what the user allows, and what the account was seen to bear.

"Too many at once" is a refusal that says nothing about the rate. It lowers the ceiling to one job less than there were; from
there it recovers as jobs end, and, should none end, by trying one more after a while.
"""

from __future__ import annotations

from math import inf

import attrs

__all__ = ["Admission"]

PROBE = 60.0  # seconds until one more job is tried after "too many at once", if none has ended


@attrs.define
class Admission:
    """The number of jobs in flight that is known to be borne.

    Attributes:
        most: What the user allows.
        probe_at: When one more is tried, if none ended before.
    """

    most: float
    ceiling: float = attrs.field(init=False)
    probe_at: float = attrs.field(default=inf, init=False)

    def __attrs_post_init__(self) -> None:
        self.ceiling = self.most

    def refused(self, in_flight: int, now: float) -> None:
        """Too many at once: *in_flight* with the one that was refused."""
        self.ceiling = max(in_flight - 1.0, 1.0)
        self.probe_at = now + PROBE

    def ended(self) -> None:
        """A job is over. The ceiling doubles in twice as many ends as it is high, unless there is another refusal."""
        self.ceiling = min(self.ceiling + 1 / self.ceiling, self.most)

    def probe(self, now: float) -> None:
        """Try one more, if it is time to."""
        if now >= self.probe_at:
            self.probe_at = inf
            self.ceiling = min(self.ceiling + 1, self.most)
