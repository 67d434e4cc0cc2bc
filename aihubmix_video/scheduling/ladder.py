"""Polls that are due, the most valuable first, when the shared rate has no room for all of them.

What a poll is worth grows while it waits, for some jobs faster than for others, so no order made once stays right. A ladder
has rungs: on the first a poll is worth its price, on each further one half as much again. Each job knows when it climbs to the
next rung; the first to leave is, on the highest rung that has any, the one that would climb next. So the price rises for all
alike, as far as the rate makes it, and each poll moves a few times at most: its cost stays flat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aihubmix_video.scheduling.agenda import Agenda

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RATIO", "RUNGS", "Ladder"]

RUNGS: Final = 14
RATIO: Final = 1.5  # between what polls are worth on one rung and on the next


class Ladder:
    """Jobs whose polls are due; true while it holds one.

    Args:
        alive: Whether a job still counts, as for an `Agenda`.
        climbs_at: Says for a job when its poll, which has been worth `RATIO` ** rung times its price since a moment, will be
            worth `RATIO` times as much.
    """

    __slots__ = ("_climbs_at", "_rungs")

    def __init__(self, alive: Callable[[int], bool], climbs_at: Callable[[int, int, float], float]) -> None:
        self._climbs_at = climbs_at
        self._rungs = [Agenda(alive) for _ in range(RUNGS)]

    def put(self, at: float, job: int) -> None:
        """Enter a job whose poll is worth its price since *at*."""
        self._rungs[0].put(self._climbs_at(job, 0, at), job)

    def climb(self, now: float) -> None:
        """Let each job be on the rung that it has reached by *now*."""
        for rung, (here, above) in enumerate(zip(self._rungs, self._rungs[1:], strict=False), start=1):
            for at, job in here.due(now):
                above.put(self._climbs_at(job, rung, at), job)

    def __len__(self) -> int:
        """Count the entries, those of jobs that do not count any more included."""
        return sum(map(len, self._rungs))

    def __bool__(self) -> bool:
        return any(self._rungs)

    def take(self) -> tuple[int, int]:
        """Take out the job whose poll is worth most, of a ladder that has one: its rung and its number."""
        for rung in range(RUNGS - 1, -1, -1):
            if self._rungs[rung]:
                return rung, self._rungs[rung].take()[1]
        raise IndexError("the ladder is empty")
