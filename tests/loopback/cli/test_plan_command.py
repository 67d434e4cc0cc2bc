"""The command `plan`, as a process of its own."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # pytest reads the annotations

from tests.loopback.cli.test_commands import run


async def test_a_plan_tells_everything_and_sends_nothing(tmp_path: Path):
    """It needs no key, as it asks nobody."""
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "model": "sora-2"}\n{"prompt": ""}\n', encoding="utf-8")
    planned = await run("plan", "rows.jsonl", "--json", folder=tmp_path)

    assert 65 == planned.code
    assert ["problem", "model", "total"] == [each["kind"] for each in planned.objects]
