"""Names and values of what traces and metrics tell of a job. Pure.

Names of the OpenTelemetry GenAI semantic conventions are used where they have one, and ``aihubmix.video.*`` otherwise. The
key, reference media and the owner are never told; the prompt, and what vendors say of it, only to those who ask for it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.errors import VideoError
    from aihubmix_video.types.request import VideoRequest

__all__ = ["AttributeValue", "error_type", "prompt_attributes", "request_attributes", "server_attributes", "span_name"]

AttributeValue = str | bool | int | float

OPERATION: Final = "generate_content"
PROVIDER: Final = "aihubmix"
PREFIX: Final = "aihubmix.video."

COMMON: Final[Mapping[str, AttributeValue]] = {
    "gen_ai.operation.name": OPERATION,
    "gen_ai.provider.name": PROVIDER,
    "gen_ai.output.type": "video",
}
"""Of every job's span; the conventions list no value for video, and allow others than they list."""
REQUEST_FIELDS: Final = ("seconds", "size", "aspect_ratio", "resolution", "ratio", "mode")
"""Of a request, what tells one kind of job from another, beside its model."""


def span_name(model: str | None) -> str:
    """Return the name of a job's span."""
    return OPERATION if not model else f"{OPERATION} {model}"


def server_attributes(base_url: str) -> dict[str, AttributeValue]:
    """Return where the gateway is."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"server.address": parts.hostname or "", "server.port": port}


def request_attributes(request: VideoRequest | None) -> dict[str, AttributeValue]:
    """Return what is asked for, without the prompt and the media."""
    if request is None:
        return {}
    told: dict[str, AttributeValue] = {"gen_ai.request.model": request.model}
    if request.seed is not None:
        told["gen_ai.request.seed"] = request.seed
    for name in REQUEST_FIELDS:
        value = getattr(request, name)
        if value is not None:
            told[f"{PREFIX}request.{name}"] = value if isinstance(value, (bool, int, float)) else str(value)
    return told


def prompt_attributes(request: VideoRequest | None) -> dict[str, AttributeValue]:
    """Return the prompt, in the form that the conventions give to messages."""
    if request is None or not request.prompt:
        return {}
    message = {"role": "user", "parts": [{"type": "text", "content": request.prompt}]}
    return {"gen_ai.input.messages": json.dumps([message], ensure_ascii=False)}


def error_type(error: VideoError | None) -> str | None:
    """Return the name of an error's class, of which there are few."""
    return None if error is None else type(error).__name__
