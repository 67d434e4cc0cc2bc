"""Cells of a CSV file: which column each belongs to, and the type its field has."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from aihubmix_video.batch_file.json_values import read_json
from aihubmix_video.batch_file.row import COLUMNS, unknown
from aihubmix_video.errors import Problem
from aihubmix_video.types.whole_number import whole_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["cell_values", "header_problems"]

JSON_CELLS = frozenset({"content", "image_list", "video_list", "extra_body"})
MAYBE_JSON_CELLS = frozenset({"input_reference", "image", "image_tail"})  # a URL, or {"mime_type": ..., "data": ...}
TRUTH_CELLS = frozenset({"generate_audio", "watermark"})
TRUTH = {"true": True, "1": True, "false": False, "0": False}  # spreadsheets write TRUE and FALSE

_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?", re.ASCII)


def header_problems(names: Sequence[str], ignored: Collection[str] = ()) -> Iterator[Problem]:
    """Find what is wrong with a header; a column without a name is let pass while its cells are empty."""
    if names and names[0].lower().startswith("sep="):
        message = "is a line for a spreadsheet program and not a header; remove it, and separate cells by commas"
        yield Problem.of("header", names[0], message)
        return
    if len(names) == 1 and re.search("[;\t]", names[0]):
        yield Problem.of("header", names[0], "cells are separated by commas")
        return
    for name, times in Counter(filter(None, names)).items():
        if name not in COLUMNS and name not in ignored:
            yield unknown(name, name)
        elif times > 1:
            yield Problem.of(name, name, "the column is given twice")


def cell_values(names: Sequence[str], cells: Sequence[str]) -> tuple[dict[str, object], list[Problem]]:
    """Read a row that has as many cells as the header; empty cells are left out."""
    problems: list[Problem] = []
    values: dict[str, object] = {}
    for position, (name, cell) in enumerate(zip(names, cells, strict=True), 1):
        if cell.strip() and not name:
            problems.append(Problem.of(f"cell {position}", cell, "is under no name in the header"))
        elif cell.strip():
            values[name] = _value(name, cell, problems)
    return values, problems


def _value(name: str, cell: str, problems: list[Problem]) -> object:
    """Return a cell's text as the type that its field has; text fields stay as they are."""
    text = cell.strip()
    if name in JSON_CELLS or (name in MAYBE_JSON_CELLS and text.startswith("{")):
        try:
            return read_json(text, problems, name)
        except json.JSONDecodeError as error:
            problems.append(Problem.of(name, text, f"must be JSON: {error.msg} at character {error.pos + 1}"))
    elif name in TRUTH_CELLS:
        if text.lower() in TRUTH:
            return TRUTH[text.lower()]
        problems.append(Problem.of(name, text, "must be true or false", allowed=("true", "false")))
    elif name == "seed":
        if (number := whole_number(text)) is not None or _WHOLE.fullmatch(text):
            return int(text) if number is None else number
        problems.append(Problem.of(name, text, "must be a whole number"))
    elif name == "cfg_scale":
        if _DECIMAL.fullmatch(text):
            return float(text)
        problems.append(Problem.of(name, text, "must be a number"))
    else:
        return cell
    return None
