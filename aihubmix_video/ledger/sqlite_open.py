"""Opening the file of a ledger: private, locked, durable, and recovered from whatever happened to its last process."""

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
from aihubmix_video.ledger.sqlite_errors import FOREIGN, ledger_error
from aihubmix_video.storage.filesystem import open_private, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["open_ledger"]

BUSY_SECONDS: Final = 5.0
"""How long another program, such as one that makes a copy, may hold up a commit."""

HEADER: Final = b"SQLite format 3\0"
"""How every SQLite database begins."""
LEAST_BYTES: Final = 512
"""The smallest page of SQLite, so no database is smaller. SQLite takes a smaller file for an empty one and overwrites it."""

INTERRUPTED: Final = SubmitUncertain(
    "the process ended while the create was being sent, so it is unknown whether it was bought", charged="unknown"
)


def open_ledger(path: Path) -> tuple[sqlite3.Connection, FileLock]:
    """Open a ledger, or create a new one. The connection belongs to the calling thread.

    Raises:
        LedgerError: It cannot be opened; the message says why, and what to do.
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
        raise ledger_error(error, path, "opened") from error


def _refuse_links(path: Path) -> None:
    """Refuse links: SQLite follows them, and the files that it makes beside the ledger must not be led elsewhere.

    Raises:
        LedgerError: One of the files is not a regular file.
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
        _recover(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_another(path: Path, identity: tuple[int, int]) -> None:
    """Check that the name, by which SQLite opened the file, still stands for the file that was looked at.

    Raises:
        LedgerError: It does not.
    """
    if _identity(path.lstat()) != identity:
        raise LedgerError(
            f"{path} was replaced while it was opened. Find out which program writes there, then try again."
        )


def _make_file(path: Path) -> tuple[int, int]:
    """Create the file, readable to its owner only, unless it exists; return its identity.

    Raises:
        LedgerError: It exists, and is neither empty nor a SQLite database.
    """
    new = not path.exists()
    descriptor = open_private(str(path), os.O_RDWR | os.O_CREAT)
    try:
        found = os.fstat(descriptor)
        _refuse_other_formats(path, os.pread(descriptor, len(HEADER), 0), found.st_size)
        return _identity(found)
    finally:
        # Before SQLite opens it: closing any other descriptor of a file gives up all of the process's locks on it.
        os.close(descriptor)
        if new:
            sync_folder(path.parent)


def _refuse_other_formats(path: Path, head: bytes, size: int) -> None:
    """Refuse a file that SQLite would overwrite or misread. Its content is not quoted: it may be a key.

    Raises:
        LedgerError: It is not a SQLite database.
    """
    if size == 0 or (head == HEADER and size >= LEAST_BYTES):
        return
    journal = path.with_name(f"{path.name}-journal")
    if not head.strip(b"\0") and journal.exists():  # the power failed in the first commit; SQLite undoes that
        return
    raise LedgerError(
        f"{path} is not a ledger: it has {size} bytes and does not begin as a SQLite database does, or is cut short. "
        "Nothing was changed. Give the path of a ledger, or of a file that does not exist yet."
    )


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise LedgerError(f"{path} is on a disk that cannot keep a write-ahead log. Move it to a local disk.")
    for setting in ("synchronous = FULL", "fullfsync = ON", "trusted_schema = OFF", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {setting}")


def _recover(connection: sqlite3.Connection, path: Path) -> None:
    """Take in what the spill file holds, then mark every create that was being sent as uncertain."""
    spilled = spill_file.read(path)
    now = time.time()
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for key, video_id in spilled:
            sqlite_queries.record_spilled_id(connection, key, video_id, now)
        for key in sqlite_queries.keys_in(connection, LedgerState.SENDING):
            sqlite_queries.record(connection, key, transitions.uncertain(INTERRUPTED), now)
    spill_file.clear(path)
