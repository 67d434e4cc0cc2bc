"""Batches on a real Temporal server, with workers of this process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video.sandbox import Sandbox
from aihubmix_video.temporal import RowPhase, run_worker, submit_batch
from tests.loopback.sessions import AT_ONCE, files, opened
from tests.loopback.temporal_servers import NO_SERVER, has_server, rows_file, temporal_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from temporalio.client import Client

pytestmark = [pytest.mark.skipif(not has_server(), reason=NO_SERVER), pytest.mark.timeout(120)]

NAME = "{index:04d}.mp4"


@asynccontextmanager
async def working(client: Client, sandbox: Sandbox, **options: Any) -> AsyncIterator[None]:  # noqa: ANN401 - the session's options
    """Run a worker for as long as the block lasts."""
    stop = asyncio.Event()
    async with opened(sandbox, poll_interval=0.5, **options) as session:
        worker = asyncio.create_task(run_worker(client, session, stop=stop))
        try:
            yield
        finally:
            stop.set()
            await worker


async def test_a_batch_buys_every_row_once_and_brings_every_file(tmp_path: Path):
    """The gateway's log is the truth: as many creates as rows, and as many whole files."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE) as sandbox:
        client = await server.client()
        async with working(client, sandbox):
            rows = rows_file(tmp_path, 25)
            batch = await submit_batch(
                client, rows, name="autumn", to=tmp_path / "out" / NAME, rows_per_shard=10, max_in_flight=20
            )
            progress = await batch.result()
            outcomes = [row async for row in batch.outcomes()]

        assert ("done", 25, 3) == (progress.state, progress.counts.saved, progress.shards)
        assert 25 == sandbox.billed
        assert 25 == len(files(tmp_path / "out"))
        assert [(number, RowPhase.SAVED) for number in range(25)] == [(row.number, row.phase) for row in outcomes]
