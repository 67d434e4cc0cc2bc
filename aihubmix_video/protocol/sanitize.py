"""Strangers' text made safe to print, log and keep: one bounded line, no escapes, no keys."""

from __future__ import annotations

import re

__all__ = ["LINE", "kept", "kept_ends", "plain"]

LINE = 500
"""Characters of one line of a stranger's text."""

KEPT_BYTES = 16_384
"""Bytes of an answer that are kept as evidence."""

# CSI and OSC sequences (ECMA-48), in their 7-bit and 8-bit forms, and the two-character escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[@-_]"
)
# Not the end of a word: an id such as "task-0123456789" is what the evidence is kept for.
_KEY = re.compile(r"(?<![A-Za-z]{2})sk-[A-Za-z0-9_-]{8,}")
_KEY_BYTES = re.compile(_KEY.pattern.encode())
_LEFT_OUT = b"\r\n[...]\r\n"


def plain(text: str, limit: int = LINE) -> str:
    """Return *text* as one printable line of at most *limit* characters; it may be empty.

    Terminal escapes, control characters and bidirectional overrides are taken out, white space is folded to single
    spaces, and anything shaped like an API key is masked: gateways have been known to quote it.
    """
    text = text[: limit * 8]  # bounds the work; folding cannot grow the text
    if not text.isprintable():
        text = "".join(map(_printable, _ESCAPES.sub("", text)))
    line = " ".join(_KEY.sub("sk-…", text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else ""


def kept(body: bytes) -> bytes:
    """Return as much of an answer as is kept as evidence, with API keys masked."""
    # Masked before the cut: half a key is no longer shaped like one.
    return _KEY_BYTES.sub(b"sk-...", body[: KEPT_BYTES * 2])[:KEPT_BYTES]


def kept_ends(response: bytes) -> bytes:
    """Cut a response whose head may be long to its beginning and its end, with API keys masked: the body is at the end."""
    masked = _KEY_BYTES.sub(b"sk-...", response)
    if len(masked) <= KEPT_BYTES:
        return masked
    return masked[: KEPT_BYTES // 4] + _LEFT_OUT + masked[len(_LEFT_OUT) - KEPT_BYTES * 3 // 4 :]
