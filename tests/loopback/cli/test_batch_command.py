"""The command `batch` and its ledger, as processes that are run again; the sandbox counts what was bought."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

from aihubmix_video.sandbox import Sandbox
from tests.loopback.cli.test_commands import FAST, NOW, Run, environment, run

MODEL = ("-m", "wan2.6-t2v", "--seconds", "2")
PACE = ("--rate", "50", "--poll-interval", "0.2")
BATCH = ("batch", "rows.txt", "-o", "out", *MODEL, *PACE)
FIELDS = {"index", "key", "id", "status", "path", "sha256", "verified", "unverified", "error", "charged"}


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


async def test_a_batch_prints_paths_and_a_second_run_skips_them(tmp_path: Path):
    """Names go by the row's place in the file, so the second run finds what the first one saved, and buys nothing."""
    (tmp_path / "rows.csv").write_text("prompt,output\na red fox,\nkoi,fish/koi.mp4\nthe sea,\n", encoding="utf-8")
    command = ("batch", "rows.csv", "-o", "out", "-m", "wan2.6-t2v", "--seconds", "2", "--skip-existing", *FAST)

    first = await run(*command, folder=tmp_path)
    (tmp_path / "out/0000-a-red-fox.mp4").unlink()
    second = await run(*command, "--json", folder=tmp_path)

    assert (0, 0) == (first.code, second.code), first.err + second.err
    names = {"out/0000-a-red-fox.mp4", "out/fish/koi.mp4", "out/0002-the-sea.mp4"}
    assert {str(tmp_path / name) for name in names} == set(first.out.splitlines())
    assert {(0, "completed"), (1, "skipped"), (2, "skipped")} == {
        (each["index"], each["status"]) for each in second.objects
    }


async def test_bad_rows_are_all_named_and_nothing_is_bought(tmp_path: Path):
    """A mistake found after half of the file was paid for is found too late."""
    rows = b'{"prompt": "a", "seconds": 5}\n{"prompt": "b", "secconds": 4}\n{"prompt": "c", "seconds": 4}\n'

    refused = await run("batch", "-", "-o", "out", "-m", "sora-2", *FAST, folder=tmp_path, given=rows)
    skipped = await run("batch", "-", "-o", "out", "-m", "sora-2", "--skip-invalid", *FAST, folder=tmp_path, given=rows)

    assert (65, 0) == (refused.code, skipped.code), skipped.err
    assert "error: <stdin>:1: seconds=5" in refused.err
    assert "error: <stdin>:2: secconds=4: unknown field; did you mean seconds?" in refused.err
    assert "" == refused.out
    assert [str(tmp_path / "out/0002-c.mp4")] == skipped.out.splitlines()


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
    """A folder that was moved, or another --name, makes another batch: the same videos must not be bought again unnoticed."""
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
