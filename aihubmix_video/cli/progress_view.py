"""The live picture: one line per running job, and a line of totals. Values go in, and what rich draws comes out."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import attrs
from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from aihubmix_video.cli.text_format import bytes_text, span_text
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["ProgressLine", "Totals", "changes", "drawn", "remaining"]

BAR = 14
NUMBERS = len("98.7 MB / 123 MB")
MOST_LINES = 16
ABOVE = 8
"""Lines for the totals, for blanks, and for the newest of what was printed before."""
HIGHEST_ESTIMATE = 0.95
"""An estimate never says that a job is finished."""

WORDS = {
    Status.PENDING: ("waiting", "dim"),
    Status.QUEUED: ("queued", "cyan"),
    Status.IN_PROGRESS: ("generating", "blue"),
    Status.COMPLETED: ("downloading", "green"),
    Status.FAILED: ("failed", "red"),
    Status.UNCERTAIN: ("uncertain", "red"),
}


@attrs.frozen(kw_only=True)
class ProgressLine:
    """One job as it stands.

    Attributes:
        key: Its local key.
        model: The model's name.
        prompt: The first words of its prompt.
        id: The gateway's id, once known.
        status: Where it stands.
        progress: Percent, where the vendor reports it.
        eta: Seconds until it is expected to be finished.
        age: Seconds since it was first seen.
        bytes_done: Bytes of its file on disk.
        bytes_total: Size of its file, where known.
        note: What keeps it, in a few words, while something does.
    """

    key: str
    model: str
    prompt: str
    id: str | None = None
    status: Status = Status.PENDING
    progress: float | None = None
    eta: float | None = None
    age: float = 0.0
    bytes_done: int = 0
    bytes_total: int | None = None
    note: str | None = None

    @property
    def downloading(self) -> bool:
        """Whether its file is being downloaded, or is about to be."""
        return self.status is Status.COMPLETED

    @property
    def share(self) -> float | None:
        """How much of the generation or the download is done, 0 to 1; None if it is not known."""
        if self.downloading:
            return min(self.bytes_done / self.bytes_total, 1.0) if self.bytes_total else 0.0
        if self.progress is not None:
            return self.progress / 100
        if self.eta is None or self.status is not Status.IN_PROGRESS:
            return None
        return min(self.age / (self.age + self.eta), HIGHEST_ESTIMATE) if self.age + self.eta > 0 else None


@attrs.frozen(kw_only=True)
class Totals:
    """The state of all rows together.

    Attributes:
        done: Videos saved.
        failed: Rows that ended without a video.
        running: Jobs that the gateway has, those being downloaded included.
        total: Rows in all.
        elapsed: Seconds since the beginning.
        eta: Seconds until everything is expected to be done.
        holds: Requests that are not sent for a while, each with its reason and end.
    """

    done: int = 0
    failed: int = 0
    running: int = 0
    total: int = 0
    elapsed: float = 0.0
    eta: float | None = None
    holds: tuple[str, ...] = ()

    @property
    def waiting(self) -> int:
        """Rows that the gateway has not accepted yet, as `JobState.WAITING` calls them."""
        return max(self.total - self.done - self.failed - self.running, 0)

    @property
    def per_minute(self) -> float | None:
        """Videos saved per minute so far."""
        return self.done * 60 / self.elapsed if self.done and self.elapsed > 0 else None


def remaining(running: Sequence[float | None], waiting: int, per_second: float | None) -> float | None:
    """Return the estimated seconds until everything is done.

    Args:
        running: Estimates for the jobs that run; None for those that have none.
        waiting: Jobs that the gateway has not accepted yet.
        per_second: Videos finished per second so far.
    """
    known = [eta for eta in running if eta is not None]
    if not waiting:
        return max(known) if known else None
    if not per_second:
        return None
    return waiting / per_second + (median(known) if known else 0.0)


def drawn(
    lines: Sequence[ProgressLine], totals: Totals, *, height: int, width: int, model_width: int
) -> RenderableType:
    """Return the whole picture, in at most *height* lines of a terminal that is *width* wide."""
    room = max(min(height - ABOVE - len(totals.holds), MOST_LINES), 1)
    shown, more = chosen(lines, room)
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, width=min(model_width, max(width // 4, 8)), overflow="ellipsis")
    table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column(no_wrap=True, width=max(len(word) for word, _ in WORDS.values()))
    table.add_column(no_wrap=True, width=BAR)
    table.add_column(no_wrap=True, justify="right", width=NUMBERS)
    for line in shown:
        word, style = WORDS[line.status]
        table.add_row(
            *(Text(line.key, "dim"), line.model, Text(line.note, "yellow") if line.note else Text(line.prompt, "dim")),
            *(Text(word, style), _bar(line), _numbers(line)),
        )
    rest = [Text(f"and {more} more", "dim")] if more else []
    gap = [Text("")] if height > ABOVE else []
    held = [Text(hold, "yellow", no_wrap=True, overflow="ellipsis") for hold in totals.holds]
    return Group(*gap, table, *rest, *gap, *held, _totals(totals))


def chosen(lines: Sequence[ProgressLine], room: int) -> tuple[list[ProgressLine], int]:
    """Return the jobs to show, oldest first, and the number of the others; what moves is shown before what waits."""
    if len(lines) <= room:
        return list(lines), 0
    moving = sorted(range(len(lines)), key=lambda place: (_rank(lines[place]), place))[: room - 1]
    return [lines[place] for place in sorted(moving)], len(lines) - len(moving)


def _rank(line: ProgressLine) -> int:
    ranks = {Status.COMPLETED: 0, Status.IN_PROGRESS: 1, Status.QUEUED: 2}
    return ranks.get(line.status, 3)


def _bar(line: ProgressLine) -> RenderableType:
    share = line.share
    if share is None:
        return Text("")
    told = line.downloading or line.progress is not None
    style = "green" if line.downloading else "blue" if told else "bright_black"
    return ProgressBar(total=1.0, completed=share, width=BAR, complete_style=style, finished_style=style)


def _numbers(line: ProgressLine) -> Text:
    if line.downloading:
        total = f" / {bytes_text(line.bytes_total)}" if line.bytes_total else ""
        return Text(f"{bytes_text(line.bytes_done)}{total}" if line.bytes_done else "", "green")
    percent = f"{line.progress:.0f}%" if line.progress is not None else ""
    left = f"{span_text(line.eta)} left" if line.eta else ""
    return Text("  ".join(filter(None, (percent, left))))


def _totals(totals: Totals) -> Text:
    parts = [
        Text(f"{totals.done} of {totals.total} done", "bold green" if totals.done else "bold"),
        Text(f"{totals.failed} failed", "bold red" if totals.failed else "dim"),
        Text(f"{totals.running} running", "blue" if totals.running else "dim"),
        Text(f"{totals.waiting} waiting", "" if totals.waiting else "dim"),
        Text(span_text(totals.elapsed), "dim"),
    ]
    if totals.per_minute is not None:
        parts.append(Text(f"{totals.per_minute:.1f}/min"))
    if totals.eta is not None and totals.done + totals.failed < totals.total:
        parts.append(Text(f"about {span_text(totals.eta)} left"))
    line = Text(no_wrap=True, overflow="ellipsis")
    for part in parts:
        line.append(part).append("  ", "dim")
    return line


# The same as plain lines, for logs and dumb terminals.


def changes(before: Mapping[str, ProgressLine], now: Iterable[ProgressLine]) -> list[str]:
    """Return what is new about each job, one line per event."""
    found: list[str] = []
    for line in now:
        old = before.get(line.key)
        if line.id is not None and (old is None or old.id is None):
            found.append(f"{line.key} {line.model}: accepted, id {line.id}")
        if old is not None and line.status is not old.status and line.status is not Status.PENDING:
            found.append(f"{line.key} {line.model}: {WORDS[line.status][0]}")
        if line.note is not None and (old is None or old.note is None):
            found.append(f"{line.key} {line.model}: {line.note}")
    return found
