"""The application as a process: killed, asked to stop, and beside a second one."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aihubmix_video.errors import LedgerInUse
from aihubmix_video.sandbox import Sandbox
from tests.loopback.fastapi.test_event_routes import SLOW, stream
from tests.loopback.servers import CAT, ENDED, application, settled
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable

    from fastapi import FastAPI

    Job = dict[str, Any]  # Any: a JSON object

CHILD = Path(__file__).parents[1] / "children" / "fastapi_child.py"
DOCS = Path(__file__).parents[3] / "docs"
JOBS = 50


async def started(sandbox: Sandbox, folder: Path) -> Process:
    """Start the application as a process of its own."""
    arguments = (sys.executable, str(CHILD), sandbox.url, sandbox.api_key, str(folder))
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*arguments, stdout=pipe, stderr=pipe)


@asynccontextmanager
async def process(sandbox: Sandbox, folder: Path) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """Run the application, and kill it in the end if it still runs."""
    child = await started(sandbox, folder)
    assert child.stdout is not None
    try:
        async with asyncio.timeout(30):
            port = int(await child.stdout.readline())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            yield child, client
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def listed(client: httpx.AsyncClient | Persistent, ready: Callable[[Job], bool]) -> dict[str, Job]:
    """Give all jobs by their keys, once all of them are *ready*."""
    async with asyncio.timeout(40):
        while True:
            jobs = (await client.get("/videos/", params={"limit": 200})).json()["items"]
            if all(map(ready, jobs)):
                return {job["key"]: job for job in jobs}
            await asyncio.sleep(0.1)


async def test_fifty_jobs_survive_the_death_of_their_process(tmp_path: Path):
    """Killed in the midst and started again: every video ends on disk, under its id, and is paid for once."""
    async with Sandbox(speed=1, generation=2.5, content=30_000, render=False) as sandbox:
        async with process(sandbox, tmp_path) as (child, client):
            posts = [client.post("/videos/", json=CAT, headers={"Idempotency-Key": f"k-{n}"}) for n in range(JOBS)]
            keys = [answer.json()["key"] for answer in await asyncio.gather(*posts)]
            before = await listed(client, lambda job: job["id"] is not None)
            child.send_signal(signal.SIGKILL)
            await child.wait()
        assert before.keys() == set(keys)
        assert not {job["state"] for job in before.values()} & ENDED
        async with process(sandbox, tmp_path) as (_, client):
            after = await listed(client, lambda job: job["state"] == "saved")
            posts = [client.post("/videos/", json=CAT, headers={"Idempotency-Key": f"k-{n}"}) for n in range(JOBS)]
            assert keys == [answer.json()["key"] for answer in await asyncio.gather(*posts)]
        assert {key: job["id"] for key, job in before.items()} == {key: job["id"] for key, job in after.items()}
        assert {f"{key}.mp4" for key in keys} == {file.name for file in (tmp_path / "videos").iterdir()}
        assert {job["id"] for job in before.values()} == set(sandbox.jobs)
        assert JOBS == sandbox.billed


async def test_a_process_asked_to_stop_ends_its_streams_and_its_session(tmp_path: Path):
    """It must not wait for browsers that only listen; and what it leaves is in order, and goes on with the next one."""
    async with Sandbox(**SLOW) as sandbox:
        async with process(sandbox, tmp_path) as (child, client):
            path = (await client.post("/videos/", json=CAT)).headers["Location"]
            async with stream(client, f"{path}/events") as one, stream(client, "/videos/events") as every:
                while (await anext(one)).data.get("state") != "running":
                    pass
                child.send_signal(signal.SIGTERM)
                assert [] == [event async for event in one if event.data.get("state") in ENDED]
                assert [] == [event async for event in every if event.data.get("state") in ENDED]
            async with asyncio.timeout(20):
                out, said = await child.communicate()
            assert (b"", b"") == (out, said)
            assert child.returncode in {0, -signal.SIGTERM}
        async with process(sandbox, tmp_path) as (_, client):
            assert "running" == (await client.get(path)).json()["state"]
        assert 1 == sandbox.billed


async def test_a_second_process_waits_and_takes_over(tmp_path: Path):
    """It starts when the first one has ended, however that came, and buys nothing that the first one bought."""
    async with Sandbox(**SLOW) as sandbox, process(sandbox, tmp_path) as (first, client):
        path = (await client.post("/videos/", json=CAT)).headers["Location"]
        bought = await settled(client, path, "running")
        second = await started(sandbox, tmp_path)
        assert second.stdout is not None
        assert second.stderr is not None
        try:
            async with asyncio.timeout(30):
                said = await second.stderr.readline()
                assert str(first.pid).encode() in said
                assert b"stand-by" in said
                first.send_signal(signal.SIGKILL)
                port = int(await second.stdout.readline())
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as successor:
                assert bought["id"] == (await successor.get(path)).json()["id"]
                assert "running" == (await successor.get(path)).json()["state"]
        finally:
            second.kill()
            await second.communicate()
        assert 1 == sandbox.billed


async def test_a_stand_by_that_is_asked_to_stop_stops(tmp_path: Path):
    """A server that waits for its start would be waited for in turn, and killed."""
    async with Sandbox(**SLOW) as sandbox, process(sandbox, tmp_path):
        second = await started(sandbox, tmp_path)
        assert second.stderr is not None
        async with asyncio.timeout(30):
            await second.stderr.readline()
            second.terminate()
            out, said = await second.communicate()
        assert b"Traceback" not in said
        assert second.returncode in {0, -signal.SIGTERM}, out


async def test_a_ledger_that_the_process_has_itself_is_not_waited_for(tmp_path: Path):
    """It would wait for itself; and who wants no stand-by is told at once who has the ledger."""
    async with Sandbox(**SLOW) as sandbox:
        app = application(sandbox, tmp_path, ledger=tmp_path / "jobs.db")
        async with app.router.lifespan_context(app):
            with pytest.raises(LedgerInUse) as caught:
                async with app.router.lifespan_context(app):
                    pass
            assert os.getpid() == caught.value.holder_pid
        async with process(sandbox, tmp_path) as (first, _):
            refused = application(sandbox, tmp_path, ledger=tmp_path / "jobs.db", standby=False)
            with pytest.raises(LedgerInUse, match=str(first.pid)):
                async with refused.router.lifespan_context(refused):
                    pass


@pytest.mark.parametrize("host", ["another-container", socket.gethostname()])
async def test_a_holder_with_the_same_number_in_another_container_is_waited_for(tmp_path: Path, host: str):
    """The first process of each container has the number 1, and containers may share the machine's name."""
    held = {"pid": os.getpid(), "host": host, "born": "1"}
    async with Sandbox(**SLOW) as sandbox:
        app = application(sandbox, tmp_path, ledger=tmp_path / "jobs.db")
        with (tmp_path / "jobs.db.lock").open("w+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            json.dump(held, file)
            file.flush()
            starting = asyncio.create_task(started_and_ended(app))
            done, _ = await asyncio.wait({starting}, timeout=1)
            assert not done, starting.exception()
        await asyncio.wait_for(starting, 20)


async def started_and_ended(app: FastAPI) -> None:
    """Enter the application's lifespan, and leave it."""
    async with app.router.lifespan_context(app):
        pass


async def test_two_workers_of_one_server_serve_and_take_over(tmp_path: Path):
    """The documented application with ``--workers 2``: one serves, and when it is killed the other goes on with its jobs."""
    async with Sandbox(**SLOW) as sandbox:
        async with documented(sandbox, tmp_path, "--workers", "2") as (child, client):
            client.headers["Authorization"] = "Bearer let-ann-in"
            posts = [await client.post("/videos/", json=CAT) for _ in range(3)]
            assert [202] * 3 == [answer.status_code for answer in posts]
            before = await listed(client, lambda job: job["id"] is not None)
            holder = json.loads((tmp_path / "jobs.db.lock").read_text("utf-8"))["pid"]
            assert holder != child.pid
            os.kill(holder, signal.SIGKILL)
            after = await listed(Persistent(client), lambda job: job["state"] == "running")
            assert {key: job["id"] for key, job in before.items()} == {key: job["id"] for key, job in after.items()}
            assert holder != json.loads((tmp_path / "jobs.db.lock").read_text("utf-8"))["pid"]
        assert 3 == sandbox.billed


class Persistent:
    """A client that asks again when a connection breaks, as browsers do."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Get, until there is an answer."""
        while True:
            try:
                return await self._client.get(path, **options)
            except httpx.TransportError:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def documented(sandbox: Sandbox, folder: Path, *options: str) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """Run the application of the documents with uvicorn, as its first lines say."""
    environment = {
        **os.environ,
        "AIHUBMIX_API_KEY": sandbox.api_key,
        "AIHUBMIX_BASE_URL": sandbox.url,
        "PYTHONUNBUFFERED": "1",
    }
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "fastapi_app:app", "--app-dir", str(DOCS), "--port", "0", *options),
        cwd=folder,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # its workers end with it, whatever happens here
    )
    assert child.stderr is not None
    said = ""
    try:
        async with asyncio.timeout(30):
            while (found := re.search(r"running on (http://\S+)", said)) is None:
                line = await child.stderr.readline()
                assert line, said
                said += line.decode()
        async with httpx.AsyncClient(base_url=found[1], trust_env=False, timeout=20) as client:
            await Persistent(client).get("/")  # its parent says so before a worker listens
            yield child, client
        child.terminate()
        await asyncio.wait_for(child.communicate(), 20)
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            await child.communicate()


async def test_the_application_in_the_documents_runs_as_written(tmp_path: Path):
    """It is what people copy: started with uvicorn as its first lines say, and used as its page does."""
    async with Sandbox(**AT_ONCE) as sandbox:
        async with documented(sandbox, tmp_path) as (_, client):
            await use_as_its_page_does(client)
        assert {"jobs.db", "videos"} <= {path.name for path in tmp_path.iterdir()}  # noqa: ASYNC240 - a look


async def use_as_its_page_does(client: httpx.AsyncClient) -> None:
    """Open the page, send its form, follow the job and play the video; then see the limits."""
    ann = {"token": "let-ann-in"}
    assert 401 == (await client.get("/")).status_code
    assert "<form>" in (await client.get("/", params=ann)).text
    client.headers["Authorization"] = "Bearer let-ann-in"
    path = (await client.post("/videos/", json=CAT)).headers["Location"]
    del client.headers["Authorization"]
    async with stream(client, f"{path}/events?token=let-ann-in") as told:
        *_, last = [event async for event in told]
    assert "saved" == last.data["state"]
    assert 206 == (await client.get(last.data["content"], params=ann, headers={"Range": "bytes=0-"})).status_code
    assert 404 == (await client.get(path, params={"token": "let-bob-in"})).status_code
    answers = [await client.post("/videos/", params=ann, json=CAT) for _ in range(5)]
    assert [202, 202, 202, 202, 429] == [answer.status_code for answer in answers]
    assert {"waiting", "in_flight", "downloading"} == (await client.get("/stats", params=ann)).json().keys()
