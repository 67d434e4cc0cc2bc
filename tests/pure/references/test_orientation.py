"""Pictures whose sides change places when they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.references.inspect import Medium, read_medium
from aihubmix_video.references.orientation import exif_of_png, exif_of_webp, is_turned
from aihubmix_video.types.request import VideoRequest
from tests.pure.pictures import jpeg, png, webp


def exif(orientation: int, order: str = "little") -> bytes:
    """A TIFF structure with another tag and the orientation."""

    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, order)  # type: ignore[arg-type]  # one of the two words

    head = (b"II*\0" if order == "little" else b"MM\0*") + number(8, 4)
    other = number(0x010F, 2) + number(2, 2) + number(4, 4) + b"ACME"
    tag = number(0x0112, 2) + number(3, 2) + number(1, 4) + number(orientation, 2) + b"\0\0"
    return head + number(2, 2) + other + tag + number(0, 4)


def in_jpeg(data: bytes, tiff: bytes) -> bytes:
    """Put a TIFF structure into a JPEG."""
    body = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body + data[2:]


def in_png(data: bytes, tiff: bytes) -> bytes:
    """Put a TIFF structure into a PNG."""
    return data[:33] + len(tiff).to_bytes(4) + b"eXIf" + tiff + b"crc!" + data[33:]


def in_webp(data: bytes, tiff: bytes) -> bytes:
    """Put a TIFF structure into an extended WebP."""
    body = data[8:] + b"EXIF" + len(tiff).to_bytes(4, "little") + tiff + b"\0" * (len(tiff) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def pictures(tiff: bytes) -> list[bytes]:
    """A picture of 1280x720 in each format, with a TIFF structure."""
    return [in_jpeg(jpeg(), tiff), in_png(png(), tiff), in_webp(webp(kind=b"VP8X"), tiff)]


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("orientation", range(10))
def test_the_sides_are_those_of_the_picture_as_it_is_shown(orientation: int, order: str):
    """A phone held upright saves a wide picture and a note; the vendor turns it, and compares what it sees."""
    expected = (720, 1280) if orientation in {5, 6, 7, 8} else (1280, 720)
    for data in pictures(exif(orientation, order)):
        medium = read_medium("image", data)
        assert isinstance(medium, Medium)
        assert expected == (medium.width, medium.height)


def test_a_turned_picture_fits_the_size_it_is_shown_in():
    """It was refused for the size that it fits, and taken for the one that the vendor refuses."""
    turned = in_jpeg(jpeg(1280, 720), exif(6))

    def problems(size: str) -> list[str]:
        request = VideoRequest(model="sora-2", prompt="a cat", size=size, input_reference=turned)
        return [problem.field for problem in BUILT_IN.judge(request).problems]

    assert [] == problems("720x1280")
    assert ["input_reference"] == problems("1280x720")


@given(st.binary(max_size=200), st.integers(0, 60))
def test_a_damaged_tag_says_nothing_and_breaks_nothing(noise: bytes, cut: int):
    """Whatever a file holds where the tag should be."""
    assert is_turned(noise) in {True, False}
    assert is_turned(exif(6)[:cut]) in {True, False}
    for data in pictures(noise):
        medium = read_medium("image", data)
        assert not isinstance(medium, Medium) or {medium.width, medium.height} == {1280, 720}
    assert None is exif_of_png(b"\x89PNG\r\n\x1a\n")
    assert None is exif_of_webp(b"RIFF\0\0\0\0WEBP")
