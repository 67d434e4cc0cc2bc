"""Whole numbers in the spellings in which programs and spreadsheets write them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["whole_number"]

_SPELLING: Final = re.compile(r"\s*(0|-?[1-9][0-9]{0,17})(?:\.0{0,20})?\s*")
_EXACT: Final = 2**53
"""Whole floats below it stand for one number only."""


def whole_number(value: object) -> int | None:
    """Return the whole number that *value* is: ``5``, ``5.0``, ``"5"``, ``"5.0"`` and ``" 5 "`` are 5; None for anything else.

    Booleans are not numbers, and digits of other scripts are not taken: what a person can misread is not guessed.
    """
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return int(value) if value.is_integer() and abs(value) < _EXACT else None
        case str() if len(value) <= 64 and (found := _SPELLING.fullmatch(value)):
            return int(found[1])
        case _:
            return None
