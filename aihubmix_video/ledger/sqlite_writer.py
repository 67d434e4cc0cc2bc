"""The one thread that touches the file, and its commits in groups.

A durable commit costs a flush of the disk, whether it holds one change or a thousand. So whatever is asked for while one
commit is under way goes into the next, all together; everybody's wait ends after the flush that made his own change durable.
One caller alone waits for one flush, and a thousand wait hardly longer.
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
from aihubmix_video.ledger.sqlite_errors import FOREIGN, told
from aihubmix_video.ledger.sqlite_open import open_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["SqliteWriter"]

T = TypeVar("T")

GROUP: Final = 8192
"""Changes in one transaction, at most; it bounds how long the first of them waits for the last."""


class _Call(Generic[T]):
    """Something asked for, and what came of it."""

    __slots__ = ("doing", "error", "future", "reads", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T], future: asyncio.Future[T], *, reads: bool) -> None:
        self.work = work
        self.future = future
        self.reads = reads
        self.doing = "read" if reads else "written"
        self.result: T | None = None
        self.error: Exception | None = None

    def attempt(self, connection: sqlite3.Connection, ledger: Path) -> None:
        """Do it. What is wrong with it alone is noted; what ends the transaction is raised.

        Raises:
            sqlite3.Error: SQLite has given up the transaction, or the disk.
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
            self.error = told(error, ledger, self.doing)
        except Exception as error:  # noqa: BLE001 - a bug of ours: who asked gets it, rather than waiting for ever
            self.error = error

    def deliver(self) -> None:
        """Tell whoever asked, on his own loop, unless he has gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # without an error there is a result


class SqliteWriter:
    """Owns the connection to one ledger.

    Attributes:
        commits: Transactions so far.
    """

    def __init__(self, ledger: Path) -> None:
        self.commits = 0
        self._ledger = ledger
        self._queue: SimpleQueue[_Call[Any] | None] = SimpleQueue()  # Any: each call has its own result; None ends it
        self._gate = threading.Lock()
        self._closing = False
        self._process = os.getpid()
        self._opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        for future in (self._opened, self._ended):
            future.set_running_or_notify_cancel()  # from here on, a waiter who is cancelled cancels nobody else

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
        """Do something in the next transaction, and return when that is durable.

        Cancelled, it is done all the same.

        Args:
            work: Called on the writer's thread. It undoes what it did if it raises.
            reads: It changes nothing, and can be done even where nothing can be written.

        Raises:
            LedgerError: It could not be done; nothing was changed.
            SessionClosed: The ledger is closed.
        """
        self._check_process()  # first: a fork may have left the gate locked
        with self._gate:
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
        """Finish what was asked for, and close the file; all who call it wait for the same end."""
        if os.getpid() == self._process:
            self._stop()
            await asyncio.wrap_future(self._ended)

    def _stop(self) -> None:
        with self._gate:
            if not self._closing:
                self._closing = True
                self._queue.put(None)

    # On the thread.

    def _main(self) -> None:
        try:
            connection, lock = open_ledger(self._ledger)
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
            self._closing = True
            self._ended.set_result(None)
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        try:
            while not self._serve(connection):
                pass
        finally:
            with contextlib.suppress(sqlite3.Error):  # all that was promised is in the log already
                connection.close()
            lock.release()
            self._ended.set_result(None)

    def _serve(self, connection: sqlite3.Connection) -> bool:
        """Commit the next group; True when it was the last."""
        group: list[_Call[Any]] = []  # Any: see the queue
        last = False
        with contextlib.suppress(Empty):
            call = self._queue.get()
            while call is not None and len(group) < GROUP:
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
                self._apart(connection, call, error)

    def _apart(self, connection: sqlite3.Connection, call: _Call[Any], error: Exception) -> None:  # Any: see the queue
        """The group was not written: nothing of it holds, but what only reads may still be done."""
        call.error = told(error, self._ledger, call.doing)
        call.error.__cause__ = error
        if call.reads:
            call.error = None
            try:
                call.attempt(connection, self._ledger)
            except FOREIGN as again:
                call.error = told(again, self._ledger, call.doing)


def _deliver(group: Iterable[_Call[Any]]) -> None:  # Any: see the queue
    """Wake each loop once for all that its tasks asked for."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Call[Any]]] = {}
    for call in group:
        by_loop.setdefault(call.future.get_loop(), []).append(call)
    for loop, calls in by_loop.items():
        with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody left who waits
            loop.call_soon_threadsafe(_deliver_all, calls)


def _deliver_all(calls: Iterable[_Call[Any]]) -> None:  # Any: see the queue
    for call in calls:
        call.deliver()
