"""Ctrl-C and SIGTERM: the first signal ends the work in good order, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

import attrs

from aihubmix_video.cli.exit_codes import exit_of_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType, TracebackType

__all__ = [
    "Interrupts",
    "loop_factory",
]

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's maker of event loops if it is installed (extra `speed`), or else None for asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return uvloop.new_event_loop


@attrs.define(eq=False)
class Interrupts:
    """Runs one coroutine, and stops it at a signal.

    Attributes:
        on_first: Called when the first signal came.
        on_second: Called when the second came, right before the process ends.
        received: The number of the first signal.
    """

    on_first: Callable[[], None]
    on_second: Callable[[], None]
    received: int | None = None
    _stop: Callable[[], object] | None = attrs.field(default=None, init=False)
    _before: dict[int, object] = attrs.field(factory=dict, init=False)

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Run *work* on an event loop of its own.

        Raises:
            asyncio.CancelledError: A signal stopped it.
        """
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(self._stoppable(work))

    @property
    def exit_code(self) -> int:
        """The exit code of a program ended by the first signal."""
        return exit_of_signal(self.received if self.received is not None else signal.SIGINT)

    async def _stoppable(self, work: Coroutine[object, object, T]) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

        def stop() -> None:
            self.on_first()
            task.cancel()

        # A handler runs between any two steps of the program, perhaps during a print, so the loop does the rest.
        self._stop = partial(loop.call_soon_threadsafe, stop)
        if self.received is not None:
            stop()
        try:
            return await task
        finally:
            self._stop = None

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal itself returned

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self.received is not None:
            self.on_second()
            os._exit(exit_of_signal(number))
        self.received = number
        if self._stop is not None:
            self._stop()
