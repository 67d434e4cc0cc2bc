"""What a body that is not an MP4 may be: by its first bytes, since content types of gateways say little. Pure.

Sources: the formats' own magic numbers (EBML for WebM and Matroska, RIFF, MPEG-TS sync bytes, FLV, Ogg, gzip).
"""

from __future__ import annotations

from typing import Final

__all__ = ["SNIFFED_BYTES", "is_text", "suffix_of"]

SNIFFED_BYTES: Final = 4096
TS_PACKET: Final = 188
_CONTROLS: Final = frozenset(range(32)) - {9, 10, 12, 13, 27}
_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"FLV\x01", ".flv"),
    (0, b"OggS", ".ogv"),
    (0, b"\x1f\x8b", ".gz"),
    (0, b"PK\x03\x04", ".zip"),
    (0, b"\x28\xb5\x2f\xfd", ".zst"),
    (8, b"AVI ", ".avi"),
    (8, b"WEBP", ".webp"),
    (0, b"GIF8", ".gif"),
    (0, b"\x89PNG\r\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"\x00\x00\x01\xba", ".mpg"),
    (0, b"\x30\x26\xb2\x75", ".wmv"),
)


def suffix_of(head: bytes) -> str | None:
    """Return the suffix of the format that *head* begins; ``".mp4"`` for any file of boxes, None for an unknown one."""
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"free", b"wide", b"skip"}:
        return ".mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ".webm" if b"webm" in head[:64] else ".mkv"
    if head[:1] == b"G" and head[TS_PACKET : TS_PACKET + 1] == b"G":
        return ".ts"
    return next((suffix for at, magic, suffix in _MAGIC if head[at:].startswith(magic)), None)


def is_text(head: bytes) -> bool:
    """Whether a body is a page, an error or another text, rather than media: no control characters, and UTF-8 or Latin-1."""
    return not any(byte in _CONTROLS for byte in head[:SNIFFED_BYTES]) and suffix_of(head) is None
