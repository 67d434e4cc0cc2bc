"""Polls that are due, the most valuable first, when the shared rate has no room for all of them.

What a poll is worth grows while it waits, for some jobs faster than for others, so no order made once stays right. A ladder
has rungs: on the first a poll is worth its price, on each further one half as much again. Each job knows when it climbs to the
next rung; the first to leave is, on the highest rung that has any, the one that would climb next. So the price rises for all
alike, as far as the rate makes it, and each poll moves a few times at most: its cost stays flat.

Before the first rung there is a step on which nobody is asked what he is worth: where there is room for all, none stays there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aihubmix_video.scheduling.due_queue import DueQueue

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VALUE_CLASSES", "VALUE_CLASS_RATIO", "PollQueue"]

VALUE_CLASSES: Final = 14
VALUE_CLASS_RATIO: Final = 1.5  # between what polls are worth on one rung and on the next


class PollQueue:
    """Jobs whose polls are due; true while it holds one.

    Args:
        alive: Whether a job still counts, as for a `DueQueue`.
        climbs_at: Says for a job when its poll, which has been worth `VALUE_CLASS_RATIO` ** rung times its price since a moment, will be
            worth `VALUE_CLASS_RATIO` times as much.
        patience: Seconds on the step before the first rung, at most.
    """

    __slots__ = ("_climbs_at", "_in_use", "_patience", "_rungs", "_step")

    def __init__(
        self, alive: Callable[[int], bool], climbs_at: Callable[[int, int, float], float], patience: float
    ) -> None:
        self._climbs_at = climbs_at
        self._patience = patience
        self._step = DueQueue(alive)
        self._rungs = [DueQueue(alive) for _ in range(VALUE_CLASSES)]
        self._in_use = 0  # rungs, from the first on; those above are empty

    def put(self, at: float, job: int) -> None:
        """Enter a job whose poll is worth its price since *at*."""
        self._step.put(at, job)

    def refresh(self, now: float) -> None:
        """Move each job to the value class that it has reached by *now*."""
        for at, job in self._step.due(now - self._patience):
            self._climb(0, at, job)
        rung = 1
        while rung < VALUE_CLASSES and rung <= self._in_use:
            for at, job in self._rungs[rung - 1].due(now):
                self._climb(rung, at, job)
            rung += 1

    def _climb(self, rung: int, at: float, job: int) -> None:
        self._rungs[rung].put(self._climbs_at(job, rung, at), job)
        self._in_use = max(self._in_use, rung + 1)

    def _highest(self) -> int | None:
        """Find the highest rung that has a job; None when none has."""
        while self._in_use and not self._rungs[self._in_use - 1]:
            self._in_use -= 1
        return self._in_use - 1 if self._in_use else None

    def __len__(self) -> int:
        """Count the entries, those of jobs that do not count any more included."""
        return len(self._step) + sum(map(len, self._rungs))

    def __bool__(self) -> bool:
        return bool(self._step) or self._highest() is not None

    def take(self) -> tuple[int, int]:
        """Take out the job whose poll is worth most, of a ladder that has one: its rung and its number."""
        rung = self._highest()
        if rung is None:
            return 0, self._step.take()[1]
        return rung, self._rungs[rung].take()[1]
