"""Which bytes of a video a request is answered with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.fastapi.ranges import PartialRange, Unchanged, Unsatisfiable, WholeFile, wanted

TAG = '"abc"'


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, WholeFile()),
        ({"range": "bytes=0-0"}, PartialRange(0, 1)),
        ({"range": "bytes=10-19"}, PartialRange(10, 20)),
        ({"range": "bytes=90-"}, PartialRange(90, 100)),
        ({"range": "bytes=90-1000000"}, PartialRange(90, 100)),
        ({"range": "bytes=-10"}, PartialRange(90, 100)),
        ({"range": "bytes=-1000"}, PartialRange(0, 100)),
        ({"range": "bytes=0-"}, PartialRange(0, 100)),
        ({"range": " Bytes = 1-2 "}, PartialRange(1, 3)),
        ({"range": "bytes=100-"}, Unsatisfiable()),
        ({"range": "bytes=-0"}, Unsatisfiable()),
        ({"range": "bytes=5-4"}, WholeFile()),
        ({"range": "bytes=-"}, WholeFile()),
        ({"range": "bytes=a-b"}, WholeFile()),
        ({"range": "bytes=0-1,5-6"}, WholeFile()),
        ({"range": "lines=0-1"}, WholeFile()),
        ({"range": "bytes=" + "9" * 30 + "-"}, WholeFile()),
        ({"range": "bytes=\u0661-2"}, WholeFile()),
        ({"range": "bytes=0-0", "if-range": TAG}, PartialRange(0, 1)),
        ({"range": "bytes=0-0", "if-range": '"other"'}, WholeFile()),
        ({"range": "bytes=0-0", "if-range": f"W/{TAG}"}, WholeFile()),
        ({"range": "bytes=0-0", "if-range": "Wed, 21 Oct 2015 07:28:00 GMT"}, WholeFile()),
        ({"if-none-match": TAG}, Unchanged()),
        ({"if-none-match": f'"x", W/{TAG}'}, Unchanged()),
        ({"if-none-match": "*"}, Unchanged()),
        ({"if-none-match": '"x"'}, WholeFile()),
        ({"if-none-match": TAG, "range": "bytes=0-0"}, Unchanged()),
        ({"if-none-match": "abc"}, WholeFile()),
    ],
)
def test_a_request_gets_what_the_standard_says(headers: dict[str, str], answer: object):
    """RFC 9110: what cannot be read is ignored, what cannot be had is refused, and several ranges are all of it."""
    assert answer == wanted(headers, 100, TAG)


@given(st.text(max_size=30), st.text(max_size=10), st.integers(0, 10))
def test_no_range_leads_outside_the_file(text: str, condition: str, size: int):
    """Whatever a stranger writes."""
    for value in (text, f"bytes={text}"):
        match wanted({"range": value, "if-range": TAG, "if-none-match": condition}, size, TAG):
            case PartialRange(start, stop):
                assert 0 <= start < stop <= size


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 100))
def test_a_range_that_is_written_right_is_given_as_far_as_there_is_a_file(first: int, last: int, size: int):
    """Neither a byte too many nor one too few."""
    answer = wanted({"range": f"bytes={first}-{last}"}, size, TAG)
    expected = bytes(range(size))[first : last + 1]

    match answer:
        case PartialRange(start, stop):
            assert expected == bytes(range(size))[start:stop]
        case Unsatisfiable():
            assert first >= size
        case _:
            assert last < first
