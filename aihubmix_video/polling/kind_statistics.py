"""What is known of one kind of job, and what follows for when its jobs may be asked about at all.

Ages are in units of a 15th of the interval, see `curve`. Some bounds hold whatever was learnt:

* Two polls about a job are at least 2 units apart, and at most two intervals.
* Where nothing is known they are one interval apart, give or take a tenth: the plain interval, the gateway's own advice. So it is
  at the beginning, and beyond the age that any job was ever seen to reach.
* Before the earliest plausible finish, once that is known, nothing is asked; but never for longer than eight intervals. A
  few jobs are looked at earlier all the same, and as soon as jobs are found finished at their first poll, all are: vendors
  may get faster.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.polling.poll_budget import INTERVAL_UNITS, PRICES, expected_polls
from aihubmix_video.polling.saved_statistics import SavedStatistics

if TYPE_CHECKING:
    from aihubmix_video.polling.duration_estimate import DurationEstimates
    from aihubmix_video.polling.policy import Kind
    from aihubmix_video.polling.progress_model import ProgressModel

__all__ = ["DRAW_WITHOUT_JITTER", "JITTER_SHARE", "MAX_POLL_SPACING_UNITS", "MIN_POLL_SPACING_UNITS", "KindStatistics"]

MIN_POLL_SPACING_UNITS: Final = 2.0  # units between polls of one job
MAX_POLL_SPACING_UNITS: Final = 8 * INTERVAL_UNITS
JITTER_SHARE: Final = 0.2  # share of an interval, so that jobs bought together drift apart
DRAW_WITHOUT_JITTER: Final = 0.5  # the draw that jitters nothing
TRUST_TO_USE_CURVE_ALONE: Final = 0.1  # trust in the curve from which on it alone decides

WEIGHT_BEFORE_FIRST_JOB: Final = 1e-6  # the weight of a kind of which none was bought yet
EXPLORER_SHARE: Final = 1 / 8  # of the jobs are looked at before the earliest plausible finish
EXPLORER_EARLIEST_SHARE: Final = 1 / 4  # of the time until then
FIRST_POLL_EARLIER_FACTOR: Final = 0.7  # a job found finished at its first look brings all first looks so much closer
FIRST_POLL_LATER_FACTOR: Final = 1.03  # and one found unfinished lets them go back a little


@attrs.define(eq=False)
class KindStatistics:
    """What is known of one kind of job.

    Attributes:
        durations: How long its jobs take.
        progress: What its model's progress is worth.
        look: To which share of the time until the earliest plausible finish first looks are brought forward.
        weight: How many of its jobs were bought recently.
        polls: What a job is expected to take at each of the budget's prices, by `version` of the durations.
    """

    durations: DurationEstimates
    progress: ProgressModel
    look: float = 1.0
    weight: float = WEIGHT_BEFORE_FIRST_JOB
    polls: list[float] = attrs.field(factory=list)
    version: int = -1

    def looked(self, age: float, *, finished: bool) -> None:
        """A job was asked about for the first time."""
        if not finished:
            self.look = min(self.look * FIRST_POLL_LATER_FACTOR, 1.0)
        elif age <= self.earliest + MIN_POLL_SPACING_UNITS:
            self.look *= FIRST_POLL_EARLIER_FACTOR

    def remembered(self, kind: Kind, *, is_model: bool) -> SavedStatistics:
        """Return what outlives the session."""
        ended, ends, at_risk = self.durations.kept()
        return SavedStatistics(
            kind=kind,
            is_model=is_model,
            look=self.look,
            ended=ended,
            ends=ends,
            at_risk=at_risk,
            progress=self.progress.kept(),
        )

    @property
    def earliest(self) -> float:
        """The age of the first look; 0 while too little is known to wait at all."""
        return min(self.durations.earliest * self.look, MAX_POLL_SPACING_UNITS)

    def window(self, seen: float, draw: float) -> tuple[float, float]:
        """Return the ages between which to ask next a job seen unfinished at age *seen*."""
        trust = self.durations.trust(seen + INTERVAL_UNITS)
        jitter = 1 + JITTER_SHARE * (draw - DRAW_WITHOUT_JITTER)
        unknown = max(1 - trust / TRUST_TO_USE_CURVE_ALONE, 0.0)
        soonest = seen + MIN_POLL_SPACING_UNITS + (INTERVAL_UNITS * jitter - MIN_POLL_SPACING_UNITS) * unknown
        latest = seen + INTERVAL_UNITS * jitter * (1 + trust)
        earliest = self.earliest
        if seen == 0 and draw < EXPLORER_SHARE:
            earliest *= EXPLORER_EARLIEST_SHARE + (1 - EXPLORER_EARLIEST_SHARE) * draw / EXPLORER_SHARE
        soonest = max(soonest, min(earliest, seen + MAX_POLL_SPACING_UNITS))
        return soonest, max(soonest, latest)

    def expect(self) -> bool:
        """Work out the expected polls, if the durations are better known than last time; say whether they were."""
        curve = self.durations.curve
        if self.version == self.durations.version:
            return False
        self.version = self.durations.version
        self.polls = [expected_polls(partial(self._planned, price), curve.survival) for price in PRICES]
        return True

    def _planned(self, price: float, seen: float) -> float:
        """Return the age at which a job seen unfinished at age *seen* is asked at this price, chance and its own progress aside."""
        return self.durations.curve.asks_at(seen, price, *self.window(seen, DRAW_WITHOUT_JITTER))
