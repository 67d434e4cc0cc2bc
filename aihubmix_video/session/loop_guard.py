"""The guard that restricts a session to the event loop and the process that opened it."""

from __future__ import annotations

import asyncio
import os
from typing import Self

import attrs

from aihubmix_video.errors import ConfigurationError

__all__ = ["LoopGuard"]


@attrs.frozen
class LoopGuard:
    """One event loop in one process."""

    _loop: asyncio.AbstractEventLoop
    _process: int

    @classmethod
    def here(cls) -> Self:
        """Return the guard of the event loop and the process of the caller.

        Raises:
            ConfigurationError: No asyncio event loop is running.
        """
        return cls(_running(), os.getpid())

    def check(self) -> None:
        """Refuse a caller on another event loop or in another process.

        Raises:
            ConfigurationError: The caller is on another event loop, or in another process.
        """
        if os.getpid() != self._process:
            raise ConfigurationError("the session was opened in another process; open one in each")
        if _running() is not self._loop:
            raise ConfigurationError("the session was opened on another event loop; open one in each")


def _running() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError("call it in a coroutine that asyncio runs, as asyncio.run(main()) does") from None
