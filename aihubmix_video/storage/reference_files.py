"""Reading reference media from disk: once, off the event loop, and before anything is sent."""

from __future__ import annotations

import inspect
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from anyio import to_thread

from aihubmix_video.errors import InvalidRequest, Problem
from aihubmix_video.references.inspect import MAX_BYTES, content_url, is_unread, with_content_url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anyio import CapacityLimiter

    from aihubmix_video.types.request import VideoRequest

__all__ = ["load", "read_path"]

_SINGLE = ("input_reference", "image", "image_tail")
_SPECIAL = (
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISFIFO, "is a named pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


async def load(request: VideoRequest, limiter: CapacityLimiter | None = None) -> VideoRequest:
    """Return the request with the bytes of every path and file object among its references.

    Args:
        request: Its other references are left as they are.
        limiter: Bounds the threads that read; None for anyio's own bound.

    Returns:
        The same request when there was nothing to read.

    Raises:
        InvalidRequest: Every reference that cannot be read, each with its field and the reason.
    """
    unread = {name: value for name in _SINGLE if is_unread(value := getattr(request, name))}
    images = request.image_list if isinstance(request.image_list, (list, tuple)) else ()
    unread |= {f"image_list[{place}]": image for place, image in enumerate(images) if is_unread(image)}
    content = request.content if isinstance(request.content, (list, tuple)) else ()
    media = {place: found for place, item in enumerate(content) if (found := content_url(item)) is not None}
    unread |= {f"content[{place}].{name}": value for place, (name, value) in media.items() if is_unread(value)}
    if not unread:
        return request
    read = await to_thread.run_sync(_read_all, unread, limiter=limiter)
    if problems := [found for found in read.values() if isinstance(found, Problem)]:
        raise InvalidRequest(problems)
    singles = {name: found for name, found in read.items() if name in _SINGLE}
    listed = tuple(read.get(f"image_list[{place}]", image) for place, image in enumerate(images))
    items = tuple(
        with_content_url(item, read[f"content[{place}].{media[place][0]}"])
        if place in media and f"content[{place}].{media[place][0]}" in read
        else item
        for place, item in enumerate(content)
    )
    changes: dict[str, object] = {**singles}
    if images:
        changes["image_list"] = listed
    if content:
        changes["content"] = items
    return attrs.evolve(request, **changes)  # type: ignore[arg-type]  # fields by name


def _read_all(unread: dict[str, object]) -> dict[str, bytes | Problem]:
    return {
        field: read_path(field, value) if isinstance(value, Path) else _read_file(field, value)
        for field, value in unread.items()
    }


def read_path(field: str, path: Path) -> bytes | Problem:
    """Read a whole regular file; anything else that a path may name is refused without being opened."""
    try:
        before = path.stat()
        if reason := _unfit(before):
            return Problem.of(field, str(path), reason)
        # Not blocking: should the file be replaced by a pipe meanwhile, opening it would hang for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor, not a path
            opened = os.fstat(descriptor)
            if reason := _unfit(opened):
                return Problem.of(field, str(path), reason)
            data = _read_up_to(file.read, opened.st_size + 1)
            after = os.fstat(descriptor)
    except (OSError, ValueError) as error:
        return Problem.of(field, str(path), _said(error))
    if len(data) != opened.st_size or _version(after) != _version(opened):
        return Problem.of(field, str(path), "changed while it was read")
    return data


def _unfit(found: os.stat_result) -> str | None:
    """Return why a file is not read, judged by its kind and size; None if it is."""
    if not stat.S_ISREG(found.st_mode):
        kinds = (said for is_kind, said in _SPECIAL if is_kind(found.st_mode))
        return f"{next(kinds, 'is not a regular file')}; a reference must be a regular file"
    if found.st_size == 0:
        return "is empty"
    if found.st_size > MAX_BYTES:
        return f"has {found.st_size} bytes; at most {MAX_BYTES} are allowed; pass a URL instead"
    return None


def _version(found: os.stat_result) -> Sequence[int]:
    return found.st_size, found.st_mtime_ns, found.st_ino


def _said(error: OSError | ValueError) -> str:
    """Return in words why a file could not be read."""
    match error:
        case FileNotFoundError():
            return "does not exist"
        case PermissionError():
            return "cannot be read by this user: permission denied"
        case OSError(strerror=str(reason)):
            return f"cannot be read: {reason}"
        case _:
            return f"cannot be read: {error}"


def _read_file(field: str, file: object) -> bytes | Problem:
    """Read a file object from its current position; it must be open and binary."""
    name = str(getattr(file, "name", type(file).__name__))
    if getattr(file, "closed", False):
        return Problem.of(field, name, "is closed; a file object must be open and binary")
    try:
        data = _read_up_to(file.read, MAX_BYTES + 1)  # type: ignore[attr-defined]  # `is_unread` saw its read()
    except Exception as error:  # noqa: BLE001 - it is the user's object
        return Problem.of(field, name, f"cannot be read: {error or type(error).__name__}")
    if not data:
        return Problem.of(field, name, "is empty, or was read to its end before")
    if len(data) > MAX_BYTES:
        return Problem.of(field, name, f"has more than {MAX_BYTES} bytes; pass a URL instead")
    return data


def _read_up_to(read: Callable[[int], object], limit: int) -> bytes:
    """Read to the end, or *limit* bytes; some files return less than was asked for.

    Raises:
        TypeError: It does not return bytes, such as a text-mode or an asynchronous file.
    """
    parts: list[bytes] = []
    while limit > 0 and (part := read(limit)):
        if inspect.iscoroutine(part):
            part.close()
        if not isinstance(part, bytes):
            raise TypeError(f"it returns {type(part).__name__}; a file object must be open and binary")
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)
