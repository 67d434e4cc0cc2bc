"""Answers written by hand, for faults that replace the gateway's own."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.sandbox.gateway_response import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping


@attrs.frozen
class CannedResponse:
    """An answer written by hand."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(
        cls,
        status: int,
        body: bytes | str | Mapping[str, object] | None,
        *,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> CannedResponse:
        """Make one; *content_type* defaults to JSON, and to none for an empty body."""
        if body is None:
            body = gateway_error(f"upstream answered {status}")
        if not isinstance(body, (bytes, str)):
            body = dumps(body)
        data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        given = tuple((headers or {}).items())
        typed = () if not data and content_type is None else (("Content-Type", content_type or JSON_TYPE),)
        return cls(status, data, (*typed, *given))


NOTHING = CannedResponse(0, b"", ())
"""No answer at all."""


def gateway_error(message: str) -> dict[str, object]:
    """Write the gateway's own envelope of errors, without a ``tid``."""
    return {"error": {"message": message, "type": "Aihubmix_api_error"}, "type": "error"}
