"""When two requests are the same, so that a row of a batch is recognised when the batch is run again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.references.inspect import Medium, is_unread, read_medium
from aihubmix_video.types.request import FIELDS, VideoRequest
from aihubmix_video.types.whole_number import whole_number

__all__ = ["fingerprint"]

_VERSION: Final = b"aihubmix_video request 1\n"
_REFERENCES: Final = frozenset({"input_reference", "image", "image_tail"})
_WHOLE: Final = 2**53
"""Up to this value every whole float is exactly one integer."""


def fingerprint(request: VideoRequest, digests: Mapping[Path, str] | None = None) -> str:
    """Return a digest of what a request asks for.

    A medium counts by its content, however it is given: as bytes, a data URL, base64 or a path. Fields left at None do
    not count. Whether a whole number is written ``5``, ``5.0`` or, for `seconds`, ``"5"`` or ``"5.0"`` does not matter. A URL counts
    by its text.

    Args:
        request: References still on disk must be named in *digests*.
        digests: The sha256 (hex) of the content of each path among the references.

    Returns:
        64 hex digits.

    Raises:
        InvalidRequest: A reference was not read yet, or a value is not JSON.
    """
    given = {field: getattr(request, field) for field in FIELDS}
    try:
        canonical = {field: _field(field, value, digests or {}) for field, value in given.items() if value is not None}
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise InvalidRequest.of("request", "…", f"cannot be fingerprinted: {error}") from None
    return hashlib.sha256(_VERSION + text.encode("ascii")).hexdigest()


def _field(field: str, value: object, digests: Mapping[Path, str]) -> object:
    if field == "seconds":
        whole = whole_number(value)
        return str(_number(value) if whole is None else whole)
    if field in _REFERENCES:
        return _reference(field, value, digests)
    if field == "image_list" and isinstance(value, (list, tuple)):
        return [_reference(f"{field}[{place}]", item, digests) for place, item in enumerate(value)]
    return _json(field, value)


def _reference(field: str, value: object, digests: Mapping[Path, str]) -> object:
    if isinstance(value, Path) and value in digests:
        return {"sha256": digests[value]}
    if is_unread(value):
        raise InvalidRequest.of(field, str(value), "was not read yet, so its content is not known")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    match read_medium(field, value):
        case Medium(data=bytes(data)):
            return {"sha256": hashlib.sha256(data).hexdigest()}
        case _:  # a URL, or a value that only an unchecked request can hold
            return _json(field, value)


def _json(field: str, value: object) -> object:
    match value:
        case bool() | str() | None:
            return value
        case int() | float():
            return _number(value)
        case bytes() | bytearray() | memoryview():
            return {"sha256": hashlib.sha256(value).hexdigest()}
        case Mapping():
            return {str(key): _json(f"{field}.{key}", item) for key, item in value.items()}
        case list() | tuple():
            return [_json(f"{field}[{place}]", item) for place, item in enumerate(value)]
        case _:
            raise InvalidRequest.of(field, value, f"is not JSON: {type(value).__name__}")


def _number(value: object) -> object:
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE
    return int(value) if isinstance(value, float) and whole else value
