"""Requests and destinations as text, with the media taken out.

A request is kept as JSON that a person can read. Media (bytes, and long strings such as data URLs) are replaced by
``{"$medium": <sha256>, "as": "bytes" | "text"}`` and kept beside the ledger, each once. An object of the user's own that
has a key of ours is wrapped as ``{"$plain": {...}}``, so that nothing a user writes is taken for ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import attrs

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.ledger.entry import Destination
from aihubmix_video.types.request import FIELDS, VideoRequest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MARK",
    "MEDIA_FIELDS",
    "EncodedRequest",
    "Recall",
    "has_media",
    "pack",
    "pack_destination",
    "unpack",
    "unpack_destination",
]

MEDIA_FIELDS: Final = ("input_reference", "image", "image_tail", "image_list", "video_list", "content", "extra_body")
LONG: Final = 2048
"""Characters from which a string among the media fields counts as a medium; URLs are shorter."""

_MEDIUM: Final = "$medium"
_PLAIN: Final = "$plain"
MARK: Final = f'"{_MEDIUM}":'
"""Found in a packed request if any medium was taken out, and hardly ever otherwise."""

if TYPE_CHECKING:
    Recall = Callable[[str], bytes | Path]
    """Gives a medium by its sha256: what it holds, or only where it lies."""


@attrs.frozen(kw_only=True)
class EncodedRequest:
    """A request written down.

    Attributes:
        text: JSON.
        media: What was taken out, by sha256 (hex).
    """

    text: str
    media: Mapping[str, bytes] = attrs.field(repr=False)


def has_media(request: VideoRequest) -> bool:
    """Say whether packing a request may take long enough not to do it in passing."""
    return any(getattr(request, field) is not None for field in MEDIA_FIELDS)


def pack(request: VideoRequest) -> EncodedRequest:
    """Write a request down.

    Raises:
        InvalidRequest: It holds something that is no JSON, or a path or file that was not read yet.
    """
    media: dict[str, bytes] = {}
    given = {field: getattr(request, field) for field in FIELDS}
    document = {
        field: _packed(field, value, media if field in MEDIA_FIELDS else None)
        for field, value in given.items()
        if value is not None
    }
    try:
        text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest.of("request", "…", f"cannot be written down: {error}") from None
    return EncodedRequest(text=text, media=media)


def _packed(field: str, value: object, media: dict[str, bytes] | None) -> object:
    try:
        return _plain(field, value, media)
    except RecursionError:
        raise InvalidRequest.of(field, "…", "is nested too deeply, or holds itself") from None


def _plain(field: str, value: object, media: dict[str, bytes] | None) -> object:
    match value:
        case str() if media is not None and len(value) > LONG:
            return _taken_out(value.encode("utf-8", "surrogatepass"), "text", media)
        case None | str() | bool() | int() | float():
            return value
        case bytes() | bytearray() | memoryview() if media is not None:
            return _taken_out(bytes(value), "bytes", media)
        case Mapping():
            return _mapping(field, value, media)
        case list() | tuple():
            return [_plain(f"{field}[{place}]", item, media) for place, item in enumerate(value)]
        case PurePath() | object(read=_):
            raise InvalidRequest.of(field, str(value), "was not read yet, so it cannot be recorded")
        case _:
            raise InvalidRequest.of(field, value, f"is no JSON: {type(value).__name__}")


def _mapping(field: str, value: Mapping[object, object], media: dict[str, bytes] | None) -> object:
    for key in value:
        if not isinstance(key, str):
            raise InvalidRequest.of(field, key, "is the key of an object, and no string")
    packed = {str(key): _plain(f"{field}.{key}", item, media) for key, item in value.items()}
    return {_PLAIN: packed} if _MEDIUM in packed or _PLAIN in packed else packed


def _taken_out(data: bytes, kind: str, media: dict[str, bytes]) -> object:
    digest = hashlib.sha256(data).hexdigest()
    media[digest] = data
    return {_MEDIUM: digest, "as": kind}


def unpack(text: str, recall: Recall) -> VideoRequest:
    """Read a request back; sequences come back as lists.

    Args:
        text: What `pack` wrote.
        recall: Gives each medium.

    Raises:
        ValueError: It was not `pack` that wrote this, or a later version of it.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("a request must be an object")  # noqa: TRY004 - a wrong value in a file, not a wrong call
    fields: dict[str, Any] = {field: _restored(value, recall) for field, value in document.items()}  # Any: as packed
    return VideoRequest(**fields)


def _restored(value: object, recall: Recall) -> object:
    match value:
        case {"$plain": dict(inner)}:
            return {key: _restored(item, recall) for key, item in inner.items()}
        case {"$medium": str(digest), "as": kind}:
            found = recall(digest)
            return found.decode("utf-8", "surrogatepass") if isinstance(found, bytes) and kind == "text" else found
        case dict():
            return {key: _restored(item, recall) for key, item in value.items()}
        case list():
            return [_restored(item, recall) for item in value]
        case _:
            return value


def pack_destination(target: Destination | None) -> str | None:
    """Write a destination down."""
    return None if target is None else json.dumps(attrs.asdict(target), separators=(",", ":"))


def unpack_destination(text: str | None) -> Destination | None:
    """Read a destination back.

    Raises:
        ValueError: It was not `pack_destination` that wrote this, or a later version of it.
        TypeError: Likewise.
    """
    return None if text is None else Destination(**json.loads(text))
