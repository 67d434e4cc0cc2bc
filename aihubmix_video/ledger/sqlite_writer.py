"""The only thread that accesses the file, and its group commit.

A durable commit costs one flush of the disk, whether it holds one change or a thousand. So all calls that arrive during
one commit share the next transaction. Each caller waits for the flush that makes its own change durable. A single
caller waits for one flush, and a thousand callers hardly wait longer.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import sqlite3
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from aihubmix_video.errors import LedgerError, SessionClosed, VideoError
from aihubmix_video.ledger.sqlite_errors import FOREIGN, ledger_error
from aihubmix_video.ledger.sqlite_open import open_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["SqliteWriter"]

T = TypeVar("T")

MAX_CALLS_PER_COMMIT: Final = 8192
"""The most calls in one transaction; it bounds how long the first of them waits for the last."""


class _Call(Generic[T]):
    """A call that waits for its transaction, and its result or error."""

    __slots__ = ("doing", "error", "future", "reads", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T], future: asyncio.Future[T], *, reads: bool) -> None:
        self.work = work
        self.future = future
        self.reads = reads
        self.doing = "read" if reads else "written"
        self.result: T | None = None
        self.error: Exception | None = None

    def attempt(self, connection: sqlite3.Connection, ledger: Path) -> None:
        """Run the call. An error of this call alone is stored; an error that ends the transaction is raised.

        Raises:
            sqlite3.Error: SQLite rolled back the transaction, or the disk failed.
        """
        try:
            self.result = self.work(connection)
        except VideoError as error:
            self.error = error
        except sqlite3.OperationalError:
            raise
        except FOREIGN as error:
            if not self.reads and not connection.in_transaction:
                raise
            self.error = ledger_error(error, ledger, self.doing)
        except Exception as error:  # noqa: BLE001 - a bug of ours: the caller gets it instead of waiting for ever
            self.error = error

    def deliver(self) -> None:
        """Set the caller's future, on its own loop, unless the caller was cancelled."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # without an error there is a result


class SqliteWriter:
    """The thread that owns the connection to one ledger.

    Attributes:
        commits: The number of transactions so far.
    """

    def __init__(self, ledger: Path) -> None:
        self.commits = 0
        self._ledger = ledger
        self._queue: SimpleQueue[_Call[Any] | None] = SimpleQueue()  # Any: each call has its own result; None ends it
        self._lock = threading.Lock()
        self._closing = False
        self._process = os.getpid()
        self._opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        for future in (self._opened, self._ended):
            future.set_running_or_notify_cancel()  # so that a caller that is cancelled cancels no other

    async def start(self) -> None:
        """Open the ledger.

        Raises:
            LedgerError: It cannot be opened.
        """
        threading.Thread(target=self._main, name="aihubmix-ledger", daemon=True).start()
        try:
            await asyncio.wrap_future(self._opened)
        except asyncio.CancelledError:
            self._stop()
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T], *, reads: bool = False) -> T:
        """Run *work* in the next transaction, and return its result when that is durable.

        If cancelled, it is still run.

        Args:
            work: Called on the writer's thread. It undoes its changes if it raises.
            reads: Whether it changes nothing, so that it can be run even if nothing can be written.

        Raises:
            LedgerError: It could not be run; nothing was changed.
            SessionClosed: The ledger is closed.
        """
        self._check_process()  # first: a fork may have left the lock taken
        with self._lock:
            if self._closing:
                raise SessionClosed(f"the ledger {self._ledger} is closed")
            call = _Call(work, asyncio.get_running_loop().create_future(), reads=reads)
            self._queue.put(call)
        result: T = await call.future
        return result

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise LedgerError(
                f"the ledger {self._ledger} was opened by process {self._process} and cannot be used after a fork: "
                "open sessions in the child, each with a ledger of its own."
            )

    async def aclose(self) -> None:
        """Finish the calls under way, and close the file; all callers of this wait for the same end."""
        if os.getpid() == self._process:
            self._stop()
            await asyncio.wrap_future(self._ended)

    def _stop(self) -> None:
        with self._lock:
            if not self._closing:
                self._closing = True
                self._queue.put(None)

    # On the thread.

    def _main(self) -> None:
        try:
            connection, lock = open_ledger(self._ledger)
        except BaseException as error:  # noqa: BLE001 - the caller of `start` gets it, whatever it is
            self._closing = True
            self._ended.set_result(None)
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        try:
            while not self._serve(connection):
                pass
        finally:
            with contextlib.suppress(sqlite3.Error):  # every acknowledged change is in the write-ahead log already
                connection.close()
            lock.release()
            self._ended.set_result(None)

    def _serve(self, connection: sqlite3.Connection) -> bool:
        """Commit the next group; return True if it was the last."""
        group: list[_Call[Any]] = []  # Any: see the queue
        last = False
        with contextlib.suppress(Empty):
            call = self._queue.get()
            while call is not None and len(group) < MAX_CALLS_PER_COMMIT:
                group.append(call)
                call = self._queue.get_nowait()
            last = call is None
            if call is not None:
                group.append(call)
        if group:
            self._commit(connection, group)
            _deliver(group)
        return last

    def _commit(self, connection: sqlite3.Connection, group: list[_Call[Any]]) -> None:  # Any: see the queue
        try:
            connection.execute("BEGIN IMMEDIATE")
            for call in group:
                call.attempt(connection, self._ledger)
            connection.execute("COMMIT")
            self.commits += 1
        except FOREIGN as error:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            for call in group:
                self._retry_read_or_fail(connection, call, error)

    # Any: see the queue
    def _retry_read_or_fail(self, connection: sqlite3.Connection, call: _Call[Any], error: Exception) -> None:
        """Fail a call whose transaction was rolled back; a call that only reads is tried once more."""
        call.error = ledger_error(error, self._ledger, call.doing)
        call.error.__cause__ = error
        if call.reads:
            call.error = None
            try:
                call.attempt(connection, self._ledger)
            except FOREIGN as second:
                call.error = ledger_error(second, self._ledger, call.doing)


def _deliver(group: Iterable[_Call[Any]]) -> None:  # Any: see the queue
    """Wake each event loop once for all the calls of its tasks."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Call[Any]]] = {}
    for call in group:
        by_loop.setdefault(call.future.get_loop(), []).append(call)
    for loop, calls in by_loop.items():
        with contextlib.suppress(RuntimeError):  # on a closed loop no caller waits any more
            loop.call_soon_threadsafe(_deliver_all, calls)


def _deliver_all(calls: Iterable[_Call[Any]]) -> None:  # Any: see the queue
    for call in calls:
        call.deliver()
