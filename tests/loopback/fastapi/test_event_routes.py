"""Event streams behind a real server: current state first, every change in order, resumable, and cheap."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
from starlette.requests import Request  # noqa: TC002 - FastAPI looks at it

from aihubmix_video.sandbox import Sandbox
from tests.loopback.servers import CAT, application, client_of, settled
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

SLOW: dict[str, Any] = {
    "speed": 1,
    "generation": 600.0,
    "content": 9_000,
    "render": False,
}  # Any: each has its own type
SHORT: dict[str, Any] = {"speed": 1, "generation": 0.7, "content": 9_000, "render": False}


@attrs.frozen
class Event:
    """One event as a browser would see it; a comment has only its text."""

    kind: str = ""
    id: int = 0
    data: dict[str, Any] = attrs.field(factory=dict)
    comment: str = ""


async def events(answer: httpx.Response) -> AsyncIterator[Event]:
    """Read a stream's events as the standard has it."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name or "comment"] = value.removeprefix(" ")
        elif fields:
            data = json.loads(fields.get("data", "{}"))
            yield Event(fields.get("event", ""), int(fields.get("id", 0)), data, fields.get("comment", ""))
            fields = {}


@asynccontextmanager
async def stream(client: httpx.AsyncClient, path: str, seen: int | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    """Open a stream, as a browser that has seen an event before, if one is given."""
    headers = {} if seen is None else {"Last-Event-ID": str(seen)}
    async with client.stream("GET", path, headers=headers, timeout=30) as answer:
        assert (200, "text/event-stream; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
        yield events(answer)


async def test_a_job_is_told_from_where_it_stands_to_its_end(tmp_path: Path):
    """In the order of its life, and the stream ends with it; its last word is the job as it is told ever after."""
    async with Sandbox(**SHORT) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        path = (await client.post("/videos/", json=CAT)).headers["Location"]
        async with stream(client, f"{path}/events") as told:
            got = [event async for event in told]
        states = [event.data["state"] for event in got]
        ids = [event.id for event in got]
        order = ["waiting", "running", "saving", "saved"]
        assert {"job"} == {event.kind for event in got}
        assert sorted(states, key=order.index) == states
        assert ("saved", sorted(set(ids))) == (states[-1], ids)
        now = (await client.get(path)).json()
        assert now == got[-1].data | {name: now[name] for name in ("updated_at", "expires_at")}


async def test_a_job_that_has_ended_is_told_once_and_then_no_more(tmp_path: Path):
    """A browser comes back when a stream ends; 204 is how it learns not to."""
    async with Sandbox(**AT_ONCE) as sandbox:
        app = application(sandbox, tmp_path, ledger=tmp_path / "a.db")
        async with client_of(app) as client:
            path = (await client.post("/videos/", json=CAT)).headers["Location"]
            await settled(client, path)
            async with stream(client, f"{path}/events") as told:
                (only,) = [event async for event in told]
            again = await client.get(f"{path}/events", headers={"Last-Event-ID": str(only.id)})
            assert 204 == again.status_code
        async with client_of(application(sandbox, tmp_path, ledger=tmp_path / "a.db")) as client:  # after a restart
            again = await client.get(f"{path}/events", headers={"Last-Event-ID": str(only.id)})
            assert 204 == again.status_code
            async with stream(client, f"{path}/events") as told:
                assert ["saved"] == [event.data["state"] async for event in told]


async def test_a_stream_goes_on_where_it_broke_off(tmp_path: Path):
    """What was seen is not told again, and what happened meanwhile is."""
    async with Sandbox(**SHORT) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        path = (await client.post("/videos/", json=CAT)).headers["Location"]
        async with stream(client, f"{path}/events") as told:
            first = await anext(told)
        async with stream(client, f"{path}/events", seen=first.id) as told:
            rest = [event async for event in told]
        assert first.id not in {event.id for event in rest}
        assert "saved" == rest[-1].data["state"]


async def test_silence_is_filled_with_comments(tmp_path: Path):
    """Proxies cut what is silent for long."""
    often = {"heartbeat": 0.05}
    async with Sandbox(**SLOW) as sandbox, client_of(application(sandbox, tmp_path, router=often)) as client:
        path = (await client.post("/videos/", json=CAT)).headers["Location"]
        await settled(client, path, "running")
        for where in (f"{path}/events", "/videos/events"):
            async with stream(client, where) as told:
                got = [await anext(told) for _ in range(4)]
            assert ["ping", "ping"] == [event.comment for event in got[-2:]]
            assert "running" in {event.data.get("state") for event in got}


async def test_all_jobs_are_told_in_one_stream(tmp_path: Path):
    """Those under way first, then what changes; and a stream that broke off misses no end."""
    async with Sandbox(**SHORT) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        old = (await client.post("/videos/", json=CAT)).json()["key"]
        async with stream(client, "/videos/events") as told:
            got = [event for event in [await anext(told), await anext(told)] if event.kind]
            assert {old} == {event.data["key"] for event in got}
            new = (await client.post("/videos/", json=CAT)).json()["key"]
            while (event := await anext(told)).data.get("key") != new:
                got.append(event)
        for key in (old, new):
            await settled(client, f"/videos/{key}")
        async with stream(client, "/videos/events", seen=event.id) as told:
            missed = {}
            while set(missed.values()) != {"saved"} or len(missed) < 2:
                each = await anext(told)
                if each.kind:
                    missed[each.data["key"]] = each.data["state"]
        assert {old, new} == missed.keys()


async def test_a_deleted_job_is_told_and_ends_its_stream(tmp_path: Path):
    """A page can take its card away, whoever deleted it."""
    async with Sandbox(**SLOW) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        path = (await client.post("/videos/", json=CAT)).headers["Location"]
        await settled(client, path, "running")
        async with stream(client, f"{path}/events") as one, stream(client, "/videos/events") as every:
            assert "running" == (await anext(one)).data["state"]
            assert 204 == (await client.delete(path)).status_code
            *_, last = [event async for event in one]
            assert ("deleted", {"key": path.rpartition("/")[2]}) == (last.kind, last.data)
            while (event := await anext(every)).kind != "deleted":
                pass
            assert event.data == last.data


async def test_a_client_that_leaves_its_stream_leaves_nothing_behind(tmp_path: Path):
    """And the job goes on to its end."""
    async with Sandbox(**SHORT) as sandbox:
        app = application(sandbox, tmp_path)
        async with client_of(app) as client:
            path = (await client.post("/videos/", json=CAT)).headers["Location"]
            for _ in range(5):
                async with stream(client, f"{path}/events") as told:
                    await anext(told)
            assert "saved" == (await settled(client, path))["state"]
            waiters = app.state.aihubmix_video.feed._waiters
            async with asyncio.timeout(10):
                while waiters:  # noqa: ASYNC110 - the server notices in its own time
                    await asyncio.sleep(0.01)


async def test_open_streams_do_not_keep_the_server_from_ending(tmp_path: Path):
    """It waits for its responses before it tells the application, and these never end by themselves."""
    async with Sandbox(**SLOW) as sandbox:
        app = application(sandbox, tmp_path)
        async with client_of(app) as client:
            path = (await client.post("/videos/", json=CAT)).headers["Location"]
            async with stream(client, f"{path}/events") as one, stream(client, "/videos/events") as every:
                await anext(one)
                await anext(every)
                app.state.aihubmix_video.feed.close()
                assert [] == [event async for event in one if event.data.get("state") in {"saved", "failed"}]
                assert [] == [event async for event in every if event.kind == "deleted"]


async def test_a_stream_of_one_owner_tells_nothing_of_others(tmp_path: Path):
    """Not even that something happened."""

    async def owner(request: Request) -> str:
        return request.headers.get("x-user", "")

    async with Sandbox(**SLOW) as sandbox:
        app = application(sandbox, tmp_path, router={"owner": owner, "heartbeat": 0.2})
        async with client_of(app) as client:
            await client.post("/videos/", json=CAT, headers={"X-User": "ann"})
            client.headers["X-User"] = "bob"
            his = (await client.post("/videos/", json=CAT)).json()["key"]
            async with stream(client, "/videos/events") as told:
                got = [await anext(told) for _ in range(6)]
            assert {his} == {event.data["key"] for event in got if event.kind}
