"""The shared rate and fairness through a real session, by the gateway's own log of what arrived."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import Status
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sessions import AT_ONCE, WAN, opened, seen, times

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytest.importorskip("looptime")

INTERVAL = 15.0
WINDOWS = (0.25, 1.0, 10.0)
LAG = 0.05  # seconds by which a busy machine may log a request late, so that the next ones seem to come faster


def most_within(moments: Iterable[float], window: float) -> int:
    """Return the most moments that fall into any half-open window of this many seconds."""
    ordered = sorted(moments)
    most = first = 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - window + 1e-9:
            first += 1
        most = max(most, last - first + 1)
    return most


def excess(sandbox: Sandbox, rate: float, burst: int, lag: float = 0.0) -> dict[float, int]:
    """Return the windows in which more requests of any kind arrived than the rate allows, with their number."""
    moments = [logged.at for logged in sandbox.log]
    found = {window: most_within(moments, window) for window in WINDOWS}
    return {window: most for window, most in found.items() if most > rate * (window + lag) + burst}


@pytest.mark.looptime
@pytest.mark.parametrize(("burst", "one_in"), [(1, 5), (5, 20)])
async def test_a_thousand_jobs_keep_the_rate_in_every_window(burst: int, one_in: int, tmp_path: Path):
    """Creates, polls and downloads together. A bucket that starts full would allow twice the rate in some window."""
    options = AT_ONCE | {"speed": 1, "generation": 20.0, "content": 2_000}
    async with Sandbox(**options) as sandbox, opened(sandbox, rate=100.0, burst=burst) as session:
        jobs = await asyncio.gather(
            *(
                session.submit("a cat", to=tmp_path / f"{n}.mp4" if n % one_in == 0 else None, **WAN)
                for n in range(1000)
            )
        )
        videos = await asyncio.gather(*jobs)
        assert {} == excess(sandbox, 100.0, burst)
        assert most_within((logged.at for logged in sandbox.log), 10.0) > 0.8 * 1000  # it uses the rate that it has
        assert {Status.COMPLETED} == {video.status for video in videos}
        assert (1000, 1000) == (sandbox.billed, seen(sandbox)["create"])
        assert 1000 == len({video.id for video in videos})


async def test_three_hundred_jobs_keep_the_rate_in_real_time(tmp_path: Path):
    """Real sockets, real time: requests that the scheduler spaces must not bunch up on their way."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, rate=200.0, burst=1) as session:
        jobs = [session.generate("a cat", to=tmp_path / f"{number}.mp4", **WAN) for number in range(300)]
        videos = await asyncio.gather(*jobs)
        assert {} == excess(sandbox, 200.0, 1, LAG)
        assert {Status.COMPLETED} == {video.status for video in videos}
        assert (300, 300) == (sandbox.billed, seen(sandbox)["create"])


@pytest.mark.looptime
async def test_every_request_counts_whatever_made_it(tmp_path: Path):
    """Retries, redirects, deletes and the user's own calls share the rate with everything else."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, rate=10.0, burst=1) as session:
        sandbox.faults.add(
            Fault.busy(route="create", times=3, retry_after="0"),
            Fault.status(502, route="retrieve", times=10),
            Fault.reset(route="retrieve", reused=True, times=5),
            Fault.redirect("content", route="content", times=30),
            Fault.cut(10_000, route="content", times=5),
            Fault.status(503, route="delete", times=5),
        )
        videos = await asyncio.gather(
            *(session.generate("a cat", to=tmp_path / f"{number}.mp4", **WAN) for number in range(20))
        )
        await asyncio.gather(
            *(session.videos.retrieve(video.id) for video in videos),
            *(session.videos.delete(video.id) for video in videos),
        )
        assert {"create", "retrieve", "content", "delete"} == set(seen(sandbox))
        assert 30 + 20 <= seen(sandbox)["content"]
        assert {} == excess(sandbox, 10.0, 1)
        assert 20 == sandbox.billed


SLOW: dict[str, Any] = {"speed": 1, "content": 50_000, "render": False}  # Any: each option has its own type


@pytest.mark.looptime
async def test_downloads_that_drip_for_ever_delay_no_poll_and_no_other_file(tmp_path: Path):
    """All download slots are taken by videos that arrive a byte at a time."""
    soon_done = SLOW | {"generation": lambda order: 0.0 if "drip" in order.prompt else 200.0}
    async with Sandbox(**soon_done) as sandbox, opened(sandbox, max_downloads=8) as session:
        drips = [await session.submit("drip", to=tmp_path / f"drip{number}.mp4", **WAN) for number in range(8)]
        for job in drips:
            sandbox.faults.add(Fault.drip(1, 0.9, route="content", video_id=job.id, times=None))
        jobs = await asyncio.gather(
            *(session.submit("a cat", to=tmp_path / f"{number}.mp4", **WAN) for number in range(20))
        )
        videos = await asyncio.gather(*jobs)
        assert all(video.path is not None for video in videos)
        for job in jobs:
            asked = [logged.at for logged in sandbox.log if logged.video_id == job.id and logged.route != "content"]
            assert max(after - before for before, after in pairwise(asked)) <= INTERVAL * 1.5
        assert len(times(sandbox, "content")) >= 8 + 20
        assert 28 == sandbox.billed
