"""JSON as people write it: every doubtful value is reported, all at once, with the path to it."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

from aihubmix_video.batch_file.row import MAX_PROBLEMS, label
from aihubmix_video.errors import Problem
from aihubmix_video.protocol.json_reader import MAX_DIGITS, StrictDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_json"]


def read_json(text: str, problems: list[Problem], field: str = "") -> object:
    """Return the value that *text* is, and add to *problems* what its grammar allows but no one can mean.

    Args:
        text: JSON.
        problems: Takes repeated keys and numbers that JSON cannot hold.
        field: The field that the text is from, for the paths.

    Raises:
        json.JSONDecodeError: It is not JSON, or nested too deeply.
    """

    def repeated(name: str, value: object) -> None:
        if len(problems) < MAX_PROBLEMS:
            problems.append(Problem.of(label(name), value, "the key is given twice in one object"))

    value = StrictDecoder(repeated=repeated, whole=_whole).decode(text)
    problems.extend(
        Problem.of(label(path or "row"), number, "is not a number that JSON can hold")
        for path, number in islice(_unreal(value, field), MAX_PROBLEMS)
    )
    return value


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def _unreal(value: object, path: str) -> Iterator[tuple[str, float]]:
    """Yield NaN and the infinities, which come of words that JSON does not have and of numbers that are too large."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _unreal(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _unreal(item, f"{path}[{position}]")
