"""Video ids."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.protocol.video_ids import LONGEST_ID, check_id, id_segment

REAL = "eyJtb2RlbCI6InNvcmEtMiIsImlkIjoidmlkZW9fNjk2MjVhMzEifQchannel1034"


def accepted(text: str):
    """Whether `check_id` lets *text* through."""
    try:
        check_id(text)
    except InvalidRequest:
        return False
    return True


@given(st.text(max_size=40))
def test_any_accepted_id_is_one_path_segment_that_unquotes_to_itself(text: str):
    """The id is opaque: what reaches the gateway must be exactly what it gave us, and nothing of the URL around it."""
    if accepted(text):
        segment = id_segment(text)

        assert segment.isascii()
        assert not set(segment) & set("/?#\\ \r\n")
        assert segment not in {".", ".."}
        assert text == unquote(segment)


@pytest.mark.parametrize(
    "text", [REAL, "a/../../v1/models", "a%2F..", "a?x#y", "été", "a..b", "....x", "cgt-20260601-x9", "a" * LONGEST_ID]
)
def test_ids_of_any_opaque_form_are_accepted(text: str):
    """Nothing documents the alphabet of ids, so only what cannot be one is refused (rows 45, 46)."""
    check_id(text)

    assert "/" not in id_segment(text)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "non-empty string"),
        (" ", "non-empty string"),
        (None, "non-empty string"),
        (7, "non-empty string"),
        (["a"], "non-empty string"),
        (b"abc", "non-empty string"),
        (".", "path step"),
        ("..", "path step"),
        ("a\r\nb", "control character"),
        ("a\x00", "control character"),
        ("abc\n", "control character"),
        ("abc ", "space at an end"),
        ("\ud800", "control character"),
        ("a" * (LONGEST_ID + 1), "at most 1,024"),
        ("https://aihubmix.com/v1/videos/abc/content", "this is a URL; pass the id"),
        ("eyJtb2RlbCI6IndhbjI...", "incomplete id"),
        ("eyJtb2RlbC…annel1034", "incomplete id"),
    ],
)
def test_what_cannot_be_an_id_is_refused_before_anything_is_sent(value: object, said: str):
    """Rows 44 to 48: each names its reason and that nothing was sent."""
    with pytest.raises(InvalidRequest, match=said) as caught:
        check_id(value)

    assert "video_id" == caught.value.field
    assert "Nothing was sent" in str(caught.value)


def test_the_id_within_a_content_url_is_offered():
    """Row 47: the user has the id in hand, only wrapped."""
    with pytest.raises(InvalidRequest) as caught:
        check_id(f"https://aihubmix.com/v1/videos/{REAL}/content")

    assert REAL == caught.value.nearest
