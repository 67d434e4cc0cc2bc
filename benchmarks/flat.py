"""What a batch takes at its peak, from two hundred jobs to ten thousand, with as many in flight.

    python benchmarks/flat.py [200 1000 10000]

The same process as in the tests (tests/loopback/children/flat_child.py) keeps a ledger, buys, polls and saves, fifty jobs at once,
against a local gateway in this process. It samples itself every 20 ms.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from aihubmix_video.sandbox import Sandbox

CHILD = Path(__file__).parents[1] / "tests/loopback/children/flat_child.py"
ROW = "| {jobs:,} | {memory:.1f} | {blocks:,} | {descriptors} | {threads} | {tasks} |"


async def most_taken(jobs: int) -> dict[str, float]:
    """Run one batch, and give what it took."""
    with tempfile.TemporaryDirectory() as folder:
        async with Sandbox(speed=1.0, generation=0.3, content=2_000, render=False, log_limit=100) as sandbox:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, str(CHILD), sandbox.url, sandbox.api_key, folder, str(jobs)),
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await child.communicate()
            assert sandbox.billed == jobs
    # Opening takes 16 MiB for a moment, to digest the key: so the first hundred are left out where there are more.
    stretches: list[dict[str, float]] = json.loads(out)
    most = {name: max(each[name] for each in stretches[min(1, len(stretches) - 1) :]) for name in stretches[0]}
    return {**most, "memory": most["memory"] / 1024}


async def main(counts: list[int]) -> None:
    """Print a table."""
    print("| jobs | memory, MiB | blocks of Python's objects | descriptors | threads | tasks |")
    print("|---" * 6 + "|")
    for jobs in counts:
        print(ROW.format(jobs=jobs, **await most_taken(jobs)), flush=True)


if __name__ == "__main__":
    asyncio.run(main([int(each) for each in sys.argv[1:]] or [200, 1_000, 10_000]))
