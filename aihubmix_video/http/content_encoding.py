"""Undoing an encoding of a video's body that a proxy put on, though none was asked for. Pure.

What comes out is bounded by who reads it: a piece of the body is decoded in pieces of at most 1 MiB.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["BodyDecoder", "decoder_of"]

PIECE_BYTES: Final = 1 << 20
_WINDOW: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": 32 + zlib.MAX_WBITS}
HIDDEN: Final = frozenset({"content-length", "etag", "last-modified", "accept-ranges", "content-encoding"})
"""Headers that tell of the encoded body; for the decoded one they would be wrong."""


class BodyDecoder:
    """Decodes one body."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._inflate = zlib.decompressobj(_WINDOW[encoding])

    def decoded(self, piece: bytes) -> Iterator[bytes]:
        """Yield what a piece of the body holds.

        Raises:
            ValueError: It is not in the encoding that was declared.
        """
        try:
            while piece:
                if self._inflate.eof:  # gzip files may follow each other
                    self._inflate = zlib.decompressobj(_WINDOW[self._encoding])
                if data := self._inflate.decompress(piece, PIECE_BYTES):
                    yield data
                piece = self._inflate.unconsumed_tail or self._inflate.unused_data
        except zlib.error:
            raise ValueError(f"is not in the {self._encoding} encoding that its answer declares") from None

    @property
    def whole(self) -> bool:
        """Whether the body so far ends where its encoding does."""
        return self._inflate.eof


def decoder_of(headers: Mapping[str, str]) -> BodyDecoder | None:
    """Return a decoder of the encoding that an answer declares; None where it declares none, or one that is not known."""
    encoding = headers.get("content-encoding", "").strip().lower()
    return BodyDecoder(encoding) if encoding in _WINDOW else None
