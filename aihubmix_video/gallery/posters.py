"""A poster of a video: a small JPEG of one frame, made with PyAV (extra ``media``)."""

from __future__ import annotations

from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pathlib import Path

    from av.video.frame import VideoFrame

__all__ = ["Poster", "can_take", "take"]

LONGER_SIDE = 640  # pixels: sharp on a card, and some 30 kB
MOST_FRAMES = 60  # decoded at most to reach the wanted moment
QUALITY = {"qmin": "3", "qmax": "6"}  # of 2 (best) to 31


@attrs.frozen
class Poster:
    """A poster, and the width and height that the file itself gives for the video."""

    jpeg: bytes
    width: int
    height: int


def can_take() -> bool:
    """Return whether PyAV is installed."""
    return find_spec("av") is not None


def take(video: Path) -> Poster | None:
    """Return a poster from after a fade-in from black; None if it cannot be made."""
    import av  # noqa: PLC0415  # optional, and large
    from av.error import FFmpegError  # noqa: PLC0415  # see above

    try:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            wanted = min(1.0, float(container.duration or 0) / av.time_base / 4)
            frame = None
            for number, frame in enumerate(container.decode(stream)):
                if number >= MOST_FRAMES or (frame.time or 0.0) >= wanted:
                    break
            return None if frame is None else _poster(frame)
    except (FFmpegError, OSError, ValueError, IndexError):
        return None  # a card without a poster shows all else


def _poster(frame: VideoFrame) -> Poster:
    from av.codec.context import CodecContext  # noqa: PLC0415  # optional, and large
    from av.video.codeccontext import VideoCodecContext  # noqa: PLC0415  # see above

    scale = min(1.0, LONGER_SIDE / max(frame.width, frame.height))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)  # noqa: S101  # for the type checker: it is a codec of pictures
    encoder.width, encoder.height, encoder.pix_fmt, encoder.options = width, height, "yuvj420p", QUALITY
    encoder.framerate = Fraction(1)
    small = frame.reformat(width, height, "yuvj420p")
    small.pts = 0
    packets = [*encoder.encode(small), *encoder.encode(None)]
    return Poster(b"".join(map(bytes, packets)), frame.width, frame.height)
