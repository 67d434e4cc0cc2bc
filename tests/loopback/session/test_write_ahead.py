"""The order in which a job's life reaches the disk and the wire: what must be durable before money may be spent."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video import VideoRequest
from aihubmix_video.sandbox import Sandbox
from tests.loopback.ledgers import states
from tests.loopback.sessions import AT_ONCE, WAN, opened
from tests.loopback.tracing import needs_strace, traced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.sandbox.vendors.vendor import Order

CHILD = Path(__file__).parents[1] / "children" / "crash_child.py"

STARTS = {
    r'sendto\(.*"POST ': "POST",
    r"pwrite64\(\d+<\S*run\.db-wal>": "write ledger",
}
"""What counts from the moment at which it begins."""
RETURNS = {
    r"fdatasync\(\d+<\S*run\.db-wal>": "flush ledger",
    r"fsync\(\d+<\S*\.part>": "flush film",
    r"linkat\(.*\.mp4\"": "name film",
    r"fsync\(\d+<[^.>]*>": "flush folder",
}
"""What counts only when it has come back, and without an error."""


def events(log: str) -> Iterator[str]:
    """Return the events that strace recorded, of all threads."""
    begun: dict[str, str] = {}
    for line in log.splitlines():
        thread, _, call = line.partition(" ")
        call = call.strip()
        if not call.startswith("<..."):
            begun[thread] = call
            yield from (name for pattern, name in STARTS.items() if re.match(pattern, call))
        if re.search(r"\) += 0$", call):
            yield from (name for pattern, name in RETURNS.items() if re.match(pattern, begun[thread]))


@needs_strace
async def test_each_step_is_flushed_before_the_next_one_begins(tmp_path: Path):
    """Power may fail between any two: intent before create (M1), content before name before ledger record (D1)."""
    log, folder = tmp_path / "strace.log", tmp_path / "job1"
    folder.mkdir()
    calls = "trace=sendto,pwrite64,fdatasync,fsync,link,linkat,rename,renameat,renameat2"
    async with Sandbox(**AT_ONCE) as sandbox:
        child = await asyncio.create_subprocess_exec(
            *traced("-y", "-s", "100", "-e", "signal=none", "-e", calls, output=str(log)),
            *(sys.executable, str(CHILD), sandbox.url, sandbox.api_key, str(folder), "batch", "job", "1"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert 0 == await child.wait()
        assert 1 == sandbox.billed

    seen = [name for name, _ in groupby(events(log.read_text("utf-8", "replace")))]
    sent = seen.index("POST")
    intent, sending, bought, completed, saved = [["write ledger", "flush ledger"]] * 5
    assert [*intent, *sending] == seen[sent - 4 : sent]
    film = ["flush film", "name film", "flush folder"]
    assert [*bought, *completed, *film, *saved] == seen[sent + 1 : sent + 10]


async def test_when_a_create_arrives_the_ledger_on_disk_says_so(tmp_path: Path):
    """The gateway checks while it handles the create: a copy of the files at that instant holds the job (M1)."""
    copies: dict[str, Path] = {}

    def copied(order: Order) -> float:
        folder = tmp_path / f"copy {len(copies)}"
        shutil.copytree(tmp_path / "run", folder)
        copies[order.prompt] = folder / "run.db"
        return 0.0

    (tmp_path / "run").mkdir()
    async with (
        Sandbox(**(AT_ONCE | {"generation": copied})) as sandbox,
        opened(sandbox, ledger=tmp_path / "run/run.db", poll_interval=0.05) as session,
    ):
        rows = [VideoRequest(prompt=f"cat {number}", **WAN) for number in range(20)]
        assert [None] * 20 == [item.error async for item in session.batch(rows, to=tmp_path / "{index}.mp4")]
        assert 20 == sandbox.billed

    assert {f"cat {number}" for number in range(20)} == copies.keys()
    for prompt, ledger in copies.items():
        with closing(sqlite3.connect(ledger)) as found:
            select = "SELECT key, state, video_id FROM jobs JOIN requests USING (number) WHERE request LIKE ?"
            ((key, state, video_id),) = found.execute(select, [f'%"{prompt}"%']).fetchall()
        assert ("sending", None) == (state, video_id)
        assert ("uncertain", None) == (await states(ledger))[key]


def test_the_reader_of_traces_sees_a_flush_that_came_too_late():
    """A reader that misses events proves nothing."""
    late = """1 fdatasync(8</t/run.db-wal> <unfinished ...>
2 sendto(9<socket:[1]>, "POST /v1/videos"..., 300, 0, NULL, 0) = 300
1 <... fdatasync resumed>)          = 0
1 fsync(8</t/.ab.part>)             = -1 EIO (Input/output error)"""
    assert ["POST", "flush ledger"] == list(events(late))
