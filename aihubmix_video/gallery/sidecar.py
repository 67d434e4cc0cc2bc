"""A JSON file beside a video that says where the video came from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from anyio import to_thread

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.storage.filesystem import make_durable, open_private, part_path, publish, sync_folder
from aihubmix_video.types.request import FIELDS

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.types.events import BatchItem
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.types.request import VideoRequest

__all__ = ["request_object", "sidecar_object", "write_sidecar"]

LONG = 2048  # characters; URLs are shorter, media as text are longer
MODE = 0o600  # it holds the prompt
READ_AT_MOST = 1 << 20


def sidecar_object(result: RowResult, path: Path, saved_at: float) -> dict[str, object]:
    """Return the description of a saved video. Times are Unix seconds; the vendor's are null if it reported none."""
    video = result.video
    return {
        "video": path.name,
        "id": result.id,
        "key": result.key,
        "model": result.model,
        "request": request_object(result.request) if result.request is not None else None,
        **({"own": dict(result.own)} if result.own else {}),
        "created_at": video.created_at if video is not None else None,
        "completed_at": video.completed_at if video is not None else None,
        "expires_at": video.expires_at if video is not None else None,
        "saved_at": saved_at,
        "sha256": result.sha256,
        "bytes": result.bytes,
        "verified": video.verified if video is not None else None,
        "unverified": video.unverified if video is not None else None,
    }


def request_object(request: VideoRequest) -> dict[str, object]:
    """Return a request's fields; of media only their size and hash, or their name."""
    return {field: _plain(value) for field in FIELDS if (value := getattr(request, field)) is not None}


def _plain(value: object) -> object:
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return _medium(value.encode(errors="surrogatepass")) if _is_medium(value) else value
        case bytes() | bytearray() | memoryview():
            return _medium(bytes(value))
        case PurePath():
            return str(value)
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return type(value).__name__


def _is_medium(text: str) -> bool:
    return text[:5].lower() == "data:" or (len(text) > LONG and " " not in text[:LONG])


def _medium(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


async def write_sidecar(video: BatchItem | JobInfo | RowResult) -> Path | None:
    """Write ``NAME.json`` beside a saved video, and return its path; None if the video was not saved.

    The file is written whole or not at all, and replaces an earlier one of the same video. It is readable to its owner
    only, since it holds the prompt.

    Args:
        video: What a batch yielded, or a job of a session's registry.

    Raises:
        ConfigurationError: It cannot be written, or another file has its name, which is never replaced.
    """
    result = RowResult.of_any(video)
    if result.path is None or result.error is not None:
        return None
    path = result.path.with_suffix(".json")
    try:
        await to_thread.run_sync(_write, result, result.path, path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def _write(result: RowResult, video: Path, path: Path) -> None:
    known = _known(path, video.name)
    if result.earlier and known == result.sha256:
        return  # written when the video was saved; the ledger knows less of it
    ours = known is not None
    if not ours and os.path.lexists(path):
        raise ConfigurationError(f"{path} exists already and is not the sidecar of {video.name}; it was left alone.")
    content = sidecar_object(result, video, video.stat().st_mtime)
    data = f"{json.dumps(content, ensure_ascii=False, indent=2)}\n".encode(errors="backslashreplace")
    part = part_path(path)
    try:
        descriptor = open_private(str(part), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            make_durable(file.fileno(), MODE)
        publish(part, path, ours, hashlib.sha256(data).hexdigest())
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _known(path: Path, video: str) -> str | None:
    """Return the hash of the video of this name that a sidecar describes; None if the file is not such a sidecar."""
    try:
        if path.is_symlink() or path.stat().st_size > READ_AT_MOST:
            return None
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("video") != video:
        return None
    sha256 = found.get("sha256")
    return sha256 if isinstance(sha256, str) else None
