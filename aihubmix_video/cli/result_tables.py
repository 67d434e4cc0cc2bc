"""Tables: jobs, plans and finished videos, as values that rich draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from aihubmix_video.cli.text_format import bytes_text, pixels_text, safe, seconds_text, short_id, took_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aihubmix_video.cli.row_result import RowResult
    from aihubmix_video.types.video import Video

__all__ = ["new_table", "statuses_table", "videos_table"]


def new_table(*columns: str, gap: int = 2) -> Table:
    """Make an empty table with *gap* blanks between columns; numbers are flush right."""
    table = Table(box=None, pad_edge=False, header_style="bold cyan", padding=(0, gap, 0, 0))
    for name in columns:
        numeric = name in {"size", "took", "videos", "total", "progress", "length", "list price"}
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    return table


def statuses_table(videos: Sequence[Video]) -> Table:
    """Draw where jobs stand."""
    table = new_table("id", "model", "status", "progress", "length", "picture", "error")
    for video in videos:
        size = (video.width, video.height) if video.width and video.height else None
        table.add_row(
            Text(safe(short_id(video.id))),
            safe(video.model or "", 40),
            video.status.value,
            "" if video.progress is None else f"{video.progress:.0f}%",
            seconds_text(video.seconds),
            pixels_text(size),
            Text(safe(video.error or "", 200)),
        )
    return table


def videos_table(outcomes: Iterable[RowResult]) -> Table:
    """Draw finished videos, and those that failed."""
    table = new_table("file", "model", "picture", "length", "size", "sha256", "took")
    table.columns[0].no_wrap = True
    for each in outcomes:
        file = Text(each.path.name, "bold") if each.path is not None else Text("failed", "red")
        table.add_row(
            file,
            each.model,
            pixels_text(each.pixels),
            seconds_text(each.seconds),
            bytes_text(each.bytes),
            (each.sha256 or "")[:10],
            took_text(each.took),
        )
    return table
