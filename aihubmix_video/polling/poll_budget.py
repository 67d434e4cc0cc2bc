"""What a poll has to be worth: one price for a whole session, in seconds of expected unnoticed wait.

The budget is what the plain interval would spend: one poll per interval of a job's life, and half a poll more, since on average a
job ends half an interval before it is asked. The lower the price, the more polls; so the price is the one at which all kinds
together, each weighted by how many of its jobs are bought, are expected to spend just that. One price for all, and not one for
each kind: a poll then goes where it saves the most waiting.

Expectations err, so there is an account as well: each interval of a running job pays one poll in, and each poll takes one out.
While it is overdrawn, by more than a little per running job, the price rises steeply, up to where every job is asked at its
longest spacing. So the budget is kept whatever the vendors do, and by sessions of ten jobs as well.

When the shared rate has no room for all polls that are due, they leave by what they are worth, see `poll_queue`.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["INTERVAL_UNITS", "PRICES", "PollBudget"]

INTERVAL_UNITS: Final = 15.0  # units; by definition of the unit, see `survival_curve.AGES`

PRICES: Final = [0.01 * 1.6**step for step in range(20)]
"""Prices at which the expected polls are worked out, in units; in between they are interpolated."""

SPENT_SHARE: Final = 0.99  # of the budget is spent: the time that answers take, and chance, must not exceed it
EXTRA_OWNERS: Final = (
    2.0  # jobs that the account has as owners beside those that run, so that one job alone has room as well
)
OVERDRAFT_POLLS_PER_OWNER: Final = 0.25  # polls per owner; by so much chance overdraws the account
PRICE_STEEPNESS: Final = 4.0  # each further poll per owner raises the price by a factor of e as often as this
MAX_PRICE_STEPS: Final = 10.0  # of those factors, at most
SAVED_SHARE: Final = (
    1 / 3
)  # of a job's budget; so much is saved up while jobs cannot have finished yet, and spent later
MIN_SAVED_POLLS: Final = 3.0  # polls per owner; also at least
SAVINGS_PRICE_STEEPNESS: Final = 2.0  # as `PRICE_STEEPNESS`, for lowering the price with what is saved beyond
MAX_SAVED_FACTOR: Final = 5 / 3  # of the saved share is saved up at most

MAX_POLLS_PER_JOB: Final = 400  # of a job that are worked out
MAX_SURVIVORS_SHARE: Final = 2e-3  # of the jobs may be left when the working out stops


class PollBudget:
    """The price in force."""

    __slots__ = ("_account", "_balanced", "_hoard", "_owners")

    def __init__(self) -> None:
        self._balanced = PRICES[-1]
        self._account = 0.0  # polls
        self._hoard = MIN_SAVED_POLLS  # polls per owner
        self._owners = EXTRA_OWNERS

    @property
    def price(self) -> float:
        """What a poll has to be worth while the rate has room for all, in units of expected unnoticed wait."""
        each = self._account / self._owners
        missing, spare = -OVERDRAFT_POLLS_PER_OWNER - each, each - self._hoard
        if missing > 0:
            return self._balanced * exp(min(PRICE_STEEPNESS * missing, MAX_PRICE_STEPS))
        return self._balanced * exp(-SAVINGS_PRICE_STEEPNESS * max(spare, 0.0))

    def balance(self, kinds: Iterable[tuple[float, list[float], float]]) -> None:
        """Find the price at which all kinds spend their budget.

        Args:
            kinds: For each its weight, the polls that a job of it is expected to take at each of `PRICES`, and its mean duration.
        """
        spent, budget, jobs = [0.0] * len(PRICES), 0.0, 0.0
        for weight, polls, mean in kinds:
            spent = [each + weight * more for each, more in zip(spent, polls, strict=True)]
            budget += weight * SPENT_SHARE * (mean / INTERVAL_UNITS + 0.5)
            jobs += weight
        self._hoard = max(SAVED_SHARE * budget / jobs, MIN_SAVED_POLLS)
        self._balanced = PRICES[-1]
        for (low, more), (high, less) in pairwise(zip(PRICES, spent, strict=True)):
            if less <= budget < more:
                self._balanced = low * (high / low) ** ((more - budget) / (more - less))
                return
        if budget >= spent[0]:
            self._balanced = PRICES[0]

    def spend(self, gap: float, running: int, *, finished: bool) -> None:
        """A job was asked about, so many units after it was last seen unfinished; so many jobs are running."""
        self._owners = running + EXTRA_OWNERS
        # A job that has finished did so, on average, in the middle of the gap; the plain interval asks half an interval later.
        paid = gap / 2 / INTERVAL_UNITS + 0.5 if finished else gap / INTERVAL_UNITS
        self._account = min(self._account + SPENT_SHARE * paid - 1, MAX_SAVED_FACTOR * self._hoard * self._owners)
        if finished and self._account < 0:
            self._account *= 1 - 1 / self._owners  # its share of the debt: the last job must not pay for all

    def waited(self) -> None:
        """A poll had to wait for the shared rate: what it cannot spend is not saved up."""
        self._account = min(self._account, self._hoard * self._owners)


def expected_polls(next_age: Callable[[float], float], survival: Callable[[float], float]) -> float:
    """Work out how many polls a job takes on average if it is asked, each time it was unfinished, at the age said next."""
    polls, age, running = 0.0, 0.0, 1.0
    for _ in range(MAX_POLLS_PER_JOB):
        polls += running
        age = next_age(age)
        running = survival(age)
        if running < MAX_SURVIVORS_SHARE:
            break
    return polls
