from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.batch_file import LINE_BYTES, BadRow, Row, lines_of, read_csv, read_jsonl, read_text
from aihubmix_video.types.request import FIELDS, VideoRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READERS = [read_jsonl, read_csv, read_text]
GOOD = b'{"model": "sora-2", "prompt": "a cat"}\n'
CAT = VideoRequest(model="sora-2", prompt="a cat")

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
REQUESTS = st.fixed_dictionaries({"model": st.text()}, optional={name: JSON for name in FIELDS if name != "model"})
FRAGMENTS = st.sampled_from(
    [b"model,prompt\n", b"sora-2,", b'"', b'""', b",", b"\r", b"\r\n", b"\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf"]
)
MESS = st.lists(FRAGMENTS | st.binary(max_size=8) | st.just(GOOD), max_size=12).map(b"".join)


def jsonl(data: bytes, **defaults: object) -> list[Row | BadRow]:
    """Read JSON lines as from a file."""
    return list(read_jsonl(io.BytesIO(data), source="batch.jsonl", defaults=defaults))


def table(data: str | bytes, **defaults: object) -> list[Row | BadRow]:
    """Read CSV as from a file."""
    encoded = data.encode() if isinstance(data, str) else data
    return list(read_csv(io.BytesIO(encoded), source="batch.csv", defaults=defaults))


def only_bad(rows: list[Row | BadRow]) -> BadRow:
    """Give the one bad row there must be."""
    (bad,) = (row for row in rows if isinstance(row, BadRow))
    return bad


def test_rows_come_with_their_number_and_line():
    """A user finds the row by its line; the batch counts rows only."""
    rows = jsonl(b"# two cats\n\n" + GOOD + b"   \n  # and another\n" + GOOD)

    assert [Row(number=0, line=3, request=CAT), Row(number=1, line=6, request=CAT)] == rows


def test_a_byte_order_mark_and_crlf_are_fine():
    """Both are what Windows editors write, and neither is the user's fault."""
    data = b'\xef\xbb\xbf{"model": "sora-2", "prompt": "a cat"}\r\n'

    assert [Row(number=0, line=1, request=CAT)] == jsonl(data)
    assert [Row(number=0, line=2, request=CAT)] == table("\ufeffmodel,prompt\r\nsora-2,a cat\r\n")


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        ('{"model": "é"}'.encode("latin-1"), 12, "UTF-8"),
        (b'{"model": "\0"}', 12, "NUL"),
        (b'{"model": "a"}\r{"model": "b"}', 15, "carriage return"),
        (b'{"model": "sora-2", }', 21, "trailing comma"),
        (b'{"image_list": [1,]}', 19, "trailing comma"),
        (b'{"model": "sora-2"', 19, "invalid JSON"),
        (b"{'model': 'sora-2'}", 2, "invalid JSON"),
        ("中{}".encode(), 1, "invalid JSON"),
        (b'[{"model": "sora-2"}]', 1, "object"),
        (b'"sora-2"', 1, "object"),
        (b"null", 1, "object"),
        (b'{"extra_body": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 1, "deeper"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_its_place(line: bytes, column: int, word: str):
    """Line and column find the fault in an editor, and the rows around it are read."""
    rows = jsonl(GOOD + line + b"\n" + GOOD)

    assert [Row, BadRow, Row] == [type(row) for row in rows]
    assert (1, 2) == (rows[1].number, rows[1].line)
    assert word in str(rows[1])
    # Before 3.13 Python points at the bracket after a trailing comma, later at the comma itself.
    assert rows[1].column in (range(column - 2, column + 1) if word == "trailing comma" else {column})


def test_a_utf_16_file_is_said_to_be_one():
    """Its lines cannot be told apart, so it is one fault and not thousands."""
    for reader in READERS:
        (bad,) = reader(io.BytesIO(GOOD.decode().encode("utf-16") * 3), source="x")
        assert "UTF-16" in str(bad)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"model": "a", "cfg_scale": NaN}', "cfg_scale"),
        ('{"model": "a", "extra_body": {"a": [1, {"b": -Infinity}]}}', "extra_body.a[1].b"),
        ('{"model": "a", "cfg_scale": 1e999}', "cfg_scale"),
        ('{"model": "a", "seed": ' + "9" * 5000 + "}", "seed"),
        ('{"model": "a", "model": "b"}', "model"),
        ('{"model": "a", "content": [{"role": 1, "role": 2}]}', "role"),
    ],
)
def test_what_json_cannot_mean_is_named_by_its_key(text: str, field: str):
    """Python reads NaN and takes the last of two equal keys; a paid request must not depend on that."""
    bad = only_bad(jsonl(text.encode()))

    assert [field] == [problem.field for problem in bad.problems]


def test_equal_keys_in_different_objects_are_no_duplicates():
    """Every item of a list has a type and a role."""
    rows = jsonl(b'{"model": "a", "content": [{"role": "x"}, {"role": "x"}]}')

    assert [Row] == [type(row) for row in rows]


def test_a_line_over_the_limit_is_refused_without_being_held():
    """Ten megabytes in one line are a mistake, or media that belong behind a URL."""
    long = b'{"prompt": "' + b"x" * 10_000_000 + b'"}\n'
    pieces = list(lines_of(io.BytesIO(GOOD + long + GOOD)))
    rows = list(read_jsonl(pieces, source="x"))

    assert max(map(len, pieces)) == LINE_BYTES + 1
    assert [(Row, 1), (BadRow, 2), (Row, 3)] == [(type(row), row.line) for row in rows]
    assert [(Row, 1), (BadRow, 2), (Row, 3)] == [(type(row), row.line) for row in jsonl(GOOD + long + GOOD)]


def test_an_unknown_key_is_an_error_with_the_closest():
    """A misspelt parameter that is ignored is a video paid for that nobody wanted."""
    bad = only_bad(jsonl(b'{"model": "sora-2", "secconds": 5, "ouput": "a.mp4"}'))

    assert [("secconds", "seconds"), ("ouput", "output")] == [(each.field, each.nearest) for each in bad.problems]


def test_all_problems_of_a_row_are_told_at_once():
    """Nobody wants to run a batch five times to find five typing errors in one row."""
    bad = only_bad(jsonl(b'{"modle": "a", "cfg_scale": NaN, "key": "../x", "output": "/etc/x", "seed": 1, "seed": 2}'))

    assert {"modle", "cfg_scale", "key", "output", "seed", "model"} == {each.field for each in bad.problems}


def test_a_file_of_something_else_is_not_answered_at_length():
    """A row with half a million unknown keys gets a page of problems, not a gigabyte."""
    row = json.dumps({f"k{n}": n for n in range(5000)}).encode()

    assert 20 == len(only_bad(jsonl(row)).problems)


@pytest.mark.parametrize("field", ["key", "output"])
def test_the_second_row_with_the_same_name_is_refused_and_both_lines_are_named(field: str):
    """Two jobs never get one file, and the user decides which line is wrong."""
    row = json.dumps({"model": "sora-2", "prompt": "a cat", field: "first"}).encode() + b"\n"
    rows = jsonl(row + GOOD + row)

    assert [Row, Row, BadRow] == [type(each) for each in rows]
    assert "lines 1 and 3" in str(rows[2])
    assert [field] == [problem.field for problem in rows[2].problems]


def test_outputs_that_differ_in_case_only_are_the_same():
    """They are one file on macOS and Windows."""
    rows = table("output,prompt\nA/cat.mp4,x\na/CAT.mp4,x\n", model="sora-2")

    assert "lines 2 and 3" in str(only_bad(rows))


@pytest.mark.parametrize(
    "output", ["../a.mp4", "/a.mp4", "a//b", "a/", "", "con.mp4", "a\\b.mp4", "a\nb", 7, ["a"], "x" * 300]
)
def test_an_output_stays_under_the_output_folder(output: object):
    """A batch file may come from somebody else; it chooses names, not places."""
    bad = only_bad(jsonl(json.dumps({"model": "a", "output": output}).encode()))

    assert ["output"] == [problem.field for problem in bad.problems]


@pytest.mark.parametrize(("key", "read"), [("shot-1", "shot-1"), (17, "17"), ("第一", "第一")])
def test_a_row_may_give_its_key_and_its_output(key: object, read: str):
    """Both are reserved names: the first names the job, the second its file; a key may well be a number."""
    (row,) = jsonl(json.dumps({"model": "sora-2", "prompt": "a cat", "key": key, "output": "cats/1.mp4"}).encode())

    assert Row(number=0, line=1, request=CAT, key=read, output="cats/1.mp4") == row


@pytest.mark.parametrize("key", ["", "a/b", True, 1.5, "x" * 65, "\ud800", {}])
def test_a_key_is_fit_for_a_file_name(key: object):
    """The key appears in file names, listings and messages."""
    bad = only_bad(jsonl(json.dumps({"model": "a", "key": key}).encode()))

    assert ["key"] == [problem.field for problem in bad.problems]


def test_defaults_fill_what_a_row_leaves_out():
    """The model on the command line is for the rows that name none."""
    data = b'{"prompt": "x"}\n{"prompt": "x", "model": "sora-2", "size": null}\n'
    models = [(row.request.model, row.request.size) for row in jsonl(data, model="kling-v3", size="a")]

    assert [("kling-v3", "a"), ("sora-2", "a")] == models
    assert ["kling-v3", "sora-2"] == [
        row.request.model for row in table("prompt,model\nx,\nx,sora-2\n", model="kling-v3")
    ]


def test_a_rows_duration_replaces_the_default_seconds():
    """They are two names of one field; the row's word counts, under either name."""
    (row,) = jsonl(b'{"model": "wan2.6-t2v", "duration": 8}', seconds=5)

    assert 8 == row.request.seconds


def test_duration_and_seconds_that_differ_are_refused():
    """Neither of the two can be guessed to be meant."""
    assert "conflicts" in str(only_bad(jsonl(b'{"model": "a", "duration": 8, "seconds": 5}')))


@pytest.mark.parametrize(
    ("reader", "data"),
    [
        (read_jsonl, b""),
        (read_jsonl, b"\n# nothing\n"),
        (read_text, b""),
        (read_csv, b""),
        (read_csv, b"model,prompt\n"),
    ],
)
def test_a_file_without_rows_is_a_mistake(reader: Callable[..., Iterator[Row | BadRow]], data: bytes):
    """An empty batch that succeeds hides a wrong file name or a failed export."""
    (bad,) = reader(io.BytesIO(data), source="empty.x")

    assert "empty.x" in str(bad)


def test_cells_get_the_type_their_field_has():
    """A spreadsheet has text only; the wire wants numbers, booleans and objects."""
    columns = "model,seconds,cfg_scale,seed,generate_audio,watermark,extra_body,image_list,image"
    cells = 'm,5,.5, 42,TRUE,0,"{""a"": 1}","[""https://x.test/a.png""]","{""mime_type"": ""image/png"", ""data"": ""aGk=""}"'
    (row,) = table(f"{columns}\n{cells}\n")

    assert row.request == VideoRequest(
        model="m",
        seconds="5",
        cfg_scale=0.5,
        seed=42,
        generate_audio=True,
        watermark=False,
        extra_body={"a": 1},
        image_list=["https://x.test/a.png"],
        image={"mime_type": "image/png", "data": "aGk="},
    )


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("seed", "4.2"),
        ("seed", "٨"),
        ("seed", "9" * 50),
        ("cfg_scale", "half"),
        ("cfg_scale", "nan"),
        ("cfg_scale", "1_0"),
        ("watermark", "yes please"),
        ("extra_body", "{a: 1}"),
        ("content", "[1,"),
        ("image", "{"),
    ],
)
def test_a_cell_of_the_wrong_type_is_named_by_row_and_column(column: str, cell: str):
    """In a spreadsheet the place is a row and a column."""
    bad = only_bad(table(f'model,{column}\nm,"{cell}"\n'))

    assert (2, 2, column) == (bad.line, bad.column, bad.problems[0].field)


def test_a_quoted_cell_may_hold_commas_quotes_and_line_ends():
    """Prompts do; the next row's line is still right."""
    rows = table('model,prompt\nm,"a ""big"" cat,\r\nasleep"\nm,x\n')

    assert [(2, 'a "big" cat,\r\nasleep'), (4, "x")] == [(row.line, row.request.prompt) for row in rows]


@pytest.mark.parametrize("cells", ["m", "m,a cat, asleep"])
def test_a_ragged_row_is_refused(cells: str):
    """An unquoted comma would otherwise cut a prompt short, and be paid for."""
    bad = only_bad(table(f"model,prompt\nm,x\n{cells}\nm,y\n"))

    assert (3, 1) == (bad.line, bad.number)
    assert "quoted" in str(bad)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("sora-2,a cat", "unknown field"),
        ("model,promt", "did you mean prompt?"),
        ("model;prompt", "commas"),
        ("model,prompt,model", "twice"),
    ],
)
def test_a_header_that_is_none_is_the_only_error(header: str, words: str):
    """Without it no cell has a meaning, and a thousand errors would say no more than one."""
    (bad,) = table(f"{header}\nm,x\nm,y\n")

    assert words in str(bad)
    assert 1 == bad.line


def test_blank_rows_and_unnamed_empty_columns_are_passed_over():
    """Spreadsheets leave both behind."""
    rows = table("model,prompt,\nm,x,\n,,\n\nm,y,\nm,z,lost\n")

    assert [("x", 2), ("y", 5)] == [(row.request.prompt, row.line) for row in rows[:2]]
    assert "under no name" in str(rows[2])


def test_a_quote_that_is_never_closed_is_one_bad_row():
    """It swallows what follows; the message names the line where it began."""
    bad = only_bad(table('model,prompt\nm,x\nm,"y\nm,z\n'))

    assert 3 == bad.line
    assert "never closed" in str(bad)


def test_an_endless_quoted_row_is_given_up_and_not_gathered():
    """Every line closes one cell and opens the next; without a bound the record would take all memory."""
    lines = [b"model,prompt\n", b'm,"\n', *[b'","' + b"x" * 100_000 + b"\n"] * 100]

    assert "not closed" in str(next(read_csv(lines, source="x")))


def test_a_bad_line_inside_a_quoted_cell_spoils_its_row_only():
    """The fault's own line is named, and the rows after it are read."""
    rows = table(b'model,prompt\nm,"a\n\xff\nb"\nm,x\n')

    assert [(BadRow, 3), (Row, 5)] == [(type(row), row.line) for row in rows]


def test_a_plain_text_file_has_one_prompt_per_line():
    """The simplest batch there is; everything else comes from the command line."""
    data = "# cats\n a cat \n\n一只猫\n".encode()
    rows = list(read_text(io.BytesIO(data), source="prompts.txt", defaults={"model": "sora-2", "seconds": 4}))

    assert [("a cat", 2), ("一只猫", 4)] == [(row.request.prompt, row.line) for row in rows]
    assert all(("sora-2", 4) == (row.request.model, row.request.seconds) for row in rows)


def test_a_bad_row_can_be_reported_as_an_error():
    """The batch gives one error per row, and it must say which row."""
    error = only_bad(jsonl(GOOD + b'{"model": "a", "secconds": 5}')).error

    assert "secconds" == error.field
    assert "batch.jsonl:2" in str(error)


def test_reading_is_lazy():
    """A batch of any length begins with its first row."""
    given_out: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            given_out.append(len(given_out))
            yield GOOD

    rows = read_jsonl(endless(), source="x")
    next(rows)
    next(rows)

    assert [0, 1] == given_out


@given(REQUESTS)
def test_rows_written_as_json_come_back_equal(fields: dict[str, object]):
    """What a program writes with json.dumps is what is asked for, to the last character."""
    for ascii_only in (True, False):
        data = json.dumps(fields, ensure_ascii=ascii_only).encode(errors="surrogatepass") + b"\n"
        (row,) = jsonl(data)
        assert Row(number=0, line=1, request=VideoRequest.from_mapping(fields)) == row


@given(st.lists(st.tuples(st.text(), st.integers(), st.booleans()), min_size=1, max_size=4))
def test_rows_written_as_csv_come_back_equal(wanted: list[tuple[str, int, bool]]):
    """The csv module's own writer is what scripts use."""
    texts = [("".join(c for c in prompt if c not in "\0\r") or "x", seed, mark) for prompt, seed, mark in wanted]
    texts = [(prompt if prompt.strip() else "x", seed, mark) for prompt, seed, mark in texts]
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["model", "prompt", "seed", "watermark"])
    writer.writerows([("m", *row) for row in texts])

    assert [VideoRequest(model="m", prompt=prompt, seed=seed, watermark=mark) for prompt, seed, mark in texts] == [
        row.request for row in table(file.getvalue())
    ]


@pytest.mark.parametrize("reader", READERS)
@given(data=MESS)
def test_arbitrary_bytes_raise_nothing(reader: Callable[..., Iterator[Row | BadRow]], data: bytes):
    """A row that cannot be read is a result like any other; numbers run on without a gap."""
    rows = list(reader(io.BytesIO(data), source="x", defaults={"model": "m"}))

    assert list(range(len(rows))) == [row.number for row in rows]
    assert sorted(row.line for row in rows) == [row.line for row in rows]
    for row in rows:
        if isinstance(row, BadRow):
            assert row.problems
            assert str(row).isprintable()
