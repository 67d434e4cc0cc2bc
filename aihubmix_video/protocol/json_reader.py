"""Strict JSON: `StrictDecoder` bounds depth and numbers and sees every repeated key, `read_json` reads answers with it.

Answers come from untrusted servers, so reading them is bounded in every direction and raises `MalformedReply` only.

Refused: more than 1 MiB, other encodings than UTF-8, more than 64 levels or 10,000 brackets, numbers of more than 40
characters, and an object that names a key twice (which of two ids would be the paid one?).

Accepted, because nothing depends on them and a paid answer may contain them: a byte order mark, NaN and the infinities
(read as null), and half a surrogate pair as left by a gateway that cuts a prompt within an emoji (read as U+FFFD).
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.sanitize import kept, plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_BRACKETS", "MAX_BYTES", "MAX_DEPTH", "MAX_DIGITS", "StrictDecoder", "read_json", "read_object"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_DIGITS = 40
MAX_BRACKETS = 10_000  # an answer about a video has five; walking a megabyte of them would hold up everything else

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
# Every escape is consumed in turn, so that `\\ud800` (a backslash, then letters) is not taken for a surrogate.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


class StrictDecoder:
    """Decodes JSON, and asks what to do about what its grammar allows but no sender can mean.

    Args:
        repeated: Called with each key that an object has twice, and its last value. It raises `ValueError`, or the last value
            counts.
        whole: Returns the value of a whole number.
        real: Returns the value of any other number.
        constant: Returns the value of ``NaN``, ``Infinity`` and ``-Infinity``, which JSON does not have.
    """

    def __init__(
        self,
        *,
        repeated: Callable[[str, object], None],
        whole: Callable[[str], object],
        real: Callable[[str], object] = float,
        constant: Callable[[str], object] = float,
    ) -> None:
        self._repeated = repeated
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=whole, parse_float=real, parse_constant=constant
        )

    def decode(self, text: str) -> object:
        """Return the value that *text* is.

        Raises:
            json.JSONDecodeError: It is not JSON, or nested too deeply.
            ValueError: What the functions given raise.
        """
        # Counting is cheap and nearly always enough; only a text of unusually many brackets is walked.
        if text.count("{") + text.count("[") > MAX_DEPTH and _too_deep(text):
            raise json.JSONDecodeError(f"nested deeper than allowed (more than {MAX_DEPTH} levels)", text, 0)
        value: object = self._decoder.decode(text)
        return value

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            for name, item in pairs:
                if name in seen:
                    self._repeated(name, item)
                seen.add(name)
        return value


def _too_deep(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def read_object(body: bytes) -> dict[str, object]:
    """Return the JSON object that *body* is.

    Raises:
        MalformedReply: It is not one; `body` of the error holds its beginning.
    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise MalformedReply(f"the answer is a JSON {type(value).__name__}, not an object", body=kept(body))
    return value


def read_json(body: bytes) -> object:
    """Return the value that *body* is as JSON, within the limits of this module.

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
    brackets = text.count("{") + text.count("[")
    if brackets > MAX_BRACKETS:
        raise ValueError(f"{brackets:,} brackets, over the limit of {MAX_BRACKETS:,}")
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPE.sub(lambda found: "\\ufffd" if found["lone"] else found[0], text)
    return text


def _repeated(_name: str, _value: object) -> None:
    raise ValueError("a key appears twice")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} characters")
    return int(digits)


def _real(digits: str) -> float | None:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} characters")
    value = float(digits)
    return value if math.isfinite(value) else None


def _null(_name: str) -> None:
    """Read NaN, Infinity and -Infinity as null."""


_DECODER = StrictDecoder(repeated=_repeated, whole=_integer, real=_real, constant=_null)
