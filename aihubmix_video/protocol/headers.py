"""The few answer headers that decide something: how long to wait, what time it is there, which request this was.

No rate-limit header is documented for AIHubMix and none has been observed (field observations, 2026): they are honoured
where present and never relied on.
"""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from aihubmix_video.protocol.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RETRY_AFTER_CAP", "clock_skew", "request_id", "retry_after", "served_at"]

RETRY_AFTER_CAP = 300.0
"""Seconds that a server may ask us to wait; beyond it, asking again is cheaper than believing it."""

_LONGEST = 64  # characters; the longest HTTP date has 33
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def retry_after(headers: Mapping[str, str], *, now: float | None = None, cap: float = RETRY_AFTER_CAP) -> float | None:
    """Return the seconds that the server asks to wait, within 0 and *cap*; None if no header states it.

    ``retry-after-ms`` (milliseconds) goes before ``retry-after`` (seconds or an HTTP date, RFC 9110 §10.2.3). A date
    is counted from the answer's own ``date``, so that a wrong clock on either side does no harm, else from *now*.

    Args:
        headers: Values by lower-case name.
        now: Unix seconds; needed only for a date in an answer that has no ``date``.
        cap: Seconds; the largest result.
    """
    seconds = _milliseconds(headers.get("retry-after-ms"))
    if seconds is None:
        text = headers.get("retry-after", "")
        seconds = _number(text)
        if seconds is None:
            seconds = _until(_moment(text), served_at(headers), now)
    return None if seconds is None else min(max(seconds, 0.0), cap)


def served_at(headers: Mapping[str, str]) -> float | None:
    """Return the server's time by the ``date`` header, in Unix seconds."""
    return _moment(headers.get("date", ""))


def clock_skew(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that the server's clock is ahead of *now*, exact to a second or so."""
    there = served_at(headers)
    return None if there is None else there - now


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the gateway's id of the request, for its support."""
    return plain(headers.get("x-request-id", ""), 128) or None


def _until(then: float | None, there: float | None, now: float | None) -> float | None:
    start = there if there is not None else now
    return None if then is None or start is None else then - start


def _milliseconds(text: str | None) -> float | None:
    value = None if text is None else _number(text)
    return None if value is None else value / 1000


def _number(text: str) -> float | None:
    text = text.strip()
    # float() alone would also take "nan", "1_0" and other scripts' digits.
    return float(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else None


def _moment(text: str) -> float | None:
    if not text or len(text) > _LONGEST:
        return None
    try:
        then = parsedate_to_datetime(text)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):  # what the standard parser raises on strange text
        return None
