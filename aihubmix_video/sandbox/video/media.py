"""The bytes of a film, without holding a large one in memory."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_SIZE = 4 * 2**20 - 3
"""Odd on purpose: a download that loses or repeats a power of two of bytes must not match by chance."""


@cache
def block() -> bytes:
    """Return the random bytes that fill large films, over and over."""
    return Random(20260601).randbytes(BLOCK_SIZE)  # noqa: S311  # filler, not a secret


@attrs.frozen
class Filler:
    """*length* bytes from the endless repetition of `block`, from *offset* on."""

    offset: int
    length: int

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield the stretches of `block` it consists of: (start, length)."""
        done = 0
        while done < self.length:
            start = (self.offset + done) % BLOCK_SIZE
            length = min(BLOCK_SIZE - start, self.length - done)
            yield start, length
            done += length


Segment = bytes | Filler


@attrs.frozen
class Media:
    """A body made of segments: bytes in memory, and filler."""

    segments: tuple[Segment, ...]

    @property
    def length(self) -> int:
        """Its length in bytes."""
        return sum(_length(segment) for segment in self.segments)

    def slice(self, start: int, stop: int) -> Media:
        """Return the bytes from *start* up to *stop*, both within its length."""
        kept: list[Segment] = []
        at = 0
        for segment in self.segments:
            length = _length(segment)
            first, last = max(start - at, 0), min(stop - at, length)
            if first < last:
                kept.append(_part(segment, first, last))
            at += length
        return Media(tuple(kept))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield its bytes in pieces of at most *size*."""
        for segment in self.segments:
            if isinstance(segment, bytes):
                for start in range(0, len(segment), size):
                    yield segment[start : start + size]
                continue
            for begin, length in segment.runs():
                for start in range(begin, begin + length, size):
                    yield block()[start : min(start + size, begin + length)]

    def read(self) -> bytes:
        """Return all of it; for small ones."""
        return b"".join(self.pieces(2**20))

    def sha256(self) -> str:
        """Return the hex digest of its bytes."""
        digest = sha256()
        for piece in self.pieces(2**20):
            digest.update(piece)
        return digest.hexdigest()


def _length(segment: Segment) -> int:
    return segment.length if isinstance(segment, Filler) else len(segment)


def _part(segment: Segment, first: int, last: int) -> Segment:
    if isinstance(segment, Filler):
        return Filler(segment.offset + first, last - first)
    return segment if last - first == len(segment) else segment[first:last]
