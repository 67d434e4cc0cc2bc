"""The activities: what a workflow asks of a session, each a thin shell around one call of it."""

import asyncio
import hashlib
from collections.abc import Awaitable
from pathlib import Path, PurePath
from typing import TypeVar

import attrs
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from aihubmix_video.batch_file import Row
from aihubmix_video.errors import InvalidRequest, VideoError
from aihubmix_video.output.template import Template, slug
from aihubmix_video.session.session import VideoSession
from aihubmix_video.temporal.rows_by_place import list_rows, next_shards, read_row
from aihubmix_video.temporal.submit_outcome import fetch_result, note_of, submit_result
from aihubmix_video.temporal.workflow_values import (
    BatchSpec,
    FetchResult,
    FetchTask,
    RowDecision,
    ScanTask,
    ShardInput,
    ShardPage,
    ShardRows,
    SubmitResult,
    SubmitTask,
)
from aihubmix_video.types.video import Video

__all__ = ["SessionActivities"]

T = TypeVar("T")

HEARTBEATS_PER_TIMEOUT = 4
HASH_BYTES = 2**20


class SessionActivities:
    """Carries out what workflows ask for, with one session for all of them.

    Args:
        session: An open session.
        client: Tells a batch of a purchase whose report the server no longer takes.
    """

    def __init__(self, session: VideoSession, client: Client) -> None:
        self._session = session
        self._client = client
        self._halts: dict[tuple[str, int], SubmitResult] = {}
        self._late: set[asyncio.Task[None]] = set()

    # Reading.

    @activity.defn(name="scan")
    async def scan(self, task: ScanTask) -> ShardPage:
        """Find the places of the next shards of a batch file."""
        try:
            return await asyncio.to_thread(next_shards, task.spec, task.cursor, task.count)
        except InvalidRequest as error:
            raise _again(error) from None

    @activity.defn(name="rows")
    async def rows(self, task: ShardInput) -> ShardRows:
        """List the rows of a shard."""
        if task.place is None:
            return ShardRows(good=())
        try:
            return await asyncio.to_thread(list_rows, task.spec, task.place)
        except InvalidRequest as error:
            raise _again(error) from None

    # Buying.

    @activity.defn(name="submit")
    async def submit(self, task: SubmitTask) -> SubmitResult:
        """Buy the job of a row, once."""
        if (halted := self._halts.get((task.batch, task.era))) is not None:
            return halted
        buying = asyncio.create_task(self._buy(task))
        try:
            return await _beating(asyncio.shield(buying))
        except asyncio.CancelledError:
            # The server has given this attempt up; the answer is still to come, and its id must not be lost.
            late = asyncio.create_task(self._tell_late(task, buying))
            self._late.add(late)
            late.add_done_callback(self._late.discard)
            raise

    async def settle(self) -> None:
        """Wait until the answers of purchases that the server gave up are told."""
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _buy(self, task: SubmitTask) -> SubmitResult:
        try:
            row = await asyncio.to_thread(read_row, task.spec, task.row)
            place = _place(task.spec, row, None)
            await asyncio.to_thread(_refuse_existing, task.spec, place)
            video = await self._session.videos.create(row.request)
        except VideoError as error:
            result = submit_result(error)
            if result.kind == "halt":
                self._halts[task.batch, task.era] = result
            return result
        return SubmitResult(kind="bought", video_id=video.id)

    async def _tell_late(self, task: SubmitTask, buying: asyncio.Task[SubmitResult]) -> None:
        result = await buying
        batch = self._client.get_workflow_handle(task.batch)
        if result.video_id is not None:
            await batch.signal("decide", RowDecision(row=task.row.number, attach=result.video_id))

    # Fetching.

    @activity.defn(name="fetch")
    async def fetch(self, task: FetchTask) -> FetchResult:
        """Follow a job until its file is saved, under the session's one poller."""
        leaving = asyncio.create_task(activity.wait_for_worker_shutdown())
        saving = asyncio.create_task(self._save(task))
        try:
            await _beating(asyncio.wait({leaving, saving}, return_when=asyncio.FIRST_COMPLETED))
            if not saving.done():
                raise ApplicationError("this worker is shutting down", type="WorkerStopped")
            return await saving
        finally:
            leaving.cancel()
            saving.cancel()
            await asyncio.gather(leaving, saving, return_exceptions=True)

    async def _save(self, task: FetchTask) -> FetchResult:
        try:
            row = await asyncio.to_thread(read_row, task.spec, task.row)
            place = _place(task.spec, row, task.video_id)
            await asyncio.to_thread(place.parent.mkdir, parents=True, exist_ok=True)
            video = await self._saved(task, place)
        except VideoError as error:
            result = fetch_result(error)
            if result is None:
                raise _again(error) from None
            return result
        except OSError as error:
            raise ApplicationError(f"the folder cannot be made: {error.strerror}", type="OSError") from None
        return FetchResult(
            path=str(video.path), sha256=video.sha256, bytes_written=video.bytes_written, verified=video.verified
        )

    async def _saved(self, task: FetchTask, place: Path) -> Video:
        """Save the job's file; one that is there already, of an attempt that could not report it, is compared with it."""
        job = self._session.job(task.video_id)
        try:
            return await job.save(place, overwrite=task.spec.overwrite)
        except InvalidRequest:
            if task.spec.overwrite or not await asyncio.to_thread(place.is_file):
                raise
            twin = place.with_name(f"{place.stem[:80]}.{activity.info().attempt}-again{place.suffix}")
            video = await job.save(twin, overwrite=True)
            try:
                if await asyncio.to_thread(_sha256, place) != video.sha256:
                    raise
            finally:
                await asyncio.to_thread(twin.unlink, missing_ok=True)
            return attrs.evolve(video, path=place)


def _again(error: VideoError) -> ApplicationError:
    """Return an error that lets the attempt be tried again, here or by another worker."""
    note = note_of(error)
    return ApplicationError(note.message, type=note.type)


async def _beating(work: Awaitable[T]) -> T:
    """Wait for *work*, and tell the server meanwhile that this worker lives."""
    timeout = activity.info().heartbeat_timeout
    beating = asyncio.create_task(_beat(timeout.total_seconds() / HEARTBEATS_PER_TIMEOUT if timeout else 60.0))
    try:
        return await work
    finally:
        beating.cancel()


async def _beat(seconds: float) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(seconds)


def _place(spec: BatchSpec, row: Row, video_id: str | None) -> Path:
    """Return where a row's video goes; where that needs the id, and there is none yet, only its folder is certain."""
    template = Template.parse(spec.to)
    if row.output is not None:
        return Path(PurePath(spec.to).parent / row.output)
    if video_id is None and template.needs_id:
        return Path(spec.to).parent
    request = row.request
    return Path(
        template.render(
            index=row.number,
            id=video_id,
            key=row.key or f"row-{row.number}",
            model=request.model,
            slug=slug(request.prompt),
        )
    )


def _refuse_existing(spec: BatchSpec, place: Path) -> None:
    if not spec.overwrite and place.is_file():
        raise InvalidRequest.of("to", str(place), "exists; remove it, or start the batch with overwrite")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
