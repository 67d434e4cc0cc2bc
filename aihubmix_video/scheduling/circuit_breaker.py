"""Whether a gateway that fails is asked at all: after failures in a row one request at a time finds out if it is back.

Without it an outage makes load: jobs that are overdue are worth asking about every few seconds, and none of the answers says
that they are not. With it an outage of any length costs a request now and then; the first good answer ends it, and what has
become due meanwhile leaves as fast as the rate allows, and no faster.
"""

from __future__ import annotations

from math import inf
from typing import Final

import attrs

__all__ = ["DOWNLOAD_PROBE_SECONDS", "OPEN_AFTER_BAD_POLLS", "CircuitBreaker", "poll_pause"]

OPEN_AFTER_BAD_POLLS: Final = 20  # in a row, of whichever jobs: one vendor's trouble, or chance, is not an outage
PROBES_PER_INTERVAL: Final = 3  # polls per interval that find out whether an outage is over, if there are as many jobs
DOWNLOAD_PROBE_SECONDS: Final = 5.0  # seconds between downloads that find out the same


@attrs.define
class CircuitBreaker:
    """Failures in a row of one sort of request.

    Attributes:
        failures: How many there were.
        held_until: The moment before which nothing of this sort is sent.
    """

    failures: int = 0
    held_until: float = -inf
    _pause: float | None = None  # seconds between probes, while it is open

    @property
    def open(self) -> bool:
        """Whether requests are held, but for probes."""
        return self._pause is not None

    def failed(self, now: float, *, bears: int, pause: float) -> None:
        """A request failed, in a way that says nothing about its job.

        Args:
            now: The moment.
            bears: Failures in a row from which on requests are held.
            pause: Seconds until the next one is tried.
        """
        self.failures += 1
        if self.failures >= bears:
            self._pause = pause
            self.held_until = now + pause

    def probed(self, now: float) -> None:
        """A request leaves; while requests are held the next one has to wait, whatever becomes of this one."""
        if self._pause is not None:
            self.held_until = now + self._pause

    def worked(self) -> None:
        """The gateway answered: nothing is held any more."""
        self.failures, self.held_until, self._pause = 0, -inf, None


def poll_pause(running: int, interval: float) -> float:
    """Return how many seconds to pause between polls that find out whether an outage is over.

    They are no more than what is sent to a healthy gateway.

    Args:
        running: Jobs being generated.
        interval: Seconds between polls of one job.
    """
    return interval / min(max(running, 1), PROBES_PER_INTERVAL)
