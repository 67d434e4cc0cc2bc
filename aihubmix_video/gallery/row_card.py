"""The card of one result, as a gallery shows it."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING

from aihubmix_video.pricing.list_prices import list_price
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.web.cards import Card, address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.errors import VideoError
    from aihubmix_video.gallery.row_result import RowResult

__all__ = ["card_of"]

MESSAGE = 2000
"""Characters of one error's text."""


def card_of(result: RowResult, key: str, folder: PurePath, prices: Mapping[str, float] | None = None) -> Card:
    """Return the card of a result.

    Args:
        result: What came of the video.
        key: What tells the card from all others.
        folder: Where the page is; absolute.
        prices: The user's own, in USD per second by model.
    """
    error, path, request = result.error, result.path, result.request
    return Card(
        key=key,
        index=result.index,
        state=result.state,
        prompt=request.prompt if request is not None else None,
        model=result.model or None,
        name=result.key if result.key != key else None,
        id=result.id,
        seconds=result.seconds,
        pixels=result.pixels,
        price=list_price(request, prices, result.capabilities) if request is not None else None,
        content=None if path is None or error is not None else address(PurePosixPath(path), PurePosixPath(folder)),
        file=path.name if path is not None else result.object_url,
        bytes=result.bytes,
        sha256=result.sha256,
        error_type=type(error).__name__ if error is not None else None,
        error=_reason(error) if error is not None else None,
        charged=result.charged,
        note=result.video.doubt if result.video is not None else None,
    )


def _reason(error: VideoError) -> str:
    """Return an error's text without the ids in it: a card is to be read, and its id stands beside it."""
    head = error.message.rstrip()
    stop = "" if not error.advice or head[-1:] in ".!?" else "."
    return plain(f"{head}{stop} {error.advice}".strip(), MESSAGE)
