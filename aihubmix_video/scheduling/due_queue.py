"""Jobs in the order in which they are due."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["DueQueue"]

MIN_SWEEP_ENTRIES = 64  # entries; below this nothing is gained by clearing out


@attrs.define
class DueQueue:
    """Jobs by a number: the moment they are due, or their rank; equals in the order of the jobs. True while it holds one.

    A job that ends is not searched for: its entry stays behind and is skipped. Once as many entries may be dead as alive
    they are cleared out, so the cost per entry stays flat. A job must be taken out before it is put in again.
    """

    _alive: Callable[[int], bool]
    _heap: list[tuple[float, int]] = attrs.field(factory=list, init=False)
    _sweep_at: int = attrs.field(default=MIN_SWEEP_ENTRIES, init=False)

    def put(self, at: float, job: int) -> None:
        """Enter *job*; the entry counts as long as ``alive(job)``."""
        if len(self._heap) >= self._sweep_at:
            self._heap = [entry for entry in self._heap if self._alive(entry[1])]
            heapify(self._heap)
            self._sweep_at = max(MIN_SWEEP_ENTRIES, 2 * len(self._heap))
        heappush(self._heap, (at, job))

    def __len__(self) -> int:
        """Count the entries, those left behind included."""
        return len(self._heap)

    def __bool__(self) -> bool:
        heap = self._heap
        while heap and not self._alive(heap[0][1]):
            heappop(heap)
        return bool(heap)

    def first(self) -> float:
        """Return when the first job is due; infinity when there is none, or it is never due."""
        return self._heap[0][0] if self else inf

    def next_job(self) -> int:
        """Return which job comes first, of a queue that has one."""
        return self._heap[0][1]

    def refresh(self, now: float) -> None:
        """Nothing in it changes by itself."""

    def take(self) -> tuple[float, int]:
        """Take out the first entry, of a queue that has one: its number and its job."""
        if not self:
            raise IndexError("the queue is empty")
        return heappop(self._heap)

    def due(self, now: float) -> Iterator[tuple[float, int]]:
        """Take out, one after the other, the entries whose moment has come."""
        while self.first() <= now:
            yield self.take()
