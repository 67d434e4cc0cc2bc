"""The model list over real sockets: where the key goes, how often is asked, and the command that prints it."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

import pytest

from aihubmix_video import VideoSession, errors
from tests.loopback.cli.test_commands import environment, run
from tests.loopback.scripted import Script, ScriptedServer, whole

KEY = "sk-catalog-0123456789"
LIST = json.dumps(
    {"success": True, "data": [{"model_id": "sora-2", "types": "video", "pricing": {"per_second": 0.2}}]}
).encode()


def session_at(server: ScriptedServer) -> VideoSession:
    """Make a session at a scripted gateway."""
    return VideoSession(KEY, base_url=server.url.removesuffix("/video"), rate=1000, burst=1000, trust_env=False)


async def test_the_list_is_read_once_and_without_the_key():
    """It is public: a key that is not sent cannot leak."""
    async with ScriptedServer(whole(LIST)) as server, session_at(server) as session:
        first, second = await session.catalog(), await session.catalog()

    assert first is second
    assert {"sora-2": 0.2} == first.prices()
    assert [("GET", "/api/v1/models?type=video")] == [(each.method, each.path) for each in server.requests]
    assert "authorization" not in server.requests[0].headers


async def test_an_old_list_is_read_again():
    """A price of yesterday may be wrong today."""
    async with ScriptedServer(whole(LIST)) as server, session_at(server) as session:
        await session.catalog()
        await session.catalog(max_age=-1.0)

    assert 2 == len(server.requests)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (whole(b"<html>", 200), errors.MalformedReply),
        (whole(b"{}", 404), errors.VideoError),
        (whole(b"", 302, location="https://elsewhere.test/"), errors.ConfigurationError),
        (whole(b"x" * (1 << 20) + b"xx"), errors.MalformedReply),
    ],
)
async def test_what_is_not_the_list_is_a_typed_error(script: Script, kind: type[Exception]):
    """Redirects are not followed, bodies are bounded, pages are not lists."""
    async with ScriptedServer(script) as server, session_at(server) as session:
        with pytest.raises(kind):
            await session.catalog()

    assert {"/api/v1/models?type=video"} == {each.path for each in server.requests}


async def test_a_path_of_the_gateway_gets_the_key_only_when_asked_to():
    """The balance needs it."""
    async with ScriptedServer(whole(b"{}")) as server, session_at(server) as session:
        await session.gateway.get("/a")
        await session.gateway.get("/b", with_key=False)
        cut = await session.gateway.get("/c", most=1)

    assert [True, False, True] == ["authorization" in each.headers for each in server.requests]
    assert b"{" == cut.body


async def test_models_live_prints_the_drift_and_writes_prices(tmp_path: Path):
    """Without a key, and in a form that `plan --prices` reads."""
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "model": "sora-2", "seconds": 4}\n', encoding="utf-8")
    async with ScriptedServer(whole(LIST)) as server:
        env = environment(AIHUBMIX_BASE_URL=server.url.removesuffix("/video"))
        live = await run("models", "--live", "--json", "--prices-to", "p.json", folder=tmp_path, env=env)
        planned = await run("plan", "rows.jsonl", "--prices", "p.json", "--json", folder=tmp_path, env=env)
        again = await run("models", "--live", "--prices-to", "p.json", folder=tmp_path, env=env)

    assert (0, 0, 2) == (live.code, planned.code, again.code), live.err + planned.err
    differences = {(each["differs"], each["model"]) for each in live.objects if each["kind"] == "difference"}
    assert {("price", "sora-2"), ("gone", "sora-2-pro")} <= differences
    assert 0.8 == planned.objects[0]["usd"]
