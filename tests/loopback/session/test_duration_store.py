"""What one session learnt of durations reaches the next through the ledger, and never breaks it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.polling.saved_statistics import unpack
from aihubmix_video.sandbox import Sandbox
from tests.loopback.sessions import AT_ONCE, WAN, opened

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video import VideoSession

INTERVAL = 0.2
NAME = "durations"


async def remembered(path: Path) -> bytes | None:
    """Return what a ledger remembers."""
    ledger = await SqliteLedger.open(path)
    try:
        return await ledger.recall(NAME)
    finally:
        await ledger.aclose()


async def remember(path: Path, data: bytes) -> None:
    """Store something else in a ledger."""
    ledger = await SqliteLedger.open(path)
    try:
        await ledger.remember(NAME, data)
    finally:
        await ledger.aclose()


async def run(session: VideoSession, jobs: int) -> None:
    """Make this many videos."""
    await asyncio.gather(*(session.generate("a cat", **WAN) for _ in range(jobs)))


async def test_what_was_learnt_is_kept_when_the_session_closes_and_used_by_the_next(tmp_path: Path):
    """A batch of ten jobs a day learns nothing within one session."""
    ledger = tmp_path / "jobs.db"
    async with Sandbox(**AT_ONCE | {"generation": 0.1}) as sandbox:
        for total in (4, 8):
            async with opened(sandbox, ledger=ledger, poll_interval=INTERVAL) as session:
                await run(session, 4)
            data = await remembered(ledger)
            assert data is not None
            models = [entry for entry in unpack(data, INTERVAL) if entry.is_model]
            assert [total] == [entry.ended for entry in models]


async def test_a_kind_is_told_by_model_length_size_and_mode(tmp_path: Path):
    """Only jobs that take equally long are learnt together."""
    ledger = tmp_path / "jobs.db"
    async with Sandbox(**AT_ONCE) as sandbox:
        async with opened(sandbox, ledger=ledger, poll_interval=INTERVAL) as session:
            await session.generate("a cat", model="wan2.6-t2v", seconds=5)
            await session.generate("a cat", model="wan2.6-t2v", seconds=10)
            await session.generate("a cat", model="kling-v2-6", mode="pro")
            await session.generate("a cat", model="kling-v2-6", mode="std")
        kinds = [entry.kind for entry in unpack(await remembered(ledger) or b"", INTERVAL) if not entry.is_model]
        assert 4 == len({*kinds})
        assert {("wan2.6-t2v", "5"), ("wan2.6-t2v", "10")} < {kind[:2] for kind in kinds}
        assert {"pro", "std"} < {kind[3] for kind in kinds}


@pytest.mark.parametrize("data", [b"", b"AVdur", b"\0" * 5000, b'{"version": 2}'])
async def test_bytes_that_cannot_be_read_are_ignored_with_a_line_in_the_log(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
):
    """They may be of a later version, or damaged. Their content only makes waits shorter."""
    ledger = tmp_path / "jobs.db"
    await remember(ledger, data)
    async with Sandbox(**AT_ONCE) as sandbox:
        async with opened(sandbox, ledger=ledger, poll_interval=INTERVAL) as session:
            await run(session, 1)
        assert ["learning starts over" in record.getMessage() for record in caplog.records] == [True]
        assert data != await remembered(ledger)


async def test_a_job_has_an_estimate_with_a_range_while_it_runs():
    """Seconds, and the range in which eight of ten such jobs finish."""
    async with Sandbox(**AT_ONCE | {"generation": 0.3}) as sandbox, opened(sandbox, poll_interval=INTERVAL) as session:
        job = await session.submit("a cat", **WAN)
        assert job.eta is not None
        assert job.eta_range is not None
        low, high = job.eta_range
        assert 0 <= low <= job.eta <= high
        events = [event async for event in job.events()]
        assert events[0].eta_range is not None
        assert (None, None) == (events[-1].eta, events[-1].eta_range)
        assert (None, None) == (job.eta, job.eta_range)
