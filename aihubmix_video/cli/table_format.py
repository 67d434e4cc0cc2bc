"""The look of every table that is printed."""

from __future__ import annotations

from rich.table import Table

__all__ = ["new_table"]

RIGHT = {"size", "took", "videos", "total", "progress", "length", "list price"}
"""Columns of numbers, which are flush right."""


def new_table(*columns: str, gap: int = 2) -> Table:
    """Return an empty table with *gap* blanks between columns."""
    table = Table(box=None, pad_edge=False, header_style="bold cyan", padding=(0, gap, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in RIGHT else "left", overflow="fold")
    return table
