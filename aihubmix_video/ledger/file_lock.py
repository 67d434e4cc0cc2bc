"""One process per ledger.

A second writer would buy what the first one has bought. So whoever opens a ledger takes the kernel's lock (flock) on a file
beside it. The kernel gives it back when the process ends, however it ends; the file stays, since deleting it would let two
processes lock two files of one name. Its text only names the holder for whoever is refused.

Some file systems have no locks, and a few say that they lock and do not. That is found out by locking twice: the second
time must be refused. There the text decides instead: a holder that still runs on this machine is respected, one that does
not is followed, and one on another machine, of which nothing is known, has to be ruled out by the user. Two processes that
start in the same instant could both pass, so a warning is logged.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aihubmix_video.errors import LedgerError, LedgerInUse
from aihubmix_video.storage.filesystem import open_private

if TYPE_CHECKING:
    from typing import Self

__all__ = ["FileLock"]

log = logging.getLogger("aihubmix_video")

HELD: Final = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})
NO_LOCKS: Final = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL})
TEXT_BYTES: Final = 4096


@attrs.frozen
class _Holder:
    """A process, told from all that had or will have its number."""

    pid: int
    host: str
    born: str

    @classmethod
    def this(cls) -> Self:
        return cls(os.getpid(), socket.gethostname(), _born(os.getpid()))

    @property
    def runs(self) -> bool | None:
        """Whether it still runs; None for one on another machine."""
        if self.host != socket.gethostname():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True  # another user's
        return _born(self.pid) == self.born

    def __str__(self) -> str:
        if (self.pid, self.host) == (os.getpid(), socket.gethostname()):
            return f"this process ({self.pid})"
        return f"process {self.pid} on {self.host}"


def _born(pid: int) -> str:
    """Say when a process started, in the kernel's ticks; empty where the system has no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]  # after the name, which may hold anything, the 20th field


class FileLock:
    """The right to write one ledger, held until `release`, or until the process ends.

    Attributes:
        real: Whether the kernel guards it, rather than only the text of the file.
    """

    def __init__(self, descriptor: int, *, real: bool) -> None:
        self._descriptor: int | None = descriptor
        self.real = real
        _held.add(self)

    @classmethod
    def take(cls, ledger: Path) -> Self:
        """Lock a ledger.

        Raises:
            LedgerInUse: Another process has it; it is named.
            OSError: The lock file cannot be opened.
        """
        path = ledger.with_name(ledger.name + ".lock")
        descriptor = open_private(str(path), os.O_RDWR | os.O_CREAT)
        try:
            real = _locked(descriptor) and _refuses_a_second(path)
            if not real:
                _respect(_read(descriptor), ledger, path)
            _write(descriptor, json.dumps(attrs.asdict(_Holder.this())))
        except _HeldElsewhere:
            holder = _read(descriptor) or "another process"
            os.close(descriptor)
            raise _in_use(ledger, holder) from None
        except BaseException:
            os.close(descriptor)
            raise
        if not real:
            log.warning("file locks do not work beside %s: never let two processes use it at once", ledger)
        return cls(descriptor, real=real)

    def release(self) -> None:
        """Give it back."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # the text only explains; full disks need no explanation
                os.ftruncate(self._descriptor, 0)
        self.forget()

    def forget(self) -> None:
        """Close the file: in a forked child, so that the lock ends with the parent alone."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


_held: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)


class _HeldElsewhere(Exception):
    """The kernel says that somebody else has the lock."""


def _locked(descriptor: int) -> bool:
    """Take the kernel's lock; False where there are none.

    Raises:
        _Held: Somebody else has it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            raise _HeldElsewhere from None
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True


def _refuses_a_second(path: Path) -> bool:
    """Try to lock the file once more, as another process would; a lock that lets us is none."""
    descriptor = open_private(str(path), os.O_RDWR)
    try:
        return not _locked(descriptor)
    except _HeldElsewhere:
        return True
    finally:
        os.close(descriptor)


def _respect(holder: _Holder | None, ledger: Path, path: Path) -> None:
    """Where the kernel guards nothing, refuse unless the last holder has surely ended.

    Raises:
        LedgerError: It runs, or nobody can tell.
    """
    if holder is None or holder.runs is False:
        return
    if holder.runs is None:
        raise LedgerError(
            f"{ledger} was opened by {holder}, file locks do not work there, and nobody here can tell whether it still "
            f"runs. If it has ended, delete {path}; better, move the ledger to a local disk."
        )
    raise _in_use(ledger, holder)


def _in_use(ledger: Path, holder: _Holder | str) -> LedgerInUse:
    return LedgerInUse(
        f"{ledger} is in use by {holder}. One process at a time may write a ledger: wait for it, end it, or use another ledger."
    )


def _read(descriptor: int) -> _Holder | None:
    try:
        said: dict[str, Any] = json.loads(os.pread(descriptor, TEXT_BYTES, 0))  # Any: judged on the next line
        return _Holder(int(said["pid"]), str(said["host"]), str(said["born"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
