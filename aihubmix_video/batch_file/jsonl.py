"""Lines and records of a text file, from its bytes: each is read, or comes with the one fault that keeps it unread."""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING

import attrs

from aihubmix_video.batch_file.spreadsheet_errors import is_spreadsheet_error
from aihubmix_video.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["LINE_BYTES", "Line", "LineFault", "Record", "lines_of", "records", "text_lines"]

LINE_BYTES = 8 * 2**20
"""Longest line read; larger media belong behind a URL."""

_BOM = b"\xef\xbb\xbf"
_HINTS = {  # the csv module's words, and what they mean to who wrote the file
    "unexpected end": " (a quote is never closed)",
    "expected after": " (a quote inside a quoted cell is written twice)",
    "field limit": " (give large media by URL, or as JSON lines; or a quote is never closed)",
}
_UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_FILES = {  # what a file begins with that is not text, whatever its name says
    **dict.fromkeys(_UTF_16_BOMS, "the file is UTF-16; save it as UTF-8"),
    b"PK\x03\x04": "the file is a spreadsheet's workbook or another zip archive; save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "the file is an old workbook (xls); save the sheet as CSV (UTF-8)",
    b"\x1f\x8b": "the file is compressed (gzip); unpack it first",
    b"%PDF": "the file is a PDF; a batch file is text",
    b"SQLite format 3\0": "the file is a database, perhaps the ledger; give the batch file",
}


@attrs.frozen
class LineFault:
    """Why something could not be read, and at which character of its line, from 1, where that is known."""

    problem: Problem
    column: int | None = None

    @classmethod
    def of(cls, value: object, message: str, column: int | None = None) -> LineFault:
        """Report about a whole row, since no field of it is known yet."""
        return cls(Problem.of("row", value, message), column)


@attrs.frozen(kw_only=True)
class Line:
    """One line with its line end.

    Attributes:
        number: From 1.
        text: Its text; where there is a fault, as much of it as can be shown.
        fault: Why it is not to be used.
    """

    number: int
    text: str
    fault: LineFault | None = None


@attrs.frozen(kw_only=True)
class Record:
    """One record of a CSV file.

    Attributes:
        line: The line it begins on, from 1; the faulty line if there is one.
        cells: Its cells; none where there is a fault.
        fault: Why it could not be read.
    """

    line: int
    cells: tuple[str, ...] = ()
    fault: LineFault | None = None


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a binary file's lines without ever holding more than `LINE_BYTES` of one; a longer line comes in pieces."""
    return iter(lambda: file.readline(LINE_BYTES + 1), b"")


def text_lines(lines: Iterable[bytes]) -> Iterator[Line]:
    """Number and decode lines; a line over the limit is one fault, in however many pieces it comes."""
    number = 0
    rest_of_long_line = False
    for raw in lines:
        if rest_of_long_line:
            rest_of_long_line = not raw.endswith(b"\n")
            continue
        number += 1
        if number == 1 and (other := next((told for magic, told in _OTHER_FILES.items() if raw.startswith(magic)), "")):
            yield Line(number=1, text="", fault=LineFault.of(raw[:4], other, 1))
            return  # its lines cannot be told apart
        if len(raw) > LINE_BYTES:
            rest_of_long_line = not raw.endswith(b"\n")
            message = f"the line is longer than {LINE_BYTES:,} bytes; give large media by URL"
            yield Line(number=number, text="", fault=LineFault.of(raw, message))
        else:
            yield _line(number, raw.removeprefix(_BOM) if number == 1 else raw)


def _line(number: int, raw: bytes) -> Line:
    text = raw.decode(errors="replace")
    return Line(number=number, text=text, fault=_encoding_fault(raw) or _control_fault(text))


def _encoding_fault(raw: bytes) -> LineFault | None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode()) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        return LineFault.of(raw[error.start : error.end], message, column)
    return None


def _control_fault(text: str) -> LineFault | None:
    if "\0" in text:
        return LineFault.of("\0", "has a NUL character; is the file UTF-16? Save it as UTF-8", text.index("\0") + 1)
    body = text.removesuffix("\n").removesuffix("\r")
    if "\r" in body:
        message = "has a carriage return that ends no line; save the file with LF or CRLF line ends"
        return LineFault.of("\r", message, body.index("\r") + 1)
    return None


def records(lines: Iterable[bytes]) -> Iterator[Record]:
    """Read CSV records as RFC 4180 has them; those without any text, and those commented out by ``#``, are skipped."""
    feed = _Feed(text_lines(lines))
    reader = csv.reader(feed, strict=True)
    while True:
        feed.begin()
        first = reader.line_num + 1
        fault = None
        cells: list[str] | None = []
        try:
            cells = next(reader, None)
        except csv.Error as error:
            hint = next((hint for words, hint in _HINTS.items() if words in str(error)), "")
            fault = LineFault.of(feed.beginning, f"cannot be read as CSV: {error}{hint}")
        if feed.faulty is not None:
            yield Record(line=feed.faulty.number, fault=feed.faulty.fault)
        elif fault is not None:
            yield Record(line=first, fault=fault)
        elif cells is None:
            return
        elif any(cell.strip() for cell in cells) and not _is_comment(cells[0].strip()):
            yield Record(line=first, cells=tuple(cells))


def _is_comment(cell: str) -> bool:
    return cell.startswith("#") and not is_spreadsheet_error(cell)


@attrs.define
class _Feed:
    """Hands lines to the csv module, and bounds what one record may gather: an unclosed quote takes all that follows."""

    _lines: Iterator[Line]
    faulty: Line | None = None
    beginning: str = ""
    _characters: int = 0

    def begin(self) -> None:
        """Start a record."""
        self.faulty, self.beginning, self._characters = None, "", 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.beginning = self.beginning or line.text
        self._characters += len(line.text)
        if self._characters > LINE_BYTES:
            raise csv.Error(f"a row longer than {LINE_BYTES:,} characters, perhaps a quote that is not closed")
        if line.fault is not None and self.faulty is None:
            self.faulty = line
        return line.text
