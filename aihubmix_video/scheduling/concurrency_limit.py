"""How many jobs may be in flight at once: what the user allows in all, and what each model's vendor was seen to bear.

"Too many at once" is a refusal that says nothing about the rate, and nothing about other models: each has its vendor's pool. It
lowers the model's ceiling to one job less than there were; from there it recovers as jobs end, and, should none end, by trying
one more after a while. Creates of a model that is at its ceiling stand aside, so that they hold up nobody else's.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.scheduling.due_queue import DueQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ConcurrencyLimits", "CreateQueue"]

PROBE_SECONDS = 60.0  # seconds until one more job is tried after "too many at once", if none has ended


@attrs.define
class _Pool:
    """One model's jobs at its vendor's.

    Attributes:
        jobs: Bought, or being bought, and not yet finished.
        ceiling: How many are known to be borne.
        probe_at: When one more is tried, if none ended before.
    """

    jobs: int = 0
    ceiling: float = inf
    probe_at: float = inf


@attrs.define
class ConcurrencyLimits:
    """What every model's vendor bears, as far as is known."""

    _pools: dict[str, _Pool] = attrs.field(factory=dict)
    _changed: set[str] = attrs.field(factory=set)

    def began(self, model: str) -> None:
        """A create of this model leaves."""
        self._pools.setdefault(model, _Pool()).jobs += 1

    def left(self, model: str, *, ran: bool) -> None:
        """A job is no longer at its vendor's; *ran* unless it was never bought.

        The ceiling doubles in twice as many ends as it is high, unless there is another refusal.
        """
        pool = self._pools[model]
        pool.jobs -= 1
        if pool.ceiling < inf:
            pool.ceiling += 1 / pool.ceiling if ran else 0.0
            self._changed.add(model)
        elif pool.jobs == 0:
            del self._pools[model]

    def refused(self, model: str, now: float) -> None:
        """Too many of this model at once, with the one that was refused."""
        pool = self._pools[model]
        pool.ceiling = max(pool.jobs - 1.0, 1.0)
        pool.probe_at = now + PROBE_SECONDS

    def room(self, model: str) -> float:
        """Return how many more may be bought."""
        pool = self._pools.get(model)
        return inf if pool is None else pool.ceiling - pool.jobs

    @property
    def probe_at(self) -> float:
        """When one more is tried of some model, if none ended before; infinity when of none."""
        return min((pool.probe_at for pool in self._pools.values()), default=inf)

    def probe(self, now: float) -> None:
        """Try one more of each model of which it is time to."""
        for model, pool in self._pools.items():
            if pool.probe_at <= now:
                pool.probe_at = inf
                pool.ceiling += 1
                self._changed.add(model)

    def changed(self) -> set[str]:
        """Return the models of which more may be bought than when this was last asked."""
        changed, self._changed = self._changed, set()
        return changed


class CreateQueue:
    """Creates that are due, in their order, but for those of models that are at their ceiling; true while one may leave."""

    __slots__ = ("_alive", "_aside", "_concurrency", "_model", "_ready")

    def __init__(
        self, alive: Callable[[int], bool], model: Callable[[int], str], concurrency: ConcurrencyLimits
    ) -> None:
        self._alive = alive
        self._model = model
        self._concurrency = concurrency
        self._ready = DueQueue(alive)
        self._aside: dict[str, DueQueue] = {}

    def put(self, at: float, job: int) -> None:
        """Enter a job by its rank."""
        self._ready.put(at, job)

    def refresh(self, now: float) -> None:
        """Let the creates that may leave again come back from aside."""
        self._concurrency.probe(now)
        self._let_back(self._concurrency.changed() & self._aside.keys())

    def _let_back(self, models: Iterable[str]) -> None:
        """Let as many of these models come back from aside as may be bought."""
        for model in models:
            aside, room = self._aside[model], self._concurrency.room(model)
            while room >= 1 and aside:
                self._ready.put(*aside.take())
                room -= 1
            if not aside:
                del self._aside[model]

    def __len__(self) -> int:
        """Count the entries, those of jobs that do not count any more included."""
        return len(self._ready) + sum(map(len, self._aside.values()))

    def __bool__(self) -> bool:
        if not self._ready:
            self._let_back(list(self._aside))  # those let back before may have been withdrawn since
        while self._ready:
            model = self._model(self._ready.next_job())
            if self._concurrency.room(model) >= 1:
                return True
            self._aside.setdefault(model, DueQueue(self._alive)).put(*self._ready.take())
        return False

    def take(self) -> tuple[float, int]:
        """Take out the first create, of a queue that has one that may leave: its rank and its job."""
        if not self:
            raise IndexError("no create may leave")
        return self._ready.take()
