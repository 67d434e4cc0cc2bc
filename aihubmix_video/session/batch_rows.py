"""The rows of a batch, as they are drawn from whatever the user gave."""

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

ROWS_PER_TURN = 32  # rows taken from a plain iterable before others get a turn


def request_of(row: object) -> VideoRequest:
    """Read a row as a request.

    Raises:
        InvalidRequest: It is none.
    """
    if isinstance(row, VideoRequest):
        return row
    if isinstance(row, FileRow):
        return row.request
    if isinstance(row, Mapping):
        return VideoRequest.from_mapping(row)
    raise InvalidRequest.of("row", row, f"must be a VideoRequest or a mapping, not {type(row).__name__}")


async def drawn(rows: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    """Iterate over either sort of iterable; a plain one lets others have their turn now and then."""
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
        return
    for taken, row in enumerate(rows):
        yield row
        if taken % ROWS_PER_TURN == 0:
            await asyncio.sleep(0)
