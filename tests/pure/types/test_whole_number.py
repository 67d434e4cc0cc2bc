"""Which spellings are whole numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.types.whole_number import whole_number


@pytest.mark.parametrize("spelling", [5, 5.0, "5", "5.0", "5.", " 5 ", "5.000", "\t5\n"])
def test_what_spreadsheets_write_is_a_number(spelling: object):
    """A cell that holds 5 is exported in any of these forms."""
    assert 5 == whole_number(spelling)
    assert int is type(whole_number(spelling))


@pytest.mark.parametrize(
    "value",
    [
        8.5,
        "8.5",
        True,
        False,
        "8s",
        "٨",
        "",
        " ",
        "5 5",
        "05",
        "+5",
        "1e3",
        "0x5",
        None,
        float("nan"),
        float("inf"),
        1e300,
        b"5",
        [5],
    ],
)
def test_what_could_be_meant_otherwise_is_not(value: object):
    """A length is money; a guess would spend it."""
    assert None is whole_number(value)


@given(st.integers(-(10**17), 10**17))
def test_every_spelling_of_a_number_is_that_number(number: int):
    """Whatever its size and sign."""
    assert number == whole_number(number) == whole_number(str(number)) == whole_number(f" {number}.0 ")
