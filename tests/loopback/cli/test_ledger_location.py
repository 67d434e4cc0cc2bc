"""The program and its ledger, as processes that are stopped, killed and run again; the sandbox counts what was bought."""

from __future__ import annotations

import asyncio
import json
import signal
from hashlib import sha256
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.cli.test_commands import NOW, PATIENCE, Run, environment, line_with, run, started

MODEL = ("-m", "wan2.6-t2v", "--seconds", "2")
PACE = ("--rate", "50", "--poll-interval", "0.2")
BATCH = ("batch", "rows.txt", "-o", "out", *MODEL, *PACE)
FIELDS = {"index", "key", "id", "status", "path", "sha256", "error", "charged"}


def rows(folder: Path, *prompts: str) -> None:
    """Write a batch file."""
    (folder / "rows.txt").write_text("".join(f"{each}\n" for each in prompts), encoding="utf-8")


def whole(told: Run) -> set[int]:
    """Give the indexes of the rows whose file is on disk with the hash that was told."""
    return {
        int(str(each["index"]))
        for each in told.objects
        if each["path"] and sha256(_read(str(each["path"]))).hexdigest() == each["sha256"]
    }


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # the path must be absolute as it was told
        return file.read()


async def test_the_same_batch_again_tells_what_is_saved_and_buys_nothing(tmp_path: Path):
    """Equal rows are meant: two are bought, and known again as two; `--sidecar` tells each one's origin."""
    rows(tmp_path, "a fox", "a fox", "koi")
    async with Sandbox(**NOW) as sandbox:
        env = environment(sandbox)
        first = await run(*BATCH, "--json", "--sidecar", folder=tmp_path, env=env)
        second = await run(*BATCH, "--json", "--sidecar", folder=tmp_path, env=env)
        finished = await run("resume", "out", folder=tmp_path, env=env)
        billed = sandbox.billed

    assert (0, 0, 0, 3) == (first.code, second.code, finished.code, billed), first.err + second.err
    assert sorted(map(str, first.objects)) == sorted(map(str, second.objects))
    assert {0, 1, 2} == whole(second)
    assert all(FIELDS == set(each) for each in second.objects)
    assert "saved earlier" in second.err
    assert "Nothing is left to do" in finished.err
    told = json.loads((tmp_path / "out/0002-koi.json").read_text("utf-8"))
    (koi,) = (each for each in first.objects if each["index"] == 2)
    assert ("koi", koi["id"], koi["sha256"]) == (told["request"]["prompt"], told["id"], told["sha256"])
    assert told["created_at"] is not None


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
    """Nothing is bought anew before the user says so, however often the program is run, and a wrong id changes nothing."""
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


async def test_a_capped_batch_says_so_and_goes_on_with_a_higher_cap(tmp_path: Path):
    """The cap counts what earlier runs bought; rows above it are unfinished, told once, and in no way charged."""
    rows(tmp_path, *(f"scene {number}" for number in range(6)))
    (tmp_path / "prices.json").write_text('{"wan2.6-t2v": 0.5}', encoding="utf-8")
    async with Sandbox(**NOW) as sandbox:
        env = environment(sandbox)
        capped = await run(*BATCH, "--json", "--max-videos", "2", folder=tmp_path, env=env)
        again = await run(*BATCH, "--max-videos", "2", folder=tmp_path, env=env)
        billed = sandbox.billed
        priced = await run(*BATCH, "--max-spend", "4", "--prices", "prices.json", folder=tmp_path, env=env)
        spent = sandbox.billed
        free = await run(*BATCH, folder=tmp_path, env=env)
        wrong = await run(*BATCH, "--max-spend", "-4", folder=tmp_path, env=env)

    assert (75, 75, 75, 0, 2) == (capped.code, again.code, priced.code, free.code, wrong.code), free.err
    assert (2, 4, 6) == (billed, spent, sandbox.billed)
    told = {each["index"]: each for each in capped.objects}
    assert {"BudgetExceeded"} == {told[index]["error"]["type"] for index in range(2, 6)}  # type: ignore[index]  # JSON
    assert {"no"} == {told[index]["charged"] for index in range(2, 6)}
    assert 1 == capped.err.count("would be exceeded")
    assert "2 of 6 done, 4 above a cap" in capped.err
    assert "max_spend" in wrong.err


async def test_changed_rows_are_named_and_need_a_word(tmp_path: Path):
    """A typo mended in one row must not be bought beside the old version without anybody noticing."""
    rows(tmp_path, "a fox", "koi")
    async with Sandbox(**NOW) as sandbox:
        env = environment(sandbox)
        await run(*BATCH, folder=tmp_path, env=env)
        rows(tmp_path, "a fox", "koi", "appended")
        appended = await run(*BATCH, folder=tmp_path, env=env)
        rows(tmp_path, "a fox", "koi at dusk", "appended")
        refused = await run(*BATCH, folder=tmp_path, env=env)
        billed_before = sandbox.billed
        accepted = await run(*BATCH, "--accept-changes", "--json", folder=tmp_path, env=env)
        billed = sandbox.billed

    assert (0, 65, 0) == (appended.code, refused.code, accepted.code), accepted.err
    assert (3, 4) == (billed_before, billed)
    assert "rows.txt:2: row 1" in refused.err
    assert '"koi"' in refused.err
    assert {0, 1, 2} == whole(accepted)


async def test_rows_that_were_bought_under_another_name_need_a_word(tmp_path: Path):
    """A folder that was moved, or another --name, makes another batch: the same videos must not be bought anew unnoticed."""
    rows(tmp_path, "a fox", "koi")
    async with Sandbox(**NOW) as sandbox:
        env = environment(sandbox)
        await run(*BATCH, folder=tmp_path, env=env)
        renamed = await run(*BATCH, "--name", "{index}.mp4", folder=tmp_path, env=env)
        billed = sandbox.billed
        accepted = await run(*BATCH, "--name", "{index}.mp4", "--accept-changes", folder=tmp_path, env=env)

    assert (65, 2) == (renamed.code, billed)
    assert "2 of these rows in another batch" in renamed.err
    assert (0, 4) == (accepted.code, sandbox.billed)


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
    assert "there is no ledger nowhere" in missing.err


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
