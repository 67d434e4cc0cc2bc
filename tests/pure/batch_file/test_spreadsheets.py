"""Batch files as spreadsheet programs and other tools write them."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.batch_file import BadRow, Row, read_csv, read_jsonl, read_text
from aihubmix_video.batch_file.json_array import object_lines
from aihubmix_video.batch_file.jsonl import text_lines
from aihubmix_video.batch_file.spreadsheet_errors import is_spreadsheet_error

CAT = {"model": "sora-2", "prompt": "a cat"}
DOG = {"model": "sora-2", "prompt": "a dog"}


def jsonl(text: str, **options: object) -> list[Row | BadRow]:
    """Read JSON lines, or an array."""
    return list(read_jsonl(io.BytesIO(text.encode()), source="x.json", **options))  # type: ignore[arg-type]


def table(text: str, **options: object) -> list[Row | BadRow]:
    """Read CSV."""
    return list(read_csv(io.BytesIO(text.encode()), source="x.csv", **options))  # type: ignore[arg-type]


def prompts(rows: list[Row | BadRow]) -> list[str]:
    """Return the prompts of rows that must all be good."""
    return [row.request.prompt for row in rows if isinstance(row, Row) or pytest.fail(str(row))]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_whole(indent: int | None):
    """Tools write `.json` files as one array; its last element alone must not be bought."""
    rows = jsonl("# two\n" + json.dumps([CAT, DOG], indent=indent))

    assert ["a cat", "a dog"] == prompts(rows)
    assert [2, 2] if indent is None else [3, 7] == [row.line for row in rows]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (json.dumps([CAT, DOG])[:-1], 1, "not closed"),
        (json.dumps([CAT, DOG], indent=1)[:-20], 8, "whole or not at all"),
        ('[{"model": "sora-2", "prompt": "a cat"},]', 1, "trailing comma"),
        ('[{"model": "a"}\n{"model": "b"}]', 2, "','"),
        ('[{"model": "a"}]\n{"model": "b"}', 2, "behind the array"),
        ("[" * 100_000, 1, "nested too deeply"),
        ("[,]", 1, "invalid JSON"),
    ],
)
def test_an_array_that_is_damaged_gives_no_row_at_all(text: str, line: int, word: str):
    """With bad rows left out, what could be read of it would be bought alone."""
    (bad,) = jsonl(text)

    assert isinstance(bad, BadRow)
    assert line == bad.line
    assert word in str(bad)


def test_an_array_over_the_limit_is_refused():
    """It has to be held whole, so it is bounded; lines are not."""
    lines = text_lines(io.BytesIO(b"[\n" + b'{"model": "a"},\n' * 100 + b"]"))
    (line,) = object_lines(lines, longest=200)

    assert line.fault is not None
    assert "one object per line" in line.fault.problem.message


def test_bad_elements_of_an_array_leave_the_others_as_they_are():
    """Each is a row, and named by the line it begins on."""
    rows = jsonl(
        '[\n{"model": "a", "prompt": "1"},\n7,\n{"model": "b", "secconds": 5},\n{"model": "c", "seed": '
        + "9" * 5000
        + "}]"
    )

    assert [Row, BadRow, BadRow, BadRow] == [type(row) for row in rows]
    assert [2, 3, 4, 5] == [row.line for row in rows]
    assert "did you mean seconds" in str(rows[2])


def test_an_empty_array_is_a_mistake():
    """As any file without rows."""
    (bad,) = jsonl(" [ ] ")
    assert "holds no row" in str(bad)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))


@given(
    st.lists(
        st.dictionaries(WORDS, WORDS | st.integers() | st.none() | st.lists(WORDS, max_size=2), max_size=3),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([None, 1]),
)
def test_the_elements_of_any_array_are_found(items: list[dict[str, object]], indent: int | None):
    """Whatever brackets, quotes and commas their strings hold."""
    text = json.dumps(items, indent=indent, ensure_ascii=False)
    lines = list(object_lines(text_lines(io.BytesIO(text.encode()))))

    assert items == [json.loads(line.text) for line in lines]


def test_a_comma_behind_an_object_is_named():
    """Someone took the brackets off an array."""
    (bad, _) = jsonl(json.dumps(CAT) + ",\n" + json.dumps(DOG))
    assert "comma behind the object" in str(bad)


def test_a_row_commented_out_is_never_bought():
    """In every format, and in CSV whatever the row holds."""
    assert ["a cat"] == prompts(table("model,prompt\n#sora-2,a dog\nsora-2,a cat\n# a note\n"))
    assert ["a cat"] == prompts(table('# made by hand\nmodel,prompt\n"#sora-2","a dog, running"\nsora-2,a cat\n'))
    assert ["a cat"] == prompts(jsonl("#" + json.dumps(DOG) + "\n" + json.dumps(CAT)))
    assert ["a cat"] == prompts(list(read_text(io.BytesIO(b"# a dog\na cat\n"), source="x", defaults={"model": "m"})))


@pytest.mark.parametrize(
    "cell", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#BEZUG!", "#¡REF!", "Err:508", "#SPILL!"]
)
@pytest.mark.parametrize("column", ["prompt", "model"])
def test_a_formulas_error_is_a_problem_and_not_a_prompt(cell: str, column: str):
    """It would be ordered word for word; in the first cell it is not taken for a comment."""
    row = {"model": "sora-2", "prompt": "a cat", "size": "1280x720"} | {column: cell}
    for rows in (table(f"model,prompt,size\n{','.join(row.values())}\n"), jsonl(json.dumps(row))):
        (bad,) = rows
        assert isinstance(bad, BadRow)
        assert [column] == [problem.field for problem in bad.problems]
        assert "spreadsheet's error" in str(bad)


@pytest.mark.parametrize("text", ["#cats", "#1", "# REF!", "Error: 508", "C#!", "#wow!", ""])
def test_words_that_only_look_like_errors_are_text(text: str):
    """Prompts may hold hashtags."""
    assert not is_spreadsheet_error(text)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"PK\x03\x04\x14\0\x06\0", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"SQLite format 3\0", "database"),
    ],
)
def test_a_file_of_another_kind_is_named_once(data: bytes, word: str):
    """Whatever its name says; bytes of it are not reported line by line."""
    for reader in (read_csv, read_jsonl, read_text):
        (bad,) = reader(io.BytesIO(data + b"\n\n\xff\n"), source="rows.csv")
        assert isinstance(bad, BadRow)
        assert word in str(bad)


@pytest.mark.parametrize("first", ["sep=,", "sep=;", "SEP=\t"])
def test_a_line_for_the_spreadsheet_program_is_named_for_what_it_is(first: str):
    """It is not a header."""
    (bad,) = table(f"{first}\nmodel,prompt\nsora-2,a cat\n")
    assert "spreadsheet program" in str(bad)


@pytest.mark.parametrize("seconds", ["5", "5.0", " 5 "])
def test_cells_of_whole_numbers_are_numbers(seconds: str):
    """Whether the program wrote a fraction or not; the same length under both of its names is one."""
    (row,) = table(f"model,prompt,seconds,duration,seed\nwan2.6-t2v,a cat,{seconds},5,42.0\n")
    assert isinstance(row, Row)
    assert 42 == row.request.seed


def test_columns_of_the_users_own_are_kept_when_told():
    """Untold they are unknown fields, since one of them may be a field that is misspelt."""
    text = "id,model,prompt,notes\n7,sora-2,a cat,#REF!\n"
    (row,) = table(text, ignored={"id", "notes"})
    assert isinstance(row, Row)
    assert {"id": "7", "notes": "#REF!"} == row.own
    assert "--ignore-columns" in str(table(text)[0])
    (row,) = jsonl(json.dumps({**CAT, "id": 7, "notes": {"by": "me"}}), ignored={"id", "notes"})
    assert isinstance(row, Row)
    assert {"id": 7, "notes": {"by": "me"}} == row.own
