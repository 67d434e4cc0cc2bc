"""Disks that are full or break while a batch runs: typed errors, no id lost, nothing bought twice, and it can go on."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import VideoSession
from aihubmix_video.sandbox import Sandbox
from tests.loopback.ledgers import can_mount
from tests.loopback.session.test_cancellation import posts
from tests.loopback.session.test_crash import whole
from tests.loopback.session.test_kill_points import JOBS, Killed
from tests.loopback.tracing import needs_strace, traced

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parents[1] / "children"
FAST: dict[str, Any] = {"speed": 600, "seed": 0, "content": 30_000, "render": False}  # Any: the sandbox's options
SPARED = frozenset({None, "LedgerError"})


class Troubled(Killed):
    """A round on a disk that refuses."""

    async def refused(self, injection: str) -> tuple[list[str | None], str]:
        """Run the batch with errors made by strace; give how its rows ended, and what the trace says."""
        log = self.folder.with_suffix(".log")
        async with VideoSession(self.sandbox.api_key, base_url=self.sandbox.url, ledger=self.folder / "run.db"):
            pass  # made while all is well, so that calls are counted from where the jobs begin
        call, _, _ = injection.partition(":")
        child = await asyncio.create_subprocess_exec(
            *traced("-e", "signal=none", "-e", f"trace={call}", "-e", f"inject={injection}", output=str(log)),
            *(sys.executable, str(HERE / "crash_child.py"), self.sandbox.url, self.sandbox.api_key),
            *(str(self.folder), "batch", self.prefix, str(JOBS)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await child.communicate()
        assert 0 == child.returncode, err.decode()
        return [json.loads(line)["error"] for line in out.splitlines()[1:]], log.read_text("utf-8", "replace")


@needs_strace
@pytest.mark.parametrize(
    "injection",
    [
        pytest.param("fsync:error=EIO:when=1", id="K2-fsync-EIO"),
        pytest.param("fsync:error=EDQUOT:when=2", id="K1-folder-fsync-EDQUOT"),
        pytest.param("writev:error=ENOSPC:when=1", id="K1-write-ENOSPC"),
    ],
)
async def test_a_film_that_the_disk_refuses_is_fetched_again(tmp_path: Path, injection: str):
    """What is bought is not lost to one bad moment of a disk, and no file is named that is not surely there (K1, K2)."""
    async with Sandbox(**FAST) as sandbox:
        this = Troubled(sandbox, tmp_path / "run", 0)
        told, trace = await this.refused(injection)
        assert "(INJECTED)" in trace
        assert [None] * JOBS == told
        await whole(this, JOBS, dropped=0)
        assert JOBS == sandbox.billed


@needs_strace
@pytest.mark.parametrize("error", ["EACCES", "EXDEV"])
async def test_a_film_that_gets_no_name_is_told_and_kept_and_named_by_the_next_run(tmp_path: Path, error: str):
    """Trying again at once would change nothing, so the user is told; he mends it and runs the same again (K4)."""
    async with Sandbox(**FAST) as sandbox:
        this = Troubled(sandbox, tmp_path / "run", 0)
        told, _ = await this.refused(f"linkat:error={error}:when=1")
        refused = told.count("DownloadFailed")
        assert JOBS - refused == told.count(None) < JOBS
        assert refused == len(list(this.folder.glob("*.part")))
        assert [None] * JOBS == [item["error"] for item in await this.go_on("batch")]
        await whole(this, JOBS, dropped=0)
        assert JOBS == sandbox.billed


@needs_strace
@pytest.mark.parametrize(
    "injection",
    [
        pytest.param("fdatasync:error=EIO:when=1", id="K2-the-first-intents"),
        pytest.param("fdatasync:error=EIO:when=6", id="K2-about-the-first-id"),
        pytest.param("fdatasync:error=EIO:when=14", id="K2-about-the-last-id"),
        pytest.param("fdatasync:error=ENOSPC:when=8+", id="K1-full-from-then-on"),
        pytest.param("pwrite64:error=EDQUOT:when=60+", id="K1-a-quota-from-then-on"),
    ],
)
async def test_a_ledger_that_the_disk_refuses_stops_buying_and_loses_no_id(tmp_path: Path, injection: str):
    """A row that is not bought says why, and what is bought is found by the next run, also what the ledger never took."""
    async with Sandbox(**FAST) as sandbox:
        this = Troubled(sandbox, tmp_path / "run", 0)
        told, trace = await this.refused(injection)
        assert "(INJECTED)" in trace
        assert JOBS == len(told)
        assert SPARED >= set(told)
        again = await this.go_on("batch")
        assert [None] * JOBS == [item["error"] for item in again]
        await whole(this, JOBS, dropped=0)
        assert JOBS == sandbox.billed


async def test_a_full_disk_is_waited_out_for_films_and_ends_the_buying(tmp_path: Path):
    """Films that do not fit are fetched when they do; a full ledger buys nothing more; with room again, all is bought once."""
    if not can_mount(tmp_path):
        pytest.skip("no disks of our own can be made here")
    mount = 'mount -t tmpfs -o size=48m none "$0" && exec "$@"'
    async with Sandbox(**FAST) as sandbox:
        child = await asyncio.create_subprocess_exec(
            *("unshare", "-rm", "sh", "-c", mount, str(tmp_path)),
            *(sys.executable, str(HERE / "full_child.py"), sandbox.url, sandbox.api_key, str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await child.communicate()
        assert 0 == child.returncode, err.decode()
        told: Mapping[str, Any] = json.loads(out)  # Any: JSON
        assert {"NoneType": 5} == told["films"]
        assert {"NoneType", "LedgerError"} == told["ledger"].keys()
        assert {"NoneType": 60} == told["again"]
        assert {1} == set(posts(sandbox).values())
        assert 65 == sandbox.billed
        assert sorted([await sandbox.sha256(video_id) for video_id in sandbox.jobs]) == told["files"]
        assert [] == told["rest"]
