"""The video itself: from the disk once it is saved, and while it is being saved as far as it has come.

What is sent while a file is still being fetched is not proved yet. So its length is stated at the beginning, and its last
bytes are held back until the file has been verified and has its name. If that fails, the connection is cut before them: a
client can always tell the end from a cut.
"""

import logging
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from aihubmix_video.fastapi.app_state import AppState
from aihubmix_video.fastapi.http_errors import Conflict, Deleted, NotPlayable, RangeUnsatisfiable
from aihubmix_video.fastapi.job_routes import Key, Serving, answers
from aihubmix_video.fastapi.ranges import PartialRange, Unchanged, Unsatisfiable, wanted
from aihubmix_video.session.job_registry import JobRegistry
from aihubmix_video.session.tracked_job import TrackedJob
from aihubmix_video.storage.disk import DiskRefused
from aihubmix_video.types.job_info import JobInfo, JobState

__all__ = ["add_content", "content_response"]

log = logging.getLogger("aihubmix_video.fastapi")

PIECE: Final = 256 << 10
LOOK: Final = 5.0  # seconds after which a file that does not grow is looked at all the same
HELD_BACK: Final = 64 << 10
"""Bytes at a file's end that are not sent before it is verified."""
NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff"}
FILM: Final = {"schema": {"type": "string", "format": "binary"}}
TOLD: Final = {"required": True, "schema": {"type": "string"}}
ASKED: Final[dict[str, Any]] = {
    "parameters": [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
        for name in ("Range", "If-Range", "If-None-Match")
    ]
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The video", "content": {"video/mp4": FILM}, "headers": {"Content-Length": TOLD}},
    206: {
        "description": "The part of it that was asked for",
        "content": {"video/mp4": FILM},
        "headers": {"Content-Length": TOLD, "Content-Range": TOLD, "ETag": TOLD},
    },
    304: {"description": "The client has it", "headers": {"ETag": TOLD}},
}


def add_content(router: APIRouter, owner: Callable[..., Any]) -> None:
    """Add the route of the video itself."""
    Owner = Annotated[str | None, Depends(owner)]  # noqa: N806 - a type
    described: dict[str, Any] = {
        "responses": answers(404, 409, 410, 416) | RESPONSES,
        "response_class": Response,
        "openapi_extra": ASKED,
    }

    @router.head("/{key}/content", summary="Look at a video's size and version", **described)
    @router.get("/{key}/content", summary="Play a video", **described)
    async def content(request: Request, service: Serving, owner: Owner, key: Key) -> Response:
        """Return the video, or the part of it that is asked for."""
        return await content_response(service, request, await service.registry.find(key, owner))


async def content_response(service: AppState, request: Request, info: JobInfo) -> Response:
    """Return the answer to a request for a job's video.

    Raises:
        NotPlayable: It is not finished yet.
        Conflict: There is none, and there will be none.
        Deleted: Its file is gone.
        RangeUnsatisfiable: It does not have the bytes that are asked for.
    """
    key = info.key
    if info.state is JobState.SAVED:
        return await _saved(service, request, info)
    if info.state is JobState.SAVING:
        return await _being_saved(service, info)
    if info.state in {JobState.WAITING, JobState.RUNNING}:
        raise NotPlayable(f"the video is not finished: the job is {info.state}", job_key=key, charged=info.charged)
    raise Conflict(f"there is not a video: the job is {info.state}", job_key=key, charged=info.charged)


# From the disk.


async def _saved(service: AppState, request: Request, info: JobInfo) -> Response:
    file = await (_object_of(service, info) if info.object_url else _opened_as_saved(info, service.readers))
    etag = f'"{info.sha256}"'
    answer = wanted(request.headers, file.size, etag)
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"} | NO_SNIFFING
    if isinstance(answer, (Unchanged, Unsatisfiable)):
        file.close()
        if isinstance(answer, Unchanged):
            return Response(status_code=304, headers=headers)
        raise RangeUnsatisfiable(file.size, job_key=info.key)
    start, stop = (answer.start, answer.stop) if isinstance(answer, PartialRange) else (0, file.size)
    if isinstance(answer, PartialRange):
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
    headers["Content-Length"] = str(stop - start)
    return _Film(file, file.pieces(start, stop), headers, 206 if isinstance(answer, PartialRange) else 200)


@attrs.frozen
class _File:
    """An open file, and what it was when it was opened."""

    descriptor: int
    size: int
    identity: tuple[int, int]
    readers: CapacityLimiter

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Read some of it.

        Raises:
            _CutError: It ended before.
        """
        while start < stop:
            wanted = min(PIECE, stop - start)
            piece = await to_thread.run_sync(os.pread, self.descriptor, wanted, start, limiter=self.readers)
            if not piece:
                raise _CutError
            start += len(piece)
            yield piece

    def close(self) -> None:
        os.close(self.descriptor)


@attrs.frozen
class _StoredObject:
    """A video in an object store, read piece by piece."""

    registry: JobRegistry
    info: JobInfo
    size: int

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Read some of it.

        Raises:
            _CutError: The store does not give it.
        """
        try:
            async for piece in self.registry.read_object(self.info, start, stop):
                yield piece
        except DiskRefused as refused:
            raise _CutError(str(refused)) from None

    def close(self) -> None:
        """Nothing is held open between two pieces."""


async def _object_of(service: AppState, info: JobInfo) -> _StoredObject:
    """Return a video that lies in an object store.

    Raises:
        Deleted: It is not there any more.
        NotPlayable: The store does not answer now.
    """
    found = _StoredObject(service.registry, info, info.bytes_total or 0)
    trouble: DiskRefused | None = None
    try:
        async for _ in service.registry.read_object(info, max(found.size - 1, 0), found.size):
            pass
    except DiskRefused as refused:
        trouble = refused
    if trouble is not None and trouble.passing:
        raise NotPlayable("the store of the video does not answer", job_key=info.key, charged="yes")
    if trouble is not None:
        raise Deleted("the video's object is not there any more", job_key=info.key, charged="yes")
    return found


class _CutError(Exception):
    """The file does not hold what was promised."""


async def _opened_as_saved(info: JobInfo, readers: CapacityLimiter) -> _File:
    """Open a saved file.

    Raises:
        Deleted: It is not there any more, or it is not that file.
    """
    try:
        if info.path is None:
            raise FileNotFoundError
        file = await _opened(info.path, readers)
    except OSError:
        raise Deleted("the video's file is not there any more", job_key=info.key, charged="yes") from None
    if file.size != info.bytes_total:
        file.close()
        raise Deleted("the video's file was changed", job_key=info.key, charged="yes")
    return file


async def _opened(path: Path, readers: CapacityLimiter) -> _File:
    """Open a file that nobody but the session has named.

    Raises:
        OSError: It is not there, or no plain file.
    """
    return await to_thread.run_sync(_open, path, readers, limiter=readers)


def _open(path: Path, readers: CapacityLimiter) -> _File:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise FileNotFoundError
    return _File(descriptor, found.st_size, (found.st_dev, found.st_ino), readers)


class _Film(StreamingResponse):
    """Sends a file, and closes it in the end, whatever that is. A body that cannot be sent whole is left unfinished."""

    media_type = "video/mp4"

    def __init__(
        self, file: _File | _StoredObject, body: AsyncIterator[bytes], headers: dict[str, str], status: int
    ) -> None:
        super().__init__(body, status, headers)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                await Response(status_code=self.status_code, headers=dict(self.headers))(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        except (_CutError, OSError) as error:
            log.warning("a video was not sent to its end: %s", type(error).__name__)  # the server cuts the connection
        finally:
            self._file.close()  # at once: a cancelled scope would not let a thread be waited for


# While it is being saved.


async def _being_saved(service: AppState, info: JobInfo) -> Response:
    """Follow the file as it grows, if its length is known."""
    record = service.registry.live(info.key)
    part = None if record is None or record.download is None else record.download.part
    elsewhere = record is not None and record.target is not None and record.target.root() is not None
    if record is None or part is None or record.bytes_total is None or elsewhere:
        raise NotPlayable("the video is being fetched", job_key=info.key, charged=info.charged)
    try:
        file = await _opened(part, service.readers)
    except OSError:
        raise NotPlayable("the video is being fetched", job_key=info.key, charged=info.charged) from None
    total = record.bytes_total
    headers = {
        "Content-Length": str(total),
        "Accept-Ranges": "none",
        "Cache-Control": "private, no-store",
    } | NO_SNIFFING
    return _Film(file, _growing(service, record, file, part, total), headers, 200)


async def _growing(service: AppState, record: TrackedJob, file: _File, part: Path, total: int) -> AsyncIterator[bytes]:
    """Read a file while it is being written, and its end only once it has been verified.

    Raises:
        _CutError: It came to nothing, was started again, or the application ends.
    """
    sent = 0
    while not record.over:
        now = None if record.download is None else record.download.part
        if now not in {None, part} or record.bytes_total != total or service.feed.closed:
            raise _CutError
        if (safe := min(record.bytes_done, total - HELD_BACK)) > sent:
            async for piece in file.pieces(sent, safe):
                yield piece
            sent = safe
        else:
            await service.feed.more(record.key, LOOK)
    info = service.registry.describe(record)
    whole = info.state is JobState.SAVED and info.bytes_total == total
    if (
        not whole
        or info.path is None
        or file.identity != await to_thread.run_sync(_identity, info.path, limiter=service.readers)
    ):
        raise _CutError
    async for piece in file.pieces(sent, total):
        yield piece


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
