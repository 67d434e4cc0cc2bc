"""One line of the doctor's report."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "Level", "worst"]


class Level(StrEnum):
    """How a check ended."""

    OK = "ok"
    SKIPPED = "skipped"
    """It could not be made, because of another check or because nothing was named to look at."""
    WARNING = "warning"
    """Jobs can be bought, and something is to be known."""
    PROBLEM = "problem"
    """Jobs cannot be bought, or not be brought home."""


@attrs.frozen(kw_only=True)
class Finding:
    """What one check found.

    Attributes:
        check: What was looked at.
        level: How it ended.
        text: What was found.
        advice: What to do; empty where there is nothing to do.
    """

    check: str
    level: Level
    text: str
    advice: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    """Return the gravest level; `Level.OK` of none."""
    order = list(Level)
    return max((each.level for each in findings), key=order.index, default=Level.OK)
