"""Schedulers for tests, and what drives them."""
# ruff: noqa: ARG002 - the stand-in below has the whole interface, and uses little of it

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.polling.policy import Estimate, PollHistory, PollPolicy
from aihubmix_video.scheduling.messages import (
    Accepted,
    Downloaded,
    EndJob,
    Polled,
    SchedulerLimits,
    SendCreate,
    SendDownload,
    SendPoll,
)
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.scheduling.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aihubmix_video.scheduling.messages import Action, Event

INTERVAL = 15.0
KIND = ("sora-2", "8", "1280x720")
AMPLE = 100_000  # so large a burst that the rate is no matter


class PlainCadence:
    """Stands in for the learned cadence where a test is about something else: one poll per interval, give or take a tenth."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.running = 0

    def begin(self, history: PollHistory) -> None:
        """Count the job."""
        self.running += 1

    def leave(self, history: PollHistory) -> None:
        """Count it no longer."""
        self.running -= 1

    def next_age(self, history: PollHistory, age: float, draw: float) -> float:
        """Say at which age to ask next."""
        return self.plain_age(age, draw)

    def plain_age(self, age: float, draw: float) -> float:
        """Say at which age to ask next after a poll that brought nothing."""
        return age + self.interval * (0.9 + 0.2 * draw)

    def worth_at(self, history: PollHistory, times: float, since: float) -> float:
        """Let all polls that wait become more urgent at the same pace."""
        return since + self.interval * (times - 1)

    def served(self, times: float) -> None:
        """Learn nothing."""

    def asked(self, history: PollHistory, age: float, progress: float | None, *, finished: bool, draw: float) -> None:
        """Note what the poll showed."""
        history.seen, history.progress = age, progress

    def estimate(self, history: PollHistory, age: float) -> Estimate:
        """Say that every job takes two minutes."""
        return Estimate(0.0, max(120.0 - age, 0.0), 120.0)


def engine(
    *,
    rate: float = 1000.0,
    burst: int = AMPLE,
    interval: float = INTERVAL,
    draw: Callable[[], float] = lambda: 0.5,
    limits: SchedulerLimits | None = None,
    policy: PollPolicy | None = None,
) -> Scheduler:
    """Build a scheduler whose draws are all in the middle: polls after one interval, backoff at three quarters."""
    policy = policy or PlainCadence(interval)
    return Scheduler(
        rate_limit=RateLimit.of_rate(rate, burst), limits=limits or SchedulerLimits(), policy=policy, draw=draw
    )


def tell(scheduler: Scheduler, now: float, *events: Event) -> list[Action]:
    """Let it hear of events, and say what it hands out then."""
    for event in events:
        scheduler.receive(event, now)
    return scheduler.actions(now)


def follow(scheduler: Scheduler, now: float, until: float) -> Iterator[tuple[float, Action]]:
    """Wake it whenever it asks to be woken, and yield what it hands out, with the moment."""
    while True:
        for action in scheduler.actions(now):
            yield now, action
        at = scheduler.wakes_at()
        if at is None or at > until:
            return
        now = max(now, at)


def good(action: Action, *, completed: bool = True) -> Event | None:
    """Answer an action as a gateway does where all is well."""
    match action:
        case SendCreate(job):
            return Accepted(job)
        case SendPoll(job):
            return Polled(job, completed=completed)
        case SendDownload(job):
            return Downloaded(job)
    return None


def play(
    scheduler: Scheduler, now: float, until: float, answer: Callable[[Action], Event | None] = good
) -> list[tuple[float, Action]]:
    """Let a gateway answer each action at once, and return all that was handed out."""
    seen: list[tuple[float, Action]] = []
    while True:
        answered = False
        for action in scheduler.actions(now):
            seen.append((now, action))
            if (event := answer(action)) is not None:
                scheduler.receive(event, now)
                answered = True
        at = now if answered else scheduler.wakes_at()
        if at is None or at > until:
            return seen
        now = max(now, at)


def ends(actions: list[Action]) -> list[EndJob]:
    """Pick the ends."""
    return [action for action in actions if isinstance(action, EndJob)]
