"""The commands of a batch on a Temporal server, each a process of its own."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.sandbox import Sandbox
from tests.loopback.sessions import AT_ONCE, files
from tests.loopback.temporal_servers import (
    NO_SERVER,
    PROGRAM,
    ended,
    has_server,
    rows_file,
    temporal_server,
    worker_process,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.skipif(not has_server(), reason=NO_SERVER), pytest.mark.timeout(120)]


async def test_a_batch_is_ordered_shown_and_cancelled_by_its_name(tmp_path: Path):
    """A person who left it for a night knows no more than the name."""
    async with temporal_server(tmp_path / "server") as server, Sandbox(**AT_ONCE, balance=6) as sandbox:
        worker = await worker_process(server, sandbox.url, sandbox.api_key)

        async def run(*arguments: str) -> tuple[int | None, str]:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", PROGRAM, *arguments, "--temporal", server.address),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
            return process.returncode, output.decode()

        try:
            code, told = await run("batch", str(rows_file(tmp_path, 10)), "-o", str(tmp_path / "out"))
            assert (75, True, True) == (code, "out: halted" in told, "balance is insufficient" in told), told
            code, told = await run("resume", "out", "--drop", "3")
            assert (2, True) == (code, "is not a row that waits for a decision" in told), told
            code, told = await run("cancel", "out")
            assert (0, True) == (code, "out: cancelled; 6 saved, 4 unsent" in told), told
            code, told = await run("status", "nope")
            assert (1, True) == (code, "no batch 'nope'" in told), told
        finally:
            await ended(worker)

        assert 6 == len(files(tmp_path / "out"))
