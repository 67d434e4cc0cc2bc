"""Errors of SQLite and the operating system as a `LedgerError` that advises the user what to do."""

from __future__ import annotations

import errno
import sqlite3
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FOREIGN", "ledger_error"]

FOREIGN: Final = (sqlite3.Error, OSError, ValueError, TypeError, ArithmeticError, MemoryError)
"""The exceptions that SQLite, and the values passed to it, may raise. Callers of a ledger get none of them."""

_DISK_FULL: Final = "the disk is full, or a quota is used up: make room and try again"
_PRIMARY: Final = {
    sqlite3.SQLITE_FULL: _DISK_FULL,
    sqlite3.SQLITE_IOERR: "the disk failed, is full or has a quota: check it (`df`, the system's log), then try again",
    sqlite3.SQLITE_READONLY: "it may not be written: make the file, its folder and its disk writable",
    sqlite3.SQLITE_PERM: "it may not be opened: check who owns it and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check that its folder exists and may be written",
    sqlite3.SQLITE_BUSY: "another program keeps it locked: close what has it open",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked: close what has it open",
    sqlite3.SQLITE_PROTOCOL: "file locks do not work there: move it to a local disk",
    sqlite3.SQLITE_CORRUPT: "it is damaged: keep a copy, and try `sqlite3 FILE .recover` into a new file",
    sqlite3.SQLITE_NOTADB: "it is not a ledger: give the path of one, or of a file that does not exist yet",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
    sqlite3.SQLITE_TOOBIG: "a value is too large to be recorded",
}
_SYSTEM: Final = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.EFBIG: _DISK_FULL,
    errno.EROFS: "the disk is mounted read-only: choose another place",
    errno.EACCES: "it may not be written: make the file and its folder writable",
    errno.EPERM: "it may not be written: make the file and its folder writable",
    errno.ENOENT: "its folder does not exist: make it first",
    errno.ENOTDIR: "a part of its path is a file where a folder is needed: give another path",
    errno.EISDIR: "it is a folder: give the path of a file",
    errno.ELOOP: "it is a symbolic link: give the path of the file itself",
    errno.EMFILE: "too many files are open: raise the limit (`ulimit -n`)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENAMETOOLONG: "its name is too long",
}


def ledger_error(error: Exception, ledger: Path, doing: str) -> LedgerError:
    """Return the error that describes what went wrong with a ledger.

    Args:
        error: One of `FOREIGN`.
        ledger: The path of the ledger.
        doing: Completes "the ledger … could not be …".
    """
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)  # missing if Python itself raised the error
        advice = _PRIMARY.get(code & 0xFF) if isinstance(code, int) else None
    else:
        advice = _SYSTEM.get(error.errno or 0) if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return LedgerError(f"the ledger {ledger} could not be {doing} ({reason})" + (f": {advice}." if advice else "."))
