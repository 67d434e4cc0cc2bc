"""A file that is one JSON array, as the lines that it would have with one object on each."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from aihubmix_video.batch_file.jsonl import Line, LineFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ARRAY_CHARACTERS", "has_content", "object_lines"]

ARRAY_CHARACTERS: Final = 64 * 2**20
"""Longest array read, which has to be held whole."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WHOLE: Final = "the file is one array, which is read whole or not at all"
# Only where each element ends is asked for here; numbers that Python cannot hold are judged with their row.
_DECODER: Final = json.JSONDecoder(
    parse_int=lambda _: 0, parse_float=lambda _: 0.0, parse_constant=lambda _: 0, object_pairs_hook=lambda _: {}
)


def object_lines(lines: Iterable[Line], longest: int = ARRAY_CHARACTERS) -> Iterator[Line]:
    """Yield the lines that have content; if the first of them begins with ``[``, one line for each element of that array.

    Args:
        lines: The file's lines; those that are blank or begin with ``#`` are left out.
        longest: Characters that an array may have.

    Returns:
        The lines. An array that is cut or damaged gives a single line, with its fault: what could be read of it is not what
        the user meant.
    """
    rest = iter(lines)
    first = next(filter(has_content, rest), None)
    if first is None:
        return
    if first.fault is None and first.text.lstrip().startswith("["):
        yield from _elements(first, rest, longest)
        return
    yield first
    yield from filter(has_content, rest)


def has_content(line: Line) -> bool:
    """Return whether a line is to be read: one that is blank, or commented out by ``#``, is not."""
    text = line.text.strip()
    return line.fault is not None or (bool(text) and not text.startswith("#"))


def _elements(first: Line, rest: Iterator[Line], longest: int) -> list[Line]:
    """Return the elements, each as the line on which it begins, or the one fault."""
    parts, size = [first.text], len(first.text)
    for line in rest:
        if line.fault is not None:
            return [line]
        parts.append(line.text)
        size += len(line.text)
        if size > longest:
            message = f"the array is longer than {longest:,} characters; write one object per line instead"
            return [Line(number=first.number, text="", fault=LineFault.of(first.text, message))]
    text = "".join(parts)
    try:
        return list(_split(text, first.number))
    except json.JSONDecodeError as error:
        around = text[max(0, error.pos - 20) : error.pos + 20].strip()
        fault = LineFault.of(around, f"invalid JSON: {error.msg}; {_WHOLE}", error.colno)
        return [Line(number=first.number + error.lineno - 1, text="", fault=fault)]
    except RecursionError:
        fault = LineFault.of(first.text, f"invalid JSON: nested too deeply; {_WHOLE}")
        return [Line(number=first.number, text="", fault=fault)]


def _split(text: str, number: int) -> Iterator[Line]:
    """Yield each element of an array as a line.

    Raises:
        json.JSONDecodeError: It is not an array, or something stands behind it.
    """
    at = _after_space(text, text.index("[") + 1)
    seen = 0  # characters whose line ends are counted in *number*
    more = text[at : at + 1] != "]"
    while more:
        _, end = _DECODER.raw_decode(text, at)
        number += text.count("\n", seen, at)
        seen = at
        yield Line(number=number, text=text[at:end])
        at = _after_space(text, end)
        mark = text[at : at + 1]
        if mark not in {",", "]"}:
            raise json.JSONDecodeError("the array is not closed" if not mark else "Expecting ',' or ']'", text, at)
        more = mark == ","
        at = _after_space(text, at + 1) if more else at
        if more and text[at : at + 1] == "]":
            raise json.JSONDecodeError("trailing comma", text, at)
    if (end := _after_space(text, at + 1)) < len(text):
        raise json.JSONDecodeError("something stands behind the array", text, end)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
