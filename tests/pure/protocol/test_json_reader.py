"""JSON from strangers."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.json_reader import MAX_BYTES, MAX_DEPTH, MAX_DIGITS, StrictDecoder, read_json, read_object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.binary())
def test_any_bytes_give_a_value_or_a_malformed_reply(body: bytes):
    """The promise of this module: nothing else ever comes out of it."""
    with contextlib.suppress(MalformedReply):
        read_json(body)


@given(JSON)
def test_ordinary_json_is_read_as_the_standard_library_reads_it(value: object):
    """The limits must not change what is within them."""
    text = json.dumps(value).encode()

    assert json.loads(text) == read_json(text)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"<html><title>502</title></html>", "HTML page"),
        (b'{"id": "a"', "not valid JSON"),
        (b'{"id": "a"} trailing', "Extra data"),
        (b'{"id": "a", "id": "b"}', "a key appears twice"),
        (b'{"a": [{"b": 1, "b": 1}]}', "a key appears twice"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} levels"),
        (b'{"a":' * 5_000, f"more than {MAX_DEPTH} levels"),
        (b"[" * 100_000, "100,000 brackets"),
        (b"[" + b"[]," * 100_000 + b"[]]", "100,002 brackets"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "a number of 5000 characters"),
        (b'{"a": 0.' + b"9" * 5_000 + b"}", "a number of 5002 characters"),
        (b'"' + b"x" * MAX_BYTES + b'"', "over the limit"),
        (b'{"a": "\xff"}', "not valid JSON"),
        ('{"id": "a"}'.encode("utf-16"), "not valid JSON"),
        ('{"id": "a"}'.encode("utf-16-le"), "not valid JSON"),
        (b'{"a": "line\nbreak"}', "control character"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_json_over_a_limit_is_refused_with_its_reason(body: bytes, said: str):
    """S18: 50 MB, depth 100,000, 5,000 digits, duplicate keys, UTF-16 are typed errors, not crashes."""
    with pytest.raises(MalformedReply, match=said):
        read_json(body)


@pytest.mark.parametrize("text", ["null", "[]", '"id"', "3", "true"])
def test_an_answer_that_is_no_object_is_malformed(text: str):
    """Every answer of the API is an object; `null` has been seen in place of an error."""
    with pytest.raises(MalformedReply, match="not an object"):
        read_object(text.encode())


def test_nesting_up_to_the_limit_is_read():
    """The limit is on the depth, not on the number of brackets."""
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH

    assert json.loads(deep) == read_json(deep)
    assert [[]] * 500 == read_json(json.dumps([[]] * 500).encode())


def test_brackets_within_text_do_not_count_as_depth():
    """A vendor's message may quote any amount of code."""
    text = '\\"[{' * 200 + "\\"

    assert [text] == read_json(json.dumps([text]).encode())


def test_numbers_up_to_the_limit_are_read():
    """The limit is far above any number that means something."""
    assert 10 ** (MAX_DIGITS - 1) == read_json(str(10 ** (MAX_DIGITS - 1)).encode())


def test_a_byte_order_mark_is_skipped():
    """RFC 8259 §8.1 allows it, and an id behind a mark is still an id."""
    assert {"id": "a"} == read_object(b'\xef\xbb\xbf{"id": "a"}')


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_are_read_as_null(number: str):
    """A progress of NaN must neither lose the id beside it nor get into arithmetic."""
    assert {"id": "a", "progress": None} == read_object(f'{{"id": "a", "progress": {number}}}'.encode())


@pytest.mark.parametrize(
    ("escaped", "read"),
    [
        (r"\ud83d", "\ufffd"),
        (r"cut \uDE00", "cut \ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\ud83d\ude00", "😀"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d", "\\\ufffd"),
    ],
)
def test_half_a_surrogate_pair_becomes_the_replacement_character(escaped: str, read: object):
    """Gateways cut echoed prompts within an emoji; text that cannot be encoded must not reach the ledger."""
    value = read_object(f'{{"prompt": "{escaped}"}}'.encode())

    assert {"prompt": read} == value
    assert value["prompt"].encode()


def test_the_refused_body_is_kept_in_part_and_without_keys():
    """It may be the only trace of a paid job, and it must not leak what a proxy echoed."""
    with pytest.raises(MalformedReply) as caught:
        read_json(b'{"id": "abc", "key": "sk-' + b"a1" * 24 + b'"' + b" " * 50_000)

    assert caught.value.body.startswith(b'{"id": "abc", "key": "sk-..."')
    assert len(caught.value.body) <= 16_384


def test_a_decoder_asks_about_each_repeated_key_and_then_takes_the_last_value():
    """What people wrote by hand is told in full; an answer from a server is refused at the first."""
    told: list[tuple[str, object]] = []
    decoder = StrictDecoder(repeated=lambda name, value: told.append((name, value)), whole=int)

    assert {"a": 3, "b": {"c": 5}} == decoder.decode('{"a": 1, "a": 2, "b": {"c": 4, "c": 5}, "a": 3}')
    assert [("c", 5), ("a", 2), ("a", 3)] == told


@given(JSON)
def test_a_decoder_reads_ordinary_json_as_the_standard_library_does(value: object):
    """It only asks about what is doubtful."""
    assert value == StrictDecoder(repeated=lambda *_: None, whole=int).decode(json.dumps(value))


def test_a_decoder_bounds_the_depth():
    """However it is used; a deep text would end in a RecursionError somewhere else."""
    with pytest.raises(json.JSONDecodeError, match=f"more than {MAX_DEPTH} levels"):
        StrictDecoder(repeated=lambda *_: None, whole=int).decode("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
