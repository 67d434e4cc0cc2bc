"""When to stop waiting for a body, on the event loop's clock."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.download.write_buffer import DownloadLimits

__all__ = ["StallTimeout"]


MAX_PATIENCE = 3
"""Times the limit that a try waits for an answer to begin, after tries that waited as long for nothing."""


class StallTimeout:
    """Gives up on an answer that does not begin, stops or drips. Waiting for our own disk does not count."""

    def __init__(self, limits: DownloadLimits, *, tries_unanswered: int = 0) -> None:
        self._limits = limits
        self._response = limits.response * min(1 + tries_unanswered, MAX_PATIENCE)
        self._clock = asyncio.get_running_loop().time
        self._answered_at: float | None = None
        self._received = 0
        self.timeout = asyncio.timeout(self._response)

    @property
    def unanswered(self) -> bool:
        """Whether no answer has begun."""
        return self._answered_at is None

    @property
    def complaint(self) -> str:
        """Why it was given up; completes "the download …"."""
        if self._answered_at is None:
            return f"got no answer within {self._response:g} s"
        return f"stopped for {self._limits.idle:g} s, or was slower than {self._limits.slowest:g} bytes per second"

    def answered(self) -> None:
        """The answer has begun."""
        self._answered_at = self._clock()
        self._renew(self._answered_at)

    def arrived(self, size: int) -> float:
        """Some of the body has come; gives the time."""
        self._received += size
        now = self._clock()
        self._renew(now)
        return now

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time spent inside."""
        before = self._clock()
        self.timeout.reschedule(None)
        yield
        now = self._clock()
        if self._answered_at is not None:
            self._answered_at += now - before
        self._renew(now)

    def _renew(self, now: float) -> None:
        started = now if self._answered_at is None else self._answered_at
        self.timeout.reschedule(self._limits.overdue_at(started=started, now=now, received=self._received))
