"""The gallery of a batch, written by the program as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from aihubmix_video import errors
from aihubmix_video.gallery import write_gallery
from aihubmix_video.gallery.posters import take
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.session.session import VideoSession
from tests.loopback.cli.test_batch_command import BATCH, PACE, rows
from tests.loopback.cli.test_commands import NOW, PATIENCE, environment, line_with, run, started
from tests.pure.web.test_html import HOSTILE, data_of

if TYPE_CHECKING:
    from collections.abc import Mapping

REAL = {"generation": 0.0}
"""Options of a sandbox whose jobs are done at once, with films that can be played."""


def cards(folder: Path) -> list[dict[str, object]]:
    """Read the cards of the page in a folder."""
    return data_of((folder / "index.html").read_bytes())


def file_of(folder: Path, card: Mapping[str, object], what: str = "content") -> Path:
    """Find the file that a card leads to."""
    return folder / unquote(str(card[what]))


async def test_a_batch_leaves_a_page_of_everything(tmp_path: Path):
    """What was saved with its picture and file, what failed with its reason; in the order of the rows."""
    rows(tmp_path, "a fox", "koi [fail]", HOSTILE[0], "refused [refuse]")
    async with Sandbox(**REAL) as sandbox:
        done = await run(*BATCH, "--gallery", "--json", folder=tmp_path, env=environment(sandbox))
    out = tmp_path / "out"
    found = cards(out)
    told = sorted(done.objects, key=lambda each: int(str(each["index"])))

    assert 1 == done.code, done.err
    assert ["saved", "failed", "saved", "failed"] == [each["state"] for each in found]
    assert ["a fox", "koi [fail]", HOSTILE[0], "refused [refuse]"] == [each["prompt"] for each in found]
    assert {"wan2.6-t2v"} == {each["model"] for each in found}
    assert [2, 2] == [each["seconds"] for each in found if each["state"] == "saved"]
    assert all(file_of(out, each).is_file() for each in (found[0], found[2]))
    assert all(file_of(out, each, "poster").read_bytes().startswith(b"\xff\xd8\xff") for each in (found[0], found[2]))
    assert [each["error"]["type"] for each in told if each["error"]] == [
        each["error"]["type"] for each in found if "error" in each
    ]  # type: ignore[index]
    assert "Output data may contain inappropriate content. Change the prompt" in found[1]["error"]["message"]  # type: ignore[index]
    assert [(each["charged"], each["sha256"]) for each in told] == [
        (each["charged"], each.get("sha256")) for each in found
    ]
    assert [] == [each.name for each in out.rglob("*.part")]


async def test_a_later_run_keeps_what_earlier_ones_made(tmp_path: Path):
    """Stopped, resumed and run again: each writes the page of the whole batch, and makes no picture twice."""
    rows(tmp_path, "a fox", "koi")
    out = tmp_path / "out"
    async with Sandbox(**REAL) as sandbox:
        env = environment(sandbox)
        sandbox.faults.add(Fault.reset(route="create", times=1))
        first = await run(*BATCH, "--gallery", folder=tmp_path, env=env)
        before = cards(out)
        key = next(str(each["key"]) for each in before if each["state"] == "uncertain")
        resumed = await run("resume", "out", "--gallery", "--resubmit", key, *PACE, folder=tmp_path, env=env)
        after = cards(out)
        pictures = {each.name: each.stat().st_mtime_ns for each in (out / "posters").iterdir()}
        (out / "index.html").unlink()
        finished = await run("resume", "out", "--gallery", folder=tmp_path, env=env)
        again = cards(out)
        second = await run(*BATCH, "--gallery", folder=tmp_path, env=env)

    assert (75, 0, 0, 0) == (first.code, resumed.code, finished.code, second.code), resumed.err
    assert ["saved", "uncertain"] == sorted(str(each["state"]) for each in before)
    assert ["saved", "saved"] == [each["state"] for each in after]
    assert [["a fox", "koi"]] * 3 == [[each["prompt"] for each in page] for page in (after, again, cards(out))]
    assert 2 == len(pictures)
    assert pictures == {each.name: each.stat().st_mtime_ns for each in (out / "posters").iterdir()}


async def test_a_stopped_batch_shows_what_is_not_finished(tmp_path: Path):
    """The page tells the truth of the moment at which the run was stopped."""
    rows(tmp_path, "a fox", "koi [stuck]")
    async with Sandbox(**REAL) as sandbox:
        process = await started(*BATCH, "--gallery", folder=tmp_path, env=environment(sandbox))
        await line_with(b"a-fox", process.stdout)
        process.send_signal(signal.SIGINT)
        await process.communicate()

    assert [("a fox", "saved"), ("koi [stuck]", "unfinished")] == [
        (each["prompt"], each["state"]) for each in cards(tmp_path / "out")
    ]


async def test_another_page_of_that_name_is_left_alone(tmp_path: Path):
    """The folder may be somebody's web site; it is said before anything is bought."""
    rows(tmp_path, "a fox")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/index.html").write_text("<h1>mine</h1>", encoding="utf-8")
    async with Sandbox(**NOW) as sandbox:
        refused = await run(*BATCH, "--gallery", folder=tmp_path, env=environment(sandbox))
        billed = sandbox.billed

    assert (2, 0) == (refused.code, billed)
    assert "is not a gallery" in refused.err
    assert "<h1>mine</h1>" == (tmp_path / "out/index.html").read_text("utf-8")


async def test_without_pyav_cards_have_no_pictures(tmp_path: Path):
    """The extra is large, and the page needs it for pictures only."""
    rows(tmp_path, "a fox")
    hide = "import sys; sys.modules['av'] = None; from importlib import util; real = util.find_spec; "
    code = hide + "util.find_spec = lambda name, *rest: None if name == 'av' else real(name, *rest); "
    async with Sandbox(**NOW) as sandbox:
        process = await _program(code, *BATCH, "--gallery", folder=tmp_path, env=environment(sandbox))

    assert 0 == process
    assert [False] == ["poster" in each for each in cards(tmp_path / "out")]


async def _program(before: str, *arguments: str, folder: Path, env: Mapping[str, str]) -> int:
    code = f"{before}from aihubmix_video.cli import main; main()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, *arguments, cwd=folder, env=env)
    return await asyncio.wait_for(process.wait(), PATIENCE)


# From Python.


async def test_a_page_is_written_of_what_a_batch_yielded(tmp_path: Path):
    """A program that runs its batch itself has the page as the command line has it, in a folder that need not exist."""
    out = tmp_path / "films"
    out.mkdir()
    requests = [{"model": "wan2.6-t2v", "prompt": each, "seconds": 2} for each in ("a fox", "koi [fail]")]
    async with Sandbox(**REAL) as sandbox, VideoSession(sandbox.api_key, base_url=sandbox.url, rate=50) as session:
        items = [item async for item in session.batch(requests, to=f"{out}/{{index}}.mp4")]
    page = await write_gallery(tmp_path / "pages" / "new", items, prices={"wan2.6-t2v": 0.5})
    found = cards(page.parent)

    assert tmp_path / "pages/new/index.html" == page
    assert [("a fox", "saved"), ("koi [fail]", "failed")] == [(each["prompt"], each["state"]) for each in found]
    assert out / "0.mp4" == file_of(page.parent, found[0]).resolve()
    assert file_of(page.parent, found[0], "poster").is_file()
    assert [1.0, 1.0] == [each["price"] for each in found]


async def test_a_page_is_written_of_a_ledger_and_of_what_a_registry_lists(tmp_path: Path):
    """Both know every job, and show the same of it; a session that is open lends the ledger to nobody."""
    ledger = tmp_path / "run.db"
    async with (
        Sandbox(**REAL) as sandbox,
        VideoSession(sandbox.api_key, base_url=sandbox.url, rate=50, ledger=ledger) as session,
    ):
        for prompt in ("a fox", "koi"):
            await session.generate(prompt, model="wan2.6-t2v", seconds=2, to=tmp_path / f"{prompt}.mp4")
        listed = (await session.registry.page()).items
        with pytest.raises(errors.LedgerInUse):
            await write_gallery(tmp_path, ledger=ledger)
        await write_gallery(tmp_path / "listed", listed)
    await write_gallery(tmp_path / "kept", ledger=ledger)

    assert [["koi", "a fox"], ["a fox", "koi"]] == [
        [each["prompt"] for each in cards(tmp_path / name)] for name in ("listed", "kept")
    ]
    both = [{each["sha256"]: each["bytes_total"] for each in cards(tmp_path / name)} for name in ("listed", "kept")]
    assert both[0] == both[1]
    assert 2 == len(both[0])


async def test_a_page_that_cannot_be_written_is_a_typed_error(tmp_path: Path):
    """Somebody's own page stays; a ledger misspelt must not become an empty page, nor a new ledger."""
    (tmp_path / "index.html").write_text("<h1>mine</h1>", encoding="utf-8")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(errors.ConfigurationError, match="is not a gallery"):
        await write_gallery(tmp_path)
    with pytest.raises(errors.ConfigurationError, match="cannot be made"):
        await write_gallery(tmp_path / "file")
    with pytest.raises(errors.ConfigurationError, match="does not exist"):
        await write_gallery(tmp_path / "out", ledger=tmp_path / "rum.db")

    assert "<h1>mine</h1>" == (tmp_path / "index.html").read_text("utf-8")
    assert not (tmp_path / "rum.db").exists()


@pytest.mark.parametrize("data", [b"", b"no video", os.urandom(5000)])
def test_a_broken_film_gives_no_picture(data: bytes, tmp_path: Path):
    """A decoder is given what servers sent."""
    film = tmp_path / "film.mp4"
    film.write_bytes(data)

    assert take(film) is None
    assert take(tmp_path / "missing.mp4") is None
