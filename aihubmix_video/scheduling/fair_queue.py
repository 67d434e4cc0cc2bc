"""The lanes in which jobs wait to send, and how lanes take turns.

Theory: start-time fair queueing (Goyal, Vin and Cheng, 1996). A turn starts where the lane's last one finished, but not
before the turn served now, so a lane that was idle is level with the others and has nothing to catch up. Each lane with work
thus gets its share of the turns at least, and none can starve another, however much waits in it.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

import attrs

from aihubmix_video.scheduling.circuit_breaker import Breaker
from aihubmix_video.scheduling.due_queue import Agenda

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aihubmix_video.scheduling.messages import Action

__all__ = ["Lane", "Lanes"]


class Queue(Protocol):
    """Jobs that are ready, in some order; true while one may leave."""

    def put(self, at: float, job: int) -> None:
        """Enter a job."""

    def refresh(self, now: float) -> None:
        """Bring the order up to date."""

    def __bool__(self) -> bool: ...

    def take(self) -> tuple[float, int]:
        """Take out the first job, of a queue that has one, with its rank."""


def _always() -> bool:
    return True


@attrs.define
class Lane:
    """Jobs that wait to send the same sort of request.

    Attributes:
        limit: Requests of this sort under way at once, at most.
        action: What is handed out for a job.
        ready: Jobs that are due, by their rank.
        admits: Whether one more may leave, for reasons of the lane's own.
        busy: Requests under way.
        share: How many turns it gets for one of a lane whose share is 1, while both have work.
        finish: Where this lane's next turn may start, counted in turns of a lane whose share is 1.
        breaker: Holds them while the gateway seems to be down.
        alone: Whether, while it does, a probe under way must be answered before the next one leaves.
    """

    limit: float
    action: Callable[[int], Action]
    _rank: Callable[[int, float], float]
    ready: Queue
    admits: Callable[[], bool] = _always
    alone: bool = False
    share: int = 1
    busy: int = attrs.field(default=0, init=False)
    finish: float = attrs.field(default=0.0, init=False)
    breaker: Breaker = attrs.field(factory=Breaker, init=False)

    def join(self, due: float, job: int) -> None:
        """Let a job that has become due wait by rank, which is asked for the job and the moment it was due."""
        self.ready.put(self._rank(job, due), job)

    def open(self) -> bool:
        """Whether a job is ready and there is room for its request."""
        limit = 1 if self.alone and self.breaker.open else self.limit
        return self.busy < limit and self.admits() and bool(self.ready)


class Lanes:
    """All lanes of a session, taking turns.

    Args:
        lanes: All of them.
        alive: Whether a job still counts, as for an `Agenda`.
        lane_of: Says in which lane a job waits once it is due.

    Attributes:
        later: Jobs by the moment they become due, whatever their lane.
    """

    def __init__(self, *lanes: Lane, alive: Callable[[int], bool], lane_of: Callable[[int], Lane]) -> None:
        self.later = Agenda(alive)
        self._lane_of = lane_of
        self._lanes = lanes
        self._manned: list[Lane] = []  # those in which any job was ready when this was last looked at
        self._turn = 0.0  # start of the turn served last

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes)

    def mature(self, now: float) -> None:
        """Let what has become due be ready."""
        for due, job in self.later.due(now):
            self._lane_of(job).join(due, job)
        for lane in self._lanes:
            lane.ready.refresh(now)
        self._manned = [lane for lane in self._lanes if lane.ready]

    def wakes_at(self, opens_at: float) -> float:
        """Say when there may be something to send, if the rate allows it from *opens_at* on; infinity when never."""
        ready = (max(opens_at, lane.breaker.held_until) for lane in self._manned if lane.open())
        return min(self.later.first(), *ready, inf)

    def take(self, now: float) -> tuple[Lane, float, int] | None:
        """Take out the job whose turn it is: its lane, its rank there and its number; None when nothing may be sent now."""
        waiting = (lane for lane in self._manned if lane.breaker.held_until <= now and lane.open())
        lane = min(waiting, key=lambda lane: max(self._turn, lane.finish), default=None)
        if lane is None:
            return None
        self._turn = max(self._turn, lane.finish)
        lane.finish = self._turn + 1 / lane.share
        lane.breaker.probed(now)
        return lane, *lane.ready.take()
