"""The fields of a form, as OpenAI's clients write them: ``seconds``, ``image_list[]``, ``content[0][image_url][url]``. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aihubmix_video.batch_file.csv_cells import cell_values
from aihubmix_video.errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["form_fields"]

NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){0,8})")
MOST_ITEMS: Final = 64


def form_fields(parts: Iterable[tuple[str, str | bytes]]) -> dict[str, object]:
    """Return what a form says, as the JSON body with the same meaning would; files are bytes.

    A text becomes the type that its field has: a form itself knows only texts.

    Raises:
        InvalidRequest: A name cannot be read or is given twice, or a text is not of its field's type.
    """
    fields: dict[str, object] = {}
    problems: list[Problem] = []
    for name, value in parts:
        found = NAME.fullmatch(name)
        if found is None:
            problems.append(Problem.of(name, "…", "is not a field's name"))
            continue
        path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        typed: object = value
        if len(path) == 1 and isinstance(value, str) and value.strip():
            values, wrong = cell_values(path, [value])
            problems += wrong
            typed = values[path[0]]
        if not _put(fields, path, typed):
            problems.append(Problem.of(name, value, "is given twice, or conflicts with another field of this name"))
    if problems:
        raise InvalidRequest(problems)
    return fields


def _put(fields: dict[str, object], path: list[str], value: object) -> bool:
    """Put a value under its path; say whether there was room for it."""
    here: object = fields
    for step, after in zip(path, [*path[1:], None], strict=True):
        new: object = value if after is None else [] if after == "" or after.isdigit() else {}
        if isinstance(here, dict):
            if step == "" or (after is None and step in here):
                return False
            here = here.setdefault(step, new)
        elif isinstance(here, list):
            found, here = _item(here, step, new, path)
            if not found:
                return False
        else:
            return False
    return True


def _item(items: list[object], step: str, new: object, path: list[str]) -> tuple[bool, object]:
    """Find or make the item that a step names; an empty step is the next, or the one that is not whole yet."""
    if step.isdigit() and len(step) <= 2:
        place = int(step)
    elif step == "":
        whole = not items or not isinstance(new, dict) or _has(items[-1], path[path.index("") + 1 :])
        place = len(items) if whole else len(items) - 1
    else:
        return False, None
    if place > len(items) or place >= MOST_ITEMS:
        return False, None
    if place == len(items):
        items.append(new)
        return True, new
    return isinstance(items[place], (dict, list)), items[place]


def _has(item: object, path: list[str]) -> bool:
    for step in path:
        if not isinstance(item, dict) or step not in item:
            return False
        item = item[step]
    return True
