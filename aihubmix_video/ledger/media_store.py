"""Reference media in a folder beside the ledger, each stored once under the hash of its content."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import secrets
import stat
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import LedgerError
from aihubmix_video.storage.filesystem import open_private, sync_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

__all__ = ["MediaStore"]

log = logging.getLogger("aihubmix_video")

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class MediaStore:
    """Stores media in ``<ledger>.media``. Its calls block, and may come from several threads.

    A medium is claimed before it is written, and released once the intent that needs it is committed. So a sweep
    between the two does not delete it.
    """

    def __init__(self, ledger: Path) -> None:
        self.folder = ledger.with_name(ledger.name + ".media")
        self._claims: Counter[str] = Counter()
        self._lock = threading.Lock()

    def claim(self, digests: Iterable[str]) -> None:
        """Protect these media from sweeping until `release`, whether they are written yet or not."""
        with self._lock:
            self._claims.update(list(digests))

    def release(self, digests: Iterable[str]) -> None:
        """Release a claim: by now the ledger itself records which jobs need the media."""
        with self._lock:
            self._claims.subtract(list(digests))
            self._claims += Counter()  # drops counts of zero

    def keep(self, media: Mapping[str, bytes]) -> None:
        """Write media, which must have been claimed, and return when they are durable.

        Args:
            media: The contents, by their sha256.

        Raises:
            OSError: The disk refused.
            LedgerError: What should be the folder is a link or a file.
        """
        self._make_folder()
        for digest, data in media.items():
            self._write(digest, data)
        sync_folder(self.folder)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(0o700)
        except FileExistsError:
            if not stat.S_ISDIR(self.folder.lstat().st_mode):
                raise LedgerError(f"{self.folder} is not a folder; the ledger keeps reference media there.") from None
        else:
            sync_folder(self.folder.parent)

    def _write(self, digest: str, data: bytes) -> None:
        path = self.folder / digest
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_size == len(data):
                return  # a file gets this name only once it is complete
        part = path.with_name(f"{digest}.{secrets.token_hex(4)}.part")
        try:
            with open(part, "xb", buffering=0, opener=open_private) as file:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            part.rename(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def recall(self, digest: str) -> bytes | Path:
        """Return a medium's content; only its path if the file is missing or was changed.

        Raises:
            OSError: The file exists and cannot be read.
        """
        if _DIGEST.fullmatch(digest) is None:
            return self.folder / "unknown"
        path = self.folder / digest
        try:
            descriptor = open_private(str(path), os.O_RDONLY)
        except FileNotFoundError:
            log.warning("the reference medium %s is missing", path)
            return path
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            data = file.read()
        if hashlib.sha256(data).hexdigest() != digest:
            log.warning("the reference medium %s was changed; it is renamed and not used", path)
            path.rename(path.with_name(f"{digest}.damaged"))
            return path
        return data

    def sweep(self, needed: Collection[str]) -> int:
        """Delete the files that no unfinished job needs; return how many were deleted.

        Raises:
            OSError: The disk refused.
        """
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return 0
        return sum(self._delete_unclaimed(name) for name in names if name.partition(".")[0] not in needed)

    def _delete_unclaimed(self, name: str) -> bool:
        with self._lock:  # so that it is not claimed between the check and the deletion
            if self._claims[name.partition(".")[0]]:
                return False
            (self.folder / name).unlink(missing_ok=True)
            return True
