"""What is written into an object's metadata: plain ASCII, and less than the 2 KB that S3 takes. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.capabilities.schema import MEDIA

if TYPE_CHECKING:
    from aihubmix_video.storage.object_storage import ObjectFacts
    from aihubmix_video.types.request import VideoRequest

__all__ = ["metadata_of"]

MAX_REQUEST_BYTES: Final = 1200
MAX_ID_BYTES: Final = 300
LEFT_OUT: Final = frozenset({*MEDIA, "content", "extra_body"})
"""Fields that hold media, or whatever a caller puts there: links in them may be secret."""


def metadata_of(facts: ObjectFacts) -> dict[str, str]:
    """Return an object's metadata: ``sha256``, ``job``, ``video``, ``model`` and ``request``, as JSON without its media."""
    found = {
        "Content-Type": "video/mp4",
        "sha256": facts.sha256,
        "job": _ascii(facts.job),
        "video": _ascii(facts.video),
    }
    if facts.request is not None:
        found |= {"model": _ascii(facts.request.model), "request": _request(facts.request)}
    return found


def _ascii(text: str) -> str:
    """Return *text* as a header may hold it."""
    return json.dumps(text)[1:-1].strip()[:MAX_ID_BYTES]


def _request(request: VideoRequest) -> str:
    """Return the request as JSON; of one that is too long, the prompt is cut, and ``cut`` is true."""
    fields = {
        field.name: value
        for field in attrs.fields(type(request))
        if field.name not in LEFT_OUT and isinstance(value := getattr(request, field.name), (str, int, float))
    }
    text = json.dumps(fields)
    if len(text) <= MAX_REQUEST_BYTES:
        return text
    prompt = request.prompt[:MAX_REQUEST_BYTES]
    while prompt:
        text = json.dumps(fields | {"prompt": prompt, "cut": True})
        if len(text) <= MAX_REQUEST_BYTES:
            return text
        prompt = prompt[: len(prompt) * 3 // 4]
    return json.dumps({"cut": True})
