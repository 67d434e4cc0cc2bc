"""Error envelopes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.protocol.error_body import describe, read_envelope
from aihubmix_video.protocol.response import Response
from aihubmix_video.protocol.sanitize import plain
from tests.pure.protocol.samples import NAMES, answer, sample
from tests.pure.protocol.test_json_reader import JSON

TID = "2026053101460281782277174636336"
SHAPES = st.builds(
    lambda value, key: {key: value}, JSON, st.sampled_from(["error", "message", "detail", "code", "type", "data"])
)


def tame(line: str, limit: int = 500):
    """Whether *line* is one printable line within *limit*."""
    return line.isprintable() and len(line) <= limit


@given(st.binary() | (JSON | SHAPES).map(lambda value: json.dumps(value).encode()))
def test_any_answer_gives_one_tame_line(body: bytes):
    """Row 80: whatever a server sends, a user reads one bounded line without control characters."""
    said = read_envelope(Response(status=500, body=body))

    assert said.line
    assert tame(said.message)


@given(st.text())
def test_plain_text_is_tame_and_stays_so(text: str):
    """Taming twice changes nothing, so that layers need not agree on who does it."""
    assert tame(plain(text, 50), 50)
    assert plain(text) == plain(plain(text))


@pytest.mark.parametrize(
    ("name", "message", "kind", "code"),
    [
        ("error-no-key", f"no key provided (tid: {TID})", "Aihubmix_api_error", None),
        ("error-upstream-blank", f"durationSeconds out of bound (tid: {TID})", None, None),
        (
            "error-parameter",
            f"Unknown parameter: 'aspect_ratio'. (tid: {TID})",
            "invalid_request_error",
            "unknown_parameter",
        ),
        ("error-task-form", "size is not supported", None, "size_not_supported"),
        ("error-string", "seconds must be a string", None, None),
        ("error-list", "value is not a valid string", "type_error", None),
        (
            "error-moderation-dashscope",
            f"Input text data may contain inappropriate content. (tid: {TID})",
            "Aihubmix_api_error",
            "DataInspectionFailed",
        ),
        ("error-html-502", "an HTML page: 502 Bad Gateway", None, None),
        ("error-empty-504", "", None, None),
        ("error-null-500", "", None, None),
        ("error-in-200", f"upstream refused the task (tid: {TID})", "Aihubmix_api_error", None),
    ],
)
def test_every_known_envelope_is_read(name: str, message: str, kind: str | None, code: str | None):
    """Each shape that was documented or observed."""
    said = read_envelope(sample(name))

    assert (message, kind, code) == (said.message, said.type, said.code)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("error")])
def test_every_sample_of_an_error_gives_a_line(name: str):
    """An error that prints as nothing, or as "None", helps nobody."""
    assert read_envelope(sample(name)).line not in {"", "None", "null"}


def test_the_field_at_fault_is_named():
    """It is what the user has to change."""
    assert "aspect_ratio" == read_envelope(sample("error-parameter")).param


@pytest.mark.parametrize(
    ("body", "headers", "found"),
    [
        ({"error": {"message": f"no (tid: {TID})"}}, {}, TID),
        ({"error": {"message": f"no (tid: {TID}) (tid: {TID})"}}, {}, TID),
        ({"error": "It failed. Request id: 0217801234abcdef"}, {}, "0217801234abcdef"),
        ({"code": "x", "message": "no", "request_id": "9f1c-77ab"}, {}, "9f1c-77ab"),
        ({"error": {"message": "no (tid: 123456789)"}}, {"x_request_id": "abc-1"}, "abc-1"),
        ({"error": {"message": "no"}}, {}, None),
    ],
)
def test_the_request_id_is_found_wherever_it_stands(body: object, headers: dict[str, str], found: str | None):
    """Support asks for it first; the header is the surest place."""
    assert found == read_envelope(answer(body, 400, **headers)).request_id


def test_a_tid_beyond_the_shown_line_is_still_found():
    """The line is cut for people; the id at its end is what support needs."""
    assert TID == describe({"error": {"message": "long " * 500 + f"(tid: {TID})"}}).request_id


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x9b2Jcleared", "cleared"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("nul\x00 bell\x07", "nul bell"),
        ("right\u202eto left", "rightto left"),
        ("line\u2028separator", "line separator"),
        ("bad key sk-abcdef1234567890abcdef", "bad key sk-…"),
        ("Bearer:\nsk-abcdef1234567890abcdef", "Bearer: sk-…"),
        ("no task-0123456789abcdef", "no task-0123456789abcdef"),
        ("猫が歩く", "猫が歩く"),
    ],
)
def test_control_characters_escapes_and_keys_are_neutralised(text: str, shown: str):
    """S2 and S1: a server's text is printed on terminals and kept in logs."""
    assert shown == describe({"error": {"message": text}}).message


def test_an_error_of_no_known_shape_is_shown_as_it_is():
    """Better shown than hidden behind a phrase of ours."""
    assert '{"errno": 17}' == describe({"errno": 17}).message


@pytest.mark.parametrize("error", [None, "", "None", "null", {}, [], 0, False, {"message": None}, {"a": [""]}])
def test_an_absent_error_says_so_in_words(error: object):
    """Row 81: never "None" or an empty text."""
    assert "the gateway gave no reason" == describe(error).line
    assert "the gateway gave no reason" == describe({"error": error}).line


def test_what_stands_on_a_page_is_not_taken_for_the_gateways_words():
    """A content network's page may hold any word, also those that would make a create look refused."""
    assert not read_envelope(sample("error-html-502")).structured
    assert read_envelope(sample("error-no-channel")).structured
