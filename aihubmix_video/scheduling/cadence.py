"""When to ask again about a job that is being generated.

A cadence moves only *when* a poll happens, never whether. `Cadence` is what the scheduler needs of one; `FixedCadence`
asks once per interval, the gateway's own advice (15 s), with jitter so that jobs submitted together spread out.
"""

from __future__ import annotations

from typing import Protocol

import attrs

__all__ = ["Cadence", "FixedCadence", "Kind"]

Kind = tuple[str, ...]
"""What jobs have in common that take equally long: model, seconds, size."""

JITTER = 0.2  # share of the interval; keeps the mean at the interval and the worst case under 1.5 intervals
TYPICAL_SECONDS = 120.0  # "usually takes 1-5 minutes", AIHubMix video guide, updated 2026-06-01; log-normal median
MEMORY = 20.0  # jobs; the mean follows a vendor who slows down within about so many


class Cadence(Protocol):
    """Decides when a job is asked about next; told what every answer showed."""

    def next_age(self, kind: Kind, age: float, draw: float) -> float:
        """Say at which age, in seconds since acceptance, to ask again a job that was unfinished at *age*."""

    def observe(self, kind: Kind, before: float, age: float, *, finished: bool) -> None:
        """Learn that a job unfinished at age *before* was finished, or not, when asked at *age*."""

    def remaining(self, kind: Kind, age: float, progress: float | None) -> float:
        """Estimate the seconds until a job of this age, and of this progress in percent, finishes."""


@attrs.define
class FixedCadence:
    """One poll per *interval* seconds, give or take a tenth."""

    interval: float
    _means: dict[Kind, tuple[float, float]] = attrs.field(factory=dict)

    def next_age(self, kind: Kind, age: float, draw: float) -> float:  # noqa: ARG002 - the interface's; all kinds are alike here
        """Say at which age, in seconds since acceptance, to ask again a job that was unfinished at *age*."""
        return age + self.interval * (1 + JITTER * (draw - 0.5))

    def observe(self, kind: Kind, before: float, age: float, *, finished: bool) -> None:
        """Learn a duration: the job ended somewhere between the two ages, on average in the middle."""
        if finished:
            mean, seen = self._means.get(kind, (0.0, 0.0))
            weight = min(seen + 1, MEMORY)
            self._means[kind] = (mean + ((before + age) / 2 - mean) / weight, weight)

    def remaining(self, kind: Kind, age: float, progress: float | None) -> float:
        """Extrapolate the progress where there is one; else subtract the age from the mean seen, or the usual, duration."""
        if progress is not None and 0 < progress <= 100 and age > 0:
            return age * (100 - progress) / progress
        mean, _ = self._means.get(kind, (TYPICAL_SECONDS, 0.0))
        return max(mean - age, 0.0)
