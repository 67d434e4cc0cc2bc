"""One process per ledger.

A second writer would buy what the first one has bought. So a process that opens a ledger takes the kernel's lock
(flock) on a file beside it. The kernel releases the lock when the process ends, however it ends. The lock file stays:
deleting it would let two processes lock two files of the same name. Its text only names the holder to a process that is
refused.

Some file systems do not support locks, and a few report a lock that they do not enforce. Locking the file twice detects
both: the second attempt must be refused. On such a file system the text of the lock file decides. If the holder still
runs on this machine, the ledger is refused. If it has ended, the ledger is opened. If it is on another machine, whether
it runs is unknown, and the user has to rule it out. Two processes that start at the same instant could both pass, so a
warning is logged.
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
    """A process, distinguished from all others that had or will have its pid."""

    pid: int
    host: str
    born: str

    @classmethod
    def this(cls) -> Self:
        return cls(os.getpid(), socket.gethostname(), _start_time(os.getpid()))

    @property
    def runs(self) -> bool | None:
        """Whether it still runs; None if it is on another machine."""
        if self.host != socket.gethostname():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True  # it belongs to another user
        return _start_time(self.pid) == self.born

    def __str__(self) -> str:
        if self == _Holder.this():
            return f"this process ({self.pid})"
        return f"process {self.pid} on {self.host}"


def _start_time(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; empty if the system has no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]  # the 20th field after the name, which may hold anything


class FileLock:
    """The lock on one ledger, held until `release`, or until the process ends.

    Attributes:
        real: Whether the kernel enforces it, rather than only the text of the lock file.
    """

    def __init__(self, descriptor: int, *, real: bool) -> None:
        self._descriptor: int | None = descriptor
        self.real = real
        _held.add(self)

    @classmethod
    def take(cls, ledger: Path) -> Self:
        """Lock a ledger, and return the lock.

        Raises:
            LedgerInUse: Another process holds the lock; the message names it.
            OSError: The lock file cannot be opened.
        """
        path = ledger.with_name(ledger.name + ".lock")
        descriptor = open_private(str(path), os.O_RDWR | os.O_CREAT)
        try:
            real = _locked(descriptor) and _is_enforced(path)
            if not real:
                _refuse_running_holder(_read(descriptor), ledger, path)
            _write(descriptor, json.dumps(attrs.asdict(_Holder.this())))
        except _LockedElsewhere:
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
        """Release the lock."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # the text is only for messages; on a full disk it may stay
                os.ftruncate(self._descriptor, 0)
        self.forget()

    def forget(self) -> None:
        """Close the file without releasing the lock: in a forked child, so that only the parent holds it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


_held: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)


class _LockedElsewhere(Exception):
    """The kernel reports that another process, or another descriptor, holds the lock."""


def _locked(descriptor: int) -> bool:
    """Take the kernel's lock; return False if the file system does not support locks.

    Raises:
        _LockedElsewhere: Another process, or another descriptor, holds it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            raise _LockedElsewhere from None
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True


def _is_enforced(path: Path) -> bool:
    """Return whether locking the file a second time, as another process would, is refused."""
    descriptor = open_private(str(path), os.O_RDWR)
    try:
        return not _locked(descriptor)
    except _LockedElsewhere:
        return True
    finally:
        os.close(descriptor)


def _refuse_running_holder(holder: _Holder | None, ledger: Path, path: Path) -> None:
    """Refuse unless the last holder has certainly ended; needed if the kernel enforces no lock.

    Raises:
        LedgerInUse: It still runs.
        LedgerError: It is on another machine, so whether it runs is unknown.
    """
    if holder is None or holder.runs is False:
        return
    if holder.runs is None:
        raise LedgerError(
            f"{ledger} was opened by {holder}, file locks do not work there, and whether it still runs cannot be "
            f"checked from this machine. If it has ended, delete {path}; better, move the ledger to a local disk."
        )
    raise _in_use(ledger, holder)


def _in_use(ledger: Path, holder: _Holder | str) -> LedgerInUse:
    error = LedgerInUse(
        f"{ledger} is in use by {holder}. One process at a time may write a ledger: wait for it, end it, or use another ledger."
    )
    if isinstance(holder, _Holder):
        error.holder_pid, error.held_here = holder.pid, holder == _Holder.this()
    return error


def _read(descriptor: int) -> _Holder | None:
    try:
        fields: dict[str, Any] = json.loads(os.pread(descriptor, TEXT_BYTES, 0))  # Any: checked on the next line
        return _Holder(int(fields["pid"]), str(fields["host"]), str(fields["born"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
