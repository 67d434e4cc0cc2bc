"""Exit codes, and which result leads to which."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from aihubmix_video.errors import (
    AuthenticationError,
    BudgetExceeded,
    ConfigurationError,
    InvalidRequest,
    LedgerError,
    LedgerInUse,
    PermissionDenied,
    VideoError,
)
from aihubmix_video.types.resumable import is_resumable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ExitCode", "exit_of", "exit_of_all", "exit_of_signal", "exit_of_start"]


class ExitCode(IntEnum):
    """The exit codes of the program."""

    DONE = 0
    FAILED = 1
    """Some jobs failed."""
    USAGE = 2
    BAD_INPUT = 65
    """Rows of a batch file cannot be used (EX_DATAERR of sysexits.h)."""
    NO_INPUT = 66
    """There is not a ledger to resume (EX_NOINPUT)."""
    UNFINISHED = 75
    """Something may have been bought, or was bought and is not here yet; it can be resumed (EX_TEMPFAIL)."""
    REFUSED = 77
    """The key is refused (EX_NOPERM)."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    """The reader of standard output has gone; as a shell shows SIGPIPE."""
    TERMINATED = 143


# A refused key comes first, as nothing can be resumed without one. What may have been bought comes before failures.
_GRAVEST_FIRST = (ExitCode.REFUSED, ExitCode.UNFINISHED, ExitCode.BAD_INPUT, ExitCode.USAGE, ExitCode.FAILED)


def exit_of(error: VideoError | None) -> ExitCode:
    """Return the exit code of one result."""
    if error is None:
        return ExitCode.DONE
    if isinstance(error, (AuthenticationError, PermissionDenied)):
        return ExitCode.REFUSED
    if is_resumable(error) or isinstance(error, BudgetExceeded):
        return ExitCode.UNFINISHED
    return ExitCode.USAGE if isinstance(error, (InvalidRequest, ConfigurationError)) else ExitCode.FAILED


def exit_of_start(error: VideoError) -> ExitCode:
    """Return the exit code of a command that could not begin; a ledger that cannot be used is the wrong one."""
    if isinstance(error, LedgerError) and not isinstance(error, LedgerInUse):
        return ExitCode.USAGE
    return exit_of(error)


def exit_of_all(exits: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code of many results together: the gravest."""
    seen = set(exits)
    return next((each for each in _GRAVEST_FIRST if each in seen), ExitCode.DONE)


def exit_of_signal(number: int) -> int:
    """Return the exit code by which shells recognise a program ended by a signal."""
    return 128 + number
