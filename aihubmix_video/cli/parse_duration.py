"""Lengths of time as people write them: ``90``, ``90s``, ``5min``, ``1h30``."""

from __future__ import annotations

import re

__all__ = ["UNITS", "seconds_in"]

UNITS = "seconds as a number (90), or with units: 90s, 5min, 1h30, 2h, 1d"

_SECONDS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SMALLER = {"h": 60.0, "m": 1.0, "min": 1.0, "d": 3600.0}  # a last number without a unit counts the next smaller one
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([a-z]*)", re.ASCII)


def seconds_in(text: str) -> float:
    """Return the seconds in a length of time.

    Raises:
        ValueError: It is not a length of time; the message says how one is written.
    """
    parts = _PART.findall(text.lower().replace(" ", ""))
    if not parts or "".join(number + unit for number, unit in parts) != text.lower().replace(" ", ""):
        raise ValueError(f"give {UNITS}")
    total = 0.0
    smaller: float | None = 1.0
    last: float | None = None
    for number, unit in parts:
        scale = _SECONDS.get(unit) if unit else smaller
        if scale is None or (last is not None and scale >= last):
            raise ValueError(f"give {UNITS}")
        total += float(number) * scale
        smaller, last = _SMALLER.get(unit), scale
    return total
