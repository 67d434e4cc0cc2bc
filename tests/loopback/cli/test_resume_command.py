"""The command `resume`, after runs that were stopped or killed; the sandbox counts what was bought."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.cli.test_batch_command import BATCH, MODEL, PACE, rows, whole
from tests.loopback.cli.test_commands import NOW, PATIENCE, environment, line_with, run, started


async def test_a_killed_batch_is_gone_on_with_and_nothing_is_bought_twice(tmp_path: Path):
    """The promise of the product: kill it, run `resume`, run the same batch; one purchase and one whole file per row."""
    rows(tmp_path, *(f"scene {number}" for number in range(12)))
    async with Sandbox(generation=0.5, speed=1.0, content=20_000) as sandbox:
        env = environment(sandbox)
        process = await started("batch", "rows.txt", "-o", "out", *MODEL, "--rate", "20", folder=tmp_path, env=env)
        async with asyncio.timeout(PATIENCE):
            while sandbox.billed < 5:  # noqa: ASYNC110  # the sandbox announces nothing
                await asyncio.sleep(0.01)
        process.kill()
        await asyncio.wait_for(process.communicate(), PATIENCE)
        resumed = await run("resume", "out", *PACE, "--json", folder=tmp_path, env=env)
        for key in (str(each["key"]) for each in resumed.objects if each["status"] == "uncertain"):
            lost = _unclaimed(sandbox, tmp_path)  # killed while a create was on its way: look it up, as a user would
            decided = ("--attach", f"{key}={lost.pop()}") if lost else ("--resubmit", key)
            await run("resume", "out", *PACE, *decided, folder=tmp_path, env=env)
        again = await run(*BATCH, "--json", folder=tmp_path, env=env)
        billed = sandbox.billed

    assert (0, 12) == (again.code, billed), resumed.err + again.err
    assert set(range(12)) == whole(again)
    assert 12 == len(list((tmp_path / "out").glob("*.mp4")))


def _unclaimed(sandbox: Sandbox, folder: Path) -> set[str]:
    """Find the jobs of the sandbox that the ledger has no id of."""
    kept = b"".join(path.read_bytes() for path in (folder / "out").glob(".aihubmix-video.db*") if path.is_file())
    return {video_id for video_id in sandbox.jobs if video_id.encode() not in kept}


async def test_what_may_have_been_bought_is_listed_until_it_is_decided(tmp_path: Path):
    """Nothing is bought again before the user says so, however often the program is run, and a wrong id changes nothing."""
    rows(tmp_path, "there", "not there", "not wanted", "saved")
    async with Sandbox(**NOW) as sandbox:
        env = environment(sandbox)
        sandbox.faults.add(Fault.reset(route="create", times=3))
        first = await run(*BATCH, "--json", folder=tmp_path, env=env)
        keys = {each["index"]: str(each["key"]) for each in first.objects}
        (saved,) = (str(each["id"]) for each in first.objects if each["id"])
        (lost,) = (each.video_id for each in sandbox.log if each.billed and (each.body or {})["prompt"] == "there")
        wrong = [
            await run("resume", "out", "--attach", f"{keys[0]}={each}", folder=tmp_path, env=env)
            for each in (saved, "nonsense")
        ]
        listed = await run("resume", "out", "--json", folder=tmp_path, env=env)
        billed_before = sandbox.billed
        decisions = ("--attach", f"{keys[0]}={lost}", "--resubmit", keys[1], "--drop", keys[2])
        decided = await run("resume", "out", *PACE, *decisions, "--json", folder=tmp_path, env=env)
        billed = sandbox.billed

    assert (75, 75, 4) == (first.code, listed.code, billed_before)
    assert {"uncertain"} == {each["status"] for each in listed.objects}
    assert all(f"  {keys[number]}  20" in each.err for each in (first, *wrong, listed) for number in range(3))
    assert "is the id of job" in wrong[0].err
    assert "the whole id" in wrong[1].err
    assert (0, 5) == (decided.code, billed), decided.err
    assert {0, 1} == whole(decided)


async def test_a_signal_prints_the_command_that_goes_on(tmp_path: Path):
    """Whoever stops it pastes one line; what was bought is fetched, and what was not is bought then."""
    rows(tmp_path, "a fox", "koi")
    async with Sandbox(generation=1.0, speed=1.0, content=20_000) as sandbox:
        env = environment(sandbox)
        process = await started(*BATCH, folder=tmp_path, env=env)
        await line_with(b"accepted", process.stderr)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        resumed = await run("resume", "out", *PACE, "--json", folder=tmp_path, env=env)
        billed = sandbox.billed

    assert 130 == process.returncode
    assert "\n  aihubmix-video resume out --rate 50 --poll-interval 0.2\n" in err.decode()
    assert (0, 2) == (resumed.code, billed), err.decode() + resumed.err
    assert {0, 1} == whole(resumed)


async def test_a_ledger_in_use_of_others_or_missing_is_refused(tmp_path: Path):
    """Each with its own exit code: wait, choose another one, look for the right folder."""
    rows(tmp_path, "a fox")
    async with Sandbox(generation=3600.0, speed=1.0, content=20_000) as sandbox:
        env = environment(sandbox)
        running = await started(*BATCH, folder=tmp_path, env=env)
        await line_with(b"accepted", running.stderr)
        busy = await run("resume", "out", folder=tmp_path, env=env)
        busy_batch = await run(*BATCH, folder=tmp_path, env=env)
        running.send_signal(signal.SIGINT)
        await asyncio.wait_for(running.communicate(), PATIENCE)
        other = await run("resume", "out", folder=tmp_path, env={**env, "AIHUBMIX_API_KEY": "sk-another"})
        missing = await run("resume", "nowhere", folder=tmp_path, env=env)

    assert (75, 75, 2, 66) == (busy.code, busy_batch.code, other.code, missing.code), other.err
    assert f"in use by process {running.pid}" in busy.err
    assert "holds jobs of" in other.err
    assert "there is not a ledger nowhere" in missing.err
