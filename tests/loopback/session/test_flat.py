"""A long batch takes what a short one takes: memory, descriptors, threads and tasks depend on limits, not on jobs."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from aihubmix_video.sandbox import Sandbox

CHILD = Path(__file__).parents[1] / "children" / "flat_child.py"
JOBS = 600
GATEWAY: dict[str, Any] = {"speed": 1.0, "generation": 0.3, "content": 2_000, "render": False}  # Any: its options
GROWTH = {"memory": 3_000, "blocks": 5_000}
"""What may be more after three hundred more jobs, by chance; their records, kept, would be more than 7,500 blocks."""
MOST = {"descriptors": 100, "threads": 20, "tasks": 120}
"""Whatever the number of jobs: two connections and two tasks for each of the fifty in flight, and a few besides."""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what a process takes")
async def test_what_is_taken_does_not_grow_with_the_number_of_jobs(tmp_path: Path):
    """Ten thousand rows must not need a larger machine than a hundred (R4); benchmarks/flat.py measures it."""
    async with Sandbox(**GATEWAY) as sandbox:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, str(CHILD), sandbox.url, sandbox.api_key, str(tmp_path), str(JOBS)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await child.communicate()
        assert JOBS == sandbox.billed
    stretches: list[dict[str, int]] = json.loads(out)
    early, late = stretches[1], stretches[4]  # at the end of the last one nothing is in flight
    assert {} == {name: (early[name], late[name]) for name, more in GROWTH.items() if late[name] > early[name] + more}
    assert {} == {name: late[name] for name, most in MOST.items() if late[name] > most}
