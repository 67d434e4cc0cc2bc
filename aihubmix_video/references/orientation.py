"""How a picture is turned when it is shown: the orientation tag (TIFF 6.0 tag 274, as Exif 2.3 §4.6.4 has it).

Cameras save what the sensor saw and note how it was held. Viewers, and vendors, turn the picture by that note, so its sides as
shown are those that a size is compared with.
"""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["exif_of_jpeg_segment", "exif_of_png", "exif_of_webp", "is_turned"]

ORIENTATION_TAG: Final = 0x0112
TURNED: Final = frozenset({5, 6, 7, 8})
"""The orientations in which width and height change places."""

MAX_ENTRIES: Final = 512
"""Tags of one directory that are looked at; cameras write some twenty."""
MAX_CHUNKS: Final = 20_000
"""Chunks of a file that are looked at."""

_EXIF: Final = b"Exif\0\0"


def is_turned(exif: bytes | memoryview | None) -> bool:
    """Return whether width and height of a picture change places when it is shown.

    Args:
        exif: A TIFF structure, or None; one that is damaged says nothing.
    """
    if exif is None or len(exif) < 8:
        return False
    order = _byte_order(bytes(exif[:4]))
    if order is None:
        return False
    at = int.from_bytes(exif[4:8], order)
    count = min(int.from_bytes(exif[at : at + 2], order), MAX_ENTRIES)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if int.from_bytes(exif[entry : entry + 2], order) == ORIENTATION_TAG and entry + 12 <= len(exif):
            return int.from_bytes(exif[entry + 8 : entry + 10], order) in TURNED
    return False


def _byte_order(head: bytes) -> Literal["little", "big"] | None:
    if head == b"II*\0":
        return "little"
    return "big" if head == b"MM\0*" else None


def exif_of_jpeg_segment(segment: bytes) -> bytes | None:
    """Return the TIFF structure in an APP1 segment's content, if it is one of Exif."""
    return segment.removeprefix(_EXIF) if segment.startswith(_EXIF) else None


def exif_of_png(data: bytes) -> bytes | None:
    """Return the TIFF structure in a PNG's ``eXIf`` chunk, if it has one."""
    at = 8
    for _ in range(MAX_CHUNKS):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind == b"eXIf":
            return data[at + 8 : at + 8 + size]
        if len(kind) < 4 or kind == b"IEND":
            return None
        at += 12 + size
    return None


def exif_of_webp(data: bytes) -> bytes | None:
    """Return the TIFF structure in a WebP's ``EXIF`` chunk, if it has one."""
    at = 12
    for _ in range(MAX_CHUNKS):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"EXIF":
            return data[at + 8 : at + 8 + size].removeprefix(_EXIF)
        if len(kind) < 4:
            return None
        at += 8 + size + size % 2
    return None
