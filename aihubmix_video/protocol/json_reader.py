"""JSON from strangers: bounded in every direction, and never a foreign exception.

Refused: more than 1 MiB, other encodings than UTF-8, more than 64 levels or 10,000 brackets, numbers of more than 40
characters, and an object that names a key twice (which of two ids would be the paid one?).

Forgiven, because nothing hangs on them and a paid answer may contain them: a byte order mark, NaN and the infinities
(read as null), and half a surrogate pair as left by a gateway that cuts a prompt within an emoji (read as U+FFFD).
"""

from __future__ import annotations

import json
import math
import re

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.sanitize import kept, plain

__all__ = ["MAX_BRACKETS", "MAX_BYTES", "MAX_DEPTH", "MAX_DIGITS", "read_json", "read_object"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_DIGITS = 40
MAX_BRACKETS = 10_000  # an answer about a video has five; walking a megabyte of them would hold up everything else

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?+', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
# Every escape is consumed in turn, so that `\\ud800` (a backslash, then letters) is not taken for a surrogate.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


def read_object(body: bytes) -> dict[str, object]:
    """Read *body* as a JSON object.

    Raises:
        MalformedReply: It is not one; `body` holds its beginning.
    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise MalformedReply(f"the answer is a JSON {type(value).__name__}, not an object", body=kept(body))
    return value


def read_json(body: bytes) -> object:
    """Read *body* as JSON within the limits of this module.

    Raises:
        MalformedReply: It is not JSON, or over a limit; `body` holds its beginning.
    """
    try:
        return _DECODER.decode(_text(body))
    except RecursionError:
        fault = "it is nested too deeply"
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError among them
        fault = plain(str(error), 120)
    # Raised out here, so that no traceback holds on to a decoder's copy of the answer.
    raise MalformedReply(f"{_nature(body)} ({fault})", body=kept(body))


def _nature(body: bytes) -> str:
    if not body.strip():
        return "the answer is empty"
    return "the answer is an HTML page, not JSON" if body.lstrip()[:1] == b"<" else "the answer is not valid JSON"


def _text(body: bytes) -> str:
    if len(body) > MAX_BYTES:
        raise ValueError(f"{len(body):,} bytes, over the limit of {MAX_BYTES:,}")
    text = (body[3:] if body.startswith(_BOM) else body).decode()
    # Counting is cheap and nearly always enough; only an answer of unusually many brackets is walked.
    brackets = text.count("{") + text.count("[")
    if brackets > MAX_BRACKETS:
        raise ValueError(f"{brackets:,} brackets, over the limit of {MAX_BRACKETS:,}")
    if brackets > MAX_DEPTH and _too_deep(text):
        raise ValueError(f"more than {MAX_DEPTH} levels")
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPE.sub(lambda found: "\\ufffd" if found["lone"] else found[0], text)
    return text


def _too_deep(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key appears twice")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} characters")
    return int(digits)


def _real(digits: str) -> float | None:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} characters")
    value = float(digits)
    return value if math.isfinite(value) else None


def _no_number(_name: str) -> None:
    """Read NaN, Infinity and -Infinity, which JSON does not have, as null."""


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_no_number)
