"""Blocking file operations; `disk.Disk` runs them on its threads."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "ByteObserver",
    "append",
    "check_target",
    "free_bytes",
    "go_on",
    "make_durable",
    "open_private",
    "part_path",
    "publish",
    "remove",
    "remove_stale_parts",
    "sync_folder",
]

MAX_NAME_BYTES: Final = 255
MIN_FREE_BYTES: Final = 1 << 20
"""Bytes below which a disk is full: nothing is bought that could not be put there."""
MAX_PIECES: Final = 512
"""Pieces handed to one writev; the system's limit is 1024."""
WRITE_BACK_BYTES: Final = 4 << 20
"""How often the kernel is asked to begin putting a file on the disk, so that fsync finds little left to do."""

NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems without hard links say."""
NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What file systems say whose folders cannot be synced."""


class ByteObserver(Protocol):
    """Receives the bytes of a file in order, such as a digest of `hashlib`."""

    def update(self, data: bytes | bytearray, /) -> object:
        """Take the next bytes."""


def check_target(target: Path, overwrite: bool) -> str | None:  # noqa: FBT001  # called by position on a thread
    """Return what is wrong with the path for a video, as a clause, before anything is paid for; None if nothing is."""
    try:
        if len(os.fsencode(target.name)) > MAX_NAME_BYTES:
            return f"its name has more than {MAX_NAME_BYTES} bytes"
        mode = _mode(target)
        if mode is not None and stat.S_ISDIR(mode):
            return "it is a folder; give the name of a file in it"
        if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            return "it is not an ordinary file"
        if mode is not None and not overwrite:
            return "it exists already; choose another name, or allow it (overwrite=True, --overwrite)"
        return _check_folder(target.absolute().parent)
    except OSError as error:
        return f"it cannot be written ({error.strerror})"
    except ValueError as error:  # a NUL or a lone surrogate in the path
        return f"it is not a path ({error})"


def _check_folder(folder: Path) -> str | None:
    if not folder.exists():
        return f"the folder {folder} does not exist"
    if not folder.is_dir():
        return f"{folder} is not a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} cannot be written to"
    free = free_bytes(folder)
    if free is not None and free < MIN_FREE_BYTES:
        return f"the disk of {folder} is full"
    return None


def _mode(path: Path) -> int | None:
    """Return the mode of the path itself, not of what a link there leads to; None if nothing is there."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def part_path(target: Path) -> Path:
    """Return a new path for the unfinished file: beside the target, with a short random name.

    No two runs have the same name, so no run has to judge whether a file that a crash left may be deleted.
    """
    return target.with_name(f"{_part_prefix(target)}{secrets.token_hex(4)}.part")


def _part_prefix(target: Path) -> str:
    return f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"


def remove_stale_parts(target: Path) -> None:
    """Delete the part files of *target* that killed processes left, now that the whole file is there.

    Only for a job of a ledger, which one process has at a time: so no other process can be fetching it.
    """
    with contextlib.suppress(OSError):
        for part in target.parent.glob(f"{_part_prefix(target)}*.part"):
            part.unlink()


def open_private(path: str, flags: int) -> int:
    """Open a file of ours (an `opener`): readable to its owner only, and never through a link put in its place."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def go_on(descriptor: int, size: int, known: tuple[int, int] | None) -> tuple[int, int]:
    """Seek to the end of the first *size* bytes, if the file is still the one *known*, and return its identity."""
    found = os.fstat(descriptor)
    identity = (found.st_dev, found.st_ino)
    if known not in {None, identity} or found.st_size < size:
        raise OSError(errno.ESTALE, "another program has changed it")
    os.ftruncate(descriptor, size)  # a write that failed may have left more
    os.lseek(descriptor, size, os.SEEK_SET)
    return identity


def append(descriptor: int, pieces: Sequence[bytes | bytearray], observers: Sequence[ByteObserver], start: int) -> int:
    """Write *pieces* at *start*, hand them to *observers*, and return where they end.

    The observers receive nothing until all has been written.
    """
    for first in range(0, len(pieces), MAX_PIECES):
        _write_all(descriptor, pieces[first : first + MAX_PIECES])
    for piece in pieces:
        for observer in observers:
            observer.update(piece)
    end = start + sum(map(len, pieces))
    _write_back(descriptor, start, end)
    return end


def _write_all(descriptor: int, pieces: Sequence[bytes | bytearray]) -> None:
    written = os.writev(descriptor, pieces)
    if written < sum(map(len, pieces)):  # a disk that is nearly full takes what it can, and refuses then
        rest = memoryview(b"".join(pieces))[written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _write_back(descriptor: int, start: int, end: int) -> None:
    """Advise the kernel now and then that what was written is not needed again.

    Linux begins to put it on the disk, without being waited for, and drops what it has put there by the next time: so
    fsync is quick, and long batches do not push everything else out of the page cache.
    """
    if start // WRITE_BACK_BYTES != end // WRITE_BACK_BYTES and hasattr(os, "posix_fadvise"):
        begin = max(0, start - 2 * WRITE_BACK_BYTES)
        with contextlib.suppress(OSError):  # it is advice
            os.posix_fadvise(descriptor, begin, end - begin, os.POSIX_FADV_DONTNEED)


def make_durable(descriptor: int, mode: int) -> None:
    """Flush the file to the disk, with the mode that the user's files have."""
    os.fchmod(descriptor, mode)
    os.fsync(descriptor)


def publish(part: Path, target: Path, overwrite: bool, sha256: str) -> None:  # noqa: FBT001  # called by position on a thread
    """Rename the file atomically; without *overwrite* only if no file has that name, or one with the same bytes.

    A process that was killed between renaming a file and recording it finds its own file there when it tries again.
    """
    if overwrite:
        part.replace(target)
        return
    try:
        _take_free_name(part, target)
    except FileExistsError:
        if not _holds(target, part.stat().st_size, sha256):
            raise
        part.unlink()


def _take_free_name(part: Path, target: Path) -> None:
    try:
        # A rename would replace what is there; a second name cannot.
        os.link(part, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # Nothing portable is left but to look first, with a gap of microseconds.
        if _mode(target) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        part.rename(target)
        return
    part.unlink()


def _holds(path: Path, size: int, sha256: str) -> bool:
    """Return whether a regular file with these bytes is there; if so, flush it to the disk."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        return False
    with os.fdopen(open_private(os.fspath(path), os.O_RDONLY), "rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        if same:
            os.fsync(file.fileno())
    return same


def sync_folder(folder: Path) -> None:
    """Flush the names in *folder* to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Delete the file, if it is there."""
    path.unlink(missing_ok=True)


def free_bytes(folder: Path) -> int | None:
    """Return how many bytes may be written into *folder*; None where the file system does not say."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize if found.f_blocks else None
