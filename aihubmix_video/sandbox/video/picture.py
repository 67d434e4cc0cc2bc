"""Rendering with PyAV: a sun that circles over a coloured sky, the caption, and a steady tone.

Two seconds are encoded and then repeated: a closed group of pictures without B-frames may be cut and joined anywhere. The
tone fits a whole number of times into an AAC frame, so that one encoded frame can be repeated for any length.
"""

from __future__ import annotations

from io import BytesIO
from math import cos, isqrt, pi, sin
from struct import pack
from typing import TYPE_CHECKING
from zlib import crc32

import attrs
import av
from av.audio.frame import AudioFrame
from av.packet import Packet
from av.video.frame import VideoFrame

from aihubmix_video.sandbox.video.font import HEIGHT, WIDTH, runs

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

FRAMES_PER_SECOND = 24
LOOP_FRAMES = 2 * FRAMES_PER_SECOND
SAMPLES_PER_SECOND = 48_000
AAC_FRAME = 1024
TONE = 9
"""Oscillations per AAC frame: 421.875 Hz."""
SKY_TOP, SKY_BOTTOM, SUN, INK = 60, 150, 215, 235


@attrs.frozen
class Encoded:
    """One packet of a loop."""

    data: bytes
    is_keyframe: bool


def render(width: int, height: int, seconds: int, caption: str, *, audio: bool, quality: int = 30) -> bytes:
    """Render an MP4 of exactly *seconds*; *quality* is x264's CRF, larger for smaller files."""
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        video = _video_stream(container, width, height, quality)
        sound = container.add_stream("aac", rate=SAMPLES_PER_SECOND, layout="mono") if audio else None
        loop = _encode_loop(video, width, height, caption)
        _mux_video(container, video, loop, seconds * FRAMES_PER_SECOND)
        if sound is not None:
            _mux_tone(container, sound, seconds * SAMPLES_PER_SECOND // AAC_FRAME)
    return file.getvalue()


def _video_stream(container: OutputContainer, width: int, height: int, quality: int) -> VideoStream:
    options = {
        "preset": "ultrafast",
        "crf": str(quality),
        "bf": "0",
        "g": str(LOOP_FRAMES),
        "keyint_min": str(LOOP_FRAMES),
    }
    stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.bit_rate = 0  # or PyAV's own default rate overrules the quality
    return stream


def _encode_loop(stream: VideoStream, width: int, height: int, caption: str) -> list[Encoded]:
    painter = _Painter.of(width, height, caption)
    packets = [packet for index in range(LOOP_FRAMES) for packet in stream.encode(painter.frame(index))]
    packets += stream.encode(None)
    return [Encoded(bytes(packet), packet.is_keyframe) for packet in packets]


def _mux_video(container: OutputContainer, stream: VideoStream, loop: list[Encoded], frames: int) -> None:
    time_base = stream.codec_context.time_base
    for index in range(frames):
        encoded = loop[index % len(loop)]
        _mux(container, encoded.data, stream, index, 1, time_base, keyframe=encoded.is_keyframe)


def _mux_tone(container: OutputContainer, stream: AudioStream, frames: int) -> None:
    packets = [packet for _ in range(8) for packet in stream.encode(_tone())] + stream.encode(None)
    steady = bytes(packets[5])
    time_base = stream.codec_context.time_base
    for index in range(frames):
        _mux(container, steady, stream, index * AAC_FRAME, AAC_FRAME, time_base, keyframe=True)


def _mux(
    container: OutputContainer,
    data: bytes,
    stream: VideoStream | AudioStream,
    at: int,
    lasts: int,
    time_base: object,
    *,
    keyframe: bool,
) -> None:
    packet = Packet(data)
    packet.stream = stream
    packet.time_base = time_base  # type: ignore[assignment]  # a Fraction in both
    packet.pts = packet.dts = at
    packet.duration = lasts
    packet.is_keyframe = keyframe
    container.mux(packet)


def _tone() -> AudioFrame:
    frame = AudioFrame(format="fltp", layout="mono", samples=AAC_FRAME)
    frame.sample_rate = SAMPLES_PER_SECOND
    wave = (0.1 * sin(2 * pi * TONE * sample / AAC_FRAME) for sample in range(AAC_FRAME))
    frame.planes[0].update(pack(f"{AAC_FRAME}f", *wave))
    return frame


@attrs.frozen
class _Painter:
    """Paints the frames of one loop on a sky painted once."""

    width: int
    height: int
    sky: bytes
    stride: int
    caption: list[list[tuple[int, int]]]
    dot: int
    colour: tuple[int, int]

    @classmethod
    def of(cls, width: int, height: int, caption: str) -> _Painter:
        stride = VideoFrame(width, height, "yuv420p").planes[0].line_size
        shades = (SKY_TOP + (SKY_BOTTOM - SKY_TOP) * row // height for row in range(height))
        sky = b"".join(bytes([shade]) * stride for shade in shades)
        hue = crc32(caption.encode("utf-8", "surrogatepass"))
        angle = 2 * pi * (hue % 360) / 360
        colour = (128 + round(40 * cos(angle)), 128 + round(40 * sin(angle)))
        dot = max(1, min(width * 9 // 10 // max(1, len(caption) * (WIDTH + 1)), height // 40))
        return cls(width, height, sky, stride, runs(caption), dot, colour)

    def frame(self, index: int) -> VideoFrame:
        frame = VideoFrame(self.width, self.height, "yuv420p")
        frame.pts = index
        luma = bytearray(self.sky)
        self._paint_sun(luma, 2 * pi * index / LOOP_FRAMES)
        self._paint_caption(luma)
        frame.planes[0].update(bytes(luma))
        for plane, value in zip(frame.planes[1:], self.colour, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        return frame

    def _paint_sun(self, luma: bytearray, angle: float) -> None:
        radius = min(self.width, self.height) // 10
        x = self.width // 2 + round(cos(angle) * self.width * 0.32)
        y = self.height * 2 // 5 - round(sin(angle) * self.height * 0.22)
        for row in range(-radius, radius + 1):
            half = isqrt(radius * radius - row * row)
            start = (y + row) * self.stride + x - half
            luma[start : start + 2 * half] = bytes([SUN]) * (2 * half)

    def _paint_caption(self, luma: bytearray) -> None:
        left, top = self.width // 20, self.height - (HEIGHT + 3) * self.dot
        for row, dots in enumerate(self.caption):
            for line in range(self.dot):
                start = (top + row * self.dot + line) * self.stride + left
                for at, count in dots:
                    luma[start + at * self.dot : start + (at + count) * self.dot] = bytes([INK]) * (count * self.dot)
