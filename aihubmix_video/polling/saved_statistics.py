"""What was learnt of durations, as bytes: small, versioned, and refused as a whole if anything is wrong with them.

    magic, version, interval, entries | for each: kind, look, ended, ends and time at risk per bin, progress | CRC-32

Numbers are little-endian floats of four bytes. Ages count in units of the interval at the time; a session with another interval
spreads them over its own bins.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import TYPE_CHECKING, Final
from zlib import crc32

import attrs

from aihubmix_video.polling.duration_estimate import bins_between
from aihubmix_video.polling.progress_model import STEPS
from aihubmix_video.polling.survival_curve import AGES, BINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.polling.policy import Kind

__all__ = ["SavedStatistics", "UnreadableError", "pack", "unpack"]

MAGIC: Final = b"AVdur"
VERSION: Final = 1
LONGEST_NAME: Final = 512  # bytes; what has a longer one is not remembered
MOST_ENTRIES: Final = 1024
SEPARATOR: Final = "\x1f"
HEAD: Final = struct.Struct("<5sBdI")
NAME: Final = struct.Struct("<BH")
NUMBERS: Final = struct.Struct(f"<{2 + 2 * BINS + 3 * STEPS}f")
CHECK: Final = struct.Struct("<I")


class UnreadableError(ValueError):
    """The bytes are of another version, damaged, or not ours."""


@attrs.frozen(kw_only=True)
class SavedStatistics:
    """What is remembered of one kind of job, or of all kinds of a model.

    Attributes:
        kind: The kind; of a model only its first part.
        is_model: Whether it stands for all kinds of the model.
        look: As in `KindStatistics`; also `ended`, `ends` and `at_risk` as in `DurationEstimates`.
        progress: As `progress.Progress.kept` gives it.
    """

    kind: Kind
    is_model: bool
    look: float
    ended: float
    ends: Sequence[float]
    at_risk: Sequence[float]
    progress: Sequence[float]

    def scaled(self, factor: float) -> SavedStatistics:
        """Let each unit of age be so many."""
        if factor == 1:
            return self
        risk = [each * factor for each in self.at_risk]
        return attrs.evolve(self, ends=_spread(self.ends, factor), at_risk=_spread(risk, factor))


def _spread(counts: Sequence[float], factor: float) -> list[float]:
    spread = [0.0] * BINS
    for count, start, end in zip(counts, AGES, AGES[1:], strict=False):
        if count > 0:
            for here, low, high in bins_between(start * factor, end * factor):
                spread[here] += count * (high - low) / ((end - start) * factor)
    return spread


def pack(interval: float, entries: Sequence[SavedStatistics]) -> bytes:
    """Write down what was learnt at this poll interval, in seconds."""
    written = [_entry(entry) for entry in entries]
    kept = [each for each in written if each is not None][-MOST_ENTRIES:]
    body = HEAD.pack(MAGIC, VERSION, interval, len(kept)) + b"".join(kept)
    return body + CHECK.pack(crc32(body))


def _entry(entry: SavedStatistics) -> bytes | None:
    name = SEPARATOR.join(entry.kind).encode("utf-8", "replace")
    if len(name) > LONGEST_NAME:
        return None
    numbers = NUMBERS.pack(entry.look, entry.ended, *entry.ends, *entry.at_risk, *entry.progress)
    return NAME.pack(entry.is_model, len(name)) + name + numbers


def unpack(data: bytes, interval: float) -> list[SavedStatistics]:
    """Read what `pack` wrote, for a session with this poll interval, in seconds.

    Raises:
        UnreadableError: They cannot be read; nothing is taken over.
    """
    try:
        body, check = data[: -CHECK.size], data[-CHECK.size :]
        magic, version, was, count = HEAD.unpack_from(body)
        if (magic, version) != (MAGIC, VERSION) or CHECK.unpack(check) != (crc32(body),):
            raise UnreadableError("not of this version, or damaged")
        if not (isfinite(was) and was > 0 and count <= MOST_ENTRIES):
            raise UnreadableError("impossible numbers")
        entries, at = [], HEAD.size
        for _ in range(count):
            entry, at = _read(body, at)
            entries.append(entry.scaled(was / interval))
    except (struct.error, UnicodeDecodeError) as exc:
        raise UnreadableError(str(exc)) from None
    return entries


def _read(body: bytes, at: int) -> tuple[SavedStatistics, int]:
    is_model, length = NAME.unpack_from(body, at)
    start = at + NAME.size + length
    kind = tuple(body[at + NAME.size : start].decode("utf-8").split(SEPARATOR))
    numbers = NUMBERS.unpack_from(body, start)
    look, ended, *rest = numbers
    ends, at_risk, progress = rest[:BINS], rest[BINS : 2 * BINS], rest[2 * BINS :]
    counts, squares = progress[:STEPS], progress[2 * STEPS :]
    if not all(map(isfinite, numbers)) or min(look, ended, *ends, *at_risk, *counts, *squares) < 0:
        raise UnreadableError("impossible numbers")
    entry = SavedStatistics(
        kind=kind, is_model=bool(is_model), look=look, ended=ended, ends=ends, at_risk=at_risk, progress=progress
    )
    return entry, start + NUMBERS.size
