"""A batch on a server, as a client sees it: it can be left and joined again at any time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import InvalidRequest, JobNotFound, VideoError
from aihubmix_video.temporal.batch_workflow import BatchWorkflow, added
from aihubmix_video.temporal.server_errors import translated
from aihubmix_video.temporal.shard_workflow import ShardWorkflow
from aihubmix_video.temporal.workflow_values import Counts, RowDecision

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from temporalio.client import Client

    from aihubmix_video.temporal.workflow_values import BatchProgress, RowState

__all__ = ["BatchHandle"]

ENDED = frozenset({"done", "cancelled"})


class BatchHandle:
    """Follows, steers and reads a batch by its name."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._workflow = client.get_workflow_handle_for(BatchWorkflow.run, name)
        self.name = name

    async def status(self) -> BatchProgress:
        """Return how the batch stands now, open shards included; a worker has to be running.

        Raises:
            JobNotFound: The server has no such batch.
            ConnectionFailed: Neither the server nor a worker answers.
        """
        with translated(self.name):
            progress = await self._workflow.query(BatchWorkflow.progress)
            counts = await asyncio.gather(*(self._counts(shard) for shard in progress.open))
        total = progress.counts
        for each in counts:
            total = added(total, attrs.evolve(each, held=0))
        return attrs.evolve(progress, counts=total)

    async def follow(self, *, every: float = 2.0) -> AsyncGenerator[BatchProgress, None]:
        """Yield how the batch stands, once per *every* seconds, until it has ended, is halted, or needs decisions.

        While neither the server nor a worker answers, it waits.
        """
        while True:
            try:
                progress = await self.status()
            except JobNotFound:
                raise
            except VideoError as error:
                if not error.retryable:
                    raise
            else:
                yield progress
                if progress.state in ENDED or progress.state in {"halted", "deciding"}:
                    return
            await asyncio.sleep(every)

    async def result(self) -> BatchProgress:
        """Wait until the batch has ended, which it does not while it is halted or a decision is missing."""
        with translated(self.name):
            return await self._workflow.result()

    async def outcomes(self) -> AsyncIterator[RowState]:
        """Yield how every row stands that is in a shard, in order; rows that were decided about come again, at the end."""
        progress = await self.status()
        numbers = [f"{number:06d}" for number in range(progress.shards)]
        numbers += [f"decided-{number}" for number in range(1, progress.decided + 1)]
        for number in numbers:
            shard = self._client.get_workflow_handle_for(ShardWorkflow.run, f"{self.name}/{number}")
            with translated(self.name):
                rows = await shard.query(ShardWorkflow.outcomes)
            for row in rows:
                yield row

    async def resume(self) -> None:
        """Buy again, after what halted the batch was put right."""
        with translated(self.name):
            await self._workflow.signal(BatchWorkflow.resume)

    async def cancel(self) -> None:
        """Buy nothing more; what was bought is collected, and the batch ends. It cannot be resumed."""
        with translated(self.name):
            await self._workflow.signal(BatchWorkflow.cancel)

    async def decide(self, row: int, *, attach: str | None = None, resubmit: bool = False, drop: bool = False) -> None:
        """Decide what becomes of a row that may have been bought.

        Args:
            row: Its number.
            attach: It was bought: the id under which the console shows it.
            resubmit: It is not in the console: buy it.
            drop: It is not wanted any more.

        Raises:
            InvalidRequest: Not exactly one decision is given.
        """
        if sum((attach is not None, resubmit, drop)) != 1:
            raise InvalidRequest.of("decision", row, "needs exactly one of attach, resubmit and drop")
        decision = RowDecision(row=row, attach=attach, resubmit=resubmit, drop=drop)
        with translated(self.name):
            await self._workflow.signal(BatchWorkflow.decide, decision)

    async def _counts(self, shard: str) -> Counts:
        try:
            with translated(shard):
                return await self._client.get_workflow_handle_for(ShardWorkflow.run, shard).query(ShardWorkflow.counts)
        except VideoError:  # it has just ended, or has no worker yet
            return Counts()
