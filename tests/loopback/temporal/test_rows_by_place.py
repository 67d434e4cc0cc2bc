"""Rows found once and read again by their places are the rows that a reader of the whole file finds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest

from aihubmix_video.batch_file import Row, lines_of
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.temporal.rows_by_place import READERS, list_rows, next_shards, read_row
from aihubmix_video.temporal.workflow_values import BatchSpec, Cursor

if TYPE_CHECKING:
    from pathlib import Path

JSONL = "\ufeff# a comment\n\n" + "\r\n".join(
    json.dumps({"model": "wan2.6-t2v", "prompt": f"cät {number} 猫"}, ensure_ascii=False) for number in range(23)
)
CSV = "# mine\nmodel,prompt,size\n" + "".join(
    f'wan2.6-t2v,"cat {number},\n""on two lines""",{"" if number % 2 else "1280x720"}\n' for number in range(23)
)
TEXT = "".join(f"cat {number}\n{'# no cat' if number % 3 else ''}\n" for number in range(23))
FORMATS: dict[Literal["jsonl", "csv", "txt"], str] = {"jsonl": JSONL, "csv": CSV, "txt": TEXT}


def spec_of(path: Path, kind: Literal["jsonl", "csv", "txt"], **options: int) -> BatchSpec:
    """Make a batch of a file."""
    defaults = '{"model":"wan2.6-t2v"}' if kind == "txt" else "{}"
    return BatchSpec(source=str(path), format=kind, size=path.stat().st_size, to="", defaults=defaults, **options)  # type: ignore[arg-type]  # numbers


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("per_shard", [1, 4, 100])
@pytest.mark.parametrize("per_page", [1, 3])
def test_every_row_is_found_once_wherever_the_file_is_cut(
    tmp_path: Path, kind: Literal["jsonl", "csv", "txt"], per_shard: int, per_page: int
):
    """A row lost, or in two shards, would be a video missing, or bought twice."""
    path = tmp_path / f"rows.{kind}"
    path.write_text(FORMATS[kind], encoding="utf-8", newline="")
    spec = spec_of(path, kind, rows_per_shard=per_shard)
    cursor, found = Cursor(), []
    while not cursor.done:
        page = next_shards(spec, cursor, per_page)
        cursor = page.cursor
        found += [address for place in page.places for address in list_rows(spec, place).good]
    with path.open("rb") as file:
        rows = list(READERS[kind](lines_of(file), source="", defaults=json.loads(spec.defaults)))

    assert 23 == len(rows)
    assert [row.number for row in rows] == [address.number for address in found]
    assert [row.request for row in rows if isinstance(row, Row)] == [read_row(spec, each).request for each in found]


def test_a_row_changed_since_is_not_bought(tmp_path: Path):
    """A file edited in place would otherwise be bought half old, half new."""
    path = tmp_path / "rows.jsonl"
    path.write_text(JSONL, encoding="utf-8")
    spec = spec_of(path, "jsonl")
    (place,) = next_shards(spec, Cursor(), 1).places
    address = list_rows(spec, place).good[3]
    path.write_bytes(path.read_bytes().replace(b"wan2.6-t2v", b"wan2.5-t2v"))

    with pytest.raises(InvalidRequest, match="changed since"):
        read_row(spec, address)
    path.write_text(JSONL + "\n", encoding="utf-8")
    with pytest.raises(InvalidRequest, match="bytes"):
        read_row(spec, address)


def test_bad_rows_keep_their_numbers_and_the_others_their_places(tmp_path: Path):
    """Numbers are in file names: they may not depend on which rows are bad."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt":"no model"}\n{"model":"wan2.6-t2v","prompt":"cat"}\n{"model":\n', encoding="utf-8")
    spec = spec_of(path, "jsonl")
    (place,) = next_shards(spec, Cursor(), 1).places
    rows = list_rows(spec, place)

    assert [1] == [address.number for address in rows.good]
    assert [0, 2] == [row.number for row in rows.bad]


def test_a_json_array_is_refused_with_what_to_do(tmp_path: Path):
    """It can be read only whole, which a million rows cannot be."""
    path = tmp_path / "rows.jsonl"
    path.write_text('[{"model":"wan2.6-t2v","prompt":"cat"}]', encoding="utf-8")

    with pytest.raises(InvalidRequest, match="one object per line"):
        next_shards(spec_of(path, "jsonl"), Cursor(), 1)
