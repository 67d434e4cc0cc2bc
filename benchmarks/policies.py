"""What the learned cadence is compared with: other ways of choosing when to ask, for the same scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.polling.policy import Estimate, PollHistory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.polling.policy import Kind

__all__ = ["Backoff", "Fixed", "Oracle", "RoundRobin"]


@attrs.define
class Fixed:
    """Ask once per interval, jobs in the order in which they become due: what the gateway advises."""

    interval: float = 15.0

    def begin(self, trace: PollHistory) -> None:
        """Nothing is learnt."""

    def leave(self, trace: PollHistory) -> None:
        """Nothing is learnt."""

    def next_age(self, trace: PollHistory, age: float, draw: float) -> float:  # noqa: ARG002 - the interface's
        """Say at which age to ask next."""
        return age + self.interval

    def plain_age(self, age: float, draw: float) -> float:  # noqa: ARG002 - likewise
        """Say at which age to ask next a job whose last poll brought nothing."""
        return age + self.interval

    def worth_at(self, trace: PollHistory, times: float, since: float) -> float:  # noqa: ARG002 - likewise
        """Let all wait alike: first come, first served."""
        return since + self.interval * (times - 1)

    def served(self, times: float) -> None:
        """Nothing is learnt."""

    def asked(self, trace: PollHistory, age: float, progress: float | None, *, finished: bool, draw: float) -> None:  # noqa: ARG002
        """Nothing is learnt."""
        trace.polls += 1

    def estimate(self, trace: PollHistory, age: float) -> Estimate:  # noqa: ARG002 - likewise
        """Nothing is known."""
        return Estimate(0.0, 0.0, 0.0)


@attrs.define
class Backoff(Fixed):
    """Ask after *first* seconds, then after *factor* times as long each time, up to a cap; as many retry libraries do."""

    first: float = 2.0
    factor: float = 1.5
    cap: float = 30.0

    def next_age(self, trace: PollHistory, age: float, draw: float) -> float:  # noqa: ARG002 - the interface's
        """Say at which age to ask next."""
        return age + min(self.first * self.factor ** min(trace.polls, 60), self.cap)


@attrs.define
class RoundRobin(Fixed):
    """Ask as often as the rate allows, each job in its turn."""

    closest: float = 2.0

    def next_age(self, trace: PollHistory, age: float, draw: float) -> float:  # noqa: ARG002 - the interface's
        """Say at which age to ask next."""
        return age + self.closest


@attrs.define
class Oracle(Fixed):
    """Knows when each job finishes, and asks then: what nobody can reach. Kinds must be of one job each."""

    durations: Mapping[Kind, float] = attrs.field(factory=dict)

    def next_age(self, trace: PollHistory, age: float, draw: float) -> float:  # noqa: ARG002 - the interface's
        """Say at which age to ask next."""
        return max(self.durations[trace.kind], age)
