"""Time limits for many short pieces of work, at the price of one timer for all of them.

`asyncio.timeout` arms and disarms a timer of the loop's each time, which costs a status request a tenth of what it costs
altogether. Here those who are at work stand in a row, in the order in which they began, and so in the order in which their
time is up; the timer is armed for the first, and looks again when it rings.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

__all__ = ["TimeLimits"]

STALLED_LOOP_SECONDS = 0.05  # seconds by which a timer is late only if something kept the loop from looking
STALLED_LOOP_EXTENSION_SECONDS = 1.0  # seconds that everything under way gets then, once


class TimeLimits:
    """Lets no piece of work take longer than it may; like `asyncio.timeout`, by cancelling its task.

    Meant for few different limits, each used often.

    Example:
        ```python
        limits = TimeLimits()
        with limits.within(30.0):
            await work()  # TimeoutError after 30 seconds
        ```
    """

    def __init__(self) -> None:
        self._rows: dict[float, _Row] = {}

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Limit what the current task does in this context; if it takes longer, it ends in `TimeoutError`."""
        row = self._rows.get(seconds)
        if row is None:
            row = self._rows[seconds] = _Row(seconds)
        return _Piece(row)

    def close(self) -> None:
        """Disarm the timers; nothing is limited any more."""
        for row in self._rows.values():
            row.close()


class _Row:
    """Those at work under the same limit."""

    __slots__ = ("_forbearing", "_loop", "_seconds", "_timer", "_working")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._working: dict[_Piece, float] = {}  # until when, the earliest first
        self._timer: asyncio.Handle | None = None
        self._forbearing = False  # since the timer rang far too late

    def begin(self, piece: _Piece) -> None:
        """Count its time from now on."""
        until = self._loop.time() + self._seconds
        self._working[piece] = until
        if self._timer is None:
            self._timer = self._loop.call_at(until, self._ring)

    def end(self, piece: _Piece) -> None:
        """Count it no more."""
        self._working.pop(piece, None)

    def close(self) -> None:
        """Disarm the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._working.clear()

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        if not self._forbearing and now - next(iter(self._working.values()), now) > STALLED_LOOP_SECONDS:
            # The process stood still: what came meanwhile is not read yet, and must not be taken for late.
            self._forbearing = True
            self._timer = self._loop.call_at(now + STALLED_LOOP_EXTENSION_SECONDS, self._ring)
            return
        self._forbearing = False
        while self._working:
            piece, until = next(iter(self._working.items()))
            if until > now:
                self._timer = self._loop.call_at(until, self._ring)
                return
            del self._working[piece]
            piece.expire()


class _Piece:
    """One piece of work under a limit."""

    __slots__ = ("_cancelling", "_expired", "_row", "_task")

    def __init__(self, row: _Row) -> None:
        self._row = row
        self._expired = False

    def expire(self) -> None:
        """Its time is up."""
        self._expired = True
        self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit needs a task to end")
        self._task = task
        self._cancelling = task.cancelling()
        self._row.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._row.end(self)
        # Another canceller of the task meanwhile is not to find that undone.
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
