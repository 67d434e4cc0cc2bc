"""Exit codes, and which outcome means which."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from aihubmix_video.errors import (
    AuthenticationError,
    BudgetExceeded,
    ConfigurationError,
    DownloadFailed,
    InvalidRequest,
    LedgerError,
    LedgerInUse,
    PermissionDenied,
    SessionClosed,
    SubmitUncertain,
    VideoError,
    WaitTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ExitCode", "exit_of", "exit_of_all", "exit_of_signal", "exit_of_start", "goes_on"]


class ExitCode(IntEnum):
    """What the program's exit code says."""

    DONE = 0
    FAILED = 1
    """Some jobs failed."""
    USAGE = 2
    BAD_INPUT = 65
    """Rows of a batch file cannot be used (EX_DATAERR of sysexits.h)."""
    NO_INPUT = 66
    """There is no ledger to go on with (EX_NOINPUT)."""
    UNFINISHED = 75
    """Something may have been bought, or was bought and is not here yet; it can be gone on with (EX_TEMPFAIL)."""
    REFUSED = 77
    """The key is refused (EX_NOPERM)."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    """Whoever read standard output has gone; as a shell shows SIGPIPE."""
    TERMINATED = 143


RESUMABLE = (SubmitUncertain, WaitTimeout, DownloadFailed, LedgerError)

# A refused key comes first, as nothing can go on without one; money at large comes before what merely failed.
_GRAVEST_FIRST = (ExitCode.REFUSED, ExitCode.UNFINISHED, ExitCode.BAD_INPUT, ExitCode.USAGE, ExitCode.FAILED)


def exit_of(error: VideoError | None) -> ExitCode:
    """Say what one outcome means."""
    if error is None:
        return ExitCode.DONE
    if isinstance(error, (AuthenticationError, PermissionDenied)):
        return ExitCode.REFUSED
    if goes_on(error) or isinstance(error, BudgetExceeded):
        return ExitCode.UNFINISHED
    return ExitCode.USAGE if isinstance(error, (InvalidRequest, ConfigurationError)) else ExitCode.FAILED


def exit_of_start(error: VideoError) -> ExitCode:
    """Say what it means that a command could not even begin: a ledger that cannot be used is the wrong one."""
    if isinstance(error, LedgerError) and not isinstance(error, LedgerInUse):
        return ExitCode.USAGE
    return exit_of(error)


def goes_on(error: VideoError) -> bool:
    """Whether a job that ended with this error is, or may be, alive at the gateway and can be gone on with."""
    if isinstance(error, RESUMABLE):
        return True
    return error.charged == "yes" and (error.retryable or isinstance(error, SessionClosed))


def exit_of_all(exits: Iterable[ExitCode]) -> ExitCode:
    """Say what many outcomes mean together."""
    seen = set(exits)
    return next((each for each in _GRAVEST_FIRST if each in seen), ExitCode.DONE)


def exit_of_signal(number: int) -> int:
    """Give the exit code by which shells recognise a program ended by a signal."""
    return 128 + number
