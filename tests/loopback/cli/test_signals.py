"""Stopped at random moments by SIGINT and SIGTERM, once or twice: nothing is uncertain that was answered in time.

`AIHUBMIX_SIGNAL_ROUNDS` says how many rounds of twelve jobs are run.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
from contextlib import suppress
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from random import Random
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.cli.test_batch_command import BATCH, MODEL, PACE, rows, whole
from tests.loopback.cli.test_commands import PATIENCE, Run, environment, run, started
from tests.loopback.session.test_cancellation import posts

if TYPE_CHECKING:
    from asyncio.subprocess import Process

ROUNDS = int(os.environ.get("AIHUBMIX_SIGNAL_ROUNDS", "2"))
SEED = os.environ.get("AIHUBMIX_CRASH_SEED", "1")
JOBS = 12
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SLOWLY = ("batch", "rows.txt", "-o", "out", *MODEL, "--rate", "20", "--poll-interval", "0.2")
RESUME = re.compile(r"^  aihubmix-video (resume .*)$", re.MULTILINE)


class Stopped:
    """A batch that is stopped."""

    def __init__(self, sandbox: Sandbox, folder: Path, draw: Random) -> None:
        self.sandbox, self.folder, self.draw = sandbox, folder, draw
        folder.mkdir()
        rows(folder, *(f"{folder.name} scene {number}" for number in range(JOBS)))

    async def begun(self) -> Process:
        """Start it, and wait until its ledger is there: before, there is nothing that could be lost."""
        process = await started(*SLOWLY, folder=self.folder, env=environment(self.sandbox))
        async with asyncio.timeout(PATIENCE):
            while not (self.folder / "out/.aihubmix-video.db-wal").exists():  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.01)
        return process

    async def run(self, *arguments: str) -> Run:
        """Run the program in the same folder."""
        return await run(*arguments, folder=self.folder, env=environment(self.sandbox))

    def bought(self) -> dict[str, str]:
        """Give the ids of what was bought, by prompt."""
        mine = f"{self.folder.name} scene "
        return {job.order.prompt: key for key, job in self.sandbox.jobs.items() if job.order.prompt.startswith(mine)}

    def check(self, last: Run, purchases: int = JOBS) -> None:
        """See that each row is there whole, and how often one was sent."""
        assert 0 == last.code, last.err
        assert set(range(JOBS)) == whole(last)
        sent = {prompt: times for prompt, times in posts(self.sandbox).items() if prompt.startswith(self.folder.name)}
        assert JOBS == len(sent) == len(self.bought())
        assert purchases >= sum(sent.values())


@pytest.mark.timeout(60 + 15 * ROUNDS)
async def test_one_signal_at_any_moment_leaves_nothing_uncertain(tmp_path: Path):
    """Creates under way learn their ids; the command that is printed goes on with all of it when it is pasted."""
    draw = Random(f"{SEED} once")  # noqa: S311 - moments, not secrets
    async with Sandbox(generation=0.5, speed=1.0, content=20_000, render=False) as sandbox:
        sandbox.faults.add(Fault.wait(0.3, route="create", times=None))
        for number in range(ROUNDS):
            this = Stopped(sandbox, tmp_path / f"round{number}", draw)
            process = await this.begun()
            await asyncio.sleep(draw.uniform(0.0, 1.6))
            sent = draw.choice(SIGNALS)
            process.send_signal(sent)
            _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
            err = said.decode()
            assert "Traceback" not in err
            assert "uncertain" not in err
            if process.returncode != 0:  # it had not finished by itself
                assert 128 + sent == process.returncode, err
                (pasted,) = set(RESUME.findall(err))
                done = await this.run(*shlex.split(pasted))
                assert 0 == done.code, done.err
            this.check(await this.run(*BATCH, "--json"))


@pytest.mark.timeout(60 + 20 * ROUNDS)
async def test_a_second_signal_at_any_moment_ends_it_consistently(tmp_path: Path):
    """It does not wait for answers, so what was being sent is uncertain; everything else is known as if it had waited."""
    draw = Random(f"{SEED} twice")  # noqa: S311 - moments, not secrets
    async with Sandbox(generation=0.5, speed=1.0, content=20_000, render=False) as sandbox:
        sandbox.faults.add(Fault.wait(0.3, route="create", times=None))
        for number in range(max(ROUNDS // 2, 1)):
            this = Stopped(sandbox, tmp_path / f"round{number}", draw)
            process = await this.begun()
            await asyncio.sleep(draw.uniform(0.0, 1.2))
            process.send_signal(draw.choice(SIGNALS))
            await asyncio.sleep(draw.uniform(0.0, 0.3))
            with suppress(ProcessLookupError):  # it may have ended meanwhile
                process.send_signal(draw.choice(SIGNALS))
            _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
            assert b"Traceback" not in said
            again = await this.run(*BATCH, "--json")
            lost = [each for each in again.objects if each["status"] == "uncertain"]
            assert (75 if lost else 0) == again.code, again.err
            resubmitted = 0
            for each in lost:
                found = this.bought().get(f"{this.folder.name} scene {each['index']}")
                resubmitted += found is None
                decision = ("--resubmit", str(each["key"])) if found is None else ("--attach", f"{each['key']}={found}")
                await this.run("resume", "out", *PACE, *decision)
            this.check(await this.run(*BATCH, "--json"), JOBS + resubmitted)
