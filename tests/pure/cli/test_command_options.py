from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from cyclopts import CycloptsError

from aihubmix_video.cli.command_options import FieldOptions, SessionOptions, key_option
from aihubmix_video.cli.commands import app
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.types.request import FIELDS


def parsed(*arguments: str) -> dict[str, object]:
    """Parse as `generate` does."""
    _, bound, _ = app.parse_args(["generate", *arguments], exit_on_error=False, print_error=False)
    return dict(bound.arguments)


def test_every_field_of_a_request_is_an_option():
    """A field that the API has and the command line lacks would send its users elsewhere."""
    assert set(FIELDS) - {"model", "prompt"} == {field.name for field in attrs.fields(FieldOptions)}


def test_only_what_was_given_is_passed_on():
    """The rest is the model's to default."""
    fields = parsed("a cat", "-m", "sora-2", "--seconds", "8", "--no-generate-audio")["fields"]

    assert isinstance(fields, FieldOptions)
    assert {"seconds": "8", "generate_audio": False} == fields.given()


def test_a_length_of_minus_one_is_a_value():
    """Seedance chooses its own length then."""
    fields = parsed("a cat", "-m", "x", "--seconds", "-1")["fields"]

    assert isinstance(fields, FieldOptions)
    assert "-1" == fields.seconds


def test_json_options_are_read_strictly():
    """A duplicate key or NaN is a mistake that the vendor would answer for money."""
    fields = parsed("a", "-m", "x", "--extra-body", '{"a": [1]}')["fields"]

    assert isinstance(fields, FieldOptions)
    assert {"a": [1]} == fields.extra_body
    for text in ("{", '{"a": 1, "a": 2}', '{"a": NaN}'):
        with pytest.raises(CycloptsError):
            parsed("a", "-m", "x", "--extra-body", text)


def test_urls_stay_text_and_may_be_many():
    """Only what is no URL is looked for on this disk."""
    fields = parsed("a", "-m", "x", "--image", "https://e/x.png", "--image-list", "data:a", "--image-list", "http://b")[
        "fields"
    ]

    assert isinstance(fields, FieldOptions)
    assert ("https://e/x.png", ["data:a", "http://b"]) == (fields.image, fields.image_list)


def test_a_file_that_is_not_there_is_refused():
    """Before anything else, and by its name."""
    with pytest.raises(CycloptsError, match="no file of that name"):
        parsed("a", "-m", "x", "--image", "surely/not/there.png")


def test_a_prompt_that_begins_with_a_dash_goes_after_two():
    """As everywhere on Unix."""
    assert "-hello" == parsed("-m", "x", "--", "-hello")["prompt"]


@pytest.mark.parametrize("option", ["--api-key", "--api-key=sk-x", "--API_KEY=sk-x", "--apikey"])
def test_a_key_on_the_command_line_is_found(option: str):
    """Every user of the machine can list it; the finding never repeats its value."""
    found = key_option(["generate", "a", option, "sk-x"])

    assert found is not None
    assert "sk-x" not in found


def test_a_prompt_about_keys_is_none():
    """After -- everything is text, and a file that holds the key is the way to go."""
    assert None is key_option(["generate", "-m", "x", "--api-key-file", "f", "--", "--api-key"])


def test_no_key_at_all_is_told_with_the_ways_to_give_one():
    """The first thing a new user meets."""
    with pytest.raises(ConfigurationError, match=r"AIHUBMIX_API_KEY.*--api-key-file.*--sandbox"):
        SessionOptions().given({}, needs_key=True)

    assert {} == SessionOptions().given({}, needs_key=False)
    assert {} == SessionOptions().given({"AIHUBMIX_API_KEY": "sk-x"}, needs_key=True)


def test_session_options_are_named_as_the_session_names_them():
    """They are passed on as they are; the session judges them."""
    options = SessionOptions(rate=2.0, poll_interval=5.0, deadline=60.0, base_url="https://x")

    assert {"rate": 2.0, "poll_interval": 5.0, "deadline": 60.0, "base_url": "https://x"} == options.given(
        {}, needs_key=False
    )


def test_a_new_key_is_told_once():
    """The ledger knows it from then on: the command that goes on needs no mention of it."""
    options = SessionOptions(new_key=True)
    assert {"new_key": True} == options.given({}, needs_key=False)
    assert [] == options.arguments()


def test_a_key_file_that_is_not_there_is_named():
    """Without a trace of what may be a key."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        SessionOptions(api_key_file=Path("surely/not/there")).given({}, needs_key=True)
