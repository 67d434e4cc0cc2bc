"""A batch: its shards, a bounded number at once, and the rows that wait for a decision."""

import asyncio
from datetime import timedelta

import attrs
from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from aihubmix_video.temporal.shard_workflow import BATCH, ROWS, STATE, ShardWorkflow
from aihubmix_video.temporal.workflow_values import (
    BatchInput,
    BatchProgress,
    BatchState,
    Control,
    Counts,
    ErrorNote,
    HeldRow,
    RowDecision,
    RowPhase,
    RowState,
    ScanTask,
    ShardInput,
    ShardPage,
)

__all__ = ["BatchWorkflow", "added"]

SHARDS_AT_A_TIME = 50
"""Places that one scan returns: some hundred bytes each in the history."""
SHARDS_PER_RUN = 500
"""After so many the history is cut; each shard takes about a dozen events."""
MAX_HELD = 2000
"""Rows that may wait for a decision while further shards are started."""


@workflow.defn(name="video-batch")
class BatchWorkflow:
    """Starts shards as others end, and ends when all rows have, and no decision is missing."""

    @workflow.init
    def __init__(self, task: BatchInput) -> None:
        self._at = task
        self._held = {each.row.number: each for each in task.held}
        self._decisions = {each.row: each for each in task.decisions}
        self._shards: dict[str, ShardWorkflowHandle] = {}
        self._told: dict[str, Control] = {}
        self._finished: dict[str, Counts | BaseException] = {}
        self._started = 0
        self._starting = False
        self._lost = task.lost
        self._cancelled = False

    @workflow.run
    async def run(self, task: BatchInput) -> BatchProgress:  # noqa: ARG002 - taken when the workflow is made
        """Work until nothing is left to do."""
        self._search()
        while True:
            try:
                await self._work()
            except asyncio.CancelledError:  # what was bought is still collected
                if self._cancelled:
                    raise
                self.cancel()
                continue
            if self._is_over():
                self._search()
                return self.progress()
            workflow.continue_as_new(self._kept())

    # What is told to it.

    @workflow.signal
    def hold(self, held: HeldRow) -> None:
        """Keep a row of a shard that may have been bought."""
        self._held[held.row.number] = held

    @workflow.signal
    def halt(self, era: int, reason: ErrorNote) -> None:
        """Buy nothing more until the batch is resumed."""
        if era == self._at.control.era and self._at.control.buying:
            self._at = attrs.evolve(self._at, control=attrs.evolve(self._at.control, buying=False), halted=reason)

    @workflow.signal
    def resume(self) -> None:
        """Buy again."""
        if not self._at.control.buying:
            control = attrs.evolve(self._at.control, era=self._at.control.era + 1, buying=True)
            self._at = attrs.evolve(self._at, control=control, halted=None)

    @workflow.signal
    def cancel(self) -> None:
        """Buy nothing more; what was bought is collected."""
        self._cancelled = True
        self._at = attrs.evolve(self._at, control=attrs.evolve(self._at.control, ending=True))

    @workflow.signal
    def decide(self, decision: RowDecision) -> None:
        """Take a decision about a held row, also one that comes before the row is told of."""
        self._decisions[decision.row] = decision

    @workflow.query
    def progress(self) -> BatchProgress:
        """Return how the batch stands."""
        at = self._at
        return BatchProgress(
            state=self._state(),
            counts=attrs.evolve(at.counts, held=len(self._held)),
            shards=at.cursor.shard - len(at.places),
            open=tuple(self._shards),
            decided=at.decided,
            complete=at.cursor.done and not at.places,
            held=tuple(self._held.values()),
            lost=self._lost,
            halted=at.halted,
        )

    # Working.

    async def _work(self) -> None:
        """Go on until the batch is over, or its history is to be cut."""
        while not (self._is_over() or (self._is_long() and not self._shards)):
            if await self._step():
                continue
            await workflow.wait_condition(self._has_news)

    async def _step(self) -> bool:
        """Do the next thing, if there is one."""
        self._starting = False
        self._collect()
        for name, told in self._told.items():
            if told != self._at.control:
                await self._tell(name)
                return True
        if self._is_long():
            return False
        if decision := next((each for row, each in self._decisions.items() if row in self._held), None):
            await self._carry_out(decision)
            return True
        return await self._start_next()

    def _has_news(self) -> bool:
        may_start = not self._is_long() and (self._may_start() or not self._decisions.keys().isdisjoint(self._held))
        untold = any(told != self._at.control for told in self._told.values())
        return bool(self._finished) or untold or may_start or self._is_over()

    def _may_start(self) -> bool:
        at = self._at
        limit = max(1, -(-at.spec.max_in_flight // at.spec.rows_per_shard))
        left = bool(at.places) or not at.cursor.done
        free = len(self._shards) < limit and len(self._held) < MAX_HELD
        return left and free and at.control.buying and not at.control.ending

    async def _start_next(self) -> bool:
        if not self._may_start():
            return False
        at = self._at
        if not at.places:
            try:
                page = await workflow.execute_activity(
                    "scan",
                    ScanTask(spec=at.spec, cursor=at.cursor, count=SHARDS_AT_A_TIME),
                    result_type=ShardPage,
                    start_to_close_timeout=timedelta(minutes=10),
                    retry_policy=ROWS,
                )
            except ActivityError as error:
                raise ApplicationError(f"the batch file cannot be read: {error.cause}", non_retryable=True) from None
            self._at = attrs.evolve(self._at, places=page.places, cursor=page.cursor)
            return True
        self._starting = True  # or it would look as if nothing were left while the server starts it
        place, *rest = at.places
        self._at = attrs.evolve(at, places=tuple(rest))
        await self._start(f"{place.number:06d}", ShardInput(batch=self._name, spec=at.spec, place=place))
        return True

    async def _carry_out(self, decision: RowDecision) -> None:
        """Act on a decision: follow the job that was bought, buy it, or let it be."""
        self._starting = True
        held = self._held.pop(decision.row)
        del self._decisions[decision.row]
        if decision.drop:
            self._count(Counts(dropped=1))
            return
        row = RowState(number=held.row.number, address=held.row.address)
        if decision.attach is not None:
            row = attrs.evolve(row, phase=RowPhase.BOUGHT, video_id=decision.attach, charged="yes")
        self._at = attrs.evolve(self._at, decided=self._at.decided + 1)
        await self._start(f"decided-{self._at.decided}", ShardInput(batch=self._name, spec=self._at.spec, rows=(row,)))

    async def _start(self, number: str, task: ShardInput) -> None:
        name = f"{self._name}/{number}"
        control = self._at.control
        attributes = TypedSearchAttributes([SearchAttributePair(BATCH, self._name)])
        handle = await workflow.start_child_workflow(
            ShardWorkflow.run,
            attrs.evolve(task, control=control),
            id=name,
            parent_close_policy=ParentClosePolicy.ABANDON,
            cancellation_type=ChildWorkflowCancellationType.ABANDON,
            search_attributes=attributes if task.spec.searchable else None,
        )
        self._started += 1
        self._shards[name], self._told[name] = handle, control
        handle.add_done_callback(lambda done: self._finish(name, done))

    def _finish(self, name: str, done: "asyncio.Task[Counts]") -> None:
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        self._finished[name] = done.result() if error is None else error

    def _collect(self) -> None:
        """Count the rows of the shards that ended."""
        for name, ended in self._finished.items():
            self._shards.pop(name, None)
            self._told.pop(name, None)
            if isinstance(ended, Counts):
                self._count(attrs.evolve(ended, held=0))
            else:
                # Which of its rows were bought is in its history alone; nothing of it is bought again.
                workflow.logger.error("shard %s was ended from outside: %s", name, ended)
                self._lost += (name,)
        self._finished.clear()

    def _count(self, counts: Counts) -> None:
        self._at = attrs.evolve(self._at, counts=added(self._at.counts, counts))

    async def _tell(self, name: str) -> None:
        control = self._told[name] = self._at.control
        try:
            await self._shards[name].signal(ShardWorkflow.control, control)
        except (ApplicationError, ChildWorkflowError):
            workflow.logger.debug("shard %s has ended meanwhile", name)

    # How it stands.

    @property
    def _name(self) -> str:
        return workflow.info().workflow_id

    def _is_long(self) -> bool:
        """Whether the history is to be cut as soon as no shard is open."""
        return self._started >= SHARDS_PER_RUN or workflow.info().is_continue_as_new_suggested()

    def _is_over(self) -> bool:
        at = self._at
        read = at.control.ending or (at.cursor.done and not at.places)
        return read and not (self._starting or self._shards or self._finished or self._held)

    def _state(self) -> BatchState:
        at = self._at
        if self._is_over():
            return "cancelled" if at.control.ending else "done"
        if at.control.ending:
            return "cancelling"
        if not at.control.buying:
            return "halted"
        read = at.cursor.done and not at.places
        return "deciding" if read and not (self._starting or self._shards) else "running"

    def _kept(self) -> BatchInput:
        held, decisions = tuple(self._held.values()), tuple(self._decisions.values())
        return attrs.evolve(self._at, held=held, decisions=decisions, lost=self._lost)

    def _search(self) -> None:
        if self._at.spec.searchable:
            workflow.upsert_search_attributes([BATCH.value_set(self._name), STATE.value_set(self._state())])


ShardWorkflowHandle = workflow.ChildWorkflowHandle[ShardWorkflow, Counts]


def added(one: Counts, other: Counts) -> Counts:
    """Return the sum of two counts."""
    return Counts(
        **{field.name: getattr(one, field.name) + getattr(other, field.name) for field in attrs.fields(Counts)}
    )
