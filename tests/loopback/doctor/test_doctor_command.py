"""The command `doctor` as a process, at gateways that are in order and at others."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from typing import TYPE_CHECKING

from aihubmix_video.capabilities import list_capabilities
from aihubmix_video.sandbox import Sandbox
from tests.loopback.cli.test_commands import environment, run
from tests.loopback.scripted import FIN, ScriptedServer, whole

if TYPE_CHECKING:
    from tests.loopback.cli.test_commands import Run

KEY = "sk-doctor-0123456789"
LIST = json.dumps({"data": [{"model_id": each.model, "types": "video"} for each in list_capabilities()]}).encode()
BALANCE = b'{"object": "list", "total_usage": 12.5}'


def at(server: ScriptedServer, **extra: str) -> dict[str, str]:
    """Give the environment of a process that talks to a scripted gateway."""
    return environment(AIHUBMIX_BASE_URL=server.url.removesuffix("/video"), AIHUBMIX_API_KEY=KEY, **extra)


def levels(ran: Run) -> dict[object, object]:
    """Give the level of each check of a report in JSON."""
    return {each["check"]: each["level"] for each in ran.objects if each["kind"] == "check"}


async def test_a_gateway_in_order_has_no_problem_and_two_requests(tmp_path: Path):
    """The key goes to the balance alone, and nothing is bought."""
    async with ScriptedServer(whole(LIST), whole(BALANCE)) as server:
        ran = await run("doctor", "--json", folder=tmp_path, env=at(server))

    found = levels(ran)
    assert 0 == ran.code, ran.err
    assert ("ok", "ok", "ok", "ok", "ok") == tuple(
        found[each] for each in ("settings", "gateway", "models", "key", "balance")
    )
    asked = [(each.method, each.path, "authorization" in each.headers) for each in server.requests]
    assert [("GET", "/api/v1/models?type=video", False), ("GET", "/dashboard/billing/remain", True)] == asked
    assert KEY not in ran.out + ran.err


async def test_a_refused_key_is_told_with_exit_code_77(tmp_path: Path):
    """The public list answers all the same."""
    refused = whole(json.dumps({"error": {"message": f"Invalid token {KEY}", "type": "x"}}).encode(), 401)
    async with ScriptedServer(whole(LIST), refused) as server:
        ran = await run("doctor", "--json", folder=tmp_path, env=at(server))

    assert 77 == ran.code
    assert "problem" == levels(ran)["key"]
    assert KEY not in ran.out + ran.err


async def test_a_gateway_that_drifts_and_has_no_money_is_told(tmp_path: Path):
    """Each line says what to do."""
    drifted = b'{"data": [{"model_id": "sora-9", "types": "video"}]}'
    async with ScriptedServer(
        whole(drifted, date="Thu, 01 Jan 2015 00:00:00 GMT"), whole(b'{"total_usage": 0}')
    ) as server:
        ran = await run("doctor", folder=tmp_path, env=at(server))

    assert 1 == ran.code
    assert "recharge" in ran.out
    assert "models --live" in ran.out
    assert "behind" in ran.out


async def test_a_gateway_that_hangs_up_is_a_problem_and_the_report_goes_on(tmp_path: Path):
    """One failed check must not hide the others."""
    async with ScriptedServer([FIN]) as server:
        ran = await run("doctor", "--json", folder=tmp_path, env=at(server))

    found = levels(ran)
    assert 1 == ran.code
    assert ("problem", "skipped", "skipped") == (found["gateway"], found["key"], found["balance"])
    assert "disk" in found


async def test_a_key_of_no_possible_form_is_a_line_of_the_report(tmp_path: Path):
    """What else is wrong is told, too."""
    ran = await run("doctor", "--json", folder=tmp_path, env=environment(AIHUBMIX_API_KEY="Bearer sk-x"))

    assert 1 == ran.code
    assert ("problem", "ok") == (levels(ran)["settings"], levels(ran)["descriptors"])


async def test_the_sandbox_accepts_its_own_key(tmp_path: Path):
    """Also while it tells no balance: a job that does not exist is asked for."""
    async with Sandbox() as sandbox:
        ran = await run("doctor", "--json", folder=tmp_path, env=environment(sandbox))
        wrong = await run("doctor", "--json", folder=tmp_path, env=environment(sandbox, AIHUBMIX_API_KEY=KEY))

    assert (0, 77) == (ran.code, wrong.code), ran.out
    assert ("ok", "problem") == (levels(ran)["key"], levels(wrong)["key"])
