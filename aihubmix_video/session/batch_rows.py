"""The rows of a batch, drawn from any iterable that the user passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import TypeVar

from aihubmix_video.batch_file import Row as FileRow
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.types.request import VideoRequest

__all__ = ["Row", "drawn", "request_of"]

T = TypeVar("T")

Row = VideoRequest | Mapping[str, object] | FileRow
"""A request, a mapping of its fields, or a row of a batch file with a key or an output name of its own."""

ROWS_PER_TURN = 32  # rows drawn from a plain iterable before other tasks run


def request_of(row: object) -> VideoRequest:
    """Return the request of a row.

    Raises:
        InvalidRequest: The row is not a request.
    """
    if isinstance(row, VideoRequest):
        return row
    if isinstance(row, FileRow):
        return row.request
    if isinstance(row, Mapping):
        return VideoRequest.from_mapping(row)
    raise InvalidRequest.of("row", row, f"must be a VideoRequest or a mapping, not {type(row).__name__}")


async def drawn(rows: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    """Yield the rows of either kind of iterable; between rows of a plain one, other tasks run now and then."""
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
        return
    for taken, row in enumerate(rows):
        yield row
        if taken % ROWS_PER_TURN == 0:
            await asyncio.sleep(0)
