"""The id in an answer that cannot be read as a whole, for the user to judge: it is offered, never used by itself."""

from __future__ import annotations

import json
import re
import shlex

from aihubmix_video.protocol.video_ids import id_fault

__all__ = ["attach_hint", "stray_id"]

_NAMED = re.compile(rb'"(?:id|video_id|task_id)"\s*:\s*("(?:[^"\\\r\n]|\\.)*"|[0-9]{1,40}(?=\s*[,}\]]))')
_CHUNK_SIZE = re.compile(rb"\r\n[0-9A-Fa-f]{1,8}(?:;[^\r\n]*)?\r\n")


def stray_id(came: bytes) -> str | None:
    """Return the first whole id that stands in the bytes of an answer: the value of a JSON field that names one.

    Args:
        came: Any bytes: half a JSON document, or a response with its head, its body perhaps in chunks.
    """
    for text in (came, _CHUNK_SIZE.sub(b"", came)):
        found = (_read(match[1]) for match in _NAMED.finditer(text))
        if (first := next((each for each in found if id_fault(each) is None), None)) is not None:
            return first
    return None


def _read(value: bytes) -> str | None:
    try:
        return str(json.loads(value))
    except ValueError:  # not UTF-8, or a control character
        return None


def attach_hint(came: bytes, key: str, *, in_ledger: bool) -> str:
    """Return the sentence that offers the id in an answer, and the command to take it; empty if there is none."""
    found = stray_id(came)
    if found is None:
        return ""
    command = f"resume DIR --attach {shlex.quote(f'{key}={found}')}" if in_ledger else f"download {shlex.quote(found)}"
    return f"The id {found} stands in the answer; if the console has it, take it: `aihubmix-video {command}`."
