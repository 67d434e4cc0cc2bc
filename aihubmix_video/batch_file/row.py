"""What a batch file's row may name, and what comes of one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import InvalidRequest, Problem
from aihubmix_video.types.request import FIELDS, VideoRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COLUMNS", "MAX_PROBLEMS", "BadRow", "Row", "label", "unknown"]

COLUMNS = (*FIELDS, "duration", "key", "output")
"""What a row may name."""

MAX_PROBLEMS = 20
"""Most problems reported of one row; a row with more is some other file."""

LABEL_CHARACTERS = 60


@attrs.frozen(kw_only=True)
class Row:
    """One good row.

    Attributes:
        number: Position among the file's rows, good and bad, from 0.
        line: The line it begins on, from 1.
        request: What it asks for; its values are not yet checked against the model.
        key: Its own name for the job, if it gives one.
        output: Its file's path under the output folder, if it gives one; each part is a plain file name.
        own: The values of the user's own columns, which ask for nothing.
    """

    number: int
    line: int
    request: VideoRequest
    key: str | None = None
    output: str | None = None
    own: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class BadRow:
    """One row that is not a request.

    Attributes:
        source: The file, as the user named it.
        number: Position among the file's rows, good and bad, from 0.
        line: The line it begins on, from 1; where the fault itself is on a later line, that one.
        column: From 1, a character of the line; about a field in CSV, its cell. None where it is not about one place.
        problems: Everything wrong with it.
    """

    source: str
    number: int
    line: int
    column: int | None = None
    problems: tuple[Problem, ...]

    @property
    def place(self) -> str:
        """Where it is: ``file:line`` or ``file:line:column``."""
        return f"{self.source}:{self.line}" + (f":{self.column}" if self.column is not None else "")

    @property
    def error(self) -> InvalidRequest:
        """The same as an error, each of its messages with the row's place."""
        return InvalidRequest([attrs.evolve(each, message=f"{each.message} [{self.place}]") for each in self.problems])

    def __str__(self) -> str:
        return f"{self.place}: {'; '.join(map(str, self.problems))}"


def unknown(name: str, value: object) -> Problem:
    """Report a name that is not a column, with the closest that is."""
    nearest = next(iter(get_close_matches(name[:LABEL_CHARACTERS], COLUMNS, n=1)), None)
    wanted = f"did you mean {nearest}?" if nearest else f"the fields are {', '.join(COLUMNS)}"
    message = f"unknown field; {wanted}; a column of your own is named by --ignore-columns"
    return Problem.of(label(name), value, message, allowed=COLUMNS, nearest=nearest)


def label(name: str) -> str:
    """Return a name from a file as it may stand in a message: printable and not long."""
    cut = name if len(name) <= LABEL_CHARACTERS else name[: LABEL_CHARACTERS - 1] + "…"
    return cut if cut.isprintable() else ascii(cut)
