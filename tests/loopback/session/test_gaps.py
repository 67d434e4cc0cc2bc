"""Faults of the catalogue (docs/faults.md) that belong to no other module: names, clocks, folders, memory, other loops."""

from __future__ import annotations

import asyncio
import math
import socket
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import VideoRequest, VideoSession
from aihubmix_video.errors import DownloadFailed, SubmitUncertain
from aihubmix_video.ledger.transitions import Move, Transition
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.storage.filesystem import part_path
from tests.loopback.children.crash_child import OPTIONS
from tests.loopback.session.test_cancellation import posts, until
from tests.loopback.session.test_crash import JOBS as TWENTY
from tests.loopback.session.test_crash import Round, whole
from tests.loopback.session.test_kill_points import JOBS, Killed
from tests.loopback.sessions import AT_ONCE, WAN, files, opened, seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aihubmix_video import BatchItem

SMALL: dict[str, Any] = AT_ONCE | {"content": 5_000}  # Any: the sandbox's options
QUICK: dict[str, Any] = {"poll_interval": 0.05}  # Any: the session's options
HOUR = 3600.0
HERE = Path(__file__).parents[1] / "children"


def cats(count: int) -> list[VideoRequest]:
    """Return requests for several videos."""
    return [VideoRequest(prompt=f"cat {number}", **WAN) for number in range(count)]


async def ends(items: AsyncIterator[BatchItem]) -> dict[int, type[BaseException] | None]:
    """Return how each row ended."""
    return {item.index: None if item.error is None else type(item.error) async for item in items}


# Names.


@pytest.mark.looptime
async def test_a_name_that_resolves_at_the_third_try_is_bought_once(monkeypatch: pytest.MonkeyPatch):
    """A resolver that restarts answers "no such host" for seconds. Nothing was sent, so nothing is uncertain (N1)."""
    real, left = socket.getaddrinfo, [socket.gaierror(socket.EAI_AGAIN, "try again")] * 2

    def flaky(host: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - those of the real one
        if host == "localhost" and left:
            raise left.pop()
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", flaky)
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, base_url=f"http://localhost:{sandbox.port}") as session:
        video = await session.videos.create("a cat", **WAN)
        assert video.id in sandbox.jobs
        assert [] == left
        assert {"create": 1} == seen(sandbox)


# Clocks.


@pytest.mark.parametrize("offset", [-HOUR, HOUR])
async def test_a_gateway_whose_clock_is_an_hour_off_is_understood(tmp_path: Path, offset: float):
    """Its dates are on its own clock: none of its links has expired, and no wait takes an hour (T2)."""
    async with Sandbox(**SMALL, clock_offset=offset, link_lifetime=600.0) as sandbox:
        sandbox.faults.add(Fault.busy(retry_after="0", route="retrieve"))
        async with asyncio.timeout(20.0), opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
            assert dict.fromkeys(range(5)) == await ends(session.batch(cats(5), to=tmp_path / "{index}.mp4"))
        assert 5 == len(files(tmp_path)) == sandbox.billed


@pytest.mark.parametrize(
    "moment", [0, -1, 1, 9.9e22, 1_800_000_000_000, "2030-01-01", "soon", math.nan, math.inf, None, True, []]
)
async def test_no_expiry_that_a_gateway_can_tell_costs_a_video(tmp_path: Path, moment: object):
    """In the past, in milliseconds, in words or not at all: the file is fetched, and nothing overflows (T3)."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
        sandbox.faults.add(Fault.edit({"expires_at": moment}, route="retrieve", times=None))
        assert {0: None, 1: None} == await ends(session.batch(cats(2), to=tmp_path / "{index}.mp4"))
        assert {5_000} == set(files(tmp_path).values())


@pytest.mark.looptime(False)  # the ledger's thread lives in real time
async def test_resumed_videos_are_fetched_by_the_expiry_of_their_links(tmp_path: Path):
    """Fifty wait for one slot, and an expired one is lost, so the next process must begin with the earliest (S21)."""
    lifetimes = dict(enumerate(Random(1).sample(range(2_000, 20_000), 50)))  # noqa: S311 - an order, not a secret
    async with Sandbox(**(SMALL | {"generation": 2.0, "speed": 1.0})) as sandbox:
        sandbox.faults.add(Fault.status(503, route="content", times=None))
        async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
            for number, lifetime in lifetimes.items():
                job = await session.submit(f"cat {number}", to=tmp_path / f"{number}.mp4", **WAN)
                bought = sandbox.jobs[str(job.id)]
                fields = {"expires_at": bought.epoch + bought.created + lifetime}
                sandbox.faults.add(Fault.edit(fields, route="retrieve", video_id=job.id, times=None))
            await until(lambda: all(job.status == "completed" for job in session.jobs()))
        sandbox.faults.clear()
        before = len(sandbox.log)
        async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db", max_downloads=1) as session:
            assert {None} == set((await ends(session.resume())).values())
        asked = [logged.video_id for logged in sandbox.log[before:] if logged.route == "content"]
        order = [int(sandbox.jobs[str(video_id)].order.prompt.split()[1]) for video_id in asked]
        assert sorted(order, key=lifetimes.__getitem__) == order
        assert (50, 50) == (len(files(tmp_path)), sandbox.billed)


# Folders.


async def test_a_folder_that_goes_or_closes_meanwhile_harms_no_other_job(tmp_path: Path):
    """Videos for other folders arrive meanwhile, and once the folder is back, so do its own (K5)."""
    names = {"a": tmp_path / "a", "b": tmp_path / "b"}
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
        for folder in names.values():
            folder.mkdir()
        sandbox.faults.add(Fault.wait(1.0, route="content", times=6))
        jobs = [
            await session.submit(f"{name} {number}", to=folder / f"{number}.mp4", **WAN)
            for name, folder in names.items()
            for number in range(3)
        ]
        names["a"].rmdir()
        names["a"].write_text("no folder")
        outcomes = await asyncio.wait_for(asyncio.gather(*jobs[3:]), 20.0)
        assert [names["b"] / f"{number}.mp4" for number in range(3)] == [video.path for video in outcomes]
        lost = [await _error(job) for job in jobs[:3]]
        assert {DownloadFailed} == set(map(type, lost))
        assert {"yes"} == {error.charged for error in lost if isinstance(error, DownloadFailed)}
        names["a"].unlink()
        names["a"].mkdir()
        assert [None] * 3 == [item.error async for item in session.resume()]
        assert 6 == sandbox.billed == len(files(tmp_path))


async def _error(job: Any) -> BaseException | None:  # noqa: ANN401 - a job
    try:
        await job
    except DownloadFailed as error:
        return error
    return None


# Processes.


async def settled_and_whole(
    this: Round, told: list[dict[str, str | None]], resume: Callable[[], Awaitable[object]], jobs: int
) -> None:
    """Decide uncertain jobs by the gateway's log, resume, and compare the files with what was sold."""
    uncertain = [item for item in told if item["error"] == SubmitUncertain.__name__]
    assert [] == [item for item in told if item["error"] is not None and item not in uncertain]
    if uncertain:
        await this.decide(uncertain)
        await resume()
    await whole(this, jobs, dropped=sum(item["prompt"] not in this.bought() for item in uncertain))


async def test_a_resumption_killed_five_times_is_resumed(tmp_path: Path):
    """Restarting a service that crashes at once must not cost money (P3)."""
    async with Sandbox(speed=600, seed=0, content=30_000, render=False) as sandbox:
        this = Round(sandbox, tmp_path / "run", 0)
        await this.run("batch", kill_after=0.15)
        for after in (0.02, 0.05, 0.1, 0.15, 0.2):
            await this.run("resume", kill_after=after)
        await settled_and_whole(this, await this.run("batch"), lambda: this.run("resume"), TWENTY)


class Witness:
    """Wraps a ledger, and lists a folder when a video is recorded as saved."""

    def __init__(self, ledger: Any, folder: Path) -> None:  # noqa: ANN401 - it forwards all of the protocol
        self._ledger, self._folder, self.seen = ledger, folder, list[Path]()

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    async def record(self, key: str, transition: Transition) -> None:
        """List the folder, and forward the call."""
        if transition.move is Move.SAVED:
            self.seen += sorted(self._folder.glob("*.part"))
        await self._ledger.record(key, transition)


async def test_what_killed_processes_left_of_a_film_is_gone_before_the_ledger_calls_it_saved(tmp_path: Path):
    """If killed in between, the next process would know of nothing to do, and the leftovers would stay for ever."""
    target = tmp_path / "films" / "cat.mp4"
    target.parent.mkdir()
    stale = part_path(target)
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
        stale.write_bytes(b"half a film")
        sync: Any = session._manager.ledger_sync  # Any: a witness replaces the ledger
        sync.ledger = witness = Witness(sync.ledger, target.parent)
        await session.generate("a cat", **WAN, to=target)
        assert [target] == sorted(target.parent.iterdir())
        assert [] == witness.seen


LIMITED = """
import resource, runpy, sys
from aihubmix_video import VideoSession
taken = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize"))
resource.setrlimit(resource.RLIMIT_AS, ((taken + int(sys.argv[2]) * 1024) * 1024,) * 2)
sys.argv[:] = sys.argv[1:2] + sys.argv[3:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell what a process takes")
@pytest.mark.parametrize("mebibytes", [33, 38, 44])
async def test_where_memory_runs_out_no_id_is_lost(tmp_path: Path, mebibytes: int):
    """Some thread, buffer or object cannot be allocated. Whatever fails, the next run fetches everything (P8)."""
    async with Sandbox(speed=600, seed=0, content=30_000, render=False) as sandbox:
        this = Killed(sandbox, tmp_path / "run", mebibytes)
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", LIMITED, str(HERE / "crash_child.py"), str(mebibytes)),
            *(sandbox.url, sandbox.api_key, str(this.folder), "batch", this.prefix, str(JOBS)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await asyncio.wait_for(child.communicate(), 15.0)
        except TimeoutError:
            child.kill()
            await child.wait()
        await settled_and_whole(this, await this.go_on("batch"), lambda: this.go_on("resume"), JOBS)


def test_another_event_loop_will_do(tmp_path: Path):
    """Servers run on uvloop, whose transports are not asyncio's own (P7)."""
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        async with Sandbox(**SMALL) as sandbox:
            sandbox.faults.add(Fault.reset(route="retrieve", times=3), Fault.cut(2_000, route="content", times=3))
            async with VideoSession(
                sandbox.api_key, base_url=sandbox.url, ledger=tmp_path / "l.db", **{**OPTIONS, "poll_interval": 0.05}
            ) as session:
                outcomes = await ends(session.batch(cats(20), to=tmp_path / "{index}.mp4"))
            assert {None} == set(outcomes.values())
            assert {5_000} == set(files(tmp_path).values())
            assert {1} == set(posts(sandbox).values())

    uvloop.run(main())
