"""Video ids: opaque text of the gateway's making, sent back as exactly one path segment.

Observed ids have 88 to 260 characters of [A-Za-z0-9], but nothing documents that. So any text is carried as it is,
percent-encoded, except what could never be an id or would not survive the way: a client that joins ``..`` into a URL
asks about something else, and URL libraries have been seen to drop line breaks, which makes it another id.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from aihubmix_video.errors import InvalidRequest

__all__ = ["LONGEST_ID", "check_id", "id_fault", "id_segment"]

LONGEST_ID = 1024
"""Characters; four times the longest id seen."""

_IN_URL = re.compile(r"/videos/([^/?#]+)")
_SHORTENED = ("…", "...")


def id_fault(value: object) -> str | None:
    """Return why *value* cannot be an id, whether a caller or a gateway gave it; None if it can."""
    if not isinstance(value, str) or not value.strip():
        return "must be a non-empty string"
    if len(value) > LONGEST_ID:
        return f"has {len(value):,} characters; an id has at most {LONGEST_ID:,}"
    if value in {".", ".."}:
        return "is a path step, not an id"
    if not value.isprintable() or value != value.strip():
        return "holds a control character, or a space at an end; copy the id exactly"
    return "is garbled: it holds the mark of an undecodable character" if "\ufffd" in value else None


def check_id(value: object) -> None:
    """Refuse what a user cannot have meant as the id of a video.

    Raises:
        InvalidRequest: It is not an id, or it is a URL, or an id shortened for display. Nothing was sent.
    """
    fault = id_fault(value)
    if fault is None and isinstance(value, str):
        if "://" in value:
            found = _IN_URL.search(value)
            nearest = unquote(found[1]) if found else None
            raise InvalidRequest.of("video_id", value, "this is a URL; pass the id", nearest=nearest)
        if value.endswith(_SHORTENED) or "…" in value:
            fault = "is an incomplete id: it was shortened for display; pass the whole id"
    if fault is not None:
        raise InvalidRequest.of("video_id", value, fault)


def id_segment(video_id: str) -> str:
    """Return a checked id as one URL path segment, which unquotes to the id again."""
    return quote(video_id, safe="")
