"""How long an answer's body asks to wait: in a field, or in its prose.

    {"retry_after": 30}   {"retryAfterMs": 1500}   {"retry_delay": {"seconds": 2}}
    {"@type": ".../google.rpc.RetryInfo", "retryDelay": "2.1s"}
    "Please retry in 2.1 s."   "Try again in 1m12.5s"   "请 30 秒后重试"

Documented by Google and OpenAI, and written by gateways of this family. It counts like ``Retry-After``; the header goes first.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from aihubmix_video.protocol.json_places import compact_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["wait_in_fields", "wait_in_text"]

_VALUES = 200  # of one answer that are looked at
_TEXT = 4096  # characters of one message that are looked at
_SECONDS = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds", "毫秒"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒", "秒钟"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分", "分钟"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "小时"), 3600.0),
}
_UNIT = (
    r"(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)(?![a-z])"
    r"|(?:milliseconds?|ms|s|m|h)(?=\d)|毫秒|秒钟?|分钟?|小时"
)
_PART = rf"\d{{1,7}}(?:\.\d{{1,9}})?\s{{0,2}}(?:{_UNIT})"
_LENGTH = rf"((?:{_PART}\s{{0,2}}){{1,3}})"
_ONE_PART = re.compile(rf"(\d{{1,7}}(?:\.\d{{1,9}})?)\s{{0,2}}({_UNIT})", re.IGNORECASE)
_WHOLE = re.compile(rf"\s*{_LENGTH}\s*", re.IGNORECASE)
_BARE = re.compile(r"\s*\d{1,9}(?:\.\d{1,9})?\s*", re.ASCII)
_PROSE = (
    re.compile(
        rf"\b(?:retry|retrying|again|wait|available|resets?|retry[ _-]?after)\b[^\d.;。]{{0,24}}{_LENGTH}",
        re.IGNORECASE,
    ),
    re.compile(rf"{_LENGTH}(?:之?后|以后)[^\d]{{0,6}}(?:重试|再试|再次|再来|再尝试|重新)", re.IGNORECASE),
    re.compile(rf"等待?(?:约|大约)?\s{{0,2}}{_LENGTH}", re.IGNORECASE),
)
_FIELDS = {
    **dict.fromkeys(("retryafter", "retryafterseconds", "retryaftersec", "retryaftersecs", "retryin"), 1.0),
    **dict.fromkeys(("retryinseconds", "retrydelay", "retrydelayseconds", "waitseconds", "waittime"), 1.0),
    **dict.fromkeys(("retryafterms", "retrydelayms", "retryaftermilliseconds"), 0.001),
}


def wait_in_fields(value: object) -> float | None:
    """Return the seconds that a field of *value*, a piece of JSON, asks to wait; None if there is no such field."""
    left, seen = [value], 0
    while left and seen < _VALUES:
        each = left.pop()
        seen += 1
        if isinstance(each, dict):
            for name, item in islice(each.items(), _VALUES):
                unit = _FIELDS.get(compact_name(name))
                seconds = None if unit is None else _duration(item, unit)
                if seconds is not None:
                    return seconds
            left += islice(each.values(), _VALUES)
        elif isinstance(each, list):
            left += each[:_VALUES]
    return None


def wait_in_text(text: str) -> float | None:
    """Return the seconds that a message asks to wait; None if it does not say so."""
    text = text[:_TEXT]
    found = next((match for pattern in _PROSE if (match := pattern.search(text))), None)
    return None if found is None else _sum(found[1])


def _duration(value: object, unit: float) -> float | None:
    if isinstance(value, dict):
        return _protobuf(value)
    if isinstance(value, str):
        if _BARE.fullmatch(value):
            return float(value) * unit
        return _sum(value) if len(value) <= _TEXT and _WHOLE.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e9:
        return None
    return value * unit


def _protobuf(value: Mapping[str, object]) -> float | None:
    """Read a duration as Google's libraries write one: whole seconds and nanoseconds."""
    seconds, nanos = _duration(value.get("seconds", 0), 1.0), _duration(value.get("nanos", 0), 1e-9)
    return None if seconds is None or nanos is None or not value.keys() & {"seconds", "nanos"} else seconds + nanos


def _sum(text: str) -> float:
    return sum(float(number) * _SECONDS[unit.lower()] for number, unit in _ONE_PART.findall(text))
