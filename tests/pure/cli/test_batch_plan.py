from __future__ import annotations

import pytest

from aihubmix_video.cli.batch_plan import Plan, plan_of
from tests.pure.cli.test_open_batch_file import rows

SEEDANCE = "doubao-seedance-2-0-260128"


def plan(prices: dict[str, float] | None = None) -> Plan:
    """Add up two good rows, of which one chooses its own length, and two bad ones."""
    return plan_of(rows(), "known", prices)


def test_a_plan_adds_up_the_good_rows_and_names_the_bad():
    """All problems at once, and what the rest asks for."""
    found = plan()

    assert (2, 2, 8) == (found.total.videos, found.bad_count, found.total.seconds)
    assert 1 == found.loads[SEEDANCE].open_ended


def test_the_users_own_prices_count_in_a_plan():
    """They know their discounts."""
    assert 1.6 == pytest.approx(plan({"sora-2": 0.2}).total.usd)
