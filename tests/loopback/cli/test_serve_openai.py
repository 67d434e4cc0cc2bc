"""The front of ``serve --openai``: the program in a process, asked over real sockets."""

from __future__ import annotations

import hashlib
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

import pytest

from tests.loopback.cli.test_commands import run
from tests.loopback.cli.test_serve_command import served

CAT = {"model": "wan2.6-t2v", "prompt": "a cat", "seconds": "2"}
TOKEN = "a-token-for-the-tests"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what a server on a network is given


def client_file(folder: Path, more: str = "") -> str:
    """Write a file with one client."""
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    (folder / "clients.toml").write_text(f'[alice]\ntoken_sha256 = "{digest}"\n{more}', "utf-8")
    return "clients.toml"


async def test_the_board_shows_what_clients_create(tmp_path: Path):
    """Both are over one session, so whoever runs the server sees what is bought through it."""
    async with served(tmp_path, "--sandbox", "--openai") as (client, _):
        created = await client.post("/v1/videos", json=CAT)
        shown = await client.get("/videos/")
        page = await client.get("/")
        unknown = await client.get("/v1/nothing")

    assert 200 == created.status_code
    assert [created.json()["id"].removeprefix("video_")] == [each["key"] for each in shown.json()["items"]]
    assert (200, "text/html") == (page.status_code, page.headers["content-type"].partition(";")[0])
    assert (404, "unknown_url") == (unknown.status_code, unknown.json()["error"]["code"])


async def test_pages_of_other_sites_cannot_create(tmp_path: Path):
    """A form needs no leave of the browser, and here no token; so where it comes from decides."""
    async with served(tmp_path, "--sandbox", "--openai") as (client, _):
        form = {name: (None, text) for name, text in CAT.items()}
        foreign = await client.post("/v1/videos", files=form, headers={"Origin": "https://evil.example"})
        rebound = await client.get("/v1/videos", headers={"Host": "evil.example"})
        listed = await client.get("/v1/videos")

    assert (403, 421) == (foreign.status_code, rebound.status_code)
    assert [] == listed.json()["data"]


async def test_other_machines_need_a_clients_token(tmp_path: Path):
    """The front alone is served where the board has no token of its own."""
    clients = client_file(tmp_path, "max_videos = 1\n")
    async with served(
        tmp_path,
        "--sandbox",
        "--openai",
        "--clients",
        clients,
        "--host",
        EVERYWHERE,
        url="openai_base_url",
    ) as (client, _):
        known = {"Authorization": f"Bearer {TOKEN}"}
        refused = await client.post("/videos", json=CAT)
        created = await client.post("/videos", json=CAT, headers=known)
        capped = await client.post("/videos", json=CAT | {"prompt": "two"}, headers=known)
        board = await client.get(str(client.base_url.copy_with(path="/")))

    assert (401, 200, 429, 404) == tuple(each.status_code for each in (refused, created, capped, board))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--openai", "--host", EVERYWHERE), "--clients FILE"),
        (("--clients", "clients.toml"), "go with --openai"),
        (("--openai", "--clients", "none.toml"), "cannot be read"),
        (("--openai", "--clients", "bad.toml"), "token_sha256"),
        (("--openai", "--retry-window", "-1"), "retry_window"),
    ],
)
async def test_what_cannot_be_served_is_refused(tmp_path: Path, arguments: tuple[str, ...], said: str):
    """At once, and with what to do: a server that starts half is found out about too late."""
    client_file(tmp_path)
    (tmp_path / "bad.toml").write_text("[alice]\n", "utf-8")

    ended = await run("serve", "--port", "0", "--sandbox", *arguments, folder=tmp_path)

    assert 2 == ended.code
    assert said in ended.err
    assert "Traceback" not in ended.err
