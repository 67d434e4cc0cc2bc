"""Caps on what may be bought, and how much of them is left."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities.field_rules import is_number
from aihubmix_video.errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CapUsage", "Caps", "check_retries"]

MILLION = 1_000_000
"""Sums are kept in whole millionths: three times 0.1 is 0.3 then, and what is given back is exactly what was taken."""


@attrs.frozen(kw_only=True)
class Caps:
    """What may be bought at most; None is not a limit.

    Attributes:
        max_videos: Videos.
        max_seconds: Seconds of video together.
        max_spend: USD by list price.

    Raises:
        InvalidRequest: A cap is not a finite number from 0 up, or `max_videos` not a whole one; all such are named.
    """

    max_videos: int | None = None
    max_seconds: float | None = None
    max_spend: float | None = None

    def __attrs_post_init__(self) -> None:
        problems = tuple(self._problems())
        if problems:
            raise InvalidRequest(problems)

    def _problems(self) -> Iterator[Problem]:
        if self.max_videos is not None and not (_is_number(self.max_videos) and isinstance(self.max_videos, int)):
            yield Problem.of("max_videos", self.max_videos, "must be a whole number from 0 up, or None for no limit")
        for name, unit in (("max_seconds", "seconds"), ("max_spend", "USD")):
            value = getattr(self, name)
            if value is not None and not _is_number(value):
                yield Problem.of(name, value, f"must be a finite number of {unit} from 0 up, or None for no limit")

    @property
    def any(self) -> bool:
        """Whether anything is capped."""
        return (self.max_videos, self.max_seconds, self.max_spend) != (None, None, None)


MOST_RETRIES = 10
"""What is refused so often is not refused by chance."""


def check_retries(retries: int) -> None:
    """Refuse a number of retries that cannot be meant.

    Raises:
        InvalidRequest: It is not a whole number from 0 to `MOST_RETRIES`.
    """
    if not (_is_number(retries) and isinstance(retries, int) and retries <= MOST_RETRIES):
        raise InvalidRequest.of("moderation_retries", retries, f"must be a whole number from 0 to {MOST_RETRIES}")


LARGEST = 1e15  # of whatever


def _is_number(value: object) -> bool:
    return is_number(value) and 0 <= value < LARGEST


class CapUsage:
    """How much of the caps is used; what is refused takes no share.

    Args:
        caps: The limits.
        videos: Bought already; also `seconds`, and `spent` in USD. None: nobody knows how much.
    """

    def __init__(self, caps: Caps, *, videos: int = 0, seconds: float | None = 0.0, spent: float | None = 0.0) -> None:
        self._caps = caps
        self._known = {"max_videos": True, "max_seconds": seconds is not None, "max_spend": spent is not None}
        self._used = _share(videos, seconds, spent)

    def refusal(self, seconds: float | None, price: float | None) -> Problem | None:
        """Return which cap a video would exceed, or why that cannot be told; None when it may be bought.

        Args:
            seconds: Its length; None when it is not known.
            price: Its list price in USD, as above.
        """
        share = _share(1, seconds, price)
        given = {"max_videos": 1, "max_seconds": seconds, "max_spend": price}
        for name, value in given.items():
            cap = getattr(self._caps, name)
            if cap is None:
                continue
            if not self._known[name]:
                return Problem.of(name, cap, f"cannot be kept: {UNCOUNTED[name]}")
            if value is None:
                return Problem.of(name, cap, f"cannot be kept: {UNKNOWN[name]}")
            if self._used[name] + share[name] > (cap if name == "max_videos" else _floor(cap)):
                used = self._used[name] / (1 if name == "max_videos" else MILLION)
                return Problem.of(name, cap, f"would be exceeded by this row; {used:g} is used already.")
        return None

    def take(self, seconds: float | None, price: float | None) -> None:
        """Note that a video is being bought."""
        self._add(_share(1, seconds, price), 1)

    def give_back(self, seconds: float | None, price: float | None) -> None:
        """Note that a video was not bought after all; the arguments are those of its `take`."""
        self._add(_share(1, seconds, price), -1)

    def _add(self, share: dict[str, int], times: int) -> None:
        for name, amount in share.items():
            self._used[name] += times * amount


UNKNOWN = {
    "max_seconds": "the length of this video is not known beforehand; give seconds that its model makes",
    "max_spend": "the list price of this video is not known; give its model a price in prices, and a known length",
}
UNCOUNTED = {
    "max_seconds": "the ledger has videos of unknown length; leave this cap out, or use another ledger",
    "max_spend": "the ledger has videos of unknown price; give their models a price in prices, or use another ledger",
}


def _share(videos: int, seconds: float | None, price: float | None) -> dict[str, int]:
    return {"max_videos": videos, "max_seconds": _ceil(seconds or 0.0), "max_spend": _ceil(price or 0.0)}


# The rounding to a thousandth of a millionth takes away what binary fractions add; the rest is to the cap's favour.


def _ceil(amount: float) -> int:
    return math.ceil(round(amount * MILLION, 3))


def _floor(cap: float) -> int:
    return math.floor(round(cap * MILLION, 3))
