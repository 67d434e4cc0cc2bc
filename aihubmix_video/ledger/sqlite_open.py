"""Opening the file of a ledger: private, locked, durable, and settled from whatever happened to its last process."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import LedgerError, SubmitUncertain
from aihubmix_video.ledger import spill_file, sqlite_queries, sqlite_schema, transitions
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.ledger.file_lock import FileLock
from aihubmix_video.ledger.sqlite_errors import FOREIGN, told
from aihubmix_video.storage.filesystem import open_private, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["open_ledger"]

BUSY_SECONDS: Final = 5.0
"""How long another program, such as one that makes a copy, may hold up a commit."""

INTERRUPTED: Final = SubmitUncertain(
    "the process ended while the create was leaving, so nobody saw whether it was bought", charged="unknown"
)


def open_ledger(path: Path) -> tuple[sqlite3.Connection, FileLock]:
    """Open a ledger, or begin a new one. It belongs to the calling thread.

    Raises:
        LedgerError: Why not, and what to do.
    """
    try:
        if not path.parent.is_dir():
            raise LedgerError(
                f"the ledger {path} cannot be made: the folder {path.parent} does not exist. Make it first."
            )
        _refuse_links(path)
        lock = FileLock.take(path)
        try:
            return _connect(path), lock
        except BaseException:
            lock.release()
            raise
    except FOREIGN as error:
        raise told(error, path, "opened") from error


def _refuse_links(path: Path) -> None:
    """SQLite follows links; the files it makes beside the ledger must not be led elsewhere.

    Raises:
        LedgerError: There is something that is no plain file.
    """
    for suffix in ("", "-wal", "-shm", "-journal"):
        beside = path.with_name(path.name + suffix)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(beside.lstat().st_mode):
                raise LedgerError(f"{beside} is a link, a folder or a device. A ledger must be a plain file.")


def _connect(path: Path) -> sqlite3.Connection:
    identity = _make_file(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _refuse_another(path, identity)
        sqlite_schema.check(connection, path)
        path.chmod(0o600)  # only now is it surely ours; SQLite's other files take its mode
        _configure(connection, path)
        sqlite_schema.migrate(connection)
        _settle(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_another(path: Path, identity: tuple[int, int]) -> None:
    """SQLite opened the file by its name; see that the name still stands for the file that was looked at.

    Raises:
        LedgerError: It does not.
    """
    if _identity(path.lstat()) != identity:
        raise LedgerError(f"{path} was replaced while it was opened. Look who else writes there, then try again.")


def _make_file(path: Path) -> tuple[int, int]:
    """See that there is a file, readable to its owner only if it is new; gives its identity."""
    new = not path.exists()
    descriptor = open_private(str(path), os.O_RDWR | os.O_CREAT)
    try:
        return _identity(os.fstat(descriptor))
    finally:
        # Before SQLite opens it: closing any other descriptor of a file gives up all of the process's locks on it.
        os.close(descriptor)
        if new:
            sync_folder(path.parent)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise LedgerError(f"{path} is on a disk that cannot keep a write-ahead log. Move it to a local disk.")
    for setting in ("synchronous = FULL", "fullfsync = ON", "trusted_schema = OFF", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {setting}")


def _settle(connection: sqlite3.Connection, path: Path) -> None:
    """Take in what an emergency left, then say of every create that was leaving that nobody knows its outcome."""
    left = spill_file.read(path)
    now = time.time()
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for key, video_id in left:
            sqlite_queries.learn(connection, key, video_id, now)
        for key in sqlite_queries.keys_in(connection, LedgerState.SENDING):
            sqlite_queries.move(connection, key, transitions.uncertain(INTERRUPTED), now)
    spill_file.clear(path)
