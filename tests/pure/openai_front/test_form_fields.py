"""Forms read as the JSON body of the same meaning."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.openai_front.form_fields import form_fields

CASES: list[tuple[list[tuple[str, str | bytes]], dict[str, object]]] = [
    ([("model", "sora-2"), ("seconds", "4")], {"model": "sora-2", "seconds": "4"}),
    ([("prompt", ""), ("seed", "7")], {"prompt": "", "seed": 7}),
    ([("cfg_scale", "0.5"), ("watermark", "true")], {"cfg_scale": 0.5, "watermark": True}),
    ([("input_reference", b"\x89PNG")], {"input_reference": b"\x89PNG"}),
    (
        [("input_reference[image_url]", "https://x.test/a.png")],
        {"input_reference": {"image_url": "https://x.test/a.png"}},
    ),
    ([("image_list[]", "a"), ("image_list[]", b"b")], {"image_list": ["a", b"b"]}),
    ([("content", '[{"type": "text"}]')], {"content": [{"type": "text"}]}),
    (
        [("content[0][type]", "x"), ("content[0][image_url][url]", "u"), ("content[1][type]", "y")],
        {"content": [{"type": "x", "image_url": {"url": "u"}}, {"type": "y"}]},
    ),
    (
        [("content[][type]", "x"), ("content[][image_url][url]", "u"), ("content[][type]", "y")],
        {"content": [{"type": "x", "image_url": {"url": "u"}}, {"type": "y"}]},
    ),
]


@pytest.mark.parametrize(("parts", "fields"), CASES)
def test_a_form_says_what_json_says(parts: list[tuple[str, str | bytes]], fields: dict[str, object]):
    """Libraries send either, and the same request must have the same fingerprint."""
    assert fields == form_fields(parts)


@pytest.mark.parametrize(
    "parts",
    [
        [("model", "a"), ("model", "b")],
        [("seed", "x")],
        [("watermark", "maybe")],
        [("a[", "x")],
        [("", "x")],
        [("content[5]", "x")],
        [("model", "a"), ("model[x]", "b")],
        [("a[x]", "1"), ("a[]", "2")],
        [("a[]", "1"), ("a[x]", "2")],
        [("content[0]", "x"), ("content[0][y]", "z")],
        [("content[0]", "x"), ("content[0]", "z")],
    ],
)
def test_a_form_that_contradicts_itself_is_refused(parts: list[tuple[str, str | bytes]]):
    """Whatever was meant, money should not be spent on one of the readings."""
    with pytest.raises(InvalidRequest):
        form_fields(parts)


NAMES = st.text("ab[]01", max_size=12)


@given(st.lists(st.tuples(NAMES, st.text(max_size=3)), max_size=8))
def test_no_form_breaks_the_reader(parts: list[tuple[str, str]]):
    """Names and texts are a stranger's."""
    fields: dict[str, object] = {}
    with suppress(InvalidRequest):
        fields = form_fields(parts)
    assert len(fields) <= len(parts)
