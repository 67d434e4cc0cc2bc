"""When requests began to be held, from one snapshot of a session to the next. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.telemetry.instruments import REQUEST, Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.types.events import SessionStats

__all__ = ["CooldownCount"]


class CooldownCount:
    """Counts cool-downs: a hold that follows another without a pause is the same cool-down, put off."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def see(self, stats: SessionStats, now: float) -> Iterator[Measurement]:
        """Take in a snapshot of *now*, in Unix seconds, and return the cool-downs that have begun."""
        for hold in stats.holds:
            if self._until.get(hold.requests, now) <= now < hold.until:
                yield Measurement("aihubmix.video.cooldowns", 1, {REQUEST: hold.requests})
            self._until[hold.requests] = hold.until

    def remaining(self, now: float) -> dict[str, float]:
        """Return for how many seconds each kind of request is still held; 0 for one that was."""
        return {requests: max(until - now, 0.0) for requests, until in self._until.items()}
