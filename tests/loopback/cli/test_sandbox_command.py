"""The command `sandbox`, as a process of its own."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

from tests.loopback.cli.test_commands import PATIENCE, environment, line_with, run, started


async def test_the_sandbox_serves_until_interrupted(tmp_path: Path):
    """Its two lines can be pasted into a shell, and reach it."""
    process = await started("sandbox", "--speed", "600", folder=tmp_path)
    url = (await line_with(b"AIHUBMIX_BASE_URL=", process.stdout)).strip().partition("=")[2]
    key = (await line_with(b"AIHUBMIX_API_KEY=", process.stdout)).strip().partition("=")[2]
    env = environment(AIHUBMIX_BASE_URL=url, AIHUBMIX_API_KEY=key)
    looked = await run("status", "nonsense", folder=tmp_path, env=env)
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), PATIENCE)

    assert (1, 0) == (looked.code, process.returncode)
