"""JSON as the gateway writes it."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def json_bytes(value: Mapping[str, object]) -> bytes:
    """Write an object compactly, in UTF-8 and not escaped."""
    return dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
