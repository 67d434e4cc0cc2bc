"""The list of commands, which stands apart from the commands so that it can be shown without loading them."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from aihubmix_video import cli
from aihubmix_video.cli.commands import COMMANDS
from aihubmix_video.cli.prompt_source import with_prompt_source


@pytest.mark.parametrize("command", COMMANDS)
def test_each_summary_is_the_commands_own(command: str):
    """Two texts that say one thing drift apart."""
    function = getattr(import_module(f"aihubmix_video.cli.{command}_command"), command)

    assert COMMANDS[command] == (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")


def test_every_command_is_listed():
    """One that has a file and is not in the list could not be called."""
    files = {file.stem.removesuffix("_command") for file in Path(cli.__file__).parent.glob("*_command.py")}

    assert set(COMMANDS) == files


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["generate", "-", "-m", "x"], ["generate", "@-", "-m", "x"]),
        (["generate", "-m", "x", "-"], ["generate", "-m", "x", "@-"]),
        (["generate", "--negative-prompt", "-", "a cat"], ["generate", "--negative-prompt", "-", "a cat"]),
        (["batch", "-", "-o", "out"], ["batch", "-", "-o", "out"]),
        (["generate"], ["generate"]),
    ],
)
def test_a_dash_in_the_prompts_place_is_standard_input(given: list[str], expected: list[str]):
    """Other commands read their file from it by themselves."""
    assert expected == with_prompt_source(given)
