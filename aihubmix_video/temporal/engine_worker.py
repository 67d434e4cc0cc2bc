"""A worker: one session, and what Temporal asks of it, until it is told to stop."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from aihubmix_video.temporal.batch_start import TASK_QUEUE
from aihubmix_video.temporal.batch_workflow import BatchWorkflow
from aihubmix_video.temporal.search_attributes import ensure_search_attributes
from aihubmix_video.temporal.session_activities import SessionActivities
from aihubmix_video.temporal.shard_workflow import BUYING_SUFFIX, ShardWorkflow

if TYPE_CHECKING:
    from temporalio.client import Client

    from aihubmix_video.session.session import VideoSession

__all__ = ["run_worker"]

PASSED_THROUGH = ("aihubmix_video", "attr", "attrs", "cattrs")
"""Workflows import values and pure rules of these; loading them again for every workflow would cost a second each."""
LONGEST_THROTTLE = timedelta(seconds=30)


async def run_worker(
    client: Client,
    session: VideoSession,
    *,
    stop: asyncio.Event | None = None,
    task_queue: str = TASK_QUEUE,
    max_in_flight: int = 1000,
    submits_at_once: int = 8,
    leave_seconds: float = 60.0,
) -> None:
    """Work for a Temporal server, with one session, until *stop* is set or the task is cancelled.

    Told to stop, it takes nothing more, lets creates under way learn their ids, and hands the jobs that it follows to other
    workers at once.

    Args:
        client: Of `connect`.
        session: An open session, which carries the key, the rate and the gateway's address.
        stop: Ends it when set.
        task_queue: Whose work it takes.
        max_in_flight: Jobs that it follows at once.
        submits_at_once: Creates that it sends at once. If the worker dies, so many rows at most need a decision.
        leave_seconds: How long it waits for creates under way when it stops.
    """
    await ensure_search_attributes(client)
    activities = SessionActivities(session, client)
    runner = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
    following = Worker(
        client,
        task_queue=task_queue,
        workflows=[BatchWorkflow, ShardWorkflow],
        workflow_runner=runner,
        activities=[activities.scan, activities.rows, activities.fetch],
        max_concurrent_activities=max_in_flight,
        max_heartbeat_throttle_interval=LONGEST_THROTTLE,
        graceful_shutdown_timeout=timedelta(seconds=leave_seconds),
    )
    buying = Worker(
        client,
        task_queue=task_queue + BUYING_SUFFIX,
        activities=[activities.submit],
        max_concurrent_activities=submits_at_once,
        graceful_shutdown_timeout=timedelta(seconds=leave_seconds),
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(activities.settle)
        await stack.enter_async_context(following)
        await stack.enter_async_context(buying)
        await (stop or asyncio.Event()).wait()
