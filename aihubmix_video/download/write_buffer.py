"""How the body of a video is taken in: when it is given up, and in what batches it goes to the disk."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["ANSWER_BYTES", "DownloadLimits", "WriteBuffer"]

BATCH_BYTES: Final = 1 << 20
"""From this on a batch is written if the one before has been; smaller ones cost a change of threads each."""
MAX_BATCH_BYTES: Final = 2 << 20
"""From this on the body waits for the disk. Two such batches and the buffers around them are all a download holds."""
BATCH_SECONDS: Final = 0.5
"""A slow body is written this often, so that its progress shows and little is lost with it."""
SMALL_PIECE_BYTES: Final = 16 << 10
"""Smaller pieces are joined as they arrive."""
ANSWER_BYTES: Final = 64 << 10
"""How much is read of an answer that is not a video."""


@attrs.frozen(kw_only=True)
class DownloadLimits:
    """When a download is given up, and what it may take up.

    Attributes:
        max_bytes: Larger than any video.
        reserve: Bytes that are left free on the disk.
        response: Seconds until the answer begins; the gateway may fetch the video from the vendor first.
        idle: Seconds without a byte.
        slowest: Bytes per second on average, over the whole body; the whole time has no limit.
        grace: Seconds for which the average does not count.
    """

    max_bytes: int = 8 << 30
    reserve: int = 32 << 20
    response: float = 180.0
    idle: float = 30.0
    slowest: float = 8192.0
    grace: float = 60.0

    def overdue_at(self, *, started: float, now: float, received: int) -> float:
        """Return when to give up if nothing more arrives; all times are on one clock, in seconds."""
        return min(now + self.idle, started + self.grace + received / self.slowest)


@attrs.define
class WriteBuffer:
    """Pieces that have arrived and are not yet written.

    Attributes:
        start: Bytes of the file before them.
    """

    start: int
    _pieces: list[bytes | bytearray] = attrs.field(factory=list, init=False)
    _size: int = attrs.field(default=0, init=False)
    _since: float | None = attrs.field(default=None, init=False)

    @property
    def end(self) -> int:
        """Bytes of the file up to the end of the batch."""
        return self.start + self._size

    def add(self, piece: bytes, now: float) -> None:
        """Put a piece behind the others; *now* is in seconds on any clock."""
        last = self._pieces[-1] if self._pieces else None
        if len(piece) >= SMALL_PIECE_BYTES:
            self._pieces.append(piece)
        elif isinstance(last, bytearray) and len(last) < BATCH_BYTES:
            last += piece
        else:
            self._pieces.append(bytearray(piece))
        self._size += len(piece)
        self._since = now if self._since is None else self._since

    def due(self, now: float, *, idle: bool) -> bool:
        """Whether it is to be written; *idle* says whether the batch before it has been."""
        if self._size >= MAX_BATCH_BYTES:
            return True
        late = self._since is not None and now - self._since >= BATCH_SECONDS
        return idle and (self._size >= BATCH_BYTES or late)

    def take(self) -> list[bytes | bytearray]:
        """Empty it; what comes then follows what it held."""
        pieces, self._pieces = self._pieces, []
        self.start, self._size, self._since = self.end, 0, None
        return pieces
