"""What a long batch takes is what a short one takes: memory, descriptors, threads and tasks go by limits, not by jobs."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from aihubmix_video.sandbox import Sandbox

CHILD = Path(__file__).with_name("flat_child.py")
SHORT, LONG = 100, 500
GATEWAY: dict[str, Any] = {"generation": 0.0, "content": 2_000, "render": False, "log_limit": 100}  # Any: its options


async def most_taken(folder: Path, jobs: int) -> dict[str, int]:
    """Run a batch in a process of its own; gives what it took at its peak."""
    async with Sandbox(**GATEWAY) as sandbox:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, str(CHILD), sandbox.url, sandbox.api_key, str(folder), str(jobs)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await child.communicate()
        assert jobs == sandbox.billed
    found: dict[str, int] = json.loads(out)
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what a process takes")
async def test_what_is_taken_does_not_grow_with_the_number_of_jobs(tmp_path: Path):
    """Ten thousand rows must not need another machine than a hundred do (R4); benchmarks/flat.py shows that they do not."""
    for name in ("short", "long"):
        (tmp_path / name).mkdir()
    short = await most_taken(tmp_path / "short", SHORT)
    long = await most_taken(tmp_path / "long", LONG)
    assert long["memory"] <= short["memory"] + 3_000
    assert (
        long["blocks"] <= short["blocks"] + 8_000
    )  # a job under way takes a few hundred; one left behind ten at least
    assert long["descriptors"] <= 50 + 30
    assert long["threads"] <= short["threads"] + 3
    assert long["tasks"] <= 50 + 20
