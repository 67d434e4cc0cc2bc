"""A run of five jobs, killed at each call that writes to the disk or a socket, resumes and buys nothing twice.

Where `test_crash` kills at random moments, this goes through them in order: the calls of Python's own (fsync, rename, link,
write, send and the like on all threads), whole or half done, and those of SQLite, which only strace sees.

`AIHUBMIX_KILL_STRIDE` sets how many calls lie between two kills; 1 kills at every one, until a run survives.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from random import Random

import pytest

from aihubmix_video.errors import SubmitUncertain
from aihubmix_video.sandbox import Sandbox
from tests.loopback.children.crash_child import outcomes
from tests.loopback.session.test_crash import Round, whole
from tests.loopback.tracing import needs_strace, traced

STRIDE = int(os.environ.get("AIHUBMIX_KILL_STRIDE", "60"))
SEED = os.environ.get("AIHUBMIX_CRASH_SEED", "1")
JOBS = 5
FEWEST = 25  # calls of each kind that such a run certainly makes, so that at least one is killed
HERE = Path(__file__).parents[1] / "children"
AT_ONCE = 3


def by_python(half: str, number: int) -> tuple[str, ...]:
    """Kill at a call made by Python."""
    return (sys.executable, str(HERE / "kill_child.py"), str(number), half)


def by_strace(call: str, number: int) -> tuple[str, ...]:
    """Kill at a call made by SQLite; one thread makes them all."""
    injection = f"inject={call}:signal=KILL:when={number}"
    return (*traced("-e", f"trace={call}", "-e", injection), sys.executable, str(HERE / "crash_child.py"))


class Killed(Round):
    """A round in which the process is killed at a call."""

    async def survives(self, command: tuple[str, ...]) -> bool:
        """Run the batch as *command* starts it; return whether it reached its end."""
        child = await asyncio.create_subprocess_exec(
            *command,
            *(self.sandbox.url, self.sandbox.api_key, str(self.folder), "batch", self.prefix, str(JOBS)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await child.communicate()
        assert child.returncode in {0, -9, 137}, err.decode()
        return child.returncode == 0

    async def go_on(self, command: str) -> list[dict[str, str | None]]:
        """Run the same batch again, or what is left of it, in this process."""
        arguments = (self.sandbox.url, self.sandbox.api_key, str(self.folder), command, self.prefix, JOBS)
        return [outcome async for outcome in outcomes(*arguments) if outcome]


async def killed_at(sandbox: Sandbox, folder: Path, number: int, command: tuple[str, ...]) -> bool:
    """Kill, run again, decide, and check by the gateway's log; return whether the run ended before the kill."""
    this = Killed(sandbox, folder, number)
    survived = await this.survives(command)
    told = await this.go_on("batch")
    assert JOBS == len(told)
    uncertain = [item for item in told if item["error"] == SubmitUncertain.__name__]
    assert [] == [item for item in told if item["error"] is not None and item not in uncertain]
    assert not (survived and uncertain)
    if uncertain:
        await this.decide(uncertain)
        await this.go_on("resume")
    await whole(this, JOBS, dropped=sum(item["prompt"] not in this.bought() for item in uncertain))
    return survived


@pytest.mark.timeout(60 if STRIDE > 40 else 1800)
@pytest.mark.parametrize(
    ("way", "what"),
    [
        pytest.param(by_python, "whole", id="before-a-call"),
        pytest.param(by_python, "half", id="half-way-through-a-write"),
        pytest.param(by_strace, "fdatasync", id="before-a-flush-of-the-ledger", marks=needs_strace),
        pytest.param(by_strace, "pwrite64", id="before-a-write-of-the-ledger", marks=needs_strace),
    ],
)
async def test_killed_at_any_call_nothing_is_lost_or_bought_twice(tmp_path: Path, way, what: str):  # noqa: ANN001
    """Each of them may be the last call of a process. What it leaves must be enough for the next process."""
    number = Random(SEED + what).randint(1, min(STRIDE, FEWEST))  # noqa: S311 - moments, not secrets
    kills, over = 0, False
    async with Sandbox(speed=600, seed=0, content=30_000, render=False) as sandbox:
        while not over:
            numbers = range(number, number + AT_ONCE * STRIDE, STRIDE)
            rounds = (killed_at(sandbox, tmp_path / str(each), each, way(what, each)) for each in numbers)
            survived = await asyncio.gather(*rounds)
            over, kills = any(survived), kills + survived.count(False)
            number = numbers[-1] + STRIDE
    assert kills
    sys.stdout.write(f"{what}: {kills} kills, the last at call {number}\n")
