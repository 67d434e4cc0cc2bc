"""The sandbox as a server: options, endpoints over real sockets, its log, coming and going."""

from __future__ import annotations

import asyncio
import gc
from hashlib import sha256
from io import BytesIO
from json import dumps

import aiohttp
import pytest

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sandboxes import NOW, REQUEST, client, create, raw


@pytest.mark.parametrize(
    "options",
    [
        {"host": "0.0.0.0"},  # noqa: S104  # refused
        {"host": "localhost"},
        {"host": "192.168.1.5"},
        {"port": -1},
        {"port": 70_000},
        {"speed": 0},
        {"speed": float("nan")},
        {"speed": float("inf")},
        {"rate_limit": 0},
        {"link_lifetime": -1},
        {"balance": -1},
        {"content": -1},
        {"api_key": ""},
        {"api_key": "two words"},
        {"api_key": "sk-\n"},
        {"api_key": "sk-é"},
    ],
)
def test_an_option_out_of_range_is_refused_before_anything_starts(options: dict[str, object]):
    """Above all a host that can be reached from outside."""
    with pytest.raises(ConfigurationError):
        Sandbox(**options)


async def test_it_is_closed_before_and_after_its_block():
    """Its address exists only while it serves."""
    sandbox = Sandbox()
    with pytest.raises(ConfigurationError, match="not running"):
        _ = sandbox.url
    async with sandbox:
        assert sandbox.url.startswith("http://127.0.0.1:")
        with pytest.raises(ConfigurationError, match="already"):
            await sandbox.start()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", sandbox.port)


async def test_the_whole_way_of_a_job():
    """Create, poll, download and delete, as the video guide's example does."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        video_id = await create(session)
        async with session.get(f"v1/videos/{video_id}") as answer:
            assert "completed" == (await answer.json())["status"]
            assert 31 == len(answer.headers["X-Request-Id"])
            assert "Date" in answer.headers
        async with session.get(f"v1/videos/{video_id}/content") as answer:
            assert "video/mp4" == answer.headers["Content-Type"]
            assert await sandbox.sha256(video_id) == sha256(await answer.read()).hexdigest()
        async with session.delete(f"v1/videos/{video_id}") as answer:
            assert {"id": video_id, "object": "video.deleted", "deleted": True} == await answer.json()
        async with session.get(f"v1/videos/{video_id}") as answer:
            assert 404 == answer.status


async def test_it_can_be_opened_again_empty():
    """One sandbox may serve several tests in turn; what was bought before is forgotten."""
    sandbox = Sandbox(**NOW)
    for _ in range(2):
        async with sandbox, client(sandbox) as session:
            assert {} == sandbox.jobs
            await create(session)


async def test_generation_takes_its_time_divided_by_speed():
    """A minute is a second at 60."""
    async with Sandbox(speed=1000, generation=100.0) as sandbox, client(sandbox) as session:
        job = sandbox.jobs[await create(session)]

        assert 0.1 == pytest.approx(job.ends - job.created)


async def test_the_same_seed_gives_the_same_jobs():
    """Tests that use it must be repeatable."""
    durations = []
    for _ in range(2):
        async with Sandbox(seed=7) as sandbox, client(sandbox) as session:
            jobs = [sandbox.jobs[await create(session)] for _ in range(5)]
            durations.append([round(job.ends - job.created, 6) for job in jobs])

    assert durations[0] == durations[1]
    assert 5 == len(set(durations[0]))


async def test_the_log_tells_what_was_asked_and_what_was_bought():
    """The truth that a client's own account is compared with."""
    async with Sandbox(**NOW, keep_headers=True) as sandbox, client(sandbox) as session:
        video_id = await create(session)
        async with session.post("v1/videos", json=REQUEST | {"seconds": 99}) as answer:
            assert 400 == answer.status
        async with session.get(f"v1/videos/{video_id}", headers={"Authorization": "Bearer sk-mine"}) as answer:
            assert 401 == answer.status
        async with session.get("nowhere") as answer:
            assert 404 == answer.status
        async with session.put("v1/videos") as answer:
            assert 405 == answer.status

    bought, refused, stranger, lost, wrong = sandbox.log
    assert ("create", 200, True, video_id, REQUEST) == (
        bought.route, bought.status, bought.billed, bought.video_id, bought.body,
    )  # fmt: skip
    assert ("create", 400, False, None) == (refused.route, refused.status, refused.billed, refused.video_id)
    assert ("retrieve", 401, False, "wan2.6-t2v") == (
        stranger.route, stranger.status, stranger.authorized, stranger.model,
    )  # fmt: skip
    assert (None, 404) == (lost.route, lost.status)
    assert ("PUT", 405) == (wrong.method, wrong.status)
    assert 1 == sandbox.billed
    assert bought.at <= refused.at <= stranger.at
    assert ("Host", f"127.0.0.1:{sandbox.port}") in bought.headers
    assert "sk-mine" not in repr(sandbox.log)


async def test_the_log_can_be_bounded():
    """A sandbox may run for days."""
    async with Sandbox(**NOW, log_limit=2) as sandbox, client(sandbox) as session:
        for _ in range(3):
            await create(session)

    assert (2, 3) == (len(sandbox.log), sandbox.billed)


async def test_a_foreign_host_is_refused():
    """A web page whose name was rebound to 127.0.0.1 must not reach it."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        async with session.post("v1/videos", json=REQUEST, headers={"Host": "evil.test"}) as answer:
            assert 403 == answer.status
        assert 0 == sandbox.billed


async def test_it_serves_ipv6_loopback_too():
    """For clients whose resolver prefers it."""
    async with Sandbox(**NOW, host="::1") as sandbox, client(sandbox) as session:
        assert sandbox.url.startswith("http://[::1]:")
        await create(session)


async def test_a_port_that_is_taken_is_named():
    """Not a bare OSError."""
    async with Sandbox(port=0) as sandbox:
        with pytest.raises(ConfigurationError, match=f"port {sandbox.port}"):
            await Sandbox(port=sandbox.port).start()


async def test_rate_limit_and_balance_are_enforced():
    """429 and 403, from options."""
    async with Sandbox(**NOW, rate_limit=1) as sandbox, client(sandbox) as session:
        await create(session)
        async with session.post("v1/videos", json=REQUEST) as answer:
            assert 429 == answer.status
            assert "wan2.6-t2v model Too many requests" in await answer.text()
    async with Sandbox(**NOW, balance=1) as sandbox, client(sandbox) as session:
        await create(session)
        async with session.post("v1/videos", json=REQUEST) as answer:
            assert 403 == answer.status


async def test_its_clock_can_be_off():
    """Date and the times of a job agree with each other, not with this machine."""
    async with Sandbox(**NOW, clock_offset=3600) as sandbox, client(sandbox) as session:
        async with session.post("v1/videos", json=REQUEST | {"model": "sora-2"}) as answer:
            created = (await answer.json())["created_at"]
        job = next(iter(sandbox.jobs.values()))
        assert created == int(job.epoch + job.created)
        async with Sandbox(**NOW) as other, client(other) as plain, plain.post("v1/videos", json=REQUEST) as answer:
            assert 3590 < created - (await answer.json())["created"] < 3610


async def test_going_down_drops_everyone_and_coming_up_brings_the_jobs_back():
    """An outage is not the end of a job."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        video_id = await create(session)
        port = sandbox.port
        await sandbox.down()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"v1/videos/{video_id}")
        await sandbox.up()
        assert port == sandbox.port
        async with session.get(f"v1/videos/{video_id}") as answer:
            assert 200 == answer.status


async def test_a_large_body_is_read_and_answered_after_100_continue():
    """Curl asks before it sends a large reference image."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        image = "data:image/png;base64," + "A" * 8 * 2**20
        body = BytesIO(dumps({"model": "wan2.6-i2v", "prompt": "x", "input_reference": image}).encode())
        async with session.post("v1/videos", data=body, expect100=True) as answer:
            assert 200 == answer.status


async def test_a_body_that_never_comes_whole_buys_nothing_and_is_logged():
    """Billed means that the body was read."""
    async with Sandbox(**NOW) as sandbox:
        _, writer = await asyncio.open_connection(sandbox.host, sandbox.port)
        writer.write(b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        async with asyncio.timeout(5):
            while not sandbox.log:  # noqa: ASYNC110  # seen from outside, as a user would
                await asyncio.sleep(0.01)

        assert (None, False) == (sandbox.log[0].status, sandbox.log[0].billed)
        assert {} == sandbox.jobs


async def test_closing_leaves_no_task_behind_even_under_hanging_clients():
    """Warnings are errors in these tests, so an unclosed socket would fail it too."""
    before = asyncio.all_tasks()
    async with Sandbox(**NOW) as sandbox:
        sandbox.faults.add(Fault.silence(times=None))
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(raw(sandbox, within=0.2)) for _ in range(3)]
    await asyncio.sleep(0)
    gc.collect()

    assert [(b"", "open")] * 3 == [task.result() for task in asked]
    assert before == asyncio.all_tasks()


async def test_serve_forever_serves_until_it_is_cancelled():
    """For a command line."""
    sandbox = Sandbox(**NOW)
    task = asyncio.create_task(sandbox.serve_forever())
    async with asyncio.timeout(5):
        while not sandbox.port:  # noqa: ASYNC110  # seen from outside, as a user would
            await asyncio.sleep(0.01)
    async with client(sandbox) as session:
        await create(session)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
