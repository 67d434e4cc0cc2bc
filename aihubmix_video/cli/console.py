"""What is printed where: results on standard output; progress and messages on standard error, live on a terminal."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
import warnings
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import attrs
from rich.console import Console
from rich.live import Live
from rich.text import Text

from aihubmix_video.cli.progress_view import ProgressLine, Totals, changes, drawn, remaining
from aihubmix_video.cli.result_lines import failure_line, finished_line, result_object
from aihubmix_video.cli.text_format import bytes_text, pixels_text, safe, seconds_text, took_text
from aihubmix_video.errors import BudgetExceeded
from aihubmix_video.output.template import slug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from aihubmix_video.cli.command_options import OutputOptions
    from aihubmix_video.gallery.row_result import RowResult
    from aihubmix_video.session.job import Job
    from aihubmix_video.session.session import VideoSession
    from aihubmix_video.types.events import RequestHold

__all__ = ["Screen"]

SHOWN_HOLD_SECONDS = 3.0  # shorter waits are over before they are read
LIVE_SECONDS = 0.2  # between pictures: five a second are smooth enough, and cheap over a slow line
PLAIN_SECONDS = 0.5
PIPE_WIDTH = 120  # columns of a table that goes to no terminal
SHOW_CURSOR = b"\r\x1b[?25h\x1b[0m\n"


class Paper(Console):
    """A console that prints text as it is, and leaves a broken pipe to its caller."""

    def __init__(self, file: TextIO, width: int | None = None) -> None:
        super().__init__(file=file, width=width, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Raise it again; rich would end the process, and jobs that are paid for would not be named."""
        raise  # noqa: PLE0704  # rich calls this while it handles the error


@attrs.define(kw_only=True, eq=False)
class Screen:
    """Standard output and standard error of one run.

    Attributes:
        json: Whether results are printed as JSON objects.
        quiet: Whether progress is left out.
        out: Where results go.
        console: Where everything else goes.
        live: Whether progress is a picture that is redrawn in place.
        speed: How much faster than the vendors the gateway is; estimates are of the vendors' times.
    """

    json: bool = False
    quiet: bool = False
    out: TextIO = attrs.field(factory=lambda: sys.stdout)
    console: Console = attrs.field(factory=lambda: Paper(sys.stderr))
    live: bool = False
    speed: float = 1.0
    _picture: Live | None = attrs.field(default=None, init=False)
    _began: float = attrs.field(factory=time.monotonic, init=False)
    _first_seen: dict[str, float] = attrs.field(factory=dict, init=False)
    _lines: dict[str, ProgressLine] = attrs.field(factory=dict, init=False)
    _done: int = attrs.field(default=0, init=False)
    _failed: int = attrs.field(default=0, init=False)
    _capped: int = attrs.field(default=0, init=False)  # rows left out because of a cap
    _unpriced: int = attrs.field(default=0, init=False)  # rows left out because a cap cannot be kept with them
    _total: int = attrs.field(default=0, init=False)
    _model_width: int = attrs.field(default=8, init=False)

    @classmethod
    def of_options(cls, how: OutputOptions) -> Screen:
        """Return the screen of this process: live only on a terminal that can redraw, unless JSON goes there."""
        screen = cls(json=how.json, quiet=how.quiet)
        terminal = sys.stderr.isatty() and not screen.console.is_dumb_terminal
        screen.live = terminal and not how.quiet and not (how.json and sys.stdout.isatty())
        screen.adopt_messages()
        return screen

    # Standard output.

    def result(self, text: str) -> None:
        """Print one line of a result at once, so that the reader of a pipe sees it now."""
        self.out.write(f"{text}\n")
        self.out.flush()

    def objects(self, objects: Iterable[Mapping[str, object]]) -> None:
        """Print JSON objects, one per line."""
        for each in objects:
            self.result(json.dumps(each, ensure_ascii=False))

    def table(self, table: RenderableType, *, cell_width: int = 0) -> None:
        """Print a table as a result; where it goes to no terminal, a cell of *cell_width* columns is not cut."""
        width = None if self.out.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH + cell_width
        Paper(self.out, width).print(table)
        self.out.flush()

    # Standard error.

    def say(self, text: str, style: str = "") -> None:
        """Print a message, unless only results are wanted."""
        if not self.quiet:
            self.insist(text, style)

    def insist(self, text: str, style: str = "") -> None:
        """Print a message that matters even if only results are wanted."""
        self.console.print(Text(text, style), soft_wrap=True)

    def error(self, text: str) -> None:
        """Print one error as one line."""
        self.console.print(Text.assemble(("error: ", "bold red"), safe(text)), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print one warning as one line."""
        self.console.print(Text.assemble(("warning: ", "yellow"), safe(text)), soft_wrap=True)

    # Progress.

    def finished(self, result: RowResult) -> None:
        """Print the end of one row: its path or object as a result, and a line about it."""
        capped = isinstance(result.error, BudgetExceeded)
        unpriced = isinstance(result.error, BudgetExceeded) and "cannot be kept" in result.error.message
        self._done += result.error is None
        self._capped += capped and not unpriced
        self._unpriced += unpriced
        self._failed += result.error is not None and not capped
        if capped and self._capped + self._unpriced > 1:
            pass  # one cap stops thousands of rows; the summary counts them
        elif result.error is not None:
            self.error(failure_line(result, alone=self._total <= 1))
        elif self.live:
            self.console.print(self._saved(result), soft_wrap=True)
        else:
            saved = "saved earlier" if result.earlier else "saved"
            said = "there already" if result.skipped else f"{saved}  {finished_line(result)}"
            self.say(f"{safe(result.key or '', 64)} {said}".strip())
        if self.json:
            self.objects([result_object(result)])
        elif result.location is not None and not (self.live and self.out.isatty()):
            self.result(result.location)

    def _saved(self, result: RowResult) -> Text:
        """Return a saved video's line with its path, as the picture's terminal is where the user looks."""
        if result.skipped:
            return Text.assemble(("there  ", "dim"), _nearby(result))
        if result.earlier:
            return Text.assemble(("saved earlier  ", "dim"), _nearby(result))
        self._model_width = max(self._model_width, len(result.model))
        facts = (
            f"{result.model:{self._model_width}}",
            f"{pixels_text(result.pixels):>9}",
            f"{seconds_text(result.seconds):>4}",
            f"{bytes_text(result.bytes):>8}",
            f"{took_text(result.took):>5}",
        )
        return Text.assemble(("saved  ", "bold green"), "  ".join(facts), "  ", (_nearby(result), "bold"))

    def begin(self, total: int) -> None:
        """Count *total* rows from now."""
        self._total, self._began = total, time.monotonic()

    def summary(self) -> None:
        """Print how many rows ended how."""
        failed = f", {self._failed} failed" if self._failed else ""
        failed += f", {self._capped} above a cap" if self._capped else ""
        failed += f", {self._unpriced} whose price or length is not known" if self._unpriced else ""
        took = took_text(time.monotonic() - self._began)
        self.say(
            f"{self._done} of {self._total} done{failed}, in {took}.",
            "bold red" if self._failed or self._capped or self._unpriced else "bold",
        )

    @asynccontextmanager
    async def watching(self, session: VideoSession, total: int) -> AsyncIterator[None]:
        """Show the session's jobs as they go, until left."""
        self.begin(total)
        if self.quiet:
            yield
            return
        watcher = asyncio.create_task(self._watch(session), name="aihubmix-video progress")
        try:
            yield
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher

    async def _watch(self, session: VideoSession) -> None:
        if not self.live:
            while True:
                self._tell_changes(session.jobs())
                await asyncio.sleep(PLAIN_SECONDS)
        # What other libraries print goes above the picture because all of it is printed through one console.
        with Live(
            console=self.console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        ) as self._picture:
            while True:
                self._picture.update(self.picture(session.jobs(), session.stats().holds), refresh=True)
                await asyncio.sleep(LIVE_SECONDS)

    def picture(self, jobs: Sequence[Job], holds: Sequence[RequestHold] = ()) -> RenderableType:
        """Return the picture of the jobs as they stand now."""
        now = time.monotonic()
        lines = [self._line(job, now) for job in jobs]
        self._first_seen = {line.key: now - line.age for line in lines}  # of those that still run
        running = sum(line.id is not None for line in lines)
        totals = Totals(
            done=self._done,
            failed=self._failed,
            running=running,
            total=self._total - self._capped - self._unpriced,
            elapsed=now - self._began,
            holds=tuple(str(hold) for hold in holds if hold.until - time.time() > SHOWN_HOLD_SECONDS),
        )
        eta = remaining(
            [line.eta for line in lines if line.id is not None], totals.waiting, (totals.per_minute or 0.0) / 60 or None
        )
        self._model_width = max([self._model_width, *(len(line.model) for line in lines)])
        return drawn(
            lines,
            attrs.evolve(totals, eta=eta),
            height=self.console.height,
            width=self.console.width,
            model_width=self._model_width,
        )

    def _tell_changes(self, jobs: Sequence[Job]) -> None:
        now = time.monotonic()
        lines = {job.key: self._line(job, now) for job in jobs}
        for text in changes(self._lines, lines.values()):
            self.say(text)
        self._lines = lines

    def _line(self, job: Job, now: float) -> ProgressLine:
        request = job.request
        event = job.snapshot()
        hurry = self.speed if event.progress is None else 1.0
        began = self._first_seen.get(job.key, now) if job.id is not None else now
        return ProgressLine(
            key=job.key,
            model=safe(request.model, 40) if request is not None else "",
            prompt=slug(request.prompt).replace("-", " ") if request is not None else "",
            id=safe(job.id) if job.id is not None else None,
            status=event.status,
            progress=event.progress,
            eta=event.eta / hurry if event.eta is not None else None,
            age=now - began,
            bytes_done=event.bytes_done,
            bytes_total=event.bytes_total,
            note=safe(event.note, 160) if event.note is not None else None,
        )

    def restore(self) -> None:
        """Leave the terminal usable when there is no time for anything else."""
        if self._picture is not None and self._picture.is_started:
            os.write(2, SHOW_CURSOR)

    # Messages of other libraries.

    def adopt_messages(self) -> None:
        """Print warnings and log messages as this program's own, so that none tears the picture or carries escapes."""

        def show(message: Warning | str, *_: object, **__: object) -> None:
            self.warn(str(message))

        warnings.showwarning = show
        log = logging.getLogger("aihubmix_video")
        log.addHandler(_ToScreen(self))
        log.propagate = False


class _ToScreen(logging.Handler):
    """Prints log messages as warnings."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record, unless it is of the log of jobs, whose news the command itself prints."""
        if record.name == "aihubmix_video.jobs":
            return
        self._screen.warn(record.getMessage())


def _nearby(result: RowResult) -> str:
    """Return a path relative to the current folder if it lies below it, or else an object's URL."""
    path = result.path
    if path is None:
        return result.object_url or ""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
