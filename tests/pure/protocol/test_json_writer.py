"""Bodies written with and without orjson."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aihubmix_video.protocol import json_writer
from aihubmix_video.protocol.json_writer import compact


class Word(StrEnum):
    """A string that is more than one."""

    NO = "no"


class Number(Enum):
    """An enumeration, which JSON has not."""

    ONE = 1


@dataclass
class Record:
    """A class that orjson writes and the standard library does not."""

    name: str = "a"


ODD = [
    *(
        datetime(2026, 1, 1, tzinfo=UTC),
        uuid.UUID(int=1),
        Record(),
        Number.ONE,
        Word.NO,
        b"bytes",
        ("tuple", 1),
        {1, 2},
    ),
    *(2**63, 2**64, -(2**63) - 1, 10**40, float("nan"), float("inf"), 1e16, 1e-5, 1e22, 5e-324, -0.0, 0.1 + 0.2),
    *("\ud800", "\udc00\ud800", "😀", "\x00\x1f\x7f\x80\u2028\ufeff", '"\\/\b\f\n\r\t'),
    *({1: "a"}, {None: 1}, {True: 1}, {1.5: 2}, {Word.NO: 1}, [[[{}]]], {}, [], ""),
]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def by_the_standard_library(value: object) -> bytes | type[Exception]:
    """Write it as it is written without orjson, or give the sort of error."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return type(error)


def by_either(value: object) -> bytes | type[Exception]:
    """Write it as it is written here."""
    try:
        return compact(value)
    except (TypeError, ValueError, RecursionError) as error:
        return type(error)


def nested(levels: int) -> object:
    """Make a list within a list within a list."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


LONG = "猫" * 70_000
"""Bodies with less text in them are left to the standard library."""


@given(VALUES)
@example(nested(250))
@example(nested(300))
@example(list(range(20_000)))
def test_it_makes_no_difference_whether_orjson_is_installed(value: object):
    """What is bought must not depend on a package that only makes things faster."""
    for each in (value, [LONG, value], {"image": LONG, "extra": value}):
        assert by_the_standard_library(each) == by_either(each)


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_odd_values_are_written_as_by_the_standard_library(value: object):
    """Each of these is one that the two write differently, or that only one of them writes."""
    assert by_the_standard_library([LONG, {"extra": value}]) == by_either([LONG, {"extra": value}])


def test_a_value_within_itself_is_refused():
    """It must be an error in either case, and not an endless walk."""
    value: dict[str, object] = {"image": LONG}
    value["me"] = value
    assert by_the_standard_library(value) is by_either(value) is ValueError


def test_a_body_with_a_picture_is_such_as_orjson_gets():
    """Two ways that agree prove nothing if only one of them is ever taken."""
    body = {"model": "kling-v2-6", "prompt": "猫", "cfg_scale": 0.5, "image_list": [{"image": LONG}], "sound": True}
    assert json_writer._is_worth_it(body)
    assert not json_writer._is_worth_it({**body, "seed": float("nan")})
    assert not json_writer._is_worth_it({**body, "image_list": []})


def test_without_orjson_it_writes_the_same():
    """Most installations lack it."""
    body = {"model": "kling-v2-6", "prompt": "猫", "cfg_scale": 0.5, "image_list": [{"image": "x" * 70_000}]}
    program = (
        "import sys; sys.modules['orjson'] = None\n"
        "from aihubmix_video.protocol import json_writer\n"
        "assert json_writer._quick is None\n"
        f"sys.stdout.buffer.write(json_writer.compact({body!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)  # noqa: S603 - our own program
    assert compact(body) == done.stdout
