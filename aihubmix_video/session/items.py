"""Outcomes of a batch's rows, from what the session or the ledger knows of their jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.ledger.entry import FINISHED
from aihubmix_video.session.ledger_mapping import video_of
from aihubmix_video.types.events import BatchItem

if TYPE_CHECKING:
    from aihubmix_video.errors import VideoError
    from aihubmix_video.ledger.entry import Entry
    from aihubmix_video.session.tracked_job import Record

__all__ = ["told", "told_again"]


def told(index: int, record: Record, error: VideoError | None) -> BatchItem:
    """Tell how a job ended."""
    return BatchItem(
        index=index,
        key=record.key,
        request=record.request,
        video=record.video,
        path=record.video.path if record.video is not None else None,
        error=error,
        charged=error.charged if error is not None else "yes",
    )


def told_again(index: int, entry: Entry, error: VideoError | None) -> BatchItem:
    """Tell of a row what the ledger knows."""
    return BatchItem(
        index=index,
        key=entry.key,
        request=entry.request,
        video=video_of(entry),
        path=entry.path,
        error=error,
        charged=entry.charged,
        earlier=entry.state in FINISHED,
    )
