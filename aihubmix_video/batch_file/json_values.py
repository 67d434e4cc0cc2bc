"""JSON as people write it in batch files: strict, bounded, and every doubtful thing named."""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import TYPE_CHECKING

from aihubmix_video.batch_file.row import MAX_PROBLEMS, label
from aihubmix_video.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_DEPTH", "MAX_DIGITS", "read_json"]

MAX_DEPTH = 64
MAX_DIGITS = 40

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def read_json(text: str, problems: list[Problem], field: str = "") -> object:
    """Read JSON and note what its grammar does not forbid but no one can mean; *field* is where the text is from.

    Raises:
        json.JSONDecodeError: It is not JSON, or nested too deeply.
    """
    # Counting is cheap and nearly always enough; only a text of many brackets is walked.
    if text.count("[") + text.count("{") > MAX_DEPTH and _too_deep(text):
        raise json.JSONDecodeError(f"nested deeper than {MAX_DEPTH} levels", text, 0)

    def no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
        seen: dict[str, object] = {}
        for name, value in pairs:
            if name in seen and len(problems) < MAX_PROBLEMS:
                problems.append(Problem.of(label(name), value, "the key is given twice in one object"))
            seen[name] = value
        return seen

    value: object = json.loads(text, object_pairs_hook=no_duplicates, parse_int=_whole)
    problems.extend(
        Problem.of(label(path or "row"), number, "is not a number that JSON can hold")
        for path, number in islice(_unreal(value, field), MAX_PROBLEMS)
    )
    return value


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def _unreal(value: object, path: str) -> Iterator[tuple[str, float]]:
    """Find NaN and the infinities, which Python reads from words that JSON does not have and from numbers too large."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _unreal(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _unreal(item, f"{path}[{position}]")


def _too_deep(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False
