"""Polls that are due, the most valuable first, when the shared rate has no room for all of them.

What a poll is worth grows while it waits, for some jobs faster than for others, so no order made once stays right. A queue has
value classes: in the first a poll is worth its price, in each further one half as much again. Each job knows when it rises to
the next class; the first to leave is, in the highest class that has any, the one that would rise next. So the price rises for
all alike, as far as the rate makes it, and each poll moves a few times at most: its cost stays flat.

Before the first value class there is a step on which nothing is ranked: where there is room for all, no poll stays there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aihubmix_video.scheduling.due_queue import DueQueue

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VALUE_CLASSES", "VALUE_CLASS_RATIO", "PollQueue"]

VALUE_CLASSES: Final = 14
VALUE_CLASS_RATIO: Final = 1.5  # between what polls are worth on one value class and on the next


class PollQueue:
    """Jobs whose polls are due; true while it holds one.

    Args:
        alive: Whether a job still counts, as for a `DueQueue`.
        rises_at: Returns for a job, a value class and a moment since which its poll has been worth `VALUE_CLASS_RATIO` **
            value_class times its price, when it will be worth `VALUE_CLASS_RATIO` times as much.
        unranked_seconds: Seconds on the step before the first value class, at most.
    """

    __slots__ = ("_classes", "_in_use", "_rises_at", "_step", "_unranked_seconds")

    def __init__(
        self, alive: Callable[[int], bool], rises_at: Callable[[int, int, float], float], unranked_seconds: float
    ) -> None:
        self._rises_at = rises_at
        self._unranked_seconds = unranked_seconds
        self._step = DueQueue(alive)
        self._classes = [DueQueue(alive) for _ in range(VALUE_CLASSES)]
        self._in_use = 0  # value classes, from the first on; those above are empty

    def put(self, at: float, job: int) -> None:
        """Enter a job whose poll is worth its price since *at*."""
        self._step.put(at, job)

    def refresh(self, now: float) -> None:
        """Move each job to the value class that it has reached by *now*."""
        for at, job in self._step.due(now - self._unranked_seconds):
            self._raise(0, at, job)
        value_class = 1
        while value_class < VALUE_CLASSES and value_class <= self._in_use:
            for at, job in self._classes[value_class - 1].due(now):
                self._raise(value_class, at, job)
            value_class += 1

    def _raise(self, value_class: int, at: float, job: int) -> None:
        self._classes[value_class].put(self._rises_at(job, value_class, at), job)
        self._in_use = max(self._in_use, value_class + 1)

    def _highest(self) -> int | None:
        """Find the highest value class that has a job; None when none has."""
        while self._in_use and not self._classes[self._in_use - 1]:
            self._in_use -= 1
        return self._in_use - 1 if self._in_use else None

    def __len__(self) -> int:
        """Count the entries, those of jobs that do not count any more included."""
        return len(self._step) + sum(map(len, self._classes))

    def __bool__(self) -> bool:
        return bool(self._step) or self._highest() is not None

    def take(self) -> tuple[int, int]:
        """Take out the job whose poll is worth most, of a queue that has one: its value class and its number."""
        value_class = self._highest()
        if value_class is None:
            return 0, self._step.take()[1]
        return value_class, self._classes[value_class].take()[1]
