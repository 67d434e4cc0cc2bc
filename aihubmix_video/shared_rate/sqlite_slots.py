"""The shared rate in a file, for the processes of one host.

One transaction is one exchange, and SQLite's lock keeps exchanges apart. Nothing is forced to disk: what a crash of the machine
loses of it is younger than the restart takes.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.shared_rate.slot_store import StoreLostError
from aihubmix_video.shared_rate.slots import SlotState, exchange

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.shared_rate.slots import SlotReply, SlotRequest

__all__ = ["SqliteSlots"]

LOCK_SECONDS = 0.4  # seconds to wait for another process's exchange, which takes well under a millisecond
MAKE = """CREATE TABLE IF NOT EXISTS shared_rate (account TEXT PRIMARY KEY, arrival REAL NOT NULL, share REAL NOT NULL,
since REAL NOT NULL, refused_at REAL NOT NULL, creates REAL NOT NULL, followed REAL NOT NULL) WITHOUT ROWID"""
READ = "SELECT arrival, share, since, refused_at, creates, followed FROM shared_rate WHERE account = ?"
WRITE = "INSERT OR REPLACE INTO shared_rate VALUES (?, ?, ?, ?, ?, ?, ?)"


class SqliteSlots:
    """A `SlotStore` in one SQLite file.

    Args:
        path: The file, made if it does not exist.
        account: Whose rate it is; each account has its own in one file.
    """

    def __init__(self, path: Path, account: str) -> None:
        self.place = str(path)
        self._path = path
        self._account = account
        self._thread = ThreadPoolExecutor(1, "aihubmix-video rate")
        self._connection: sqlite3.Connection | None = None

    async def exchange(self, ask: SlotRequest) -> SlotReply:
        """Exchange once.

        Raises:
            StoreLostError: The file cannot be read or written, or is locked for long.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, ask)

    def _exchange(self, ask: SlotRequest) -> SlotReply:
        try:
            connection = self._connection or self._open()
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                row = connection.execute(READ, (self._account,)).fetchone()
                state, reply = exchange(SlotState(*row) if row else SlotState(), ask, time.time())
                connection.execute(WRITE, (self._account, *attrs.astuple(state)))
        except sqlite3.Error as error:
            self._close()
            raise StoreLostError(str(error)) from None
        return reply

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(MAKE)
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def aclose(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)
