"""The command `generate`, as a process of its own."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.cli.test_batch_command import MODEL, PACE, rows
from tests.loopback.cli.test_commands import FAST, NOW, environment, run


async def test_generate_saves_the_video_and_tells_it_as_json(tmp_path: Path):
    """The whole way: one command, one object, one whole file whose hash is the one told."""
    done = await run(
        "generate", "a cat", "-m", "sora-2", "--seconds", "4", "-o", "cat.mp4", "--json", *FAST, folder=tmp_path
    )

    assert 0 == done.code, done.err
    (told,) = done.objects
    saved = (tmp_path / "cat.mp4").read_bytes()
    assert (str(tmp_path / "cat.mp4"), "completed", None, "yes") == tuple(
        told[name] for name in ("path", "status", "error", "charged")
    )
    assert told["sha256"] == sha256(saved).hexdigest()
    assert b"ftyp" == saved[4:8]


async def test_generate_may_keep_a_ledger_and_the_sandbox_leaves_none(tmp_path: Path):
    """One video is worth as much as a row; jobs of an embedded gateway end with it, so nothing is kept of them."""
    rows(tmp_path, "a fox")
    async with Sandbox(**NOW) as sandbox:
        env = environment(sandbox)
        sandbox.faults.add(Fault.reset(route="create"))
        lost = await run("generate", "koi", *MODEL, "--ledger", "a ledger", folder=tmp_path, env=env)
        bought = await run("resume", "a ledger", *PACE, "--resubmit", "all", folder=tmp_path, env=env)
    local = await run("batch", "rows.txt", "-o", "local", *MODEL, "--sandbox", "--speed", "600", folder=tmp_path)

    assert (75, 0, 0) == (lost.code, bought.code, local.code), bought.err + local.err
    assert "aihubmix-video resume 'a ledger' --attach " in lost.err
    assert f"{tmp_path / 'koi.mp4'}\n" == bought.out
    assert ["0000-a-fox.mp4"] == [each.name for each in (tmp_path / "local").iterdir()]
