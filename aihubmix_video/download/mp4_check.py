"""Tell a whole MP4 from a truncated one by walking its boxes, without reading the file twice.

An MP4 file is a row of boxes: four bytes of size, four of type, then the payload (ISO/IEC 14496-12, section 4.2).
Two sizes are special: 1 means that eight more bytes hold the real one, 0 means "up to the end of the file".
An ordinary file is whole when its first box is ``ftyp``, its last box ends exactly at the end of the file, and both
the index (``moov``) and the media (``mdat``) are there: any cut that takes some of either breaks one of the three.

Three shapes can be cut without a trace, so for them the walk alone proves nothing:

* a fragmented film (``moof``) cut between two fragments, unless its closing index ``mfra`` is there;
* a last box of size 0, which ends wherever the file ends;
* several ``mdat`` after the index, cut between two of them.

Where the server declared the length and it was met, these are whole all the same. Where it did not, the playing time is
compared with what was ordered, and the file is *unverifiable* at best.

The content type is never looked at: Veo's files have come labelled ``application/json`` (AIHubMix field observations,
2026).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BoxWalk", "Mp4Verdict"]

CONTAINERS: Final = frozenset({b"moov", b"trak", b"mdia", b"mvex", b"moof", b"traf"})
"""The boxes whose content is read."""
OPEN_ENDED: Final = 1 << 80
"""Where a box of size 0 ends: beyond any size a box can state."""
LEAF_BYTES: Final = 36
"""Bytes of a payload that are read; the rest is skipped."""
MAX_BOXES: Final = 1 << 22
"""Several hours in fragments of one frame; more is an attempt to waste our time."""
MAX_TRACKS: Final = 64
MAX_DEPTH: Final = 8


@attrs.frozen(kw_only=True)
class Mp4Verdict:
    """Whether a file is whole, judged by its bytes.

    Attributes:
        kind: ``whole``; ``truncated``: an MP4 that ends too early; ``broken``: not an MP4; ``unverifiable``: nothing
            is wrong, but this shape could have been cut without a trace.
        reason: Completes "the file …"; empty when whole.
        seconds: Playing time, as far as the file tells it.
    """

    kind: Literal["whole", "truncated", "broken", "unverifiable"]
    reason: str = ""
    seconds: float | None = None


@attrs.define
class _Story:
    """What is known from the boxes seen so far."""

    boxes: int = 0
    last: bytes = b""
    index: bool = False
    media: bool = False
    media_after_index: int = 0
    fragmented: bool = False
    timescale: int = 0
    duration: int = 0
    track: int = 0
    timescales: dict[int, int] = attrs.field(factory=dict)
    starts: tuple[float, float] | None = None

    def saw(self, kind: bytes) -> None:
        """Note a box of the top level."""
        self.last = kind
        self.index |= kind == b"moov"
        self.media |= kind == b"mdat"
        self.media_after_index += self.index and kind == b"mdat"
        self.fragmented |= kind == b"moof"

    def tell(self, kind: bytes, payload: bytes) -> None:
        """Note the head of a payload; one that is too short is ignored."""
        READERS[kind](self, payload, payload[:1] == b"\1")

    def hides_cuts(self) -> bool:
        """Return whether a file of this shape could end early at the end of a box."""
        if self.fragmented:
            return self.last != b"mfra"
        return self.media_after_index > 1

    def seconds(self) -> float | None:
        """Return the playing time: of the fragments that are there, or else as the index declares it."""
        if self.fragmented and self.starts is not None:
            before, last = self.starts
            return last + (last - before)  # the last fragment is taken to be as long as the one before
        if self.fragmented or not self.timescale or self.duration in {0, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF}:
            return None
        return self.duration / self.timescale

    def movie(self, payload: bytes, long: bool) -> None:  # noqa: FBT001  # one of a table of readers
        self.timescale, self.duration = _clock(payload, long=long)

    def track_header(self, payload: bytes, long: bool) -> None:  # noqa: FBT001  # see `movie`
        self.track = _number(payload, 20 if long else 12)

    def media_header(self, payload: bytes, long: bool) -> None:  # noqa: FBT001  # see `movie`
        if len(self.timescales) < MAX_TRACKS:
            self.timescales[self.track], _ = _clock(payload, long=long)

    def fragment_header(self, payload: bytes, _long: bool) -> None:  # noqa: FBT001  # see `movie`
        self.track = _number(payload, 4)

    def fragment_time(self, payload: bytes, long: bool) -> None:  # noqa: FBT001  # see `movie`
        timescale = self.timescales.get(self.track, 0)
        if timescale and self.track == min(self.timescales):  # one track is enough, and their fragments may differ
            start = _number(payload, 4, 8 if long else 4) / timescale
            self.starts = (self.starts[1] if self.starts else start, start)


READERS: Final[dict[bytes, Callable[[_Story, bytes, bool], None]]] = {
    b"mvhd": _Story.movie,
    b"tkhd": _Story.track_header,
    b"mdhd": _Story.media_header,
    b"tfhd": _Story.fragment_header,
    b"tfdt": _Story.fragment_time,
}


def _clock(payload: bytes, *, long: bool) -> tuple[int, int]:
    """Return the units per second, and the duration in them, that a movie's or a track's header declares."""
    return (_number(payload, 20), _number(payload, 24, 8)) if long else (_number(payload, 12), _number(payload, 16))


def _number(payload: bytes, at: int, width: int = 4) -> int:
    """Return a big-endian number; 0 where the payload is too short for it."""
    digits = payload[at : at + width]
    return int.from_bytes(digits, "big") if len(digits) == width else 0


@attrs.define
class BoxWalk:
    """Follows the boxes of one file as its bytes arrive, in pieces of any size.

    The time a piece takes depends on the boxes in it, not on its size; memory is bounded.

    Attributes:
        size: Bytes taken so far.
        fault: Why this cannot be an MP4; once set, what follows is only counted.
    """

    size: int = attrs.field(default=0, init=False)
    fault: str | None = attrs.field(default=None, init=False)
    _story: _Story = attrs.field(factory=_Story, init=False)
    # Bytes up to `_skip_to` are passed over, then `_wanted` bytes are held: a header, or with `_leaf` set a payload.
    _skip_to: int = attrs.field(default=0, init=False)
    _held: bytearray = attrs.field(factory=bytearray, init=False)
    _wanted: int = attrs.field(default=8, init=False)
    _leaf: tuple[bytes, int] | None = attrs.field(default=None, init=False)
    _ends: list[int] = attrs.field(factory=list, init=False)

    def update(self, piece: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the file."""
        at, end = 0, len(piece)
        while at < end and self.fault is None:
            if self.size < self._skip_to:
                step = min(self._skip_to - self.size, end - at)
            else:
                step = min(self._wanted - len(self._held), end - at)
                self._held += piece[at : at + step]
            at += step
            self.size += step
            if len(self._held) == self._wanted:
                self._read()
        self.size += end - at

    def verdict(self, *, declared: bool, seconds: float | None) -> Mp4Verdict:
        """Return the verdict on the file, once its last byte has been taken.

        Args:
            declared: Whether the server stated the length and it was met.
            seconds: Playing time ordered; None when not known.
        """
        story = self._story
        plays = story.seconds()
        if self.fault is not None:
            return Mp4Verdict(kind="broken", reason=self.fault)
        short = self._shortcoming()
        if short is not None:
            return Mp4Verdict(kind="truncated", reason=short, seconds=plays)
        if declared or not (story.hides_cuts() or self._skip_to == OPEN_ENDED):
            return Mp4Verdict(kind="whole", seconds=plays)
        # Last fragments may be short, and vendors round: a tenth is left for both.
        if plays is not None and seconds is not None and plays < seconds - max(0.5, 0.1 * seconds):
            return Mp4Verdict(kind="truncated", reason=f"plays {plays:.1f} s of {seconds:g} s", seconds=plays)
        return Mp4Verdict(kind="unverifiable", reason="is of a kind that does not tell its own end", seconds=plays)

    def _shortcoming(self) -> str | None:
        if not self._story.boxes:
            return f"ends after {self.size} bytes"
        if self._held or self._ends_later():
            return f"ends inside or behind its {self._story.last.decode('latin-1')} box"
        if not self._story.index:
            return "has no index (moov)"
        if not self._story.media or self._story.last == b"moof":
            return "has no media (mdat) where it should"
        return None

    def _ends_later(self) -> bool:
        """Return whether a box that was begun reaches beyond the bytes taken."""
        return (
            self.size < self._skip_to < OPEN_ENDED or self._leaf is not None or self.size < max(self._ends, default=0)
        )

    def _read(self) -> None:
        """Interpret the bytes that were waited for."""
        if self._leaf is not None:
            kind, end = self._leaf
            self._leaf = None
            self._story.tell(kind, bytes(self._held))
            self._go_on(end)
            return
        size, kind, header = int.from_bytes(self._held[:4], "big"), bytes(self._held[4:8]), len(self._held)
        if size == 1 and header == 8 and self._room() >= 8:
            self._wanted = 16
            return
        if size == 1:
            size = int.from_bytes(self._held[8:], "big") or 1
        self._enter(kind, OPEN_ENDED if size == 0 else self.size - header + size)
        if self.fault is not None:
            self._held.clear()

    def _enter(self, kind: bytes, end: int) -> None:
        """Enter the box whose header was just read, read its payload's head, or skip it."""
        self._story.boxes += 1
        if self._ends:
            if not self.size <= end <= self._ends[-1]:
                # Only the top level is judged: writers differ in what they put inside, and none of it moves the end.
                self._go_on(self._ends.pop())
                return
        else:
            self.fault = self._nonsense(kind, end)
            if self.fault is None:
                self._story.saw(kind)
        if kind in CONTAINERS and self.size < end < OPEN_ENDED and len(self._ends) < MAX_DEPTH:
            self._ends.append(end)
            self._go_on(self.size)
        elif kind in READERS and self._ends and end > self.size:
            self._leaf = (kind, end)
            self._held.clear()
            self._wanted = min(end - self.size, LEAF_BYTES)
        else:
            self._go_on(end)

    def _nonsense(self, kind: bytes, end: int) -> str | None:
        """Return why this header of the top level cannot be one; None if it can."""
        if not self._story.last and kind != b"ftyp":
            return "does not begin as an MP4 does (ftyp)"
        letters = all(0x20 <= letter < 0x7F or letter == 0xA9 for letter in kind)  # 0xA9: Apple's ©-names
        if end < self.size or not letters:
            return f"has no MP4 box at byte {self.size - len(self._held)}"
        if self._story.boxes > MAX_BOXES:
            return "has more boxes than any video"
        return None

    def _room(self) -> int:
        """Return the bytes left in the innermost container."""
        return self._ends[-1] - self.size if self._ends else OPEN_ENDED

    def _go_on(self, skip_to: int) -> None:
        """Wait for the header at *skip_to*, or for the one behind the container where no other fits into it."""
        while self._ends and self._ends[-1] - skip_to < 8:
            skip_to = self._ends.pop()
        self._held.clear()
        self._skip_to, self._wanted = skip_to, 8
