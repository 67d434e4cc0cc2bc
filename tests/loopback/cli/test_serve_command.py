"""The board as a server of its own: the program in a process, asked over real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import asynccontextmanager
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from typing import TYPE_CHECKING

import httpx
import pytest

from aihubmix_video.board import video_board
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.web.access import COOKIE
from aihubmix_video.web.asset_files import assets
from tests.loopback.cli.test_commands import PATIENCE, PROGRAM, environment, line_with, run, started

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

TOKEN = "correct-horse-battery"
SERVE = ("serve", "--port", "0", "--json")
ORDER = {"model": "wan2.6-t2v", "prompt": "a fox", "seconds": 2}


@asynccontextmanager
async def served(
    folder: Path, *arguments: str, url: str = "url", **env: str
) -> AsyncIterator[tuple[httpx.AsyncClient, Process]]:
    """Serve a board, and give a client of it, or of the other address that it prints."""
    process = await started(*SERVE, *arguments, folder=folder, env=environment(**env))
    try:
        base = json.loads(await line_with(b"url", process.stdout))[url]
        async with httpx.AsyncClient(base_url=base.replace("0.0.0.0", "127.0.0.1"), trust_env=False) as client:  # noqa: S104
            yield client, process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


async def saved(client: httpx.AsyncClient, key: str) -> dict[str, object]:
    """Follow a job until it has ended."""
    async with client.stream("GET", f"/videos/{key}/events", timeout=PATIENCE) as events:
        async for line in events.aiter_lines():
            if line.startswith("data:") and (job := json.loads(line[5:]))["state"] in {"saved", "failed"}:
                return job
    raise AssertionError(key)


async def test_a_video_is_ordered_followed_and_played(tmp_path: Path):
    """All that the page does, by the requests it makes; Ctrl-C ends it in good order, with the stream of events open."""
    async with served(tmp_path, "--sandbox", "--speed", "600", "--folder", "out") as (client, process):
        ordered = await client.post("/videos/", json=ORDER, headers={"Idempotency-Key": "a"})
        again = await client.post("/videos/", json=ORDER, headers={"Idempotency-Key": "a"})
        job = await saved(client, ordered.json()["key"])
        film = await client.get(str(job["content"]), headers={"Range": "bytes=4-7"})
        async with client.stream("GET", "/videos/events") as events:
            await anext(events.aiter_raw())
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()

    assert (202, 202) == (ordered.status_code, again.status_code)
    assert ordered.json()["key"] == again.json()["key"]
    assert ("saved", 206, b"ftyp") == (job["state"], film.status_code, film.content)
    assert [f"{job['key']}.mp4"] == [each.name for each in (tmp_path / "out").iterdir()]
    assert 0 == process.returncode, err
    assert b"Traceback" not in out + err


async def test_jobs_survive_the_server(tmp_path: Path):
    """The ledger is in the folder; the next server shows them, and the same order is still the same job."""
    async with Sandbox(generation=0.0, speed=60) as sandbox:
        env = {"AIHUBMIX_BASE_URL": sandbox.url, "AIHUBMIX_API_KEY": sandbox.api_key}
        arguments = ("--folder", "out", "--poll-interval", "0.3", "--rate", "50")
        async with served(tmp_path, *arguments, **env) as (client, _):
            first = await client.post("/videos/", json=ORDER, headers={"Idempotency-Key": "a"})
            await saved(client, first.json()["key"])
        async with served(tmp_path, *arguments, **env) as (client, _):
            (item,) = (await client.get("/videos/")).json()["items"]
            again = await client.post("/videos/", json=ORDER, headers={"Idempotency-Key": "a"})
        billed = sandbox.billed

    assert (first.json()["key"], "saved") == (item["key"], item["state"])
    assert item["key"] == again.json()["key"]
    assert 1 == billed


async def test_the_page_is_whole_and_may_load_nothing_from_elsewhere(tmp_path: Path):
    """Everything it refers to is there, under a policy without exceptions."""
    async with served(tmp_path, "--sandbox") as (client, _):
        page = await client.get("/")
        wanted = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        answers = [await client.get(f"/{name}") for name in (*wanted, "config.json")]
        known = await client.get("/page.css", headers={"If-None-Match": answers[1].headers["etag"]})

    assert 6 < len(wanted)
    assert {200} == {each.status_code for each in (page, *answers)}
    for each in (page, *answers):
        policy = each.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert not re.search(r"unsafe|\*|https?:", policy)
        assert ("nosniff", "same-origin") == (
            each.headers["x-content-type-options"],
            each.headers["cross-origin-resource-policy"],
        )
    assert (304, b"") == (known.status_code, known.content)
    assert answers[-1].json()["sandbox"] is True


async def test_other_sites_can_neither_read_nor_order(tmp_path: Path):
    """By a name of their own for this machine, or from their pages in a browser here."""
    async with served(tmp_path, "--sandbox") as (client, _):
        rebound = await client.get("/videos/", headers={"Host": "evil.example"})
        foreign = await client.post("/videos/", json=ORDER, headers={"Origin": "https://evil.example"})
        form = await client.post("/videos/", content=json.dumps(ORDER), headers={"Content-Type": "text/plain"})
        listed = await client.get("/videos/")

    assert (421, 403, 415) == (rebound.status_code, foreign.status_code, form.status_code)
    assert "application/problem+json" == foreign.headers["content-type"]
    assert [] == listed.json()["items"]
    assert "access-control-allow-origin" not in listed.headers
    assert "same-origin" == listed.headers["cross-origin-resource-policy"]


async def test_whoever_comes_over_the_network_needs_the_token(tmp_path: Path):
    """The cookie that comes for it is out of reach for scripts and for other sites."""
    async with served(tmp_path, "--sandbox", "--host", "0.0.0.0", AIHUBMIX_BOARD_TOKEN=TOKEN) as (client, _):  # noqa: S104
        shut = [await client.get(path) for path in ("/videos/", "/videos/events", "/config.json", "/board.js")]
        sent_away = await client.get("/", headers={"Accept": "text/html"})
        door = await client.get("/login")
        wrong = await client.post("/login", json={"token": "wrong-horse-battery"})
        form = await client.post(
            "/login", content=f"token={TOKEN}", headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        bearer = await client.get("/videos/", headers={"Authorization": f"Bearer {TOKEN}"})
        entered = await client.post("/login", json={"token": TOKEN})
        inside = await client.get("/videos/")

    assert [401] * 4 == [each.status_code for each in shut]
    assert (303, "/login") == (sent_away.status_code, sent_away.headers["location"])
    assert (200, 401, 401, 200, 204, 200) == tuple(
        each.status_code for each in (door, wrong, form, bearer, entered, inside)
    )
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "--token-file"),  # noqa: S104
        (("--token-file", "short"), "at least 16"),
        (("--token-file", "missing"), "cannot be read"),
        (("--host", "no.such.host.invalid", "--token-file", "token"), "cannot listen"),
        (("--port", "-1"), "cannot listen"),
        (("--port", "99999"), "cannot listen"),
    ],
)
async def test_a_board_that_cannot_be_served_says_why(arguments: tuple[str, ...], said: str, tmp_path: Path):
    """Before it listens at all."""
    (tmp_path / "short").write_text("short\n", encoding="utf-8")
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    refused = await run("serve", "--sandbox", *arguments, folder=tmp_path)

    assert 2 == refused.code, refused.err
    assert said in refused.err
    assert TOKEN not in refused.err + refused.out


async def test_a_taken_port_is_told(tmp_path: Path):
    """The usual reason is another board."""
    async with served(tmp_path, "--sandbox") as (client, _):
        second = await run("serve", "--sandbox", "--port", str(client.base_url.port), folder=tmp_path)

    assert 2 == second.code
    assert "cannot listen" in second.err


async def test_without_its_extra_serve_says_what_to_install(tmp_path: Path):
    """`pip install 'aihubmix-video[cli]'` brings the command, and not the server."""
    code = "import sys; sys.modules['uvicorn'] = None; from aihubmix_video.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        PROGRAM[0], "-c", code, "serve", cwd=tmp_path, env=environment(), stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()

    assert 2 == process.returncode
    assert b"pip install 'aihubmix-video[fastapi]'" in err


async def test_a_board_can_be_mounted_anywhere():
    """What it loads is relative to its own address, and only where the jobs are is told to it."""
    transport = httpx.ASGITransport(app=video_board(jobs="/my/videos", sign_in="/enter"))
    async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
        page, config = await client.get("/"), await client.get("/config.json")
        scripts = [await client.get(f"/{name}") for name in assets() if name.endswith(".js")]
        missing = [await client.get(path) for path in ("/board.html", "/../site.py", "/nothing.js")]

    assert 'src="/' not in page.text
    assert ("/my/videos", "/enter", False) == tuple(config.json()[name] for name in ("jobs", "sign_in", "sandbox"))
    assert {200} == {each.status_code for each in scripts}
    assert {404} == {each.status_code for each in missing}


async def test_a_server_logs_each_change_of_a_job_as_json(tmp_path: Path):
    """Collectors read one object per line; health and metrics are answered beside the board."""
    sandboxed = ("--sandbox", "--speed", "600", "--folder", "out", "--log-json")
    async with served(tmp_path, *sandboxed) as (client, process):
        key = (await client.post("/videos/", json=ORDER)).json()["key"]
        await saved(client, key)
        health, metrics = await client.get("/healthz"), await client.get("/metrics")
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    records = [json.loads(line) for line in err.splitlines() if line.startswith(b"{")]
    told = [record for record in records if record.get("job_key") == key]
    assert ("taken on", "saved") == (told[0]["message"].partition(": ")[2], told[-1]["job_state"])
    assert {"level", "logger", "time", "model", "charged"} <= told[-1].keys()
    assert b"a fox" not in err
    assert (200, 200) == (health.status_code, metrics.status_code)
    assert "aihubmix_video_jobs_ended_total" in metrics.text


async def test_health_is_told_without_a_token_and_metrics_are_not(tmp_path: Path):
    """A load balancer has no token; what was bought is nobody else's business."""
    async with served(tmp_path, "--sandbox", AIHUBMIX_BOARD_TOKEN=TOKEN) as (client, _):
        answers = [await client.get(path) for path in ("/healthz", "/metrics")]
        with_token = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert [200, 401, 200] == [answer.status_code for answer in (*answers, with_token)]
