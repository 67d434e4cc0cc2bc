"""What a batch file asks for, added up before anything is bought."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.batch_file import BadRow, Row
from aihubmix_video.capabilities import BUILT_IN, CapabilitySet, Validate
from aihubmix_video.pricing.list_prices import list_price, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aihubmix_video.cli.console import Screen

__all__ = ["Load", "Plan", "plan_of", "print_bad_rows"]

MOST_BAD_ROWS = 1000
"""Bad rows that are kept to be named; the others are only counted."""


@attrs.define(kw_only=True)
class Load:
    """The sum of some rows.

    Attributes:
        videos: How many there are.
        seconds: The sum of their lengths, as far as they are known.
        open_ended: How many have a length that the model chooses, or that is not known.
        usd: The sum of their list prices, as far as they are known.
        unpriced: How many have no known list price.
    """

    videos: int = 0
    seconds: int = 0
    open_ended: int = 0
    usd: float = 0.0
    unpriced: int = 0

    def add(self, seconds: int | None, usd: float | None) -> None:
        """Add one video."""
        self.videos += 1
        self.seconds += seconds or 0
        self.open_ended += seconds is None
        self.usd = math.fsum((self.usd, usd or 0.0))
        self.unpriced += usd is None


@attrs.define(kw_only=True)
class Plan:
    """What a batch file asks for.

    Attributes:
        loads: The good rows by model.
        total: All good rows together.
        bad: The bad rows, the first thousand of them.
        bad_count: How many there are.
        warnings: What may be sent but is doubtful: each text once, with its count.
    """

    loads: dict[str, Load] = attrs.field(factory=dict)
    total: Load = attrs.field(factory=Load)
    bad: list[BadRow] = attrs.field(factory=list)
    bad_count: int = 0
    warnings: Counter[str] = attrs.field(factory=Counter)


def plan_of(
    rows: Iterable[Row | BadRow],
    validate: Validate,
    prices: Mapping[str, float] | None = None,
    capabilities: CapabilitySet = BUILT_IN,
) -> Plan:
    """Return the sum of judged rows; *prices* are the user's own, in USD per second by model."""
    plan = Plan()
    for row in rows:
        if isinstance(row, BadRow):
            plan.bad_count += 1
            plan.bad.extend([row] if plan.bad_count <= MOST_BAD_ROWS else [])
            continue
        seconds, usd = seconds_of(row.request, capabilities), list_price(row.request, prices, capabilities)
        for load in (plan.loads.setdefault(row.request.model, Load()), plan.total):
            load.add(seconds, usd)
        plan.warnings.update(capabilities.judge(row.request, validate=validate).warnings)
    return plan


def print_bad_rows(plan: Plan, screen: Screen) -> None:
    """Print the bad rows, one line each."""
    for bad in plan.bad:
        screen.error(str(bad))
    if plan.bad_count > len(plan.bad):
        screen.error(f"and {plan.bad_count - len(plan.bad)} more rows with problems")
