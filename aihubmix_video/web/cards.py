"""What one card shows, as the scripts of the page read it: the fields of a job over HTTP, and those of a file at hand."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from aihubmix_video.errors import Charged

__all__ = ["Card", "State", "address", "summary"]

State = Literal["saved", "failed", "uncertain", "unfinished"]


@attrs.frozen(kw_only=True)
class Card:
    """One video of a batch.

    Attributes:
        key: What tells it from all others.
        index: Its place, from 0.
        state: What came of it.
        prompt: What was asked for; also `model`.
        name: The row's own name, where it has one.
        id: The gateway's id.
        seconds: Its length.
        pixels: Width and height.
        price: List price in USD of the whole video.
        created_at: When it was asked for, Unix seconds.
        content: Address of its file, relative to the page.
        file: The file's name.
        poster: Address of its picture, relative to the page.
        bytes: Size of the file.
        sha256: Hex digest of the file.
        error_type: The class of the error that keeps it from being there.
        error: That error's text.
        note: What else is to be said of it, such as that its file is not proved whole.
        charged: Whether money was spent on it.
    """

    key: str
    index: int
    state: State
    prompt: str | None = None
    model: str | None = None
    name: str | None = None
    id: str | None = None
    seconds: float | None = None
    pixels: tuple[int, int] | None = None
    price: float | None = None
    created_at: float | None = None
    content: str | None = None
    file: str | None = None
    poster: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    error_type: str | None = None
    error: str | None = None
    charged: Charged = "no"
    note: str | None = None

    def plain(self) -> dict[str, object]:
        """Return it as JSON: what is known, under the names that a job has over HTTP."""
        size = None if self.pixels is None else "{}x{}".format(*self.pixels)
        error = None if self.error is None else {"type": self.error_type, "message": self.error}
        renamed = {"size": size, "error": error, "bytes_total": self.bytes}
        taken = attrs.asdict(self, filter=lambda field, _: field.name not in {"pixels", "error", "error_type", "bytes"})
        return {name: value for name, value in {**taken, **renamed}.items() if value is not None}


def address(file: PurePosixPath, folder: PurePosixPath) -> str:
    """Return a file's address relative to a page in *folder*; both are absolute.

    It begins with a dot, since a name such as ``a:b.mp4`` would otherwise begin with a scheme.
    """
    relative = posixpath.relpath(str(file), str(folder))
    return f"./{quote(relative, safe='/~', errors='surrogateescape')}"


def summary(cards: Sequence[Card]) -> str:
    """Count a batch: its videos, their seconds, what failed, and what is not there yet."""
    saved = [card for card in cards if card.state == "saved"]
    failed = sum(card.state == "failed" for card in cards)
    doubtful = sum(card.state == "uncertain" for card in cards)
    unfinished = sum(card.state == "unfinished" for card in cards)
    seconds = sum(card.seconds or 0 for card in saved)
    parts = (
        f"{len(saved)} video{'' if len(saved) == 1 else 's'}",
        f"{seconds:g} seconds" if seconds else "",
        f"{failed} failed" if failed else "",
        f"{doubtful} uncertain" if doubtful else "",
        f"{unfinished} not finished" if unfinished else "",
    )
    return " · ".join(filter(None, parts))
