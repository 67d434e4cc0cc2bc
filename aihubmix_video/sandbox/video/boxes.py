"""Just enough of the MP4 container to rearrange a film: boxes, chunk offsets, durations.

ISO/IEC 14496-12. Independent of the client's own box walk, which is tested against these files.
"""

from __future__ import annotations

from struct import pack, pack_into, unpack_from
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTAINERS = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"})
LARGEST_SHORT_BOX = 2**32 - 1


@attrs.frozen
class Box:
    """A box within some bytes: its type, where it starts, where its payload starts and where it ends."""

    kind: bytes
    start: int
    payload: int
    end: int


def walk(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes side by side in ``data[start:end]``."""
    end = len(data) if end is None else end
    while start < end:
        size, kind = unpack_from(">I4s", data, start)
        header = 8
        if size == 1:
            (size,) = unpack_from(">Q", data, start + 8)
            header = 16
        yield Box(kind, start, start + header, start + size)
        start += size


def descend(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield every box, those inside others too."""
    for box in walk(data, start, end):
        yield box
        if box.kind in CONTAINERS:
            yield from descend(data, box.payload, box.end)


def make(kind: bytes, payload: bytes) -> bytes:
    """Make a box."""
    return pack(">I4s", 8 + len(payload), kind) + payload


def header(kind: bytes, length: int) -> bytes:
    """Make the header of a box with a payload of *length* bytes, in the long form where it must be."""
    if 8 + length <= LARGEST_SHORT_BOX:
        return pack(">I4s", 8 + length, kind)
    return pack(">I4sQ", 1, kind, 16 + length)


def shifted(moov: bytes, by: int) -> bytes:
    """Move every chunk offset by *by* bytes, for media data that lie elsewhere now."""
    moved = bytearray(moov)
    for box in descend(moov):
        form = {b"stco": "I", b"co64": "Q"}.get(box.kind)
        if form is not None:
            (count,) = unpack_from(">I", moov, box.payload + 4)
            offsets = unpack_from(f">{count}{form}", moov, box.payload + 8)
            pack_into(f">{count}{form}", moved, box.payload + 8, *(offset + by for offset in offsets))
    return bytes(moved)


def stretched(moov: bytes, factor: float) -> bytes:
    """Make a film last *factor* times as long, by its frames' times alone; for one track of evenly spaced frames."""
    longer = bytearray(moov)
    durations = {b"mvhd": 16, b"tkhd": 20, b"mdhd": 16}
    for box in descend(moov):
        if box.kind in durations:
            _scale(longer, box.payload + durations[box.kind], factor)
        elif box.kind == b"elst":
            _scale(longer, box.payload + 8, factor)
        elif box.kind == b"stts":
            (count,) = unpack_from(">I", moov, box.payload + 4)
            for index in range(count):
                _scale(longer, box.payload + 12 + 8 * index, factor)
    return bytes(longer)


def _scale(data: bytearray, at: int, factor: float) -> None:
    (value,) = unpack_from(">I", data, at)
    pack_into(">I", data, at, round(value * factor))
