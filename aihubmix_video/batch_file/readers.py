"""The readers, one per format; what they share about a row is in `_Reader`."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.batch_file.csv_cells import cell_values, header_problems
from aihubmix_video.batch_file.json_array import has_content, object_lines
from aihubmix_video.batch_file.json_values import read_json
from aihubmix_video.batch_file.jsonl import LineFault, records, text_lines
from aihubmix_video.batch_file.row import COLUMNS, MAX_PROBLEMS, BadRow, Row, label, unknown
from aihubmix_video.batch_file.spreadsheet_errors import is_spreadsheet_error
from aihubmix_video.errors import InvalidRequest, Problem
from aihubmix_video.output.template import collision_key, is_plain_name
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

__all__ = ["read_csv", "read_jsonl", "read_text"]

KEY_CHARACTERS = 64
OUTPUT_CHARACTERS = 1024


def read_jsonl(
    lines: Iterable[bytes],
    *,
    source: str,
    defaults: Mapping[str, object] | None = None,
    ignored: Collection[str] = (),
) -> Iterator[Row | BadRow]:
    """Read rows of one JSON object per line; blank lines and lines that begin with ``#`` are skipped.

    A file whose first line with content begins with ``[`` is one array of objects; it is read whole, up to `ARRAY_CHARACTERS`, and
    gives rows only if all of it can be read.

    Args:
        lines: As a binary file gives them; `lines_of` bounds the length of each.
        source: The file's name, for messages.
        defaults: Fields for the rows that do not give them.
        ignored: Columns of the user's own, which are kept with the row and ask for nothing.

    Returns:
        The rows, good and bad, in order. A file without any row gives one bad row that says so.
    """
    reader = _Reader(source, defaults or {}, ignored)
    for line in object_lines(text_lines(lines)):
        found = line.fault or _read_object(line.text)
        if isinstance(found, LineFault):
            yield reader.bad(line.number, [found.problem], found.column)
        else:
            yield reader.row(line.number, *found)
    yield from reader.nothing("holds no row, only comments or blank lines if anything")


def read_text(
    lines: Iterable[bytes],
    *,
    source: str,
    defaults: Mapping[str, object] | None = None,
    ignored: Collection[str] = (),
) -> Iterator[Row | BadRow]:
    """Read rows of one prompt per line; all other fields come from *defaults*. Otherwise as `read_jsonl`."""
    reader = _Reader(source, defaults or {}, ignored)
    for line in filter(has_content, text_lines(lines)):
        if line.fault is not None:
            yield reader.bad(line.number, [line.fault.problem], line.fault.column)
        else:
            yield reader.row(line.number, {"prompt": line.text.strip()})
    yield from reader.nothing("holds no prompt, only comments or blank lines if anything")


def read_csv(
    lines: Iterable[bytes],
    *,
    source: str,
    defaults: Mapping[str, object] | None = None,
    ignored: Collection[str] = (),
) -> Iterator[Row | BadRow]:
    """Read rows of comma-separated cells under a header of field names. Otherwise as `read_jsonl`.

    ``content``, ``image_list``, ``video_list`` and ``extra_body`` hold JSON, and so may the image fields;
    ``generate_audio`` and ``watermark`` hold true or false. A row whose first cell begins with ``#`` is skipped. Under a header that cannot be used
    nothing is read: it is then the only bad row.
    """
    reader = _Reader(source, defaults or {}, ignored)
    names: list[str] = []
    for record in records(lines):
        if record.fault is not None:
            yield reader.bad(record.line, [record.fault.problem], record.fault.column)
        elif names and len(record.cells) != len(names):
            yield reader.bad(record.line, [_ragged(names, record.cells)], min(len(names), len(record.cells)) + 1)
        elif names:
            yield reader.row(record.line, *cell_values(names, record.cells), columns=names)
        else:
            names = [cell.strip() for cell in record.cells]
            if problems := list(islice(header_problems(names, ignored), MAX_PROBLEMS)):
                yield reader.bad(record.line, problems, _column(problems, names))
                return
        if not names:
            return
    yield from reader.nothing("holds no row" if names else "is empty")


@attrs.define
class _Reader:
    """What is the same for all rows of a file, and what is remembered from one to the next."""

    _source: str
    _defaults: Mapping[str, object]
    _ignored: Collection[str] = ()
    _count: int = 0
    _keys: dict[str, int] = attrs.field(factory=dict)
    _outputs: dict[str, int] = attrs.field(factory=dict)

    def row(
        self,
        line: int,
        values: Mapping[str, object],
        problems: Sequence[Problem] = (),
        *,
        columns: Sequence[str] = (),
    ) -> Row | BadRow:
        """Judge one row; *problems* are those found on the way, *columns* the cells' names where there are cells."""
        own = {name: value for name, value in values.items() if name in self._ignored}
        strange = (unknown(name, value) for name, value in values.items() if name not in COLUMNS and name not in own)
        found = [*problems, *islice(strange, MAX_PROBLEMS), *islice(_broken(values, own), MAX_PROBLEMS)]
        given = {name: value for name, value in values.items() if name in COLUMNS and value is not None}
        key = self._key(given.pop("key", None), line, found)
        output = self._output(given.pop("output", None), line, found)
        request = _request(self._with_defaults(given), found)
        if found or request is None:
            return self.bad(line, found, _column(found, columns))
        self._count += 1
        return Row(number=self._count - 1, line=line, request=request, key=key, output=output, own=own)

    def bad(self, line: int, problems: Sequence[Problem], column: int | None = None) -> BadRow:
        self._count += 1
        return BadRow(
            source=self._source,
            number=self._count - 1,
            line=line,
            column=column,
            problems=tuple(problems[:MAX_PROBLEMS]),
        )

    def nothing(self, message: str) -> Iterator[BadRow]:
        """Report a file without rows: an empty batch is a mistake, not a success."""
        if not self._count:
            yield self.bad(1, [Problem.of("file", self._source, message)])

    def _with_defaults(self, given: Mapping[str, object]) -> dict[str, object]:
        says_length = not given.keys().isdisjoint(("seconds", "duration"))  # two names of one field
        dropped = ("seconds", "duration") if says_length else ()
        return {**{name: value for name, value in self._defaults.items() if name not in dropped}, **given}

    def _key(self, value: object, line: int, found: list[Problem]) -> str | None:
        if value is None:
            return None
        key = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(key, str) or len(key) > KEY_CHARACTERS or not is_plain_name(key):
            message = f"must be a short name fit for a file name, at most {KEY_CHARACTERS} characters"
            found.append(Problem.of("key", value, message))
            return None
        _claim(self._keys, key, Problem.of("key", key, "{} have the same key; each row needs its own"), line, found)
        return key

    def _output(self, value: object, line: int, found: list[Problem]) -> str | None:
        if value is None:
            return None
        if (
            not isinstance(value, str)
            or len(value) > OUTPUT_CHARACTERS
            or not all(map(is_plain_name, value.split("/")))
        ):
            message = "must be a file name, or a path of plain names under the output folder, such as cats/first.mp4"
            found.append(Problem.of("output", value, message))
            return None
        clash = Problem.of("output", value, "{} have the same file; each row needs its own")
        _claim(self._outputs, collision_key(value), clash, line, found)
        return value


def _claim(owners: dict[str, int], name: str, clash: Problem, line: int, found: list[Problem]) -> None:
    owner = owners.setdefault(name, line)
    if owner != line:
        found.append(attrs.evolve(clash, message=clash.message.format(f"lines {owner} and {line}")))


def _request(values: Mapping[str, object], found: list[Problem]) -> VideoRequest | None:
    try:
        return VideoRequest.from_mapping(values)
    except InvalidRequest as error:
        found.extend(error.problems)
        return None


def _broken(values: Mapping[str, object], own: Mapping[str, object]) -> Iterator[Problem]:
    """Find the errors of a spreadsheet's formulas, which nobody means to order."""
    for name, value in values.items():
        if name not in own and isinstance(value, str) and is_spreadsheet_error(value.strip()):
            yield Problem.of(label(name), value, "is a spreadsheet's error and not a value; correct the cell's formula")


def _read_object(text: str) -> tuple[dict[str, object], list[Problem]] | LineFault:
    problems: list[Problem] = []
    text = text.rstrip("\r\n")  # or the end of the text would count as the next line
    try:
        value = read_json(text, problems)
    except json.JSONDecodeError as error:
        before = text[: error.pos].rstrip()
        trailing = before.endswith(",") and text[error.pos : error.pos + 1] in {"}", "]"}
        message = "trailing comma" if trailing else error.msg
        if error.msg.startswith("Extra data") and text[error.pos :].strip() == ",":
            message = "a comma behind the object; leave it out, or put all objects into one array, [ … ]"
        around = text[max(0, error.pos - 20) : error.pos + 20].strip()
        return LineFault.of(around, f"invalid JSON: {message}; each line is one object", error.pos + 1)
    if not isinstance(value, dict):
        return LineFault.of(value, f"must be a JSON object, got {type(value).__name__}; each line is one object", 1)
    return value, problems


def _ragged(names: Sequence[str], cells: Sequence[str]) -> Problem:
    message = f"has {len(cells)} cells under a header of {len(names)}; a cell with commas or line ends is quoted"
    return Problem.of("row", ",".join(cells), message)


def _column(problems: Sequence[Problem], columns: Sequence[str]) -> int | None:
    """Return the cell of the first problem, from 1, where it is about a named cell."""
    return next((columns.index(each.field) + 1 for each in problems[:1] if each.field in columns), None)
