"""What the commands that need a gateway share: a session, its results as they come, and what is left at the end."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import attrs
from anyio import to_thread

from aihubmix_video.cli.exit_codes import ExitCode, exit_of, exit_of_all
from aihubmix_video.cli.instrument import instrument
from aihubmix_video.cli.ledger_location import ledger_summary, uncertain_lines
from aihubmix_video.cli.result_lines import resume_lines
from aihubmix_video.cli.run_summary import RunSummary
from aihubmix_video.cli.signals import Interrupts
from aihubmix_video.cli.text_format import error_text, safe, short_id
from aihubmix_video.errors import ConfigurationError, LedgerError, SubmitUncertain, VideoError
from aihubmix_video.gallery import write_sidecar
from aihubmix_video.gallery.gallery import Gallery
from aihubmix_video.session.session import VideoSession
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
    from pathlib import Path

    from aihubmix_video.cli.command_options import SandboxOptions, SessionOptions
    from aihubmix_video.cli.console import Screen
    from aihubmix_video.cli.ledger_location import LedgerLocation, LedgerSummary
    from aihubmix_video.gallery.row_result import RowResult
    from aihubmix_video.session.job import Job

    Work = Callable[[VideoSession], AsyncIterator[RowResult]]

__all__ = ["SPEED", "Runner", "print_errors", "required", "run_command"]

T = TypeVar("T")

SPEED = 60.0
"""How much faster than the vendors a sandbox is by default."""
VENDOR_POLL = 15.0
"""Seconds between two polls, as documented; the sandbox's clock runs faster, and so do our polls."""
SMALLEST_POLL = 0.25
SANDBOX_RATE = 50.0
STOPPING = "Stopping: nothing more is bought, and jobs on their way in learn their ids. Once more to leave at once."


def run_command(
    screen: Screen, work: Coroutine[object, object, ExitCode], location: LedgerLocation | None = None
) -> int:
    """Run a command's coroutine until it is done or a signal stops it, and return the exit code."""
    stopping = STOPPING if location is None else f"{STOPPING}\nResume later with\n  {location.resume}"
    with Interrupts(on_first=lambda: screen.insist(stopping), on_second=screen.restore) as interrupts:
        try:
            return interrupts.run(work)
        except asyncio.CancelledError:
            return interrupts.exit_code


@attrs.frozen(kw_only=True)
class Runner:
    """One run of a command against a gateway.

    Attributes:
        session: How the gateway is reached.
        sandbox: Whether the gateway is one on this machine.
        screen: Where everything is printed.
        location: The ledger; None to keep none.
        sidecar: Whether a JSON file is written beside each video.
        gallery: The page of all videos; None to write none.
    """

    session: SessionOptions
    sandbox: SandboxOptions
    screen: Screen
    location: LedgerLocation | None = None
    sidecar: bool = False
    gallery: Gallery | None = None

    def with_gallery(self, folder: Path, prices: Mapping[str, float] | None = None) -> Runner:
        """Return this run with a gallery in *folder*.

        Raises:
            ConfigurationError: There is another page of its name, which stays as it is.
        """
        gallery = Gallery(
            folder=folder.absolute(),
            warn=self.screen.warn,
            prices=prices,
            capabilities=self.session.tables(),
            ledger=self.location.path if self.location is not None else None,
            batch=self.location.batch if self.location is not None else None,
        )
        gallery.check()
        return attrs.evolve(self, gallery=gallery)

    async def follow(self, work: Work, total: int) -> ExitCode:
        """Do the work, print every result as it comes, and at the end what lives on at the gateway."""
        if self.gallery is None:
            return await self._follow(work, total)
        async with self.gallery.current():
            return await self._follow(work, total)

    async def _follow(self, work: Work, total: int) -> ExitCode:
        summary = RunSummary(total=total)
        left: tuple[Job, ...] = ()
        try:
            async with self.opened() as session:
                summary.begun = True
                try:
                    async with self.screen.watching(session, total), aclosing(work(session)) as results:  # type: ignore[type-var]  # async generators close
                        async for result in results:
                            await self._take(attrs.evolve(result, capabilities=session.capabilities), summary)
                finally:
                    # Printed below, when the session is closed: creates under way learn their ids meanwhile.
                    left = session.jobs()
        finally:
            if summary.begun:
                await self._print_end(summary, left)
        return exit_of_all(summary.exits)

    async def _take(self, result: RowResult, summary: RunSummary) -> None:
        if self.gallery is not None:
            self.gallery.note(result)
        summary.add(result)
        await self._keep(result)
        self.screen.finished(result)

    async def _keep(self, result: RowResult) -> None:
        """Write what is kept beside a video, and check whether one that was saved earlier still exists."""
        if result.path is None or result.error is not None:
            return
        if result.earlier and not await to_thread.run_sync(result.path.exists):
            again = f"`aihubmix-video download {safe(result.id or 'ID')}` fetches it again while its link lives"
            self.screen.warn(f"{result.path} was saved earlier and does not exist any more; {again}.")
        elif self.sidecar:
            try:
                await write_sidecar(result)
            except ConfigurationError as error:
                self.screen.warn(f"no sidecar for {result.path}: {error}")

    async def _print_end(self, summary: RunSummary, left: Sequence[Job]) -> None:
        if summary.total > 1:
            self.screen.summary()
        if summary.unproved:
            videos = "1 video is" if summary.unproved == 1 else f"{summary.unproved} videos are"
            self.screen.insist(
                f"{videos} saved, but not proved whole: look at {'it' if summary.unproved == 1 else 'them'}."
            )
        kept = await self._ledger_summary()
        if kept is not None and self.location is not None:
            summary.settle(kept.left, whole=self.location.batch is not None)
            self._print_ledger(self.location, kept, summary)
            return
        ids = summary.paid | {job.id: None for job in left if job.id is not None and job.status is not Status.FAILED}
        self._print_left(ids, [job.key for job in left if job.status is Status.UNCERTAIN])

    async def _ledger_summary(self) -> LedgerSummary | None:
        """Return the state of the ledger once the session has closed it; None if there is none to resume."""
        if self.location is None or self.sandbox.sandbox:
            return None
        try:
            return await ledger_summary(self.location)
        except LedgerError as error:
            self.screen.error(error_text(error))
            return None

    def _print_ledger(self, location: LedgerLocation, kept: LedgerSummary, summary: RunSummary) -> None:
        """Print what is left to do, and which commands do it."""
        going = len(kept.left) - len(kept.uncertain)
        if going:
            self.screen.insist(
                f"{going} job{' is' if going == 1 else 's are'} not finished; resume with\n  {location.resume}"
            )
        for line in uncertain_lines(kept.uncertain, location.resume):
            self.screen.insist(line)
        if summary.untaken:
            self.screen.insist(f"{summary.untaken} rows were not taken up; for these, run the same command again.")

    def _print_left(self, ids: Collection[str], uncertain: Iterable[str]) -> None:
        """Print which jobs live on at the gateway; those of a gateway of our own ended with it."""
        if self.sandbox.sandbox:
            if ids:
                self.screen.say(f"The sandbox is closed, and {len(ids)} unfinished jobs with it.")
            return
        for line in resume_lines(ids):
            self.screen.insist(line)
        for key in uncertain:
            self.screen.error(f"{key}: the create was sent, and its outcome is not known. {SubmitUncertain.advice}")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[VideoSession]:
        """Open a session, with a gateway of its own if the user wants one."""
        async with self.reached() as options, VideoSession(**options) as session:  # type: ignore[arg-type]  # the session checks its options itself
            with instrument(session):
                yield session

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[dict[str, object]]:
        """Yield the options of a session, with a gateway of its own behind them if the user wants one."""
        options = self.session.given(os.environ, needs_key=not self.sandbox.sandbox)
        if self.location is not None:
            options["ledger"] = self.location.path
        if not self.sandbox.sandbox:
            if self.sandbox.speed is not None:
                raise ConfigurationError("--speed goes with --sandbox.")
            yield options
            return
        if self.session.base_url is not None or self.session.api_key_file is not None:
            raise ConfigurationError(
                "--sandbox brings its own gateway and key: leave out --base-url and --api-key-file."
            )
        from aihubmix_video.sandbox import Sandbox  # noqa: PLC0415  # a server, which other commands do without

        speed = self.screen.speed = SPEED if self.sandbox.speed is None else self.sandbox.speed
        async with Sandbox(speed=speed, models=self.session.plain_models()) as sandbox:
            paced = {"poll_interval": max(VENDOR_POLL / speed, SMALLEST_POLL), "rate": SANDBOX_RATE}
            yield {**paced, **options, "api_key": sandbox.api_key, "base_url": sandbox.url}

    # Calls about jobs bought earlier.

    async def each(self, ids: Sequence[str], ask: Callable[[VideoSession, str], Awaitable[T]]) -> list[T | VideoError]:
        """Ask about every id at once, under the session's rate, and return the answers in order."""

        async def asked(session: VideoSession, video_id: str) -> T | VideoError:
            try:
                return await ask(session, video_id)
            except VideoError as error:
                return error

        async with self.opened() as session:
            return await asyncio.gather(*(asked(session, each) for each in ids))


def required(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of a command that needs at least one.

    Raises:
        ConfigurationError: There are none.
    """
    if not ids:
        raise ConfigurationError("give the id of at least one job.")
    return ids


def print_errors(screen: Screen, ids: Sequence[str], answers: Sequence[object]) -> ExitCode:
    """Print the errors among the answers about these ids, and return the exit code of all of them together."""
    errors = [(each, answer) for each, answer in zip(ids, answers, strict=True) if isinstance(answer, VideoError)]
    for video_id, error in errors:
        screen.error(f"{safe(short_id(video_id))}: {error_text(error)}" if len(ids) > 1 else error_text(error))
    return exit_of_all(exit_of(error) for _, error in errors)
