"""Workers killed with -9 in the middle of a batch, judged by the gateway's log and the files."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.sandbox import Sandbox
from aihubmix_video.temporal import submit_batch
from tests.loopback.sessions import files
from tests.loopback.temporal_servers import (
    NO_SERVER,
    ended,
    has_server,
    rows_file,
    temporal_server,
    worker_process,
)

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.temporal import BatchHandle

pytestmark = [pytest.mark.skipif(not has_server(), reason=NO_SERVER), pytest.mark.timeout(400)]

ROWS = 60
ROUNDS = int(os.environ.get("AIHUBMIX_TEMPORAL_ROUNDS", "2"))
SEED = int(os.environ.get("AIHUBMIX_CRASH_SEED", "7"))


async def decided(batch: BatchHandle, sandbox: Sandbox) -> int:
    """Decide about held rows as a person does who looks into the console, until the batch has ended."""
    decisions = 0
    while True:
        async for progress in batch.follow(every=0.2):
            last = progress
        if last.state == "done":
            return decisions
        assert "deciding" == last.state, last
        bought = {
            str(logged.body["prompt"]): logged.video_id for logged in sandbox.log if logged.billed and logged.body
        }
        for held in last.held:
            video_id = bought.get(f"cat {held.row.number}")
            await batch.decide(held.row.number, attach=video_id, resubmit=video_id is None)
            decisions += 1
        while (await batch.status()).state == "deciding":  # noqa: ASYNC110 - a query is all that there is
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_a_killed_worker_buys_nothing_twice_and_loses_nothing(tmp_path: Path, round_: int):
    """Its jobs move to the other worker; a create that it was sending is held, and never sent again by itself."""
    draw = random.Random(SEED * 1000 + round_)  # noqa: S311 - a moment
    async with (
        temporal_server(tmp_path / "server") as server,
        Sandbox(generation=1.5, speed=1.0, content=20_000, render=False) as sandbox,
    ):
        client = await server.client()
        workers = [await worker_process(server, sandbox.url, sandbox.api_key) for _ in range(2)]
        try:
            batch = await submit_batch(
                client,
                rows_file(tmp_path, ROWS),
                name="kills",
                to=tmp_path / "out" / "{index:04d}.mp4",
                rows_per_shard=20,
                heartbeat_seconds=2.0,
            )
            at = draw.randrange(1, ROWS)
            while sandbox.billed < at:  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.005)
            workers[0].kill()
            decisions = await decided(batch, sandbox)
        finally:
            for worker in workers:
                await ended(worker)
        rows = [row async for row in _outcomes(batch, server, sandbox)]

        creates = Counter(logged.body["prompt"] for logged in sandbox.log if logged.route == "create" and logged.body)
        assert {f"cat {number}": 1 for number in range(ROWS)} == creates
        assert ROWS == sandbox.billed
        assert ROWS == len(files(tmp_path / "out"))
        assert decisions <= 8, "no more rows than it was sending at once need a decision"
        saved = {row.number: row for row in rows if row.sha256}
        assert set(range(ROWS)) == set(saved)
        for row in saved.values():
            assert row.path is not None
            with open(row.path, "rb") as file:  # noqa: PTH123, ASYNC230 - small
                assert row.sha256 == hashlib.file_digest(file, "sha256").hexdigest()


async def _outcomes(batch, server, sandbox):  # noqa: ANN001, ANN202
    """Read how the rows ended; a worker has to answer for it."""
    worker = await worker_process(server, sandbox.url, sandbox.api_key)
    try:
        async for row in batch.outcomes():
            yield row
    finally:
        await ended(worker)
