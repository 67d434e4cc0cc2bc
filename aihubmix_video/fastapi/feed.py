"""What changed about which job, for any number of listeners, at the price of one number each.

The feed keeps one line per job: its last change, in the order of these changes. A listener remembers only the number of the
change that it has seen last, and reads on from there as fast as it likes: what changed twice meanwhile it reads once. So a
slow listener costs no memory, and one that is gone costs nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from aihubmix_video.types.job_info import JobInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aihubmix_video.session.job_registry import JobRegistry
    from aihubmix_video.session.tracked_job import TrackedJob

__all__ = ["Feed", "FeedChange"]

ENDED_KEPT: Final = 1000
"""Jobs that have ended whose last change is kept for listeners that come back."""


class FeedChange:
    """A job's last change.

    Attributes:
        key: Of which job.
        owner: Whose it is.
        number: Later changes have larger numbers, also those of later processes: it is about the time in milliseconds.
    """

    __slots__ = ("_about", "_rendered", "_rendered_for", "key", "number", "owner")

    def __init__(self, key: str, owner: str | None, number: int, about: TrackedJob | JobInfo) -> None:
        self.key = key
        self.owner = owner
        self.number = number
        self._about = about
        self._rendered = b""
        self._rendered_for: object = None

    @property
    def ended(self) -> bool:
        """Whether no other change will follow."""
        return isinstance(self._about, JobInfo) and self._about.state.ended

    def info(self, registry: JobRegistry) -> JobInfo:
        """Return how the job stands."""
        return self._about if isinstance(self._about, JobInfo) else registry.describe(self._about)

    def rendered(self, whom: object, render: Callable[[FeedChange], bytes]) -> bytes:
        """Return the change as *render* writes it, made once for all listeners that are alike."""
        if self._rendered_for != whom:
            self._rendered, self._rendered_for = render(self), whom
        return self._rendered


class Feed:
    """The last change of each job that is followed, and of the newest that have ended.

    Attributes:
        closed: Nothing changes any more.
    """

    def __init__(self, registry: JobRegistry, *, ended_kept: int = ENDED_KEPT) -> None:
        self.closed = False
        self.last = int(time.time() * 1000)
        self._registry = registry
        self._ended_kept = ended_kept
        self._changes: dict[str, FeedChange] = {}  # by key, in the order of their numbers
        self._ended: deque[FeedChange] = deque()
        self._complete_since = self.last  # changes after this one are all here
        self._waiters: dict[str | None, set[asyncio.Future[None]]] = {}
        self._stop = registry.observe(self._changed)

    def close(self) -> None:
        """Wake every subscriber: nothing follows."""
        if not self.closed:
            self.closed = True
            self._stop()
            for key in list(self._waiters):
                self._wake(key)

    # What happens.

    def _changed(self, record: TrackedJob) -> None:
        if record.in_ledger:  # others have no key that anybody could ask for
            self._note(record.key, record.owner, self._registry.describe(record) if record.over else record)

    def deleted(self, info: JobInfo) -> None:
        """Note that a job was deleted that was not followed any more."""
        self._note(info.key, info.owner, info)

    def _note(self, key: str, owner: str | None, about: TrackedJob | JobInfo) -> None:
        self.last = max(self.last + 1, int(time.time() * 1000))
        change = FeedChange(key, owner, self.last, about)
        self._changes.pop(key, None)
        self._changes[key] = change
        if isinstance(about, JobInfo):
            self._ended.append(change)
            self._forget()
        self._wake(key)
        self._wake(None)

    def _forget(self) -> None:
        while len(self._ended) > self._ended_kept:
            oldest = self._ended.popleft()
            if self._changes.get(oldest.key) is oldest:
                del self._changes[oldest.key]
                self._complete_since = oldest.number

    def _wake(self, key: str | None) -> None:
        for waiter in self._waiters.pop(key, ()):
            if not waiter.done():
                waiter.set_result(None)

    # Reading.

    def latest(self, key: str) -> FeedChange | None:
        """Return a job's last change, if it is kept."""
        return self._changes.get(key)

    def reaches_back_to(self, number: int) -> bool:
        """Whether every change after that number is here."""
        return self._complete_since <= number <= self.last

    def since(self, number: int) -> list[FeedChange]:
        """Return the last change of each job that changed after *number*, in their order."""
        return list(self._newer(number))[::-1]

    def _newer(self, number: int) -> Iterator[FeedChange]:
        for change in reversed(self._changes.values()):
            if change.number <= number:
                return
            yield change

    def standing(self) -> list[FeedChange]:
        """Return the last change of each job that has not ended, in their order."""
        return [change for change in self._changes.values() if not change.ended]

    async def more(self, key: str | None, seconds: float) -> bool:
        """Wait until a job changes, any if *key* is None, for so long at most; say whether one did."""
        if self.closed:
            return True
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(key, set())
        waiters.add(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return False
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiters.get(key) is waiters:
                del self._waiters[key]
        return True
