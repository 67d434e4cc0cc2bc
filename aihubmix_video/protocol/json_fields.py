"""Single fields of an answer, each read for what it is worth: a good value, or None.

Vendors send `"5"` for 5, `"97%"` for 97 and milliseconds for seconds; the meaning is plain, so it is taken. Anything
else that is not what it should be is None: a field that only informs must never cost a paid job. The id is the opposite
case (`identifier`): a wrong one is polled for ever, so it is taken as it is or not at all.

The readers are structuring hooks of cattrs, which passes the type as a second argument. Its own hooks coerce:
they make the string "None" of a null id.
"""

from __future__ import annotations

import math
import re

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.protocol.video_ids import id_fault
from aihubmix_video.types.video import Status

__all__ = ["anything", "identifier", "length", "moment", "name", "percent", "pixels", "size", "state"]

_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_SIZE = re.compile(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})", re.ASCII | re.IGNORECASE)

_LONGEST_SIDE = 65_536  # pixels
_LONGEST = 86_400.0  # seconds; a video of a day
_EARLIEST = 1_577_836_800.0  # 2020-01-01, before any video model
_LATEST = 4_102_444_800.0  # 2100-01-01
_MILLISECONDS = 1e11  # as seconds this would be the year 5138

# Closed lists: any other word means that the job is still running. The page has queued, in_progress, completed and
# failed; the rest are words of vendors and of the gateway's code base, some in capitals.
_STATES = {
    **dict.fromkeys(("completed", "succeeded", "success", "succeed", "done", "finished"), Status.COMPLETED),
    **dict.fromkeys(
        ("failed", "fail", "failure", "error", "cancelled", "canceled", "expired", "aborted"), Status.FAILED
    ),
    **dict.fromkeys(("queued", "pending", "submitted", "not_start", "waiting"), Status.QUEUED),
}


def identifier(value: object, _type: object = None) -> str | None:
    """Take an id exactly as it is; a null is no id.

    Raises:
        MalformedReply: It is anything else than a usable string. It is never converted to one.
    """
    if value is None:
        return None
    if isinstance(value, str) and value.isalnum() and value.isascii() and len(value) <= 512:
        return value  # the form of every id seen so far
    fault = id_fault(value)
    if fault is not None:
        raise MalformedReply(f"the id in the answer {fault}")
    return str(value)


def state(value: object, _type: object = None) -> Status:
    """Fold the gateway's word into a status; every unknown word is `Status.IN_PROGRESS`."""
    return _STATES.get(value.strip().lower(), Status.IN_PROGRESS) if isinstance(value, str) else Status.IN_PROGRESS


def name(value: object, _type: object = None) -> str | None:
    """Take a short printable name."""
    return plain(value, 200) or None if isinstance(value, str) else None


def length(value: object, _type: object = None) -> float | None:
    """Take a duration in seconds."""
    number = _number(value)
    return number if number is not None and 0 < number <= _LONGEST else None


def percent(value: object, _type: object = None) -> float | None:
    """Take a progress of 0 to 100."""
    number = _number(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return number if number is not None and 0 <= number <= 100 else None


def moment(value: object, _type: object = None) -> float | None:
    """Take a point in time in Unix seconds, also when given in milliseconds."""
    number = _number(value)
    if number is None:
        return None
    if number >= _MILLISECONDS:
        number /= 1000
    return number if _EARLIEST <= number < _LATEST else None


def pixels(value: object, _type: object = None) -> int | None:
    """Take the length of one side in pixels."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and 0 < number <= _LONGEST_SIDE else None


def size(value: object, _type: object = None) -> tuple[int, int] | None:
    """Take a size written as ``1280x720``, width first."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 32 else None
    if found is None:
        return None
    width, height = pixels(int(found[1])), pixels(int(found[2]))
    return None if width is None or height is None else (width, height)


def anything(value: object, _type: object = None) -> object:
    """Leave a value as it is."""
    return value


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
