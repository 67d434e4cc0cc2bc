"""When to ask again about a job that is being generated: what the scheduler needs of what decides it.

A poll policy moves only *when* a poll happens, never whether. `adaptive.AdaptivePollPolicy` is the one that sessions use.
"""

from __future__ import annotations

from typing import Protocol

import attrs

__all__ = ["Estimate", "Kind", "PollHistory", "PollPolicy"]

Kind = tuple[str, ...]
"""What jobs have in common that take equally long: the model first, then seconds, size and mode. Empty when not known."""


@attrs.define
class PollHistory:
    """What is known of one running job; ages in seconds since it was accepted.

    Attributes:
        dated: Whether its age is its true one, from which durations may be learnt.
        seen: The age at which it was last seen unfinished; None when its life before it was followed is unknown.
        polls: How often it was asked about.
        progress: Percent, as reported when it was last seen.
        report: An earlier age and progress, from which progress is learnt.
    """

    kind: Kind
    dated: bool = True
    seen: float | None = 0.0
    polls: int = 0
    progress: float | None = None
    report: tuple[float, float] | None = None


@attrs.frozen
class Estimate:
    """How long a job may still take, in seconds: half of all finish within `middle`, eight in ten between `low` and `high`."""

    low: float
    middle: float
    high: float


class PollPolicy(Protocol):
    """Decides when a job is asked about next; told what every answer showed. Ages are seconds since the job was accepted.

    Attributes:
        interval: Seconds between polls of a job, on average.
    """

    interval: float

    def begin(self, history: PollHistory) -> None:
        """A job is being generated from now on."""

    def leave(self, history: PollHistory) -> None:
        """It is not any more, for whatever reason."""

    def next_age(self, history: PollHistory, age: float, draw: float) -> float:
        """Return the age at which to ask next a job that is now of this age; *draw* is a random number, 0 <= draw < 1."""

    def plain_age(self, age: float, draw: float) -> float:
        """Return the age at which to ask next a job whose last poll, at *age*, brought nothing."""

    def worth_at(self, history: PollHistory, times: float, since: float) -> float:
        """Return the age, *since* or later, at which a poll is worth so many times what it was when it became due."""

    def served(self, times: float) -> None:
        """A poll left when it was worth so many times what it was when it became due, or somewhat more."""

    def asked(self, history: PollHistory, age: float, progress: float | None, *, finished: bool, draw: float) -> None:
        """Learn what a good answer showed: at *age* the job was finished, or else so many percent of it."""

    def estimate(self, history: PollHistory, age: float) -> Estimate:
        """Estimate how long a job of this age may still take."""
