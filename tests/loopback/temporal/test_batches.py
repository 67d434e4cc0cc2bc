"""Batches on a real Temporal server, with workers of this process."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video.errors import InvalidRequest, JobNotFound
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.sandbox.faults import Fault
from aihubmix_video.temporal import RowPhase, find_batch, run_worker, submit_batch
from tests.loopback.sessions import AT_ONCE, files, opened
from tests.loopback.temporal_servers import NO_SERVER, has_server, rows_file, temporal_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from temporalio.client import Client

    from aihubmix_video.temporal import BatchHandle, BatchProgress

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


async def settled(batch: BatchHandle) -> BatchProgress:
    """Follow a batch until it ends, is halted, or needs decisions."""
    return [progress async for progress in batch.follow(every=0.1)][-1]


async def left(batch: BatchHandle, state: str) -> None:
    """Wait until a batch is in another state than this one."""
    while (await batch.status()).state == state:  # noqa: ASYNC110 - a query is all that there is
        await asyncio.sleep(0.05)


async def test_one_name_started_by_two_clients_is_one_batch(tmp_path: Path):
    """The workflow's id is the user's idempotency key, while it runs and afterwards; another batch may not have it."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE) as sandbox:
        clients = [await server.client() for _ in range(2)]
        rows = rows_file(tmp_path, 10)
        to = tmp_path / "out" / NAME
        async with working(clients[0], sandbox):
            both = await asyncio.gather(*(submit_batch(client, rows, name="twins", to=to) for client in clients))
            assert ["done", "done"] == [(await each.result()).state for each in both]
            again = await submit_batch(clients[1], rows, name="twins", to=to)

            assert 10 == (await again.result()).counts.saved
            assert 10 == sandbox.billed
            with pytest.raises(InvalidRequest, match="another batch"):
                await submit_batch(clients[1], rows, name="twins", to=tmp_path / "elsewhere" / NAME)
            with pytest.raises(JobNotFound, match="no batch"):
                await find_batch(clients[1], "triplets")


async def test_histories_hold_neither_the_key_nor_a_prompt(tmp_path: Path):
    """Histories are read by all who may use the server, and kept for weeks."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE) as sandbox:
        client = await server.client()
        sandbox.faults.add(Fault.status(401, route="create", times=1))
        async with working(client, sandbox):
            batch = await submit_batch(client, rows_file(tmp_path, 5), name="secrets", to=tmp_path / NAME)
            await settled(batch)
            await batch.resume()
            await batch.result()
        histories = [await client.get_workflow_handle(name).fetch_history() for name in ("secrets", "secrets/000000")]
        texts = [history.to_json() for history in histories]
        found = [payload for history in histories for payload in _payloads(history.to_json_dict())]

        assert len(found) > 20
        assert not [text for text in (*texts, *found) if sandbox.api_key in text or "cat 3" in text]


def _payloads(value: object) -> list[str]:
    """Decode every payload of a history."""
    if isinstance(value, dict):
        own = [base64.b64decode(value["data"]).decode()] if isinstance(value.get("data"), str) else []
        return own + [found for each in value.values() for found in _payloads(each)]
    return [found for each in value for found in _payloads(each)] if isinstance(value, list) else []


@pytest.mark.parametrize("decision", ["attach", "resubmit", "drop"])
async def test_a_create_without_an_answer_waits_for_a_decision(tmp_path: Path, decision: str):
    """It may have been bought: it is shown with its reason, nothing is sent again by itself, and the rest goes on."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE) as sandbox:
        client = await server.client()
        sandbox.faults.add(Fault.reset(route="create", times=1))
        async with working(client, sandbox):
            batch = await submit_batch(client, rows_file(tmp_path, 6), name="doubt", to=tmp_path / "out" / NAME)
            progress = await settled(batch)
            assert 1 == len(progress.held), progress
            (held,) = progress.held
            billed = sandbox.billed
            (video_id,) = (
                logged.video_id
                for logged in sandbox.log
                if logged.route == "create" and logged.body and logged.body["prompt"] == f"cat {held.row.number}"
            )

            assert ("deciding", 5, 1) == (progress.state, progress.counts.saved, progress.counts.held)
            assert held.row.error is not None
            assert "SubmitUncertain" == held.row.error.type
            chosen = {"attach": video_id} if decision == "attach" else {decision: True}
            await batch.decide(held.row.number, **chosen)  # type: ignore[arg-type]  # one of the three
            ended = await batch.result()

        saved = 5 if decision == "drop" else 6
        assert ("done", saved, saved) == (ended.state, ended.counts.saved, len(files(tmp_path / "out")))
        assert billed + (decision == "resubmit") == sandbox.billed


async def test_an_empty_balance_halts_a_batch_until_it_is_resumed(tmp_path: Path):
    """Every further purchase would be refused; what was bought is brought, and the rest waits."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE, balance=8) as sandbox:
        client = await server.client()
        async with working(client, sandbox):
            batch = await submit_batch(
                client,
                rows_file(tmp_path, 40),
                name="poor",
                to=tmp_path / "out" / NAME,
                rows_per_shard=10,
                max_in_flight=10,
            )
            progress = await settled(batch)
            refused = sum(1 for logged in sandbox.log if logged.route == "create" and not logged.billed)

            assert "halted" == progress.state
            assert progress.halted is not None
            assert "InsufficientBalance" == progress.halted.type
            assert refused <= 8, "those under way when the first was refused"
            await batch.cancel()
            await left(batch, "cancelling")
            ended = await batch.result()

        assert ("cancelled", 8) == (ended.state, ended.counts.saved)
        assert 8 == len(files(tmp_path / "out"))


async def test_a_server_killed_in_mid_batch_goes_on_where_it_was(tmp_path: Path):
    """Workers wait for it; what they finished meanwhile is reported when it is back, and nothing is bought again."""
    async with (
        temporal_server(tmp_path / "server") as server,
        Sandbox(generation=1.0, speed=1.0, content=20_000, render=False) as sandbox,
    ):
        client = await server.client()
        async with working(client, sandbox, rate=20.0):
            batch = await submit_batch(client, rows_file(tmp_path, 40), name="outage", to=tmp_path / "out" / NAME)
            while sandbox.billed < 15:  # noqa: ASYNC110 - the sandbox knows of no event
                await asyncio.sleep(0.01)
            await server.kill()
            await server.start()
            progress = await settled(batch)

        assert ("done", 40, 40) == (progress.state, progress.counts.saved, sandbox.billed)
        assert 40 == len(files(tmp_path / "out"))


async def test_a_row_whose_file_exists_is_not_bought(tmp_path: Path):
    """A video that could not be saved would be paid for in vain."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE) as sandbox:
        client = await server.client()
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "0002.mp4").write_text("mine")
        async with working(client, sandbox):
            batch = await submit_batch(client, rows_file(tmp_path, 4), name="mine", to=tmp_path / "out" / NAME)
            ended = await batch.result()
            rows = {row.number: row async for row in batch.outcomes()}

        assert (3, 1, 3) == (ended.counts.saved, ended.counts.failed, sandbox.billed)
        assert "mine" == (tmp_path / "out" / "0002.mp4").read_text()
        assert rows[2].error is not None
        assert "exists" in rows[2].error.message


async def test_a_batch_is_found_by_model_and_state(tmp_path: Path):
    """Of a thousand batches those that need somebody have to be found."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE) as sandbox:
        client = await server.client()
        async with working(client, sandbox):
            await (await submit_batch(client, rows_file(tmp_path, 3), name="known", to=tmp_path / NAME)).result()
            query = "VideoBatch = 'known' AND VideoModel = 'wan2.6-t2v' AND VideoState = 'done'"
            found: list[str] = []
            while not found:  # it is indexed a moment later
                found = [each.id async for each in client.list_workflows(query)]

        assert ["known/000000"] == found
