"""Films as bytes: boxes, marks, slices."""

from __future__ import annotations

from importlib.resources import files
from struct import unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.sandbox.video import boxes
from aihubmix_video.sandbox.video.clips import SHAPES
from aihubmix_video.sandbox.video.films import Clip, film, skeleton
from aihubmix_video.sandbox.video.font import HEIGHT, glyph, runs
from aihubmix_video.sandbox.video.media import BLOCK_SIZE, Filler, Media, block


def shipped(name: str = "16x9") -> bytes:
    """Give a clip of the package."""
    return (files("aihubmix_video.sandbox") / "clips" / f"{name}.mp4").read_bytes()


def top_level(data: bytes) -> list[bytes]:
    """Give the kinds of the top-level boxes, which must end with the file."""
    found = list(boxes.walk(data))
    assert len(data) == found[-1].end
    return [box.kind for box in found]


@pytest.mark.parametrize("name", SHAPES)
def test_a_film_is_a_whole_mp4_with_a_mark_at_both_ends(name: str):
    """The client's verification starts at ``ftyp`` and must end exactly at the end of the file."""
    data = film(Clip.parse(shipped(name)), "job").read()

    assert [b"ftyp", b"free", b"moov", b"mdat", b"free"] == top_level(data)


def test_two_jobs_have_films_that_differ_at_both_ends_and_nowhere_else():
    """A file spliced from two must match neither, and yet the clip is rendered once."""
    clip = Clip.parse(shipped())
    one, two = film(clip, "one").read(), film(clip, "two").read()
    differing = [at for at, (left, right) in enumerate(zip(one, two, strict=True)) if left != right]

    assert differing[0] < 200
    assert differing[-1] >= len(one) - 64
    assert not [at for at in differing if 200 <= at < len(one) - 64]


def test_chunk_offsets_still_point_at_the_frames():
    """Moving ``moov`` to the front moves the media data; a player would find garbage otherwise."""
    raw = shipped()
    data = film(Clip.parse(raw), "job").read()

    def frame(file: bytes) -> bytes:
        stco = next(box for box in boxes.descend(file) if box.kind == b"stco")
        (offset,) = unpack_from(">I", file, stco.payload + 8)
        return file[offset : offset + 64]

    assert frame(raw) == frame(data)


@pytest.mark.parametrize("size", [500, 100_000, 512 * 2**20, 5 * 2**30])
def test_a_film_of_any_size_is_whole_to_the_byte(size: int):
    """Benchmarks ask for hundreds of megabytes; beyond 4 GiB the box needs its long header."""
    media = film(Clip.parse(shipped()), "job", size=size)
    head = media.slice(0, min(size, 20_000)).read()

    assert size == media.length
    kinds = []
    for box in boxes.walk(head, 0, 1_000):
        kinds.append(box.kind)
        if box.kind == b"mdat":
            assert size - 72 == box.end
            break
    assert [b"ftyp", b"free", b"moov", b"mdat"] == kinds or size > 500


def test_the_skeleton_is_the_smallest_film():
    """Sizes below it give it as it is rather than a broken file."""
    assert film(skeleton(), "job").length == film(Clip.parse(shipped()), "job", size=1).length


def test_stretching_changes_every_duration_alike():
    """Without PyAV a film still lasts as long as was asked for."""
    clip = Clip.parse(shipped())
    longer = clip.stretched(2.5)

    def durations(moov: bytes) -> list[int]:
        at = {b"mvhd": 16, b"tkhd": 20, b"mdhd": 16}
        found = ((box.kind, box.payload) for box in boxes.descend(moov))
        return [unpack_from(">I", moov, payload + at[kind])[0] for kind, payload in found if kind in at]

    assert [round(2.5 * value) for value in durations(clip.moov)] == durations(longer.moov)


SEGMENTS = st.lists(
    st.binary(max_size=20) | st.builds(Filler, st.integers(0, 2 * BLOCK_SIZE), st.integers(0, 30)), max_size=5
)


@given(SEGMENTS, st.data())
def test_a_slice_is_that_part_of_the_whole(segments: list[bytes | Filler], data: st.DataObject):
    """Ranges are slices; one byte off would be a corrupt resume."""
    media = Media(tuple(segments))
    stop = data.draw(st.integers(0, media.length))
    start = data.draw(st.integers(0, stop))

    assert media.read()[start:stop] == media.slice(start, stop).read()


def test_filler_repeats_one_block_wherever_it_is_cut():
    """A position must have one value, however a client gets there."""
    around = Filler(BLOCK_SIZE - 3, 6)

    assert block()[-3:] + block()[:3] == Media((around,)).read()
    assert [(BLOCK_SIZE - 3, 3), (0, 3)] == list(around.runs())


@given(st.characters())
def test_every_character_has_a_glyph_of_its_size(character: str):
    """Prompts are in any script; a caption must not fail on one."""
    rows = glyph(character)

    assert (HEIGHT, {5}) == (len(rows), {len(row) for row in rows})


def test_a_caption_is_painted_in_runs_of_dots():
    """The painter sets whole runs; an H has two dots, with three between, except in the middle."""
    assert [(0, 1), (4, 1)] == runs("H")[0]
    assert [(0, 5)] == runs("H")[3]
