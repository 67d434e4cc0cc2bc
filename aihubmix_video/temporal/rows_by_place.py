"""Rows of a batch file by their places: found once in passing, and read again one by one."""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import attrs

from aihubmix_video.batch_file import BadRow, Row, lines_of, read_csv, read_jsonl, read_text
from aihubmix_video.batch_file.jsonl import records
from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.errors import InvalidRequest, shown
from aihubmix_video.temporal.workflow_values import (
    BatchSpec,
    Cursor,
    ErrorNote,
    RowAddress,
    RowPhase,
    RowState,
    ShardPage,
    ShardPlace,
    ShardRows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["check_source", "list_rows", "next_shards", "read_row"]

READERS = {"jsonl": read_jsonl, "csv": read_csv, "txt": read_text}
DIGEST_CHARACTERS = 16


def check_source(path: Path, kind: Literal["jsonl", "csv", "txt"]) -> int:
    """Return the size of a batch file that can be read by places.

    Raises:
        InvalidRequest: It is not a file, cannot be read, or is one JSON array.
    """
    if not path.is_file():
        raise InvalidRequest.of("source", str(path), "is not a file")
    spec = BatchSpec(source=str(path), format=kind, size=path.stat().st_size, to="")
    with _opened(spec) as file:
        _refuse_array(spec, file)
    return spec.size


def next_shards(spec: BatchSpec, cursor: Cursor, count: int) -> ShardPage:
    """Return the places of at most *count* shards from *cursor*, and where the next begins.

    Raises:
        InvalidRequest: The file cannot be read, was changed, or is one JSON array.
    """
    with _opened(spec) as file:
        if cursor == Cursor():
            _refuse_array(spec, file)
            header = _header(spec, file)
            cursor = Cursor(offset=header, header=header)
        starts = _ShardStarts(spec, cursor)
        for item, offset in _found(spec, file, cursor.header, cursor.offset, spec.size):
            if starts.take(item, offset) and len(starts.places) == count:
                break
        else:
            starts.end()
    return ShardPage(places=tuple(starts.places), cursor=starts.cursor)


@attrs.define
class _ShardStarts:
    """Cuts rows into shards; a shard begins only with a row that can be read, as the place of another is not certain."""

    _spec: BatchSpec
    cursor: Cursor
    places: list[ShardPlace] = attrs.field(factory=list)
    _rows: int = 0

    def take(self, item: Row | BadRow, offset: int) -> bool:
        """Take the next row, and return whether it begins another shard."""
        cut = self._rows >= self._spec.rows_per_shard and isinstance(item, Row)
        if cut:
            self._cut(offset)
        self._rows += 1
        return cut

    def end(self) -> None:
        """Close the last shard of the file."""
        if self._rows:
            self._cut(self._spec.size)
        self.cursor = attrs.evolve(self.cursor, done=True)

    def _cut(self, offset: int) -> None:
        at = self.cursor
        place = ShardPlace(
            number=at.shard,
            offset=at.offset,
            size=offset - at.offset,
            row=at.row,
            rows=self._rows,
            header=at.header,
        )
        self.places.append(place)
        self.cursor = attrs.evolve(at, offset=offset, row=at.row + self._rows, shard=at.shard + 1)
        self._rows = 0


def list_rows(spec: BatchSpec, place: ShardPlace) -> ShardRows:
    """Return the rows of a shard, each checked; raises as `next_shards`."""
    good: list[RowAddress] = []
    bad: list[RowState] = []
    with _opened(spec) as file:
        found = list(_found(spec, file, place.header, place.offset, place.size))
        ends = [offset for _, offset in found[1:]] + [place.offset + place.size]
        for (item, offset), end in zip(found, ends, strict=True):
            number = place.row + item.number
            problems = (
                item.problems
                if isinstance(item, BadRow)
                else BUILT_IN.judge(item.request, validate=spec.validate).problems
            )
            if isinstance(item, BadRow) or problems:
                note = ErrorNote(type="InvalidRequest", message=f"row {number}: {'; '.join(map(str, problems))}")
                bad.append(RowState(number=number, phase=RowPhase.FAILED, error=note))
            else:
                good.append(_address(item, number, _piece(file, offset, end - offset), place, offset))
    return ShardRows(good=tuple(good), bad=tuple(bad))


def _address(item: Row, number: int, piece: bytes, place: ShardPlace, offset: int) -> RowAddress:
    return RowAddress(
        number=number,
        offset=offset,
        size=len(piece),
        digest=_digest(piece),
        model=item.request.model,
        header=place.header,
    )


def read_row(spec: BatchSpec, address: RowAddress) -> Row:
    """Return the row at a place.

    Raises:
        InvalidRequest: It was changed since it was found, or cannot be read any more; nothing was sent.
    """
    with _opened(spec) as file:
        if _digest(_piece(file, address.offset, address.size)) == address.digest:
            for item, _ in _found(spec, file, address.header, address.offset, address.size):
                if isinstance(item, Row):
                    return attrs.evolve(item, number=address.number)
    raise InvalidRequest.of(
        "row", address.number, "was changed since the batch was started; start another batch for it"
    )


def _opened(spec: BatchSpec) -> IO[bytes]:
    try:
        file = Path(spec.source).open("rb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        message = f"cannot be read by this worker: {error.strerror}; every worker needs the batch file under this path"
        raise InvalidRequest.of("source", spec.source, message) from None
    size = file.seek(0, 2)
    if size != spec.size:
        file.close()
        message = f"has {size} bytes, and had {spec.size} when the batch was started; put the old file back"
        raise InvalidRequest.of("source", spec.source, message)
    file.seek(0)
    return file


def _refuse_array(spec: BatchSpec, file: IO[bytes]) -> None:
    if spec.format == "jsonl":
        first = next((line for line in lines_of(file) if line.strip(b"\xef\xbb\xbf \t\r\n")), b"")
        if first.lstrip(b"\xef\xbb\xbf \t").startswith(b"["):
            message = f"is one JSON array, {shown(first[:20].decode(errors='replace'))}; write one object per line"
            raise InvalidRequest.of("source", spec.source, message)
        file.seek(0)


def _header(spec: BatchSpec, file: IO[bytes]) -> int:
    """Return the length of what is needed to read any row of the file."""
    if spec.format != "csv":
        return 0
    lines = _TrackedLines()
    next(records(lines.tracked(_part(file, 0, spec.size), 0)), None)
    return lines.end


def _found(spec: BatchSpec, file: IO[bytes], header: int, offset: int, size: int) -> Iterator[tuple[Row | BadRow, int]]:
    """Yield the rows of a part of the file, numbered from 0, each with the offset of its first line."""
    lines = _TrackedLines()
    given = chain(lines.tracked(_part(file, 0, header), 0), lines.tracked(_part(file, offset, size), offset))
    read = READERS[spec.format]
    for item in read(given, source=spec.source, defaults=json.loads(spec.defaults), ignored=spec.ignored):
        if size:
            yield item, lines.offset_of(item.line, offset)


def _part(file: IO[bytes], offset: int, size: int) -> Iterator[bytes]:
    """Yield the lines of a part of the file."""
    while size > 0:
        file.seek(offset)
        line = next(iter(lines_of(file)), b"")[:size]
        if not line:
            return
        yield line
        offset += len(line)
        size -= len(line)


@attrs.define
class _TrackedLines:
    """Remembers where the newest lines begin, and the last of them ends."""

    end: int = 0
    _number: int = 0
    _starts: dict[int, int] = attrs.field(factory=dict)
    _whole: bool = True

    def tracked(self, lines: Iterable[bytes], offset: int) -> Iterator[bytes]:
        for line in lines:
            if self._whole:  # else it is another piece of a long line
                self._number += 1
                self._starts[self._number] = offset
            self._whole = line.endswith(b"\n")
            offset += len(line)
            self.end = offset
            yield line

    def offset_of(self, number: int, default: int) -> int:
        """Return where a line begins, and forget those before it; *default* if it was not read."""
        found = self._starts.get(number, default)
        self._starts = {line: start for line, start in self._starts.items() if line > number}
        return found


def _piece(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:DIGEST_CHARACTERS]
