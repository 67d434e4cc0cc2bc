"""How long jobs take, as a curve over age; ages are in units, see `AGES`.

Two curves share one language. `SurvivalCurve` is what was learnt of a kind of job: a hazard (chance of finishing, per unit of age, of
a job that has come so far) that is constant within each bin of age. `LogNormal` is what one job's own progress says of it.
Both answer how likely a job still runs at an age (`survival`), and how much of its life up to an age it spends running
(`lived`, the integral of survival). From the two follows what the whole poller is built on, the *expected unnoticed wait*: the
time a job last seen unfinished at age ``a0`` will on average have been finished, unnoticed, when it is asked at age ``a``:

    unnoticed(a0, a) = ∫ P(done by t | not done at a0) dt  from a0 to a  =  (a - a0) - (lived(a) - lived(a0)) / survival(a0)

It starts at 0, never falls, and grows in the end as fast as time itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from math import erfc, exp, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AGES", "BINS", "WIDTHS", "CompletionEstimate", "LogNormal", "SurvivalCurve", "bin_of"]

FINEST_BIN_UNITS: Final = 2.0  # units; as close together as polls of one job ever are
BIN_GROWTH: Final = 1.05  # from 40 units on each bin is 5 % wider than the last: what matters then is the proportion
OLDEST_UNITS: Final = 5400.0

SURVIVAL_FLOOR: Final = 1e-9  # survival below which a job may be taken for finished
MIN_HAZARD_PER_UNIT: Final = 2e-5  # per unit; no age is quite impossible


def _ages() -> list[float]:
    ages = [FINEST_BIN_UNITS * i for i in range(21)]
    while ages[-1] < OLDEST_UNITS:
        ages.append(ages[-1] * BIN_GROWTH)
    return ages


AGES: Final = _ages()
"""Edges of the bins of age. The unit is a 15th of the poll interval: a second where the interval is 15 s."""
WIDTHS: Final = [after - before for before, after in pairwise(AGES)]
BINS: Final = len(WIDTHS)


def bin_of(age: float) -> int:
    """Find the bin that begins at or before *age*; `BINS` for one older than all bins."""
    return bisect_right(AGES, age) - 1


class CompletionEstimate(Protocol):
    """When a job may finish."""

    def survival(self, age: float) -> float:
        """Return how likely it still runs at *age*."""

    def asks_at(self, seen: float, price: float, earliest: float, latest: float) -> float:
        """Return the age at which the expected unnoticed wait since age *seen* reaches *price*, within these two ages."""

    def quantile(self, seen: float, share: float) -> float:
        """Return the age by which this share of the jobs that run at age *seen* has finished."""


class SurvivalCurve:
    """Durations of a kind of job.

    Args:
        hazards: Per unit of age, one for each bin.

    Attributes:
        mean: Of the duration.
        log_mean: Of the duration's logarithm; also `log_variance`.
    """

    __slots__ = ("_hazards", "_lived", "_survival", "log_mean", "log_variance", "mean")

    def __init__(self, hazards: Sequence[float]) -> None:
        self._hazards = [max(hazard, MIN_HAZARD_PER_UNIT) for hazard in hazards]
        self._survival = [1.0]
        self._lived = [0.0]
        for hazard, width in zip(self._hazards, WIDTHS, strict=True):
            before = self._survival[-1]
            after = before * exp(-hazard * width)
            self._survival.append(after)
            self._lived.append(self._lived[-1] + (before - after) / hazard)
        self.mean = self._lived[-1]
        self._take_logs()

    def _take_logs(self) -> None:
        logs = [log((before + after) / 2) for before, after in pairwise(AGES)]
        shares = [before - after for before, after in pairwise(self._survival)]
        total = sum(shares) or 1.0
        self.log_mean = sum(map(float.__mul__, shares, logs)) / total
        self.log_variance = sum(share * (each - self.log_mean) ** 2 for share, each in zip(shares, logs, strict=True))
        self.log_variance /= total

    def survival(self, age: float) -> float:
        """Return how likely a job still runs at *age*."""
        return self._at(age)[0]

    def _at(self, age: float) -> tuple[float, float]:
        """Return survival and lived time at *age*."""
        here = bisect_right(AGES, age) - 1
        if here >= BINS:
            return self._survival[-1], self._lived[-1]
        before, hazard = self._survival[here], self._hazards[here]
        after = before * exp(-hazard * (age - AGES[here]))
        return after, self._lived[here] + (before - after) / hazard

    def asks_at(self, seen: float, price: float, earliest: float, latest: float) -> float:
        """Return the age at which the expected unnoticed wait since age *seen* reaches *price*, within these two ages."""
        running, lived = self._at(seen)
        if running < SURVIVAL_FLOOR:
            return min(max(earliest, seen + price), latest)
        levels = self._lived

        def unnoticed(age: float) -> float:
            return (age - seen) - (self._at(age)[1] - lived) / running

        def at_edge(edge: int) -> float:
            return (AGES[edge] - seen) - (levels[edge] - lived) / running

        edges = range(bisect_right(AGES, earliest), bisect_left(AGES, latest))
        edge = edges.start + bisect_left(edges, price, key=at_edge)
        start, end = max(AGES[edge - 1], earliest), latest if edge == edges.stop else AGES[edge]
        low, high = unnoticed(start), unnoticed(end)
        if price >= high or end <= start:
            return max(end, earliest)
        return start if price <= low else start + (end - start) * (price - low) / (high - low)

    def quantile(self, seen: float, share: float) -> float:
        """Return the age by which this share of the jobs that run at age *seen* has finished."""
        wanted = (1 - share) * self.survival(seen)
        edge = bisect_right(self._survival, -wanted, key=float.__neg__)
        if edge > BINS:
            return AGES[-1]
        start, hazard = AGES[edge - 1], self._hazards[edge - 1]
        if wanted <= 0:
            return AGES[-1]
        return max(start + log(self._survival[edge - 1] / wanted) / hazard, seen)


@attrs.frozen
class LogNormal:
    """When one job will finish, by its own progress.

    Attributes:
        mean: Of the logarithm of its duration.
        spread: Standard deviation of the same, above 0.
    """

    mean: float
    spread: float

    def survival(self, age: float) -> float:
        """Return how likely it still runs at *age*."""
        return 1.0 if age <= 0 else 0.5 * erfc((log(age) - self.mean) / (self.spread * sqrt(2)))

    def lived(self, age: float) -> float:
        """Return how much of its life up to *age* it spends running: E[min(duration, age)], in closed form."""
        if age <= 0:
            return 0.0
        z = (log(age) - self.mean) / self.spread
        done = exp(self.mean + self.spread**2 / 2) * 0.5 * erfc((self.spread - z) / sqrt(2))
        return age * 0.5 * erfc(z / sqrt(2)) + done

    def asks_at(self, seen: float, price: float, earliest: float, latest: float) -> float:
        """Return the age at which the expected unnoticed wait since age *seen* reaches *price*, within these two ages."""
        running, lived = self.survival(seen), self.lived(seen)
        if running < SURVIVAL_FLOOR:
            return min(max(earliest, seen + price), latest)
        age = latest
        for _ in range(
            NEWTON_STEPS
        ):  # the wait is convex, so from the right each step stays to the right of the answer
            excess = (age - seen) - (self.lived(age) - lived) / running - price
            slope = 1 - self.survival(age) / running
            if excess <= 0 or slope <= 0 or age <= earliest:
                break
            age -= excess / slope
        return min(max(age, earliest), latest)

    def quantile(self, seen: float, share: float) -> float:
        """Return the age by which this share of the jobs that run at age *seen* has finished."""
        wanted = min(max((1 - share) * self.survival(seen), MIN_PROBABILITY), MAX_PROBABILITY)
        return max(exp(self.mean - self.spread * NORMAL.inv_cdf(wanted)), seen)


NEWTON_STEPS: Final = 8
NORMAL: Final = NormalDist()
MIN_PROBABILITY: Final = 1e-300  # 0 and 1 have no quantiles
MAX_PROBABILITY: Final = 1 - 1e-16
