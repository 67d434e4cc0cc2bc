"""Single fields of an answer, each read for what it is worth: a good value, or None.

Vendors send `"5"` for 5, `"97%"` for 97 and milliseconds for seconds; the meaning is plain, so it is taken. Anything
else that is not what it should be is None: a field that only informs must never cost a paid job. The id is the opposite
case (`identifier`): a wrong one is polled for ever, so it is taken as it is or not at all.

All but `identifier` are structuring hooks of cattrs, which passes the type as a second argument. Its own hooks coerce:
they make the string "None" of a null.
"""

from __future__ import annotations

import math
import re

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.protocol.video_ids import id_fault

__all__ = ["identifier", "length", "moment", "name", "percent", "pixels", "size"]

_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_SIZE = re.compile(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})", re.ASCII | re.IGNORECASE)

_LONGEST_ID_BITS = 256
_LONGEST_SIDE = 65_536  # pixels
_LONGEST = 86_400.0  # seconds; a video of a day
_EARLIEST = 1_577_836_800.0  # 2020-01-01, before any video model
_LATEST = 4_102_444_800.0  # 2100-01-01
_MILLISECONDS = 1e11  # as seconds this would be the year 5138


def identifier(value: object) -> str | None:
    """Return an id exactly as it is, and of a positive integer its digits; None if there is not an id.

    Raises:
        MalformedReply: It is neither a usable string nor an integer. Nothing else is ever converted to an id.
    """
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value > 0 and value.bit_length() <= _LONGEST_ID_BITS else None
    if isinstance(value, str) and value.isalnum() and value.isascii() and len(value) <= 512:
        return value  # the form of every id seen so far
    fault = id_fault(value)
    if fault is not None:
        raise MalformedReply(f"the id in the answer {fault}")
    return str(value)


def name(value: object, _type: object = None) -> str | None:
    """Return a short printable name."""
    return plain(value, 200) or None if isinstance(value, str) else None


def length(value: object, _type: object = None) -> float | None:
    """Return a duration in seconds."""
    number = _number(value)
    return number if number is not None and 0 < number <= _LONGEST else None


def percent(value: object, _type: object = None) -> float | None:
    """Return a progress of 0 to 100."""
    number = _number(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return number if number is not None and 0 <= number <= 100 else None


def moment(value: object, _type: object = None) -> float | None:
    """Return a point in time in Unix seconds, also when given in milliseconds."""
    number = _number(value)
    if number is None:
        return None
    if number >= _MILLISECONDS:
        number /= 1000
    return number if _EARLIEST <= number < _LATEST else None


def pixels(value: object, _type: object = None) -> int | None:
    """Return the length of one side in pixels."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and 0 < number <= _LONGEST_SIDE else None


def size(value: object, _type: object = None) -> tuple[int, int] | None:
    """Return a size written as ``1280x720``, width first."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 32 else None
    if found is None:
        return None
    width, height = pixels(int(found[1])), pixels(int(found[2]))
    return None if width is None or height is None else (width, height)


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
