"""The price of a poll: set so that the budget is spent, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.polling.poll_budget import EXTRA_OWNERS, PRICES, PollBudget, expected_polls

DEARER_IS_LESS = [30.0 / (step + 1) for step in range(len(PRICES))]


def balanced(mean: float = 105.0) -> PollBudget:
    """A budget for jobs that take so many units, and whose polls fall with the price."""
    budget = PollBudget()
    budget.balance([(1.0, DEARER_IS_LESS, mean)])
    return budget


def test_the_price_is_the_one_at_which_the_budget_is_spent():
    """105 units are seven intervals and a half poll: 7.5 polls, or little less, as is expected at the fourth price."""
    assert PRICES[3] <= balanced(105.0).price < PRICES[4]


def test_all_kinds_pay_one_price():
    """A poll goes where it saves most, so a kind may spend more than its own share, and another less."""
    budget = PollBudget()
    budget.balance([(1.0, DEARER_IS_LESS, 30.0), (1.0, [2 * polls for polls in DEARER_IS_LESS], 247.5)])
    # 2.5 and 17 polls are allowed, 19.5 in all; at the fourth price 7.5 and 15 would be sent, at the fifth 6 and 12.
    assert PRICES[3] < budget.price < PRICES[4]


def test_a_kind_that_is_bought_more_often_counts_for_more():
    """Else one slow job a day would set the pace of a thousand fast ones."""
    slow, fast = (DEARER_IS_LESS, 400.0), (DEARER_IS_LESS, 50.0)
    budget, other = PollBudget(), PollBudget()
    budget.balance([(1.0, *slow), (9.0, *fast)])
    other.balance([(9.0, *slow), (1.0, *fast)])
    assert other.price < budget.price


def test_where_no_price_would_save_enough_it_is_the_highest():
    """Nothing known: each job is asked at its longest spacing, which is the plain cadence."""
    assert PollBudget().price == PRICES[-1]
    assert balanced(0.0).price == PRICES[-1]
    assert balanced(1e6).price == PRICES[0]


def test_an_overdrawn_account_makes_polls_dear_at_once():
    """Ten jobs of a vendor never seen must not cost twice the polls before anything is learnt."""
    budget = balanced()
    before = budget.price
    for _ in range(10):
        budget.spend(2.0, running=8, finished=False)
    assert budget.price > 5 * before


def test_savings_are_spent_in_the_end():
    """Jobs that tell their progress need few polls: the others' worth of waiting can be bought with the rest."""
    budget = balanced()
    before = budget.price
    for _ in range(40):
        budget.spend(60.0, running=8, finished=True)
    assert budget.price < before / 10


def test_what_the_rate_prevented_is_not_saved_up():
    """An hour under a short rate must not be followed by a storm of polls."""
    budget = balanced()
    before = budget.price
    for _ in range(1000):
        budget.spend(300.0, running=8, finished=False)
        budget.waited()
    assert budget.price == before


@given(st.lists(st.tuples(st.floats(0, 1e4), st.integers(0, 100), st.booleans()), max_size=100))
def test_the_price_is_always_a_positive_number(history: list[tuple[float, int, bool]]):
    """It divides the poller's attention; at 0 every job would be asked for ever."""
    budget = balanced()
    for gap, running, finished in history:
        budget.spend(gap, running, finished=finished)
        assert 0 < budget.price < 1e9
    assert budget._owners >= EXTRA_OWNERS


def test_polls_are_expected_as_often_as_a_job_still_runs():
    """Asked at 10, 20 and 30 by a job of which nine in ten, five in ten and none still run: 1 + 0.9 + 0.5 polls."""
    running = {10.0: 0.9, 20.0: 0.5, 30.0: 0.0}
    assert expected_polls(lambda age: age + 10.0, running.__getitem__) == pytest.approx(2.4)
