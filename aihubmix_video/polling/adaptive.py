"""The poll policy that learns: it asks about each job when that is worth most, within a fixed budget.

The rule: ask about a job when the expected unnoticed wait since it was last seen unfinished (see `curve`) is worth the price
of a poll (see `budget`), within the bounds of `statistics`. What to expect is learnt from all polls of jobs of the same kind (see
`durations`), and from the job's own progress (see `progress`).

Outside of this module ages are in seconds; inside, in units of a 15th of the interval. So a sandbox whose time runs sixty times
as fast, and which is polled sixty times as often, behaves as the real thing does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.polling.duration_estimate import DurationEstimates, bins_between, prior
from aihubmix_video.polling.kind_statistics import (
    DRAW_WITHOUT_JITTER,
    JITTER_SHARE,
    MAX_POLL_SPACING_UNITS,
    KindStatistics,
)
from aihubmix_video.polling.policy import Estimate, Kind, PollHistory
from aihubmix_video.polling.poll_budget import INTERVAL_UNITS, PollBudget
from aihubmix_video.polling.progress_model import ProgressModel
from aihubmix_video.polling.saved_statistics import pack, unpack

if TYPE_CHECKING:
    from aihubmix_video.polling.survival_curve import CompletionEstimate, SurvivalCurve

__all__ = ["AdaptivePollPolicy"]

PRICE_JITTER_SHARE: Final = 0.5  # share of the price, so that jobs bought together drift apart
MIN_FINISH_PROBABILITY: Final = (
    0.005  # chance of having finished below which a job's own progress makes a poll pointless
)

MAX_KINDS: Final = 256  # remembered; the one whose last job ended longest ago is forgotten first
MIN_REAL_INTERVAL_SECONDS: Final = (
    3.0  # seconds; a policy that is asked more often than that runs in a simulation, whose time runs fast
)
RECENCY_FACTOR_PER_JOB: Final = (
    1.002  # how much more each job bought counts than the one before, in sharing out the budget
)
MAX_WEIGHT: Final = 1e9


@attrs.define(eq=False)
class AdaptivePollPolicy:
    """Asks about each job when that is worth most, at one poll per *interval* seconds and running job on average."""

    interval: float
    _unit: float = attrs.field(init=False)
    _guess: SurvivalCurve = attrs.field(init=False)
    _budget: PollBudget = attrs.field(factory=PollBudget, init=False)
    _models: dict[Kind, KindStatistics] = attrs.field(factory=dict, init=False)
    _kinds: dict[Kind, KindStatistics] = attrs.field(factory=dict, init=False)
    _running: int = attrs.field(default=0, init=False)
    _newest: float = attrs.field(default=1.0, init=False)  # the weight of the job bought last

    def __attrs_post_init__(self) -> None:
        self._unit = self.interval / INTERVAL_UNITS
        self._guess = prior(self._unit if self.interval >= MIN_REAL_INTERVAL_SECONDS else 1.0)

    def _statistics(self, kind: Kind) -> KindStatistics:
        """Find what is known of a kind, or begin to know it."""
        found = self._kinds.get(kind)
        if found is None:
            model = self._models.get(kind[:1])
            if model is None:
                model = self._models[kind[:1]] = KindStatistics(DurationEstimates(self._guess), ProgressModel())
            found = self._kinds[kind] = KindStatistics(
                DurationEstimates(self._guess, behind=model.durations), model.progress
            )
            self._bound()
            self._balance(found)
        return found

    def _bound(self) -> None:
        """Forget the kind whose last job ended longest ago, if there are too many; and its model, if it was the last of it."""
        if len(self._kinds) > MAX_KINDS:
            oldest = next(iter(self._kinds))
            del self._kinds[oldest]
            if not any(kind[:1] == oldest[:1] for kind in self._kinds):
                del self._models[oldest[:1]]

    def _balance(self, changed: KindStatistics) -> None:
        """Set the price again if more is known of a kind."""
        if changed.expect():
            self._budget.balance(
                (each.weight, each.polls, each.durations.curve.mean) for each in self._kinds.values() if each.polls
            )

    # What outlives the session.

    @property
    def jobs_seen(self) -> float:
        """How many jobs were seen to finish."""
        return sum(model.durations.ended for model in self._models.values())

    def kept(self) -> bytes:
        """Write down what was learnt."""
        known = [(kind, True, statistics) for kind, statistics in self._models.items()]
        known += [(kind, False, statistics) for kind, statistics in self._kinds.items()]
        return pack(
            self.interval, [statistics.remembered(kind, is_model=is_model) for kind, is_model, statistics in known]
        )

    def restore(self, data: bytes) -> None:
        """Go on from what `kept` wrote, in this or another version.

        Raises:
            UnreadableError: It cannot be read; nothing was changed.
        """
        for entry in sorted(unpack(data, self.interval), key=lambda entry: not entry.is_model):
            statistics = self._statistics(entry.kind)
            known = self._models[entry.kind[:1]] if entry.is_model else statistics
            known.look = entry.look
            known.durations.restore(entry.ended, entry.ends, entry.at_risk)
            known.progress.restore(entry.progress)
            self._balance(statistics)

    # What the scheduler tells.

    def begin(self, history: PollHistory) -> None:
        """A job is being generated from now on."""
        self._running += 1
        self._newest *= RECENCY_FACTOR_PER_JOB
        self._statistics(history.kind).weight += self._newest
        if self._newest > MAX_WEIGHT:
            for statistics in self._kinds.values():
                statistics.weight /= self._newest
            self._newest = 1.0

    def leave(self, history: PollHistory) -> None:  # noqa: ARG002 - the interface's; here only their number counts
        """It is not any more, for whatever reason."""
        self._running -= 1

    def asked(self, history: PollHistory, age: float, progress: float | None, *, finished: bool, draw: float) -> None:
        """Learn what a good answer showed: at *age* the job was finished, or else so many percent of it."""
        if history.dated and history.seen is not None:
            self._budget.spend((age - history.seen) / self._unit, self._running, finished=finished)
            self._learn(history, history.seen / self._unit, age / self._unit, finished=finished)
        if not finished:
            # Of all reports each is as likely to be the one that is kept, so that early and late ones are learnt from.
            if history.progress is not None and history.seen is not None and draw * history.polls <= 1:
                history.report = (history.seen, history.progress)
            history.seen, history.progress = age, progress
        history.polls += 1

    def _learn(self, history: PollHistory, seen: float, age: float, *, finished: bool) -> None:
        statistics = self._statistics(history.kind)
        durations = (statistics.durations, self._models[history.kind[:1]].durations)
        if history.polls == 0:
            statistics.looked(age, finished=finished)
        gap = bins_between(seen, age)
        for each in durations:
            (each.finished if finished else each.running)(gap)
        if not finished:
            return
        duration = (seen + age) / 2
        for at, percent in filter(None, (history.report, (history.seen, history.progress))):
            if percent is not None and at is not None:
                statistics.progress.learn(at / self._unit, percent, duration)
        self._balance(statistics)
        self._kinds[history.kind] = self._kinds.pop(history.kind)  # the last to be forgotten

    def served(self, times: float) -> None:
        """A poll left when it was worth so many times what it was when it became due, or somewhat more."""
        if times > 1:
            self._budget.waited()

    # What the scheduler asks.

    def _estimate(self, statistics: KindStatistics, history: PollHistory) -> CompletionEstimate:
        """Return when a job may finish: by its own progress, or else by what is known of its kind."""
        curve = statistics.durations.curve
        if history.progress is None or history.seen is None or not history.dated:
            return curve
        return statistics.progress.estimate(history.seen / self._unit, history.progress, curve) or curve

    def next_age(self, history: PollHistory, age: float, draw: float) -> float:
        """Return the age at which to ask next a job that is now of this age; *draw* is a random number, 0 <= draw < 1."""
        if not history.dated or history.seen is None:
            return self.plain_age(age, draw)
        seen = history.seen / self._unit
        statistics = self._statistics(history.kind)
        completion = self._estimate(statistics, history)
        soonest, latest = statistics.window(seen, draw)
        pointless = 0.0
        if completion is not statistics.durations.curve:  # its own progress says that it cannot have finished before
            pointless = min(completion.quantile(seen, MIN_FINISH_PROBABILITY), seen + MAX_POLL_SPACING_UNITS)
        price = self._budget.price * (1 + PRICE_JITTER_SHARE * (draw - DRAW_WITHOUT_JITTER))
        asks = completion.asks_at(seen, price, max(soonest, pointless), max(latest, pointless))
        return max(asks * self._unit, age)

    def plain_age(self, age: float, draw: float) -> float:
        """Return the age at which to ask next a job whose last poll, at *age*, brought nothing."""
        return age + self.interval * (1 + JITTER_SHARE * (draw - DRAW_WITHOUT_JITTER))

    def worth_at(self, history: PollHistory, times: float, since: float) -> float:
        """Return the age, *since* or later, at which a poll is worth so many times what it was when it became due."""
        if not history.dated or history.seen is None:
            return since + self.interval * (times - 1)
        seen, earliest = history.seen / self._unit, since / self._unit
        completion = self._estimate(self._statistics(history.kind), history)
        latest = max(seen + 2 * INTERVAL_UNITS * times, earliest)
        return completion.asks_at(seen, self._budget.price * times, earliest, latest) * self._unit

    def estimate(self, history: PollHistory, age: float) -> Estimate:
        """Estimate how long a job of this age may still take."""
        completion = self._estimate(self._statistics(history.kind), history)
        now = age / self._unit
        low, middle, high = (max(completion.quantile(now, share) - now, 0.0) * self._unit for share in (0.1, 0.5, 0.9))
        return Estimate(low, middle, high)
