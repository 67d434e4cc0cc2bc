"""When a partial file may go on, and what the answer to a content request brings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.download.resume import (
    Fresh,
    Meaning,
    Other,
    Partial,
    Resumed,
    TooLarge,
    Useless,
    Validator,
    range_headers,
    read_content_reply,
    validator_of,
)

ETAG = Validator("etag", '"v1"')
CHANGED = "Tue, 02 Jun 2026 10:00:00 GMT"
SERVED = "Tue, 02 Jun 2026 10:00:01 GMT"
DATED = Validator("last-modified", CHANGED)
CAP = 1000

NAMES = ("etag", "last-modified", "date", "content-range", "content-length", "content-encoding", "transfer-encoding")
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(['"v1"', '"v2"', 'W/"v1"', CHANGED, SERVED, "bytes 10-99/100", "bytes */100", "90", "identity"]),
    st.builds("bytes {}-{}/{}".format, st.integers(-1, 12), st.integers(0, 120), st.integers(0, 120)),
)
HEADERS = st.dictionaries(st.sampled_from(NAMES), VALUES)
PARTIALS = st.one_of(
    st.none(),
    st.builds(
        lambda size, total, name: Partial(size=size, total=total, validator=name),
        st.integers(1, 99),
        st.sampled_from([None, 100]),
        st.sampled_from([ETAG, DATED]),
    ),
)


def held(size: int = 10, total: int | None = 100, validator: Validator = ETAG) -> Partial:
    """Make the first bytes of a file."""
    return Partial(size=size, total=total, validator=validator)


def read(status: int, partial: Partial | None = None, **headers: str) -> Meaning:
    """Read an answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_content_reply(status, named, partial, max_bytes=CAP)


@given(st.integers(100, 599), HEADERS, PARTIALS)
def test_a_file_goes_on_only_where_everything_proves_it_the_same(
    status: int, headers: dict[str, str], partial: Partial | None
):
    """No splice: one wrong byte in the middle of a video is worse than any second transfer."""
    meaning = read_content_reply(status, headers, partial, max_bytes=CAP)

    if isinstance(meaning, Resumed):
        assert partial is not None
        assert (206, partial.validator.value) == (status, headers[partial.validator.header].strip())
        assert f"bytes {partial.size}-{partial.size + meaning.length - 1}/{meaning.total}" == headers["content-range"]
        assert partial.total in {None, meaning.total}
        assert headers.get("content-encoding", "identity").strip().lower() in {"", "identity"}


@given(st.integers(100, 599), HEADERS, PARTIALS)
def test_a_length_beyond_any_video_is_never_taken(status: int, headers: dict[str, str], partial: Partial | None):
    """The disk would be full before it turned out to be false."""
    meaning = read_content_reply(status, headers, partial, max_bytes=CAP)

    if isinstance(meaning, (Fresh, Resumed)) and meaning.total is not None:
        assert meaning.total <= CAP


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"etag": '"v1"'}, ETAG),
        ({"etag": ' "v1" '}, ETAG),
        ({"etag": 'W/"v1"'}, None),
        ({"etag": "v1"}, None),
        ({"etag": ""}, None),
        ({"last-modified": CHANGED, "date": SERVED}, DATED),
        ({"last-modified": CHANGED, "date": CHANGED}, None),
        ({"last-modified": CHANGED}, None),
        ({"last-modified": "yesterday", "date": SERVED}, None),
        ({"etag": 'W/"v1"', "last-modified": CHANGED, "date": SERVED}, None),
        ({}, None),
    ],
)
def test_a_version_is_named_by_a_strong_etag_or_else_by_an_older_date(headers: dict[str, str], expected: object):
    """RFC 9110, sections 8.8.2.2 and 13.1.5: weak names, and dates of this very second, may be shared by two versions."""
    assert expected == validator_of(headers)


def test_the_rest_is_asked_for_under_the_versions_name():
    """`If-Range` makes the server send everything if the file has changed."""
    assert {"range": "bytes=10-", "if-range": '"v1"'} == range_headers(held())
    assert {} == range_headers(None)


def test_the_rest_of_the_same_file_goes_on():
    """The one good case, also when the total was not known before, or only some of the rest came."""
    asked = {"etag": '"v1"', "content_range": "bytes 10-99/100"}

    assert Resumed(total=100, length=90) == read(206, held(), content_length="90", **asked)
    assert Resumed(total=100, length=90) == read(206, held(total=None), **asked)
    assert Resumed(total=100, length=40) == read(206, held(), etag='"v1"', content_range="bytes 10-49/100")
    assert Resumed(total=100, length=90) == read(
        206, held(validator=DATED), last_modified=CHANGED, content_range="bytes 10-99/100"
    )


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (416, {"content_range": "bytes */5"}),
        (206, {"etag": '"v1"'}),
        (206, {"etag": '"v1"', "content_range": "bytes 9-99/100"}),
        (206, {"etag": '"v1"', "content_range": "bytes 11-99/100"}),
        (206, {"etag": '"v1"', "content_range": "bytes 10-99/*"}),
        (206, {"etag": '"v1"', "content_range": "bytes */100"}),
        (206, {"etag": '"v1"', "content_range": "bytes 10-99/200"}),
        (206, {"etag": '"v1"', "content_range": "bytes 10-100/100"}),
        (206, {"etag": '"v1"', "content_range": "bytes 10-99/100", "content_length": "91"}),
        (206, {"etag": '"v1"', "content_type": "multipart/byteranges; boundary=x"}),
        (206, {"etag": '"v2"', "content_range": "bytes 10-99/100"}),
        (206, {"etag": 'W/"v1"', "content_range": "bytes 10-99/100"}),
        (206, {"content_range": "bytes 10-99/100"}),
        (206, {"etag": '"v1"', "content_range": "bytes 10-99/100", "content_encoding": "gzip"}),
        (200, {"etag": '"v1"', "content_range": "bytes 10-99/100"}),
    ],
)
def test_any_other_answer_to_a_range_is_useless(status: int, headers: dict[str, str]):
    """Servers and proxies get ranges wrong in all of these ways."""
    assert isinstance(read(status, held(), **headers), Useless)


def test_the_whole_in_answer_to_a_range_begins_anew():
    """The server has no ranges, or the file has changed; either way the body is good from byte 0."""
    assert Fresh(total=100, validator=Validator("etag", '"v2"')) == read(200, held(), etag='"v2"', content_length="100")


def test_a_part_that_is_the_whole_is_taken_and_any_other_that_was_not_asked_for_is_not():
    """Some servers answer 206 to everything."""
    assert Fresh(total=100, validator=None) == read(206, content_range="bytes 0-99/100")
    assert isinstance(read(206, content_range="bytes 0-49/100"), Useless)
    assert isinstance(read(206, content_range="bytes 50-99/100"), Useless)


@pytest.mark.parametrize(
    "stated", ["1001", str(10**15), "-1", "5, 6", "5, 5", "", "+5", "0x10", "\u0665", "1e3", "9" * 5000]
)
def test_a_length_that_cannot_be_is_refused(stated: str):
    """Before a byte is written."""
    assert TooLarge(stated=stated) == read(200, content_length=stated)


def test_a_total_beyond_any_video_is_refused_in_a_part_too():
    """It would be believed for the rest of the file."""
    assert TooLarge(stated="2000") == read(206, held(total=None), etag='"v1"', content_range="bytes 10-1999/2000")


def test_a_body_in_chunks_has_no_stated_length():
    """RFC 9112, section 6.3: the length beside it is to be ignored."""
    assert Fresh(total=None, validator=None) == read(200, transfer_encoding="chunked", content_length="5, 6")


@pytest.mark.parametrize("status", [201, 202, 204, 301, 400, 401, 403, 404, 409, 410, 425, 429, 500, 503])
def test_other_statuses_are_no_content(status: int):
    """What they mean is read from their words."""
    assert Other() == read(status, held(), etag='"v1"', content_range="bytes 10-99/100")
