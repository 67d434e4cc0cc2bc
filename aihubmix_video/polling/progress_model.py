"""What a vendor's progress says of when a job finishes, learnt per model.

A job of age ``a`` at ``p`` percent would finish at age ``100 a / p`` if progress were even. It is not: some vendors count the
queue, some stand at 99 % for half a minute. So, per twentieth of progress, the logarithm of the true duration over that naive
one is learnt, with its spread. A vendor whose progress says nothing has a wide spread, and its progress then counts for nothing.
"""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TYPE_CHECKING, Final

from aihubmix_video.polling.survival_curve import LogNormal, SurvivalCurve

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["STEPS", "ProgressModel"]

STEPS: Final = 20  # of progress, told apart
MIN_REPORTS_PER_STEP: Final = 8.0  # reports in a step before it is believed
REPORTS_REMEMBERED: Final = 200.0  # reports in a step; older ones fade
PRIOR_REPORTS: Final = 1.0  # reports of spread `PRIOR_LOG_SPREAD` that every step is taken to have had
PRIOR_LOG_SPREAD: Final = 0.5
MIN_LOG_SPREAD: Final = 0.01  # spread of the logarithm: no progress is more exact than a percent


class ProgressModel:
    """What one model's progress is worth."""

    __slots__ = ("_counts", "_means", "_squares")

    def __init__(self) -> None:
        self._counts = [0.0] * STEPS
        self._means = [0.0] * STEPS
        self._squares = [0.0] * STEPS  # sums of squared differences from the mean

    def learn(self, age: float, percent: float, duration: float) -> None:
        """A job that was at *percent* at *age* took *duration*."""
        step = _step(percent)
        if step is None or not (0 < age < inf and 0 < duration < inf):
            return
        error = log(duration) - log(age) + log(percent) - log(100)
        if self._counts[step] >= REPORTS_REMEMBERED:
            self._counts[step] -= 1
            self._squares[step] *= 1 - 1 / REPORTS_REMEMBERED
        self._counts[step] += 1
        before = error - self._means[step]
        self._means[step] += before / self._counts[step]
        self._squares[step] += before * (error - self._means[step])

    def estimate(self, age: float, percent: float | None, curve: SurvivalCurve) -> LogNormal | None:
        """Return when a job that is at *percent* at *age* finishes, the curve of its kind considered; None if that is not known."""
        step = _step(percent)
        if percent is None or step is None or age <= 0 or self._counts[step] < MIN_REPORTS_PER_STEP:
            return None
        variance = (self._squares[step] + PRIOR_REPORTS * PRIOR_LOG_SPREAD**2) / (self._counts[step] + PRIOR_REPORTS)
        told = log(age) - log(percent) + log(100) + self._means[step]
        weight, other = 1 / max(variance, MIN_LOG_SPREAD**2), 1 / max(curve.log_variance, MIN_LOG_SPREAD**2)
        return LogNormal((told * weight + curve.log_mean * other) / (weight + other), sqrt(1 / (weight + other)))

    # Keeping.

    def kept(self) -> list[float]:
        """Return what was counted: reports, means and squares, one after the other."""
        return [*self._counts, *self._means, *self._squares]

    def restore(self, counted: Sequence[float]) -> None:
        """Go on from what was counted before."""
        self._counts, self._means = list(counted[:STEPS]), list(counted[STEPS : 2 * STEPS])
        self._squares = list(counted[2 * STEPS :])


def _step(percent: float | None) -> int | None:
    """Find the step of a progress; None where there is none, or none that can be."""
    if percent is None or not 0 < percent <= 100:
        return None
    return min(int(percent / 100 * STEPS), STEPS - 1)
