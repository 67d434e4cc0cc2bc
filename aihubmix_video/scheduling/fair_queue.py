"""The request classes in which jobs wait to send, and how request classes take turns.

Theory: start-time fair queueing (Goyal, Vin and Cheng, 1996). A turn starts where the class's last one finished, but not
before the turn served now, so a class that was idle is level with the others and has nothing to catch up. Each class with work
thus gets its share of the turns at least, and none can starve another, however much waits in it.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

import attrs

from aihubmix_video.scheduling.circuit_breaker import CircuitBreaker
from aihubmix_video.scheduling.due_queue import DueQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aihubmix_video.scheduling.messages import Action
    from aihubmix_video.scheduling.rate_control import Cooldown

__all__ = ["FairQueue", "RequestClass"]


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
class RequestClass:
    """Jobs that wait to send the same sort of request.

    Attributes:
        limit: Requests of this sort under way at once, at most.
        action: What is handed out for a job.
        ready: Jobs that are due, by their rank.
        admits: Whether one more may leave, for reasons of the class's own.
        busy: Requests under way.
        share: How many turns it gets for one of a class whose share is 1, while both have work.
        finish: Where this class's next turn may start, counted in turns of a class whose share is 1.
        breaker: Holds them while the gateway seems to be down.
        cooldown: Holds them while the gateway asked to wait; shared by classes of one kind.
        alone: Whether, while it does, a probe under way must be answered before the next one leaves.
    """

    limit: float
    action: Callable[[int], Action]
    _rank: Callable[[int, float], float]
    ready: Queue
    cooldown: Cooldown
    admits: Callable[[], bool] = _always
    alone: bool = False
    share: int = 1
    busy: int = attrs.field(default=0, init=False)
    finish: float = attrs.field(default=0.0, init=False)
    breaker: CircuitBreaker = attrs.field(factory=CircuitBreaker, init=False)

    @property
    def held_until(self) -> float:
        """The moment before which nothing of this sort is sent."""
        return max(self.breaker.held_until, self.cooldown.until)

    def join(self, due: float, job: int) -> None:
        """Let a job that has become due wait by rank, which is asked for the job and the moment it was due."""
        self.ready.put(self._rank(job, due), job)

    def open(self) -> bool:
        """Whether a job is ready and there is room for its request."""
        limit = 1 if self.alone and self.breaker.open else self.limit
        return self.busy < limit and self.admits() and bool(self.ready)


class FairQueue:
    """All request classes of a session, taking turns.

    Args:
        queue: All of them.
        alive: Whether a job still counts, as for a `DueQueue`.
        class_of: Says in which class a job waits once it is due.

    Attributes:
        later: Jobs by the moment they become due, whatever their class.
    """

    def __init__(
        self, *queue: RequestClass, alive: Callable[[int], bool], class_of: Callable[[int], RequestClass]
    ) -> None:
        self.later = DueQueue(alive)
        self._class_of = class_of
        self._queue = queue
        self._manned: list[RequestClass] = []  # those in which any job was ready when this was last looked at
        self._turn = 0.0  # start of the turn served last

    def __iter__(self) -> Iterator[RequestClass]:
        return iter(self._queue)

    def mature(self, now: float) -> None:
        """Let what has become due be ready."""
        for due, job in self.later.due(now):
            self._class_of(job).join(due, job)
        for request_class in self._queue:
            request_class.ready.refresh(now)
        self._manned = [request_class for request_class in self._queue if request_class.ready]

    def wakes_at(self, opens_at: float) -> float:
        """Return when there may be something to send, if the rate allows it from *opens_at* on; infinity when never."""
        ready = (max(opens_at, request_class.held_until) for request_class in self._manned if request_class.open())
        return min(self.later.first(), *ready, inf)

    def take(self, now: float) -> tuple[RequestClass, float, int] | None:
        """Take out the job whose turn it is: its class, its rank there and its number; None when nothing may be sent now."""
        waiting = (
            request_class for request_class in self._manned if request_class.held_until <= now and request_class.open()
        )
        request_class = min(waiting, key=lambda request_class: max(self._turn, request_class.finish), default=None)
        if request_class is None:
            return None
        self._turn = max(self._turn, request_class.finish)
        request_class.finish = self._turn + 1 / request_class.share
        request_class.breaker.probed(now)
        return request_class, *request_class.ready.take()
