"""Which files count as whole."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.download.mp4_check import BoxWalk, Mp4Verdict
from tests.pure.films import FTYP, box, clock, film, fragment, fragmented, index

if TYPE_CHECKING:
    from collections.abc import Sequence

MEDIA = st.binary(max_size=200)
FILLERS = st.lists(st.sampled_from([box(b"free"), box(b"free", b"abc"), box(b"uuid", bytes(20)), box(b"wide")]))
ORDINARY = st.one_of(
    st.builds(film, MEDIA),
    st.builds(film, MEDIA, index_first=st.just(True)),
    st.builds(lambda media, fill: FTYP + b"".join(fill) + box(b"mdat", media, long=True) + index(), MEDIA, FILLERS),
    st.builds(lambda media, fill: FTYP + index() + b"".join(fill) + box(b"mdat", media, long=True), MEDIA, FILLERS),
    st.builds(lambda media, more: FTYP + box(b"mdat", media) + box(b"mdat", more) + index(version=1), MEDIA, MEDIA),
)
SHAPES = st.one_of(ORDINARY, st.binary(max_size=300), st.just(fragmented()), st.binary(max_size=80).map(FTYP.__add__))


def judged(data: bytes, *, declared: bool = False, seconds: float | None = None) -> Mp4Verdict:
    """Walk a file in one piece."""
    return judged_in([data], declared=declared, seconds=seconds)


def judged_in(pieces: Sequence[bytes], *, declared: bool = False, seconds: float | None = None) -> Mp4Verdict:
    """Walk a file in pieces."""
    walk = BoxWalk()
    for piece in pieces:
        walk.update(piece)
    return walk.verdict(declared=declared, seconds=seconds)


@given(ORDINARY)
def test_an_ordinary_file_is_whole_without_a_stated_length(data: bytes):
    """The gateway may send no length, and most files are of this kind."""
    assert "whole" == judged(data).kind


@given(ORDINARY, st.data())
def test_any_cut_of_an_ordinary_file_is_refused(data: bytes, draw: st.DataObject):
    """This is what the walk is for: a cut body without a length looks like a good answer."""
    end = draw.draw(st.integers(0, len(data) - 1))

    assert judged(data[:end]).kind in {"truncated", "broken"}


@pytest.mark.parametrize("data", [film(), film(index_first=True)])
def test_every_single_cut_of_a_file_is_refused(data: bytes):
    """No byte is special."""
    assert {"truncated"} == {judged(data[:end]).kind for end in range(len(data))}


@given(SHAPES, st.lists(st.integers(0, 400)), st.booleans())
def test_pieces_of_any_size_tell_the_same_as_the_whole(data: bytes, cuts: list[int], declared: bool):  # noqa: FBT001  # drawn
    """The network decides where the pieces end."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]

    assert judged(data, declared=declared) == judged_in(pieces, declared=declared)


@given(SHAPES, st.one_of(st.none(), st.floats()), st.booleans())
def test_no_bytes_raise(data: bytes, seconds: float | None, declared: bool):  # noqa: FBT001  # drawn
    """The file comes from outside."""
    assert judged(data, declared=declared, seconds=seconds).kind in {"whole", "truncated", "broken", "unverifiable"}


@given(st.lists(st.builds(box, st.sampled_from([b"moov", b"trak", b"tkhd", b"mdhd", b"moof", b"traf"]), MEDIA)))
def test_nonsense_inside_a_box_does_not_move_its_end(boxes: list[bytes]):
    """Writers differ in what they put inside; only the top level says where the file ends."""
    data = FTYP + box(b"moov", b"".join(boxes)) + box(b"mdat", b"media")

    assert "whole" == judged(data).kind


@pytest.mark.parametrize(
    "body",
    [b'{"error": {"message": "not ready"}}', b"<!DOCTYPE html><html></html>", b"\x1a\x45\xdf\xa3webm....", bytes(64)],
)
def test_what_is_no_mp4_is_broken_at_its_first_box(body: bytes):
    """An error page must not be saved, however long it is."""
    walk = BoxWalk()
    walk.update(body[:8])

    assert "does not begin as an MP4 does (ftyp)" == walk.fault
    assert "broken" == judged(body, declared=True).kind


def test_an_empty_body_is_truncated():
    """It says nothing, so asking again may help."""
    assert Mp4Verdict(kind="truncated", reason="ends after 0 bytes") == judged(b"", declared=True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (FTYP + index(), "has no media (mdat) where it should"),
        (FTYP + box(b"mdat", b"media"), "has no index (moov)"),
        (FTYP, "has no index (moov)"),
        (film()[:-1], "ends inside or behind its moov box"),
        (FTYP + index() + box(b"mdat", b"media", size=9000), "ends inside or behind its mdat box"),
        (film() + b"\0\0\0", "ends inside or behind its moov box"),
        (fragmented() + box(b"moof"), "has no media (mdat) where it should"),
    ],
)
def test_a_file_of_the_stated_length_can_still_be_cut(data: bytes, reason: str):
    """The gateway may itself have been cut off and state the shorter length."""
    verdict = judged(data, declared=True)

    assert ("truncated", reason) == (verdict.kind, verdict.reason)


@pytest.mark.parametrize("size", [2, 7])
def test_a_box_smaller_than_its_header_is_broken(size: int):
    """It would be read over and over."""
    assert "broken" == judged(FTYP + box(b"free", size=size) + index() + box(b"mdat")).kind


@pytest.mark.parametrize("size", [1, 15, 1 << 63, (1 << 64) - 1])
def test_a_wide_size_that_cannot_be_is_refused(size: int):
    """Sizes come from outside, up to 2⁶⁴ - 1."""
    assert "whole" != judged(FTYP + index() + box(b"mdat", b"media", size=size, long=True)).kind


def test_a_fragmented_file_cut_between_fragments_is_unverifiable():
    """Nothing is missing that the walk could see."""
    assert {"unverifiable"} == {judged(fragmented(starts)).kind for starts in [(0.0,), (0.0, 1.0), (0.0, 1.0, 2.0)]}


def test_a_fragmented_file_is_whole_where_its_length_was_stated_or_its_closing_index_is_there():
    """Both say where the file ends."""
    assert "whole" == judged(fragmented(), declared=True).kind
    assert "whole" == judged(fragmented(closed=True)).kind


def test_fragments_that_play_too_short_are_truncated():
    """The second look: five fragments of a second are not the ten seconds ordered."""
    assert "truncated" == judged(fragmented(), seconds=10.0).kind
    assert "unverifiable" == judged(fragmented(), seconds=5.0).kind
    assert 5.0 == judged(fragmented(), seconds=5.0).seconds


def test_media_up_to_the_end_of_the_file_is_unverifiable_without_a_length():
    """Any cut inside it looks the same."""
    data = FTYP + index() + box(b"mdat", b"media" * 9, size=0)

    assert {"unverifiable"} == {judged(data[: len(data) - cut]).kind for cut in range(40)}
    assert "whole" == judged(data, declared=True).kind


def test_several_blocks_of_media_after_the_index_are_unverifiable_without_a_length():
    """A cut between them leaves a file that is in order."""
    assert "unverifiable" == judged(FTYP + index() + box(b"mdat", b"a") + box(b"mdat", b"b")).kind


def test_the_first_track_times_the_fragments():
    """Sound and picture are cut at different moments; mixing them would measure nothing."""
    other = box(b"traf", box(b"tfhd", bytes(4) + b"\0\0\0\2") + box(b"tfdt", bytes(4) + b"\xff\xff\0\0"))
    data = FTYP + index() + fragment(0.0) + box(b"moof", other) + box(b"mdat") + fragment(2.0)

    assert 4.0 == judged(data).seconds


@pytest.mark.parametrize("version", [0, 1])
def test_the_index_tells_the_playing_time(version: int):
    """In its 32-bit and its 64-bit form."""
    assert 5.0 == judged(FTYP + box(b"mdat") + index(5.0, version=version)).seconds


def test_a_playing_time_of_nothing_is_none():
    """Writers put 0 where they do not know it."""
    assert judged(FTYP + box(b"mdat") + index(0.0)).seconds is None
    assert judged(FTYP + box(b"mdat") + box(b"moov", clock(b"mvhd", 5.0, scale=0))).seconds is None


def test_memory_does_not_grow_with_the_boxes():
    """An endless row of empty boxes is the cheapest attack on a walk that remembers."""
    walk = BoxWalk()
    walk.update(FTYP + box(b"free") * 20_000)
    before = len(repr(walk))
    walk.update(box(b"free") * 20_000)

    assert before == len(repr(walk))
