"""A shard: some hundred rows of a batch, each bought once and followed until its file is whole."""

import asyncio
from collections import Counter
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

from aihubmix_video.temporal.submit_outcome import MAX_ATTEMPTS, note_of, retry_seconds
from aihubmix_video.temporal.workflow_values import (
    Control,
    Counts,
    ErrorNote,
    FetchResult,
    FetchTask,
    HeldRow,
    RowPhase,
    RowState,
    ShardInput,
    ShardRows,
    SubmitResult,
    SubmitTask,
)

__all__ = ["BATCH", "BUYING_SUFFIX", "MODEL", "ROWS", "STATE", "ShardWorkflow", "counts_of"]

BATCH = SearchAttributeKey.for_keyword("VideoBatch")
MODEL = SearchAttributeKey.for_keyword_list("VideoModel")
STATE = SearchAttributeKey.for_keyword("VideoState")
BUYING_SUFFIX = "-buy"
"""Submits have a task queue of their own, so that a worker takes no more of them than it can send at once."""
SUBMITS_AT_ONCE = 16
"""Submits of one shard that may be under way; what they are after a refusal is sent for nothing."""
SUBMIT_SECONDS = 600.0
ROWS = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=60))
FETCH = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=120))
ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn(name="video-shard")
class ShardWorkflow:
    """Follows each of its rows, and tells its batch of those that wait for a decision."""

    @workflow.init
    def __init__(self, task: ShardInput) -> None:
        self._task = task
        self._control = task.control
        self._rows: list[RowState] = list(task.rows)
        self._submits = asyncio.Semaphore(SUBMITS_AT_ONCE)
        self._listed = task.place is None

    @workflow.run
    async def run(self, task: ShardInput) -> Counts:
        """Follow the rows until each has ended, is held, or is not to be bought any more."""
        if task.place is not None:
            await self._list()
        self._search("running")
        await asyncio.gather(*(self._follow(row) for row in self._rows))
        counts = counts_of(self._rows)
        self._search("held" if counts.held else "failed" if counts.failed else "done")
        return counts

    @workflow.signal
    def control(self, control: Control) -> None:
        """Take what the batch says: whether it buys."""
        self._control = control

    @workflow.query
    def outcomes(self) -> list[RowState]:
        """Return how every row stands."""
        return self._rows

    @workflow.query
    def counts(self) -> Counts:
        """Return the rows by how far they have come."""
        waiting = self._task.place.rows if self._task.place is not None and not self._listed else 0
        return Counts(waiting=waiting) if waiting else counts_of(self._rows)

    async def _list(self) -> None:
        found = await workflow.execute_activity(
            "rows",
            self._task,
            result_type=ShardRows,
            start_to_close_timeout=timedelta(minutes=2),
            retry_policy=ROWS,
        )
        good = [RowState(number=address.number, address=address) for address in found.good]
        self._rows = sorted([*good, *found.bad], key=lambda row: row.number)
        self._listed = True

    async def _follow(self, row: RowState) -> None:
        while row.phase is RowPhase.WAITING:
            await workflow.wait_condition(lambda: self._control.buying or self._control.ending)
            async with self._submits:
                if self._control.ending:
                    row.phase = RowPhase.UNSENT
                elif self._control.buying:
                    await self._submit(row)
        if row.phase is RowPhase.BOUGHT:
            await self._fetch(row)
        if row.phase is RowPhase.HELD:
            await self._batch().signal("hold", HeldRow(row=row, shard=workflow.info().workflow_id))

    async def _submit(self, row: RowState) -> None:
        """Send one create for a row. What does not prove that it bought nothing is not tried again."""
        assert row.address is not None  # noqa: S101 - a row without one has failed before
        task = SubmitTask(
            batch=self._task.batch,
            spec=self._task.spec,
            row=row.address,
            era=self._control.era,
            attempt=row.attempts,
        )
        try:
            result = await workflow.execute_activity(
                "submit",
                task,
                result_type=SubmitResult,
                task_queue=workflow.info().task_queue + BUYING_SUFFIX,
                start_to_close_timeout=timedelta(seconds=SUBMIT_SECONDS),
                heartbeat_timeout=timedelta(seconds=self._task.spec.heartbeat_seconds),
                retry_policy=ONCE,
            )
        except ActivityError as error:
            message = f"the worker that was to buy it did not report: {error.cause or error}. {UNCERTAIN}"
            result = SubmitResult(kind="held", error=ErrorNote(type="SubmitUncertain", message=message))
        await self._take(row, result, task.era)

    async def _take(self, row: RowState, result: SubmitResult, era: int) -> None:
        row.error = result.error
        if result.kind == "bought":
            row.phase, row.video_id, row.charged, row.error = RowPhase.BOUGHT, result.video_id, "yes", None
        elif result.kind == "held":
            row.phase, row.video_id, row.charged = RowPhase.HELD, result.video_id, "unknown"
        elif result.kind == "refused":
            row.phase = RowPhase.FAILED
        else:
            await self._later(row, result, era)

    async def _later(self, row: RowState, result: SubmitResult, era: int) -> None:
        """Let a row wait that nothing was bought for; if nothing else can be bought either, stop the whole batch."""
        row.attempts += 1
        if result.kind == "halt" or row.attempts >= MAX_ATTEMPTS:
            row.attempts = 0
            if self._control.buying and self._control.era == era:  # else it was resumed since this submit was sent
                self._control = Control(era=era, buying=False, ending=self._control.ending)
                await self._batch().signal("halt", args=[era, result.error])
            return
        await asyncio.sleep(retry_seconds(row.attempts, result.wait_seconds, workflow.random().random()))

    async def _fetch(self, row: RowState) -> None:
        assert row.address is not None  # noqa: S101 - see above
        assert row.video_id is not None  # noqa: S101 - it is bought
        spec = self._task.spec
        try:
            result = await workflow.execute_activity(
                "fetch",
                FetchTask(spec=spec, row=row.address, video_id=row.video_id),
                result_type=FetchResult,
                schedule_to_close_timeout=timedelta(seconds=spec.fetch_seconds),
                heartbeat_timeout=timedelta(seconds=spec.heartbeat_seconds),
                retry_policy=FETCH,
            )
        except ActivityError as error:
            cause = error.cause if isinstance(error.cause, ApplicationError) else error.cause or error
            message = f"the file was not saved within {spec.fetch_seconds:g} s: {note_of(cause).message}. {PAID}"
            result = FetchResult(error=ErrorNote(type="DownloadFailed", message=message))
        row.phase = RowPhase.SAVED if result.error is None else RowPhase.FAILED
        row.path, row.sha256, row.bytes_written = result.path, result.sha256, result.bytes_written
        row.verified, row.error, row.charged = result.verified, result.error, result.charged

    def _batch(self) -> workflow.ExternalWorkflowHandle[object]:
        return workflow.get_external_workflow_handle(self._task.batch)

    def _search(self, state: str) -> None:
        """Let the shard be found by its state and models, where the server allows it."""
        if self._task.spec.searchable:
            models = sorted({row.address.model for row in self._rows if row.address is not None})
            workflow.upsert_search_attributes([STATE.value_set(state), MODEL.value_set(models)])


UNCERTAIN = "It may have been bought: look into the console, then attach, resubmit or drop it"
PAID = "It is paid for: `aihubmix-video download ID` fetches it while its link lives"


def counts_of(rows: list[RowState]) -> Counts:
    """Return rows by how far they have come."""
    found = Counter(row.phase.value for row in rows)
    return Counts(**found)
