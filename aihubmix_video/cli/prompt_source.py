"""Where a prompt on the command line comes from: the argument itself, standard input, or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from aihubmix_video.errors import ConfigurationError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["prompt_of", "with_prompt_source"]

MOST_BYTES = 2**20
"""Far more than any model takes."""


def with_prompt_source(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``@-`` in place of ``generate``'s ``-``, which the parser would take for an option.

    It is read as the prompt in the first and in the last place; elsewhere it may be the value of an option.
    """
    given = list(arguments)
    for place in (1, -1):
        if given[:1] == ["generate"] and len(given) > 1 and given[place] == "-":
            given[place] = "@-"
            break
    return given


def prompt_of(argument: str) -> str:
    """Return the prompt that an argument stands for.

    Args:
        argument: ``-`` for standard input, ``@FILE`` for a file, ``@@…`` for a prompt that begins with ``@``, or the prompt.

    Raises:
        ConfigurationError: The file or standard input cannot be read, is not UTF-8, is empty, or is too long to be a prompt.
    """
    if argument in {"-", "@-"}:
        if sys.stdin is None or sys.stdin.closed:
            raise ConfigurationError("the prompt is to come from standard input, which is closed.")
        return _text(sys.stdin.buffer, "standard input")
    if argument.startswith("@@"):
        return argument[1:]
    if not argument.startswith("@"):
        return argument
    name = argument[1:]
    hint = "; a prompt that begins with @ is given as @@…"
    try:
        if not Path(name).is_file():
            raise ConfigurationError(f"the prompt is to come from {shown(name)}, which is not a file{hint}.")
        with Path(name).open("rb") as file:
            return _text(file, shown(name))
    except OSError as error:
        raise ConfigurationError(f"{shown(name)} cannot be read: {error.strerror}{hint}.") from None


def _text(file: IO[bytes], name: str) -> str:
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ConfigurationError(f"{name} holds more than {MOST_BYTES:,} bytes, which is not a prompt.")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} is not UTF-8; save the prompt as UTF-8.") from None
    if not text:
        raise ConfigurationError(f"{name} is empty; give a prompt.")
    return text
