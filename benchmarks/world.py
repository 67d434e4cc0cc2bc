"""A gateway and its vendors on virtual time, around the real scheduler: nothing here decides when anything is asked.

An hour of a thousand jobs takes seconds. The gateway answers every request after `LATENCY`; everything else is perfect.
"""

from __future__ import annotations

import random
from heapq import heappop, heappush
from itertools import count
from math import inf, nan
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.scheduling.messages import (
    Accepted,
    AddJob,
    Downloaded,
    EndJob,
    Event,
    Polled,
    SchedulerLimits,
    SendCreate,
    SendDownload,
    SendPoll,
)
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.scheduling.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.polling.policy import Kind, PollPolicy
    from aihubmix_video.scheduling.messages import Action

__all__ = ["AMPLE", "UNLIMITED", "Film", "Run", "Summary", "World", "summary"]

LATENCY = 0.1  # seconds there and back
UNLIMITED = 1e6  # requests per second: a rate that is no matter
AMPLE = SchedulerLimits(max_in_flight=10**6, max_polls=10**6, max_creates=10**6, max_downloads=10**6, deadline=1e9)


@attrs.frozen
class Film:
    """One job to come.

    Attributes:
        at: When the user asks for it, in seconds.
        duration: How long the vendor takes, in seconds from acceptance.
        bend: The exponent to which the share of its time gives the share it reports; None when it reports no progress.
        step: Percent in which it reports.
    """

    at: float
    kind: Kind
    duration: float
    bend: float | None = None
    step: int = 1

    def progress(self, age: float) -> float | None:
        """Say how far it is, in percent; never quite done before it is."""
        if self.bend is None:
            return None
        return min(100 * (max(age, 0.0) / self.duration) ** self.bend, 99.0) // self.step * self.step


@attrs.define
class Run:
    """What became of one film; moments in seconds.

    Attributes:
        polls: How often it was asked about.
        finished: When the vendor had it finished.
        noticed: When we knew.
        ended: When nothing was left to do for it.
    """

    film: Film
    polls: int = 0
    finished: float = inf
    noticed: float = nan
    ended: float = nan


class World:
    """A scheduler and the gateway that it talks to.

    Attributes:
        runs: What became of each film.
        left: The moments at which requests left.
    """

    def __init__(
        self,
        films: Sequence[Film],
        policy: PollPolicy,
        *,
        rate: float = UNLIMITED,
        wants_files: bool = False,
        limits: SchedulerLimits = AMPLE,
        seed: int = 0,
    ) -> None:
        draw = random.Random(seed).random  # noqa: S311 - jitter
        self.runs = [Run(film) for film in films]
        self.left: list[float] = []
        self._scheduler = Scheduler(rate_limit=RateLimit.of_rate(rate), limits=limits, policy=policy, draw=draw)
        self._to_come: list[tuple[float, int, Event]] = []
        self._numbers = count()
        for job, film in enumerate(films):
            self._later(film.at, AddJob(job, film.kind, wants_files))

    def _later(self, at: float, event: Event) -> None:
        heappush(self._to_come, (at, next(self._numbers), event))

    def go(self) -> World:
        """Let everything happen."""
        now = 0.0
        while True:
            for action in self._scheduler.actions(now):
                self._perform(action, now)
            wakes = self._scheduler.wakes_at()
            now = max(now, min(self._to_come[0][0] if self._to_come else inf, inf if wakes is None else wakes))
            if now == inf:
                return self
            while self._to_come and self._to_come[0][0] <= now:
                self._scheduler.receive(heappop(self._to_come)[2], now)

    def _perform(self, action: Action, now: float) -> None:
        if isinstance(action, EndJob):
            self.runs[action.job].ended = now
        else:
            self.left.append(now)
            self._later(now + LATENCY, self._answer(action, now + LATENCY / 2))

    def _answer(self, action: Action, there: float) -> Event:
        match action:
            case SendCreate(job):
                self.runs[job].finished = there + self.runs[job].film.duration
                return Accepted(job)
            case SendPoll(job):
                return self._polled(self.runs[job], job, there)
            case SendDownload(job):
                return Downloaded(job)
        raise TypeError(f"unexpected: {action}")

    @staticmethod
    def _polled(run: Run, job: int, there: float) -> Polled:
        run.polls += 1
        if there < run.finished:
            return Polled(job, completed=False, progress=run.film.progress(there - run.finished + run.film.duration))
        run.noticed = there + LATENCY / 2
        return Polled(job, completed=True)

    @property
    def worst_window(self) -> float:
        """Requests in the fullest of all windows that begin and end with a request, over what the rate allows there; above 1 is too many."""
        rate, left, worst, ahead = 1 / self._scheduler.rate_limit.interval, self.left, -inf, -inf
        for index, at in enumerate(left):
            ahead = max(ahead, at * rate - index)
            worst = max(worst, index + 1 - at * rate + ahead)
        return worst


@attrs.frozen
class Summary:
    """What jobs cost and how soon they were noticed.

    Attributes:
        polls: Per job.
        mean: Of the seconds for which a job was finished, unnoticed; likewise `p95`, their 95th percentile, and `worst`.
    """

    polls: float
    mean: float
    p95: float
    worst: float


def summary(runs: Sequence[Run]) -> Summary:
    """Sum up some runs."""
    delays = sorted(run.noticed - run.finished for run in runs)
    return Summary(
        polls=sum(run.polls for run in runs) / len(runs),
        mean=sum(delays) / len(delays),
        p95=delays[int(0.95 * (len(delays) - 1))],
        worst=delays[-1],
    )
