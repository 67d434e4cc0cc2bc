"""Whole files as objects: one conditional PUT each, read from the disk where the file was verified.

A video is downloaded and verified on the disk first, as for any other target, and only then sent to the store in one PUT:

* its digest can stand in the object's metadata, which a multipart upload fixes before its first byte is known;
* the store itself refuses to replace an object (``If-None-Match: *``), without a moment between looking and writing;
* there are no parts, so a process that is killed leaves none: an object is there whole, or not at all;
* a cut download goes on where it was, and a failed upload is repeated without fetching the video again.

The file is mapped into memory and not read into it, so uploads at once need no more memory than one.
"""

from __future__ import annotations

import asyncio
import hashlib
import mmap
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import obstore
from obstore.store import from_url

from aihubmix_video.cloud.object_metadata import metadata_of
from aihubmix_video.cloud.store_errors import STORE_ERRORS, clause_of, disk_refused
from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.storage.disk import DiskRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from obstore.store import ObjectStore

    from aihubmix_video.storage.object_storage import ObjectFacts
    from aihubmix_video.types.object_url import ObjectUrl

__all__ = ["CloudStorage"]

MAX_OBJECT_BYTES: Final = 5 << 30
"""S3 takes no more in one PUT."""
ANSWER_SECONDS: Final = 30.0
UPLOAD_GRACE_SECONDS: Final = 120.0
SLOWEST_UPLOAD: Final = 32 << 10
"""Bytes per second on average, below which an upload is given up."""
READ_BYTES: Final = 1 << 20


class CloudStorage:
    """The object stores that ``s3://``, ``gs://`` and ``az://`` targets name.

    Args:
        spool: Folder in which videos lie while they are fetched and verified; None for one of this user's own among the
            system's temporary files. It needs room for `max_downloads` videos.
        stores: obstore's own stores by their roots, such as ``{"s3://bucket": S3Store("bucket", ...)}``; any other is opened
            with what the environment says, such as ``AWS_ACCESS_KEY_ID`` and ``AWS_REGION``.
    """

    def __init__(
        self, *, spool: str | os.PathLike[str] | None = None, stores: Mapping[str, ObjectStore] | None = None
    ) -> None:
        self._spool = None if spool is None else Path(spool).absolute()
        self._stores = dict(stores or {})
        self._seen: set[str] = set()  # stores that answered

    def spool_path(self, url: ObjectUrl) -> Path:
        """Return the local path of an object while it is fetched; parts beside it are told apart by it."""
        folder = self._spool or Path(tempfile.gettempdir()) / f"aihubmix-video-{os.getuid()}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat() if self._spool is None else folder.stat()
        except OSError as error:
            raise DiskRefused(f"cannot be fetched to {folder}: {error.strerror}", passing=False) from None
        if self._spool is None and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid()):
            raise DiskRefused(f"cannot be fetched to {folder}: it is another user's", passing=False)
        return folder / f"{hashlib.sha256(str(url).encode(errors='surrogatepass')).hexdigest()[:16]}.mp4"

    async def root_problem(self, root: str) -> str | None:
        """Return what is wrong with a store: that it does not exist, or refuses the credentials."""
        if root in self._seen:
            return None
        failed: Exception | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await obstore.list_with_delimiter_async(self._store(root), prefix=".aihubmix-video-none")
        except (*STORE_ERRORS, TimeoutError) as error:
            failed = error
        if failed is not None:
            return clause_of(failed, root)
        self._seen.add(root)
        return None

    async def problem(self, url: ObjectUrl, *, overwrite: bool) -> str | None:
        """Return what is wrong with the target, before anything is paid for; None if nothing is."""
        found = await self.root_problem(url.root)
        if found is not None or overwrite:
            return found
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await obstore.head_async(self._store(url.root), url.key)
        except FileNotFoundError:
            return None
        except (*STORE_ERRORS, TimeoutError) as error:
            return clause_of(error, url.root)
        return "it exists already; choose another name, or allow it (overwrite=True, --overwrite)"

    async def put(self, file: Path, url: ObjectUrl, *, overwrite: bool, facts: ObjectFacts) -> None:
        """Store the whole file in one PUT; if that is cancelled or fails, the object is absent, or whole.

        Raises:
            DiskRefused: The store, or the disk, refused.
        """
        if facts.size > MAX_OBJECT_BYTES:
            raise DiskRefused(f"could not be stored: it has more than {MAX_OBJECT_BYTES} bytes", passing=False)
        failed: Exception | None = None
        try:
            async with asyncio.timeout(UPLOAD_GRACE_SECONDS + facts.size / SLOWEST_UPLOAD):
                await obstore.put_async(
                    self._store(url.root),
                    url.key,
                    await asyncio.to_thread(_mapped, file),
                    attributes=metadata_of(facts),
                    mode="overwrite" if overwrite else "create",
                    use_multipart=False,
                )
        except (*STORE_ERRORS, TimeoutError) as error:
            failed = error
        if failed is None or await self._holds(url, facts):
            return
        raise disk_refused(failed, "stored", url)

    async def _holds(self, url: ObjectUrl, facts: ObjectFacts) -> bool:
        """Return whether the object is there with these bytes: an answer was lost, or an earlier process stored it."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = await obstore.get_async(self._store(url.root), url.key, options={"range": (0, 1)})
        except (*STORE_ERRORS, TimeoutError):
            return False
        return found.meta["size"] == facts.size and found.attributes.get("sha256") == facts.sha256

    async def remove(self, url: ObjectUrl) -> None:
        """Delete the object, if it is there.

        Raises:
            DiskRefused: The store refused.
        """
        failed: Exception | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await obstore.delete_async(self._store(url.root), url.key)
        except FileNotFoundError:
            return
        except (*STORE_ERRORS, TimeoutError) as error:
            failed = error
        if failed is not None:
            raise disk_refused(failed, "removed", url)

    async def read(self, url: ObjectUrl, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield some bytes of an object, a piece per request.

        Raises:
            DiskRefused: It is not there, or the store refused.
        """
        while start < stop:
            end = min(start + READ_BYTES, stop)
            failed: Exception | None = None
            piece = b""
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    piece = bytes(await obstore.get_range_async(self._store(url.root), url.key, start=start, end=end))
            except (*STORE_ERRORS, TimeoutError) as error:
                failed = error
            if failed is not None or len(piece) != end - start:
                raise disk_refused(failed or ValueError(), "read", url)
            yield piece
            start = end

    def _store(self, root: str) -> ObjectStore:
        if (known := self._stores.get(root)) is not None:
            return known
        failed = None
        try:
            self._stores[root] = store = from_url(
                root,
                client_options={"timeout": "86400s", "connect_timeout": "10s", "allow_http": _plain_http()},
                retry_config={"max_retries": 2},
            )
        except STORE_ERRORS as error:
            failed = type(error).__name__
        if failed is not None:
            raise ConfigurationError(
                f"{shown(root)} cannot be opened ({failed}): check the bucket's name and the environment's credentials."
            )
        return store


def _plain_http() -> bool:
    """Return whether the environment allows http, as for a server of S3's on this machine; options replace its word."""
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true", "yes", "on"}


def _mapped(file: Path) -> mmap.mmap:
    """Map a file of ours into memory, so that its bytes are read from the disk as they are sent."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
