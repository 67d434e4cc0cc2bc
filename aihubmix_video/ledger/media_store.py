"""Reference media beside the ledger, each once, under the hash of its content."""

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
    """Keeps media in ``<ledger>.media``. Its calls block; they may come from several threads.

    A medium is claimed from before it is written until the intent that needs it is committed, so that sweeping between
    the two takes nothing away.
    """

    def __init__(self, ledger: Path) -> None:
        self.folder = ledger.with_name(ledger.name + ".media")
        self._claims: Counter[str] = Counter()
        self._gate = threading.Lock()

    def claim(self, digests: Iterable[str]) -> None:
        """Keep sweeping from these, whether they are there yet or not, until `release`."""
        with self._gate:
            self._claims.update(list(digests))

    def release(self, digests: Iterable[str]) -> None:
        """Give up a claim: the ledger itself knows now who needs them."""
        with self._gate:
            self._claims.subtract(list(digests))
            self._claims += Counter()  # drops the zeros

    def keep(self, media: Mapping[str, bytes]) -> None:
        """See that media, which must have been claimed, are durable.

        Args:
            media: Contents by their sha256.

        Raises:
            OSError: The disk refused.
            LedgerError: There is a link where the folder should be.
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
                raise LedgerError(f"{self.folder} is no folder; the ledger keeps reference media there.") from None
        else:
            sync_folder(self.folder.parent)

    def _write(self, digest: str, data: bytes) -> None:
        path = self.folder / digest
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_size == len(data):
                return  # it got its name only when it was whole
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
        """Give a medium's content; only its path where it is gone or no longer what it was.

        Raises:
            OSError: It is there and cannot be read.
        """
        if _DIGEST.fullmatch(digest) is None:
            return self.folder / "unknown"
        path = self.folder / digest
        try:
            descriptor = open_private(str(path), os.O_RDONLY)
        except FileNotFoundError:
            log.warning("the reference medium %s is gone", path)
            return path
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            data = file.read()
        if hashlib.sha256(data).hexdigest() != digest:
            log.warning("the reference medium %s has been changed; it is put aside and not used", path)
            path.rename(path.with_name(f"{digest}.damaged"))
            return path
        return data

    def sweep(self, needed: Collection[str]) -> int:
        """Delete what no unfinished job needs, and say how many files that were.

        Raises:
            OSError: The disk refused.
        """
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return 0
        return sum(self._swept(name) for name in names if name.partition(".")[0] not in needed)

    def _swept(self, name: str) -> bool:
        with self._gate:  # not between a claim and its file
            if self._claims[name.partition(".")[0]]:
                return False
            (self.folder / name).unlink(missing_ok=True)
            return True
