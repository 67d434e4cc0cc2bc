"""`crash_child`, killed by itself: ``python kill_child.py NUMBER HALF ...`` and then what `crash_child` is given.

Whatever changes the disk or leaves by a socket is counted through one counter, in the order in which it happens on all
threads, and instead of number NUMBER the process ends as by kill -9; with HALF, after half of what was to be written.
SQLite's own calls do not pass here; `test_kill_points` has these counted by strace.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGES = ("fsync", "fdatasync", "rename", "replace", "link", "unlink", "mkdir", "ftruncate", "fchmod")
WRITES = ("write", "pwrite", "writev")
SENDS = ("send", "sendto", "sendmsg")


class Counter:
    """Ends the process at one of the calls that it sees."""

    def __init__(self, at: int, *, half: bool) -> None:
        self._left, self._half = at, half
        self._turn = threading.Lock()

    def watch(self, owner: Any, names: tuple[str, ...], *, data_at: int | None = None) -> None:  # noqa: ANN401 - any owner
        """Count calls of some functions; *data_at* is the place of what they write among their arguments."""
        for name in names:
            setattr(owner, name, self._counted(getattr(owner, name), data_at))

    def _counted(self, real: Callable[..., Any], data_at: int | None) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the real one
            with self._turn:
                self._left -= 1
                if self._left == 0:
                    if self._half and data_at is not None:
                        real(*halved(args, data_at), **kwargs)
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call


def halved(args: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """Give the same arguments with half of the data."""
    data = args[place]
    whole = bytes(data) if isinstance(data, (bytes, bytearray, memoryview)) else b"".join(data)
    half = whole[: len(whole) // 2]
    return (*args[:place], half if isinstance(data, (bytes, bytearray, memoryview)) else [half], *args[place + 1 :])


if __name__ == "__main__":
    counter = Counter(int(sys.argv[1]), half=sys.argv[2] == "half")
    counter.watch(os, CHANGES)
    counter.watch(os, WRITES, data_at=1)
    counter.watch(socket.socket, SENDS, data_at=1)

    from crash_child import main

    asyncio.run(main(*sys.argv[3:8], int(sys.argv[8])))
