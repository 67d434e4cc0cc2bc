"""Requests and destinations as text, with the media taken out.

A request is stored as readable JSON. Media (bytes, and long strings such as data URLs) are replaced by
``{"$medium": <sha256>, "as": "bytes" | "text"}`` and stored beside the ledger, each once. An object of the user that
has a key ``$medium`` or ``$plain`` is wrapped as ``{"$plain": {...}}``, so that it is never mistaken for a marker of
this module.
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
"""Length in characters above which a string in a media field counts as a medium; URLs are shorter."""

_MEDIUM: Final = "$medium"
_PLAIN: Final = "$plain"
MARK: Final = f'"{_MEDIUM}":'
"""Occurs in an encoded request if any medium was taken out of it, and rarely otherwise."""

if TYPE_CHECKING:
    Recall = Callable[[str], bytes | Path]
    """Returns the medium with a sha256: its content, or only its path."""


@attrs.frozen(kw_only=True)
class EncodedRequest:
    """A request encoded as text.

    Attributes:
        text: JSON.
        media: The media that were taken out, by sha256 (hex).
    """

    text: str
    media: Mapping[str, bytes] = attrs.field(repr=False)


def has_media(request: VideoRequest) -> bool:
    """Return whether packing a request may take so long that it should not block the event loop."""
    return any(getattr(request, field) is not None for field in MEDIA_FIELDS)


def pack(request: VideoRequest) -> EncodedRequest:
    """Return a request encoded as text, and its media.

    Raises:
        InvalidRequest: It holds a value that is not JSON, or a path or file that was not read yet.
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
        raise InvalidRequest.of("request", "…", f"cannot be recorded: {error}") from None
    return EncodedRequest(text=text, media=media)


def _packed(field: str, value: object, media: dict[str, bytes] | None) -> object:
    try:
        return _plain(field, value, media)
    except RecursionError:
        raise InvalidRequest.of(field, "…", "is nested too deeply, or contains itself") from None


def _plain(field: str, value: object, media: dict[str, bytes] | None) -> object:
    match value:
        case str() if media is not None and len(value) > LONG:
            return _extract_medium(value.encode("utf-8", "surrogatepass"), "text", media)
        case None | str() | bool() | int() | float():
            return value
        case bytes() | bytearray() | memoryview() if media is not None:
            return _extract_medium(bytes(value), "bytes", media)
        case Mapping():
            return _mapping(field, value, media)
        case list() | tuple():
            return [_plain(f"{field}[{place}]", item, media) for place, item in enumerate(value)]
        case PurePath() | object(read=_):
            raise InvalidRequest.of(field, str(value), "was not read yet, so it cannot be recorded")
        case _:
            raise InvalidRequest.of(field, value, f"is not JSON: {type(value).__name__}")


def _mapping(field: str, value: Mapping[object, object], media: dict[str, bytes] | None) -> object:
    for key in value:
        if not isinstance(key, str):
            raise InvalidRequest.of(field, key, "is the key of an object, and not a string")
    packed = {str(key): _plain(f"{field}.{key}", item, media) for key, item in value.items()}
    return {_PLAIN: packed} if _MEDIUM in packed or _PLAIN in packed else packed


def _extract_medium(data: bytes, kind: str, media: dict[str, bytes]) -> object:
    digest = hashlib.sha256(data).hexdigest()
    media[digest] = data
    return {_MEDIUM: digest, "as": kind}


def unpack(text: str, recall: Recall) -> VideoRequest:
    """Return the request that `pack` encoded; sequences become lists.

    Args:
        text: What `pack` wrote.
        recall: Returns each medium, or its path.

    Raises:
        ValueError: The text was not written by `pack`, or was written by a later version of it.
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
    """Return a destination as JSON; None if there is none."""
    return None if target is None else json.dumps(attrs.asdict(target), separators=(",", ":"))


def unpack_destination(text: str | None) -> Destination | None:
    """Return the destination that `pack_destination` encoded.

    Raises:
        ValueError: The text is not JSON, so it was not written by `pack_destination`.
        TypeError: Its fields are not those of a destination, or are of a later version.
    """
    return None if text is None else Destination(**json.loads(text))
