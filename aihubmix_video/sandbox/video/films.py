"""Films of one's own: from one rendered clip, a file for every job that differs from all others in a few bytes.

A film is ``ftyp``, a ``free`` box with the job's mark, ``moov``, ``mdat`` and the mark again: the end tells films apart as
well as the beginning, so that a file spliced from two of them matches neither.
"""

from __future__ import annotations

from hashlib import sha256
from struct import pack
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.sandbox.video import boxes
from aihubmix_video.sandbox.video.media import Filler, Media

if TYPE_CHECKING:
    from aihubmix_video.sandbox.video.media import Segment

MARK_SIZE = 8 + 64


@attrs.frozen
class Clip:
    """A rendered clip taken apart.

    Attributes:
        ftyp: The file type box.
        moov: The index; its chunk offsets count from the start of `frames`.
        frames: What ``mdat`` holds.
    """

    ftyp: bytes
    moov: bytes
    frames: bytes

    @classmethod
    def parse(cls, data: bytes) -> Clip:
        """Take a file apart that was rendered in any order of boxes."""
        found = {box.kind: box for box in boxes.walk(data)}
        ftyp, moov, mdat = found[b"ftyp"], found[b"moov"], found[b"mdat"]
        index = boxes.shifted(data[moov.start : moov.end], -mdat.payload)
        return cls(data[ftyp.start : ftyp.end], index, data[mdat.payload : mdat.end])

    def stretched(self, factor: float) -> Clip:
        """Return the same pictures over another time."""
        return attrs.evolve(self, moov=boxes.stretched(self.moov, factor))


def skeleton() -> Clip:
    """Return the smallest clip that is one by its boxes; it holds no track."""
    movie = bytearray(100)
    movie[12:20] = pack(">II", 1000, 5000)
    movie[20:26] = pack(">IH", 0x00010000, 0x0100)
    movie[96:100] = pack(">I", 1)
    ftyp = boxes.make(b"ftyp", b"isom" + pack(">I", 512) + b"isomiso2mp41")
    return Clip(ftyp, boxes.make(b"moov", boxes.make(b"mvhd", bytes(movie))), b"")


def film(clip: Clip, name: str, *, size: int | None = None) -> Media:
    """Return *name*'s film of *clip*; with *size*, as long as that in bytes by filling up ``mdat``.

    A size too small for the clip is filled from the `skeleton` instead; one too small for that gives the smallest film.
    """
    filling = 0
    if size is not None:
        filling = _filling(clip, size)
        if filling < 0:
            clip = skeleton()
            filling = max(0, _filling(clip, size))
    mark = boxes.make(b"free", sha256(name.encode()).hexdigest().encode())
    head = boxes.header(b"mdat", len(clip.frames) + filling)
    frames_at = len(clip.ftyp) + MARK_SIZE + len(clip.moov) + len(head)
    segments: list[Segment] = [clip.ftyp + mark + boxes.shifted(clip.moov, frames_at) + head, clip.frames]
    if filling:
        segments.append(Filler(0, filling))
    return Media((*segments, mark))


def _filling(clip: Clip, size: int) -> int:
    fixed = len(clip.ftyp) + 2 * MARK_SIZE + len(clip.moov) + len(clip.frames) + 8
    filling = size - fixed
    too_long = len(clip.frames) + filling + 8 > boxes.LARGEST_SHORT_BOX
    return filling - 8 if too_long else filling
