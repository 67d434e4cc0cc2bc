"""What the gateway answers: a status, headers and a body, before anything is put on a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.sandbox.json_bytes import json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.sandbox.jobs import SandboxJob

JSON_TYPE = "application/json; charset=utf-8"


@attrs.frozen
class GatewayResponse:
    """One answer of the gateway.

    Attributes:
        status: The HTTP status.
        body: The bytes of the body; empty when `film` is given.
        content_type: Of the body; empty for none.
        headers: Further headers.
        film: The job whose video is the body.
        job: The job a create made.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    film: SandboxJob | None = None
    job: SandboxJob | None = None


def json_answer(status: int, value: Mapping[str, object]) -> GatewayResponse:
    """Answer with a JSON object."""
    return GatewayResponse(status, json_bytes(value))
