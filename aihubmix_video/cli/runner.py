"""The commands that need a gateway, as coroutines that end in an exit code."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import attrs

from aihubmix_video.cli.exit_codes import ExitCode, exit_of, exit_of_all
from aihubmix_video.cli.ledger_location import standing_of, uncertain_lines
from aihubmix_video.cli.output_paths import key_of
from aihubmix_video.cli.result_tables import statuses_table
from aihubmix_video.cli.row_result import RowResult, error_object, resume_lines
from aihubmix_video.cli.run_summary import RunSummary
from aihubmix_video.cli.text_format import error_text, safe, short_id
from aihubmix_video.errors import (
    ConfigurationError,
    JobNotFound,
    LedgerError,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.gallery.sidecar import write_sidecar
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.session.session import VideoSession
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from aihubmix_video.cli.command_options import SandboxOptions, SessionOptions
    from aihubmix_video.cli.console import Screen
    from aihubmix_video.cli.ledger_location import LedgerLocation, LedgerSummary
    from aihubmix_video.errors import Charged
    from aihubmix_video.gallery.gallery import Gallery
    from aihubmix_video.session.job import Job
    from aihubmix_video.types.request import VideoRequest

    Work = Callable[[VideoSession], AsyncIterator[RowResult]]

__all__ = ["Runner", "deletes", "downloads", "one", "statuses"]

T = TypeVar("T")

SPEED = 60.0
VENDOR_POLL = 15.0  # seconds, as documented; the sandbox's clock runs faster, and so do our questions
SMALLEST_POLL = 0.25
SANDBOX_RATE = 50.0


@attrs.frozen(kw_only=True)
class Runner:
    """One run of a command against a gateway."""

    session: SessionOptions
    sandbox: SandboxOptions
    screen: Screen
    location: LedgerLocation | None = None
    sidecar: bool = False
    gallery: Gallery | None = None

    async def follow(self, work: Work, total: int) -> ExitCode:
        """Do the work, tell every outcome as it comes, and say at the end what lives on at the gateway."""
        if self.gallery is None:
            return await self._follow(work, total)
        async with self.gallery.kept(self.location):
            return await self._follow(self.gallery.noting(work), total)

    async def _follow(self, work: Work, total: int) -> ExitCode:
        summary = RunSummary(total=total)
        left: tuple[Job, ...] = ()
        try:
            async with self.opened() as session:
                summary.begun = True
                try:
                    async with self.screen.watching(session, total), aclosing(work(session)) as outcomes:  # type: ignore[type-var]  # async generators close
                        async for outcome in outcomes:
                            summary.add(outcome)
                            await self._keep(outcome)
                            self.screen.finished(outcome)
                finally:
                    # Told below, when the session is closed: creates under way learn their ids meanwhile.
                    left = session.jobs()
        finally:
            if summary.begun:
                await self._tell_end(summary, left)
        return exit_of_all(summary.exits)

    async def _keep(self, outcome: RowResult) -> None:
        """Write what is kept beside a video, and look whether one that was saved earlier is still there."""
        if outcome.path is None or outcome.error is not None:
            return
        if outcome.earlier and not await asyncio.to_thread(outcome.path.exists):
            again = f"`aihubmix-video download {safe(outcome.id or 'ID')}` fetches it again while its link lives"
            self.screen.warn(f"{outcome.path} was saved earlier and is not there any more; {again}.")
        elif self.sidecar:
            try:
                await asyncio.to_thread(write_sidecar, outcome)
            except (ConfigurationError, OSError) as error:
                self.screen.warn(f"no sidecar for {outcome.path}: {error}")

    async def _tell_end(self, summary: RunSummary, left: Sequence[Job]) -> None:
        if summary.total > 1:
            self.screen.summary()
        standing = await self._standing()
        if standing is not None and self.location is not None:
            summary.settle(standing.left, whole=self.location.batch is not None)
            self._tell_ledger(self.location, standing, summary)
            return
        ids = summary.paid | {job.id: None for job in left if job.id is not None and job.status is not Status.FAILED}
        self._tell_left(ids, [job.key for job in left if job.status is Status.UNCERTAIN])

    async def _standing(self) -> LedgerSummary | None:
        """Look into the ledger once the session has let go of it; None where jobs can only be told by their ids."""
        if self.location is None or self.sandbox.sandbox:
            return None
        try:
            return await standing_of(self.location)
        except LedgerError as error:
            self.screen.error(error_text(error))
            return None

    def _tell_ledger(self, location: LedgerLocation, standing: LedgerSummary, summary: RunSummary) -> None:
        """Say what is left to do, and which commands do it."""
        going = len(standing.left) - len(standing.uncertain)
        if going:
            self.screen.insist(
                f"{going} job{' is' if going == 1 else 's are'} not finished; go on with\n  {location.resume}"
            )
        for line in uncertain_lines(standing.uncertain, location.resume):
            self.screen.insist(line)
        if summary.untaken:
            self.screen.insist(f"{summary.untaken} rows were not taken up; for these, run the same command again.")

    def _tell_left(self, ids: Collection[str], uncertain: Iterable[str]) -> None:
        """Say which jobs live on at the gateway; those of a gateway of our own ended with it."""
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
        """Open a session, in front of a gateway of its own if the user wants one."""
        async with self.reached() as options, VideoSession(**options) as session:  # type: ignore[arg-type]  # the session judges its options itself
            yield session

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[dict[str, object]]:
        """Give the options of a session, and a gateway to go with them if the user wants one of his own."""
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
        speed = self.screen.speed = SPEED if self.sandbox.speed is None else self.sandbox.speed
        async with Sandbox(speed=speed) as sandbox:
            paced = {"poll_interval": max(VENDOR_POLL / speed, SMALLEST_POLL), "rate": SANDBOX_RATE}
            yield {**paced, **options, "api_key": sandbox.api_key, "base_url": sandbox.url}

    # Calls about jobs bought earlier.

    async def each(self, ids: Sequence[str], ask: Callable[[VideoSession, str], Awaitable[T]]) -> list[T | VideoError]:
        """Ask about every id at once, under the session's rate."""

        async def asked(session: VideoSession, video_id: str) -> T | VideoError:
            try:
                return await ask(session, video_id)
            except VideoError as error:
                return error

        async with self.opened() as session:
            return await asyncio.gather(*(asked(session, each) for each in ids))


async def one(session: VideoSession, request: VideoRequest, path: Path, *, overwrite: bool) -> AsyncIterator[RowResult]:
    """Generate a single video."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        job = await session.submit(request, to=path, overwrite=overwrite)
    except VideoError as error:
        yield RowResult(index=0, request=request, error=error, charged=error.charged)
        return
    try:
        video = await job
    except VideoError as error:
        yield RowResult(index=0, key=job.key, request=request, error=error, charged=error.charged)
        return
    took = loop.time() - began
    yield RowResult(index=0, key=job.key, request=request, video=video, path=video.path, charged="yes", took=took)


async def downloads(
    session: VideoSession, files: Sequence[tuple[str, Path]], *, overwrite: bool
) -> AsyncIterator[RowResult]:
    """Wait for jobs bought earlier and fetch their videos, each as soon as it is there."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def fetched(index: int, video_id: str, path: Path) -> RowResult:
        key = key_of(video_id)
        try:
            video = await session.job(video_id).save(path, overwrite=overwrite)
        except VideoError as error:
            known = Video(id=video_id)
            charged: Charged = "unknown" if isinstance(error, JobNotFound) else "yes"
            return RowResult(index=index, key=key, video=known, error=error, charged=charged)
        return RowResult(index=index, key=key, video=video, path=video.path, charged="yes", took=loop.time() - began)

    tasks = [asyncio.create_task(fetched(index, *file)) for index, file in enumerate(files)]
    try:
        for task in asyncio.as_completed(tasks):
            yield await task
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def statuses(runner: Runner, ids: Sequence[str]) -> ExitCode:
    """Ask about jobs once, and tell how each stands."""
    answers = await runner.each(ids, lambda session, video_id: session.videos.retrieve(video_id))
    if runner.screen.json:
        runner.screen.objects(status_object(*pair) for pair in zip(ids, answers, strict=True))
    elif videos := [answer for answer in answers if isinstance(answer, Video)]:
        runner.screen.table(statuses_table(videos))
    return _told(runner, ids, answers)


def status_object(video_id: str, answer: Video | VideoError) -> dict[str, object]:
    """Give a job's state as ``--json`` prints it."""
    video = answer if isinstance(answer, Video) else Video(id=video_id)
    known = isinstance(answer, Video)
    failed = {"type": "JobFailed", "message": safe(video.error)} if video.error is not None else None
    return {
        "id": video_id,
        "model": video.model,
        "status": video.status.value if known else None,
        "progress": video.progress,
        "seconds": video.seconds,
        "width": video.width,
        "height": video.height,
        "created_at": video.created_at,
        "completed_at": video.completed_at,
        "expires_at": video.expires_at,
        "error": failed if known else error_object(answer if isinstance(answer, VideoError) else None),
    }


async def deletes(runner: Runner, ids: Sequence[str]) -> ExitCode:
    """Delete jobs at the gateway."""
    answers = await runner.each(ids, lambda session, video_id: session.videos.delete(video_id))
    for video_id, answer in zip(ids, answers, strict=True):
        if runner.screen.json:
            error = error_object(answer) if isinstance(answer, VideoError) else None
            runner.screen.objects([{"id": video_id, "deleted": error is None, "error": error}])
        elif answer is None:
            runner.screen.result(f"deleted {safe(video_id)}")
    return _told(runner, ids, answers)


def _told(runner: Runner, ids: Sequence[str], answers: Sequence[object]) -> ExitCode:
    """Tell the errors among the answers, and what all of them mean together."""
    errors = [(each, answer) for each, answer in zip(ids, answers, strict=True) if isinstance(answer, VideoError)]
    for video_id, error in errors:
        runner.screen.error(f"{safe(short_id(video_id))}: {error_text(error)}" if len(ids) > 1 else error_text(error))
    return exit_of_all(exit_of(error) for _, error in errors)
