"""Encodings of a body that nobody asked for."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.http.content_encoding import PIECE_BYTES, decoder_of


def encoded(data: bytes, encoding: str) -> bytes:
    """Encode as a server does."""
    return zlib.compress(data) if encoding == "deflate" else gzip.compress(data)


@given(st.binary(max_size=5000), st.sampled_from(["gzip", "x-gzip", "deflate", " GZIP "]), st.integers(1, 100))
def test_what_was_encoded_is_decoded_in_pieces_of_any_size(data: bytes, encoding: str, size: int):
    """A socket cuts where it likes."""
    decoder = decoder_of({"content-encoding": encoding})
    assert decoder is not None
    body, found = encoded(data, encoding.strip().lower()), bytearray()
    for at in range(0, len(body), size):
        assert not decoder.whole
        for piece in decoder.decoded(body[at : at + size]):
            found += piece
    assert decoder.whole
    assert data == found


def test_a_piece_that_unpacks_to_much_comes_in_bounded_pieces():
    """So that whoever reads can stop at his limit."""
    decoder = decoder_of({"content-encoding": "gzip"})
    assert decoder is not None
    body = gzip.compress(bytes(5 * PIECE_BYTES))
    assert [PIECE_BYTES] * 5 == [len(piece) for piece in decoder.decoded(body)]


def test_what_is_not_so_encoded_is_refused():
    """A label may be wrong."""
    decoder = decoder_of({"content-encoding": "gzip"})
    assert decoder is not None
    with pytest.raises(ValueError, match="gzip"):
        list(decoder.decoded(b"\0\0\0\x20ftypisom"))


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "identity"}, {"content-encoding": "br"}])
def test_other_encodings_are_left_as_they_are(headers: dict[str, str]):
    """There is nothing in the standard library that undoes them."""
    assert None is decoder_of(headers)
