"""From arguments to an exit code: what is printed when a command cannot begin, and when it is stopped."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from typing import TYPE_CHECKING

from cyclopts import CycloptsError, UnknownOptionError

from aihubmix_video.cli.command_options import key_option
from aihubmix_video.cli.commands import app
from aihubmix_video.cli.exit_codes import ExitCode, exit_of_start
from aihubmix_video.cli.prompt_source import with_prompt_source
from aihubmix_video.cli.text_format import error_text, safe
from aihubmix_video.errors import VideoError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run"]

NO_KEY_HERE = (
    "the key is not taken from the command line, where every user of the machine can see it in the list of "
    "processes: set AIHUBMIX_API_KEY, or give --api-key-file FILE"
)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error becomes a line."""
    _tolerate_any_text()
    try:
        code = _command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nothing more can be printed there, and Python would try again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ExitCode.INTERRUPTED
    return code


def _command(arguments: Sequence[str]) -> int:
    try:
        if not arguments:
            from rich.console import Console  # noqa: PLC0415  # it takes as long to load as the rest of the help

            app.help_print([], console=Console(stderr=True))
            return ExitCode.USAGE
        if (option := key_option(arguments)) is not None:
            return _refused(f"{option}: {NO_KEY_HERE}")
        command, bound, _ = app.parse_args(with_prompt_source(arguments), exit_on_error=False, print_error=False)
        return int(command(*bound.args, **bound.kwargs) or 0)
    except CycloptsError as error:
        return _refused(f"{_text(error)}{_hint(error, arguments)}")
    except VideoError as error:
        if "--debug" in arguments:
            traceback.print_exc()
        _print_error(error_text(error))
        return exit_of_start(error)
    except BrokenPipeError:
        raise
    except Exception as error:
        if "--debug" in arguments:
            raise
        if isinstance(error, OSError):
            _print_error(f"{error.strerror or error}")
            return ExitCode.FAILED
        _print_error(f"{type(error).__name__}: {error}. This is a bug of the program; --debug shows where.")
        return ExitCode.FAILED


def _refused(text: str) -> ExitCode:
    _print_error(f"{text if text.endswith('.') else f'{text}.'} `aihubmix-video --help` shows what there is.")
    return ExitCode.USAGE


def _text(error: CycloptsError) -> str:
    return str(error).replace("\n", " ")


def _hint(error: CycloptsError, arguments: Sequence[str]) -> str:
    """Return how to give a prompt that begins with a dash, which looks like an option."""
    if arguments[:1] != ["generate"] or not isinstance(error, UnknownOptionError):
        return ""
    return " A prompt that begins with - goes after --, at the end: generate -m MODEL -- '-…'."


def _print_error(text: str) -> None:
    sys.stderr.write(f"error: {safe(text)}\n")


def _tolerate_any_text() -> None:
    """Let a terminal that lacks a character show a stand-in: a prompt in Chinese must not end the program."""
    for stream, errors in ((sys.stdout, "backslashreplace"), (sys.stderr, "replace")):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=errors)
