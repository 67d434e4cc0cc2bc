from __future__ import annotations

from pathlib import Path

import pytest

from aihubmix_video.batch_file import BadRow, Row, read_jsonl
from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.cli.open_batch_file import OutputPlaces, format_of, judged
from aihubmix_video.errors import ConfigurationError, InvalidRequest
from aihubmix_video.types.request import VideoRequest

LINES = [
    b'{"model": "sora-2", "prompt": "a", "seconds": 8}\n',
    b'{"model": "sora-2", "prompt": "b", "seconds": 5}\n',
    b'{"model": "sora-2", "prompt": "c", "secconds": 4}\n',
    b'{"model": "doubao-seedance-2-0-260128", "prompt": "d", "seconds": -1}\n',
]


def rows() -> list[Row | BadRow]:
    """Read and judge the lines above."""
    return list(judged(read_jsonl(LINES, source="x.jsonl"), "x.jsonl", BUILT_IN.judge))


def row(**known: object) -> Row:
    """Make a good row."""
    return Row(**{"number": 7, "line": 8, "request": VideoRequest(model="sora-2", prompt="A Red Fox!"), **known})


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("a.jsonl", None, "jsonl"),
        ("a.CSV", None, "csv"),
        ("a.txt", None, "txt"),
        ("-", None, "jsonl"),
        ("a.x", "txt", "txt"),
    ],
)
def test_the_suffix_tells_the_format(name: str, given: object, expected: str):
    """An explicit format wins; standard input has no suffix."""
    assert expected == format_of(name, given)


def test_an_unknown_suffix_is_not_guessed():
    """A spreadsheet read as prompts would buy a thousand wrong videos."""
    with pytest.raises(ConfigurationError, match="--format"):
        format_of("prompts.xlsx", None)


def test_rows_are_judged_by_their_models():
    """A length the model does not make is found before anything is bought, like a misspelt field."""
    good, length, misspelt, auto = rows()

    assert isinstance(good, Row)
    assert isinstance(auto, Row)
    assert ["seconds", "secconds"] == [bad.problems[0].field for bad in (length, misspelt) if isinstance(bad, BadRow)]
    assert "x.jsonl:2: seconds=5: sora-2 makes 4, 8 or 12 seconds (nearest: 4)" == str(length)


def test_a_row_is_named_by_its_number_in_the_file():
    """The number does not depend on which rows are left out, so a second run finds the first one's files."""
    places = OutputPlaces.under(Path("/out"), None)

    assert Path("/out/0007-a-red-fox.mp4") == places.of(row())


def test_a_row_may_name_its_own_file():
    """Under the folder; the reader has made sure that it stays there."""
    assert Path("/out/cats/one.mp4") == OutputPlaces.under(Path("/out"), None).of(row(output="cats/one.mp4"))


def test_a_row_key_fills_the_template():
    """A key of its own is known beforehand; the session's own and the gateway's id are not."""
    places = OutputPlaces.under(Path("/out"), "{key}.mp4")

    assert Path("/out/fox.mp4") == places.of(row(key="fox"))
    assert None is places.of(row())
    assert None is OutputPlaces.under(Path("/out"), "{id}.mp4").of(row(key="fox"))


def test_braces_in_a_folder_are_its_own():
    """Only the name is a template."""
    assert Path("/a{index}/0007.mp4") == OutputPlaces.under(Path("/a{index}"), "{index:04d}.mp4").of(row())


def test_a_template_that_gives_one_name_to_all_is_refused():
    """All videos but one would be lost."""
    with pytest.raises(InvalidRequest, match="index"):
        OutputPlaces.under(Path("/out"), "{model}.mp4")
