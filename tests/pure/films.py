"""MP4 files made by hand, small enough to be cut at every byte."""

from __future__ import annotations

from struct import pack


def box(kind: bytes, payload: bytes = b"", *, size: int | None = None, long: bool = False) -> bytes:
    """Make one box; *size* lies about its length, *long* writes it in 64 bits."""
    length = len(payload) + (16 if long else 8)
    stated = length if size is None else size
    head = pack(">I4sQ", 1, kind, stated) if long else pack(">I4s", stated, kind)
    return head + payload


FTYP = box(b"ftyp", b"isom\0\0\2\0isommp42")


def clock(kind: bytes, seconds: float, *, version: int = 0, scale: int = 1000) -> bytes:
    """Make a movie's or a track's header that states a playing time."""
    wide = "QQIQ" if version else "IIII"
    return box(kind, bytes([version, 0, 0, 0]) + pack(f">{wide}", 0, 0, scale, round(seconds * scale)) + bytes(16))


def index(seconds: float = 5.0, *, version: int = 0, inside: bytes = b"") -> bytes:
    """Make an index (moov) with one track."""
    track_header = box(b"tkhd", bytes([0, 0, 0, 7]) + pack(">III", 0, 0, 1) + bytes(60))
    track = box(b"trak", track_header + box(b"mdia", clock(b"mdhd", seconds, version=version)))
    return box(b"moov", clock(b"mvhd", seconds, version=version) + track + inside)


def film(media: bytes = b"media" * 40, *, index_first: bool = False, seconds: float = 5.0) -> bytes:
    """Make an ordinary file: one index and one block of media, in either order."""
    parts = [box(b"mdat", media), index(seconds)]
    return FTYP + b"".join(reversed(parts) if index_first else parts)


def fragment(start: float, media: bytes = b"x" * 30, *, scale: int = 1000) -> bytes:
    """Make one fragment (moof and mdat) that begins at *start* seconds."""
    track = box(b"tfhd", pack(">II", 0, 1)) + box(b"tfdt", b"\1\0\0\0" + pack(">Q", round(start * scale)))
    return box(b"moof", box(b"mfhd", bytes(8)) + box(b"traf", track)) + box(b"mdat", media)


def fragmented(starts: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0), *, closed: bool = False) -> bytes:
    """Make a fragmented file with or without its closing index."""
    return FTYP + index(0.0) + b"".join(map(fragment, starts)) + (box(b"mfra", bytes(16)) if closed else b"")
