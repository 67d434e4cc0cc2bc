"""Kill -9 at any moment, judged by the gateway's own log: nothing paid for is lost, and nothing is bought twice.

`AIHUBMIX_CRASH_ROUNDS` sets how many rounds of twenty jobs are run; .ci/run asks for 60.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from aihubmix_video import VideoSession
from aihubmix_video.errors import SubmitUncertain
from aihubmix_video.sandbox import Sandbox

ROUNDS = int(os.environ.get("AIHUBMIX_CRASH_ROUNDS", "6"))
JOBS = 20
CHILD = Path(__file__).parents[1] / "children" / "crash_child.py"


class Round:
    """One folder, and the processes that work in it."""

    def __init__(self, sandbox: Sandbox, folder: Path, number: int) -> None:
        self.sandbox, self.folder, self.prefix = sandbox, folder, f"round {number} job"
        folder.mkdir()

    async def run(self, command: str, kill_after: float | None = None) -> list[dict[str, str | None]]:
        """Run the child to its end, or kill it this many seconds after its session opened."""
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, str(CHILD), self.sandbox.url, self.sandbox.api_key, str(self.folder)),
            *(command, self.prefix, str(JOBS)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        assert b"open\n" == await child.stdout.readline()
        if kill_after is not None:
            try:
                await asyncio.wait_for(child.wait(), kill_after)
            except TimeoutError:
                with suppress(ProcessLookupError):  # it may have ended meanwhile
                    child.kill()
        out, _ = await child.communicate()
        return [json.loads(line) for line in out.splitlines() if line.endswith(b"}")]

    def bought(self) -> dict[str, list[str]]:
        """Return the ids that the gateway sold, by prompt."""
        found: dict[str, list[str]] = {}
        for video_id, job in self.sandbox.jobs.items():
            if job.order.prompt.startswith(self.prefix):
                found.setdefault(job.order.prompt, []).append(video_id)
        return found

    async def decide(self, uncertain: list[dict[str, str | None]]) -> None:
        """Decide as a user does who looks into the console: attach what was bought, drop what was not."""
        bought = self.bought()
        async with VideoSession(
            self.sandbox.api_key, base_url=self.sandbox.url, ledger=self.folder / "run.db"
        ) as session:
            for item in uncertain:
                key, ids = item["key"] or "", bought.get(item["prompt"] or "")
                await session.decide(key, attach=ids[0] if ids else None, drop=not ids)


async def test_nothing_is_lost_and_nothing_is_bought_twice(tmp_path: Path):
    """The promise that the ledger exists for. A third of the processes are killed again while they resume."""
    random = Random(os.environ.get("AIHUBMIX_CRASH_SEED", "1"))  # noqa: S311 - moments, not secrets
    async with Sandbox(speed=600, seed=0, profile="field", content=30_000, render=False) as sandbox:
        for number in range(ROUNDS):
            folder = tmp_path / str(number)
            this = Round(sandbox, folder, number)
            await this.run("batch", kill_after=random.random() * 0.7)
            if number % 3 == 0:
                await this.run("resume", kill_after=random.random() * 0.4)
            told = await this.run("batch")
            assert JOBS == len(told)
            uncertain = [item for item in told if item["error"] == SubmitUncertain.__name__]
            assert [] == [item for item in told if item["error"] is not None and item not in uncertain]
            if uncertain:
                await this.decide(uncertain)
                await this.run("resume")
            await whole(this, JOBS, dropped=sum(item["prompt"] not in this.bought() for item in uncertain))


async def whole(this: Round, jobs: int, *, dropped: int) -> None:
    """Compare the files with what the gateway sold."""
    bought = this.bought()
    assert {1} >= set(Counter({prompt: len(ids) for prompt, ids in bought.items()}).values())
    files = {path.read_bytes() for path in this.folder.glob("*.mp4")}
    assert jobs - dropped == len(bought) == len(files)
    assert not list(this.folder.glob("*.part*"))


@pytest.mark.parametrize("command", ["batch", "resume"])
async def test_a_finished_batch_is_not_bought_again(tmp_path: Path, command: str):
    """Users run the same command again to make sure."""
    async with Sandbox(speed=600, seed=0, profile="field", content=30_000, render=False) as sandbox:
        this = Round(sandbox, tmp_path / "only", 0)
        await this.run("batch")
        again = await this.run(command)
        assert JOBS == sandbox.billed
        assert (JOBS if command == "batch" else 0) == len(again)
