"""Schedulers for tests, and what drives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.scheduling.cadence import FixedCadence
from aihubmix_video.scheduling.messages import Bought, End, Fetch, Fetched, Poll, Polled, Submit
from aihubmix_video.scheduling.pace import Pace
from aihubmix_video.scheduling.scheduler import Limits, Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aihubmix_video.scheduling.messages import Action, Event

INTERVAL = 15.0
KIND = ("sora-2", "8", "1280x720")
AMPLE = 100_000  # so large a burst that the rate is no matter


def engine(
    *,
    rate: float = 1000.0,
    burst: int = AMPLE,
    interval: float = INTERVAL,
    draw: Callable[[], float] = lambda: 0.5,
    limits: Limits | None = None,
) -> Scheduler:
    """Build a scheduler whose draws are all in the middle: polls after one interval, backoff at three quarters."""
    cadence = FixedCadence(interval)
    return Scheduler(pace=Pace.of_rate(rate, burst), limits=limits or Limits(), cadence=cadence, draw=draw)


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
        case Submit(job):
            return Bought(job)
        case Poll(job):
            return Polled(job, completed=completed)
        case Fetch(job):
            return Fetched(job)
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


def ends(actions: list[Action]) -> list[End]:
    """Pick the ends."""
    return [action for action in actions if isinstance(action, End)]
