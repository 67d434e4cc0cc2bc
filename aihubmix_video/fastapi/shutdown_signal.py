"""Hearing that the server is to end, while it still waits for its open connections.

A server asked to stop first waits until every response has been sent, and only then tells the application. Event streams are
never sent to the end by themselves, so both would wait for each other. There is no other word of it than the signal.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object]

__all__ = ["told_of_the_end"]


@contextmanager
def told_of_the_end(ending: Callable[[], object]) -> Iterator[None]:
    """Call *ending* on the loop when SIGTERM or SIGINT comes, before its present handler runs.

    Outside of the main thread, and where nobody handles a signal in Python, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    theirs = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    ours = {number: _before(ending, handler, loop) for number, handler in theirs.items() if callable(handler)}
    for number, handler in ours.items():
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in ours.items():
            if signal.getsignal(number) is handler:  # else somebody has put another in its place
                signal.signal(number, theirs[number])


def _before(ending: Callable[[], object], theirs: Handler, loop: asyncio.AbstractEventLoop) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(ending)
        theirs(number, frame)

    return handle
