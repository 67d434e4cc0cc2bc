"""Where a session lives: the event loop and the process that opened it, and no others."""

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
        """Be at home where this is called.

        Raises:
            ConfigurationError: No event loop of asyncio's runs here.
        """
        return cls(_running(), os.getpid())

    def check(self) -> None:
        """Refuse whoever calls from elsewhere.

        Raises:
            ConfigurationError: It is another event loop, or another process.
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
