"""What is known of how long one kind of job takes, learnt from polls alone.

Nobody tells us when a job finished: a poll finds it unfinished at one age and finished at a later one, and the end lies
somewhere between. So, per bin of age, two things are counted: *ends*, each shared out over the bins it may lie in as the
present estimate has it (the self-consistent estimate of interval-censored times, Turnbull 1976), and the *time at risk* that
jobs spent there unfinished. Their ratio is the hazard. Jobs that still run count as well: that none of fifty jobs has finished
within a minute is knowledge.

Where little is known the estimate leans on something wider, which counts as a few jobs more: a kind (model, seconds, size,
mode) on its model, and the model on the official page's "usually takes 1-5 minutes". Old jobs fade, so that a vendor who
slows down is followed.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final

from aihubmix_video.polling.survival_curve import (
    AGES,
    BINS,
    MIN_HAZARD_PER_UNIT,
    WIDTHS,
    LogNormal,
    SurvivalCurve,
    bin_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JOBS_FOR_EARLIEST_FINISH", "DurationEstimates", "Piece", "bins_between", "prior"]

Piece = tuple[int, float, float]
"""Of a stretch of age, what lies in one bin: the bin, start and end."""

TYPICAL_SECONDS: Final = (
    120.0  # seconds; "usually takes 1-5 minutes", AIHubMix video guide, updated 2026-06-01: log-normal median
)
LOG_SPREAD: Final = 0.7  # of the logarithm: two thirds of all jobs within 1 and 4 minutes

PRIOR_WEIGHT_JOBS: Final = 2.0  # jobs that what lies behind an estimate counts as
JOBS_REMEMBERED: Final = 200.0  # jobs; what was seen so many jobs ago counts a third
RUNNING_NEWS_WEIGHT: Final = 1 / 8  # how much a "still running" adds to what is new, beside an end
MAX_NEWS_BEFORE_REFIT: Final = JOBS_REMEMBERED / 8  # ends after which the estimate is made again at the latest
NEWS_SHARE_BEFORE_REFIT: Final = 0.1  # see above: as soon as so much of everything known is new

JOBS_FOR_EARLIEST_FINISH: Final = 20  # finished; from then on the earliest plausible finish is known
EARLIEST_FINISH_QUANTILE: Final = 0.01  # of the jobs may finish earlier than "plausible"
EARLIEST_FINISH_PRIOR_JOBS: Final = 0.3  # jobs; of few jobs no share as small as that is known


def prior(unit: float) -> SurvivalCurve:
    """Make the curve of a model never seen, for bins of age of which one unit lasts *unit* seconds."""
    guess = LogNormal(log(TYPICAL_SECONDS / unit), LOG_SPREAD)
    running = [guess.survival(age) for age in AGES]
    steps = zip(running, running[1:], WIDTHS, strict=False)
    return SurvivalCurve(
        [log(before / after) / width if after > 0 else MIN_HAZARD_PER_UNIT for before, after, width in steps]
    )


class DurationEstimates:
    """What was seen of one kind of job.

    Args:
        behind: What the estimate leans on: of the model, or None for a model's own, which leans on *guess*.
        guess: The curve of a model never seen.

    Attributes:
        ended: Jobs seen to finish, in all.
        earliest: The age before which no job plausibly finishes; 0 while too few jobs are known.
        trusted: Per bin, how well the curve is known there; see `trust`.
        version: Of the estimate; counts up.
    """

    __slots__ = (
        *("_at_risk", "_behind", "_curve", "_ends", "_fresh", "_guess", "_known"),
        *("earliest", "ended", "trusted", "version"),
    )

    def __init__(self, guess: SurvivalCurve, behind: DurationEstimates | None = None) -> None:
        self._guess = guess
        self._behind = behind
        self._ends = [0.0] * BINS
        self._at_risk = [0.0] * BINS
        self._fresh = self._known = 0.0
        self.ended = 0.0
        self.earliest = 0.0
        self.version = 0
        self._curve = guess
        self.trusted: Sequence[float] = [0.0] * (BINS + 1)
        self._estimate()

    # Learning.

    def running(self, gap: Sequence[Piece]) -> None:
        """A job that was unfinished at the beginning of this stretch of age still is at its end."""
        for here, start, end in gap:
            self._at_risk[here] += end - start
        self._learnt(RUNNING_NEWS_WEIGHT)

    def finished(self, gap: Sequence[Piece]) -> None:
        """A job that was unfinished at the beginning of this stretch of age was found finished at its end."""
        chances = [self._chance(start, end) for _, start, end in gap]
        total, gone = sum(chances) or 1.0, 0.0
        for (here, start, end), chance in zip(gap, chances, strict=True):
            share = chance / total
            self._ends[here] += share
            self._at_risk[here] += (end - start) * (1 - gone - share / 2)
            gone += share
        self.ended += 1
        kept = 1 - 1 / JOBS_REMEMBERED
        self._ends = [each * kept for each in self._ends]
        self._at_risk = [each * kept for each in self._at_risk]
        self._learnt(1.0)

    def _chance(self, start: float, end: float) -> float:
        return self._curve.survival(start) - self._curve.survival(end) + 1e-9 * (end - start)

    def _learnt(self, news: float) -> None:
        self._fresh += news
        self._known += news

    # Knowing.

    @property
    def curve(self) -> SurvivalCurve:
        """The present estimate."""
        if self._fresh >= max(1.0, min(NEWS_SHARE_BEFORE_REFIT * self._known, MAX_NEWS_BEFORE_REFIT)):
            self._estimate()
        return self._curve

    def trust(self, age: float) -> float:
        """Return how well the curve is known at *age*: 0 where no job was seen, 1 where many were."""
        return self.trusted[min(bin_of(age), BINS)]

    # Keeping.

    def kept(self) -> tuple[float, list[float], list[float]]:
        """Return what was counted: jobs ended, and per bin ends and time at risk."""
        return self.ended, self._ends, self._at_risk

    def restore(self, ended: float, ends: Sequence[float], at_risk: Sequence[float]) -> None:
        """Go on from what was counted before."""
        self.ended, self._ends, self._at_risk = ended, list(ends), list(at_risk)
        self._known = min(ended, JOBS_REMEMBERED)
        self._estimate()

    def _estimate(self) -> None:
        behind = self._behind.curve if self._behind is not None else self._guess
        running = [behind.survival(age) for age in AGES]
        ends, at_risk = [], []
        for here, width in enumerate(WIDTHS):
            before, after = running[here], running[here + 1]
            ends.append(self._ends[here] + PRIOR_WEIGHT_JOBS * (before - after))
            at_risk.append(self._at_risk[here] + PRIOR_WEIGHT_JOBS * (before + after) / 2 * width)
        for _ in range(2):
            ends, at_risk = _smoothed(ends), _smoothed(at_risk)
        self._curve = SurvivalCurve(
            [end / risk if risk > 0 else MIN_HAZARD_PER_UNIT for end, risk in zip(ends, at_risk, strict=True)]
        )
        self.trusted = self._trusted()
        if self.ended >= JOBS_FOR_EARLIEST_FINISH:
            self.earliest = self._curve.quantile(
                0.0, max(EARLIEST_FINISH_QUANTILE, EARLIEST_FINISH_PRIOR_JOBS / self.ended)
            )
        self._fresh = 0.0
        self.version += 1

    def _trusted(self) -> list[float]:
        borrowed = self._behind.trusted if self._behind is not None else [0.0] * (BINS + 1)
        jobs = [
            risk / width + PRIOR_WEIGHT_JOBS * lent
            for risk, width, lent in zip(self._at_risk, WIDTHS, borrowed, strict=False)
        ]
        return [each / (each + 2 * PRIOR_WEIGHT_JOBS) for each in jobs] + [0.0]


def bins_between(since: float, age: float) -> list[Piece]:
    """Cut a stretch of age at the edges of the bins."""
    pieces, start, here = [], since, max(bin_of(since), 0)
    while start < age and here < BINS:
        end = min(AGES[here + 1], age)
        pieces.append((here, start, end))
        start, here = end, here + 1
    return pieces


def _smoothed(counts: list[float]) -> list[float]:
    """Spread each bin over its neighbours a little: chance makes neighbours differ more than durations do."""
    left, right = [counts[0], *counts[:-1]], [*counts[1:], counts[-1]]
    return [(a + 2 * b + c) / 4 for a, b, c in zip(left, counts, right, strict=True)]
