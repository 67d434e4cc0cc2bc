"""The life cycle of a session: opened once, used where it was opened, closed for good; and the events of its jobs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import Job, JobEvent, Status, VideoRequest, VideoSession
from aihubmix_video.errors import ConfigurationError, JobFailed, SessionClosed, VideoError
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.session.tracked_job import EVENTS_BUFFERED
from tests.loopback.sessions import AT_ONCE, WAN, opened, seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = AT_ONCE | {"content": 5_000}  # Any: the sandbox's options
HOUR: dict[str, Any] = SMALL | {"generation": 3600.0 * 60}  # Any: the session's options
FILM_SIZE = 5_000


async def use(session: VideoSession) -> object:
    """Use it in the simplest way."""
    return await session.generate("a cat", **WAN)


USES: list[Callable[[VideoSession], object]] = [
    lambda session: session.jobs(),
    lambda session: session.stats(),
    lambda session: session.videos,
    lambda session: session.job("an-id"),
    lambda session: session.resume(),
    lambda session: session.batch([VideoRequest(prompt="a cat", **WAN)], to="{index}.mp4"),
]


# Where it may be used.


async def test_before_it_is_open_and_after_it_is_closed_each_use_says_so(tmp_path: Path):
    """With one clear sentence, not an AttributeError from inside (C4)."""
    async with Sandbox(**SMALL) as sandbox:
        session = VideoSession(sandbox.api_key, base_url=sandbox.url)
        for each in USES:
            with pytest.raises(SessionClosed, match="not open"):
                each(session)
        with pytest.raises(SessionClosed, match="async with"):
            await use(session)
        await session.aclose()
        async with session:
            job = await session.submit("a cat", **WAN)
            video = await job
        for each in USES:
            with pytest.raises(SessionClosed, match="was closed"):
                each(session)
        with pytest.raises(SessionClosed, match="was closed"):
            await use(session)
        with pytest.raises(SessionClosed, match="make a new one"):
            await session.__aenter__()
        with pytest.raises(SessionClosed, match="closed"):
            await video.save(tmp_path / "cat.mp4")
        with pytest.raises(SessionClosed, match="closed"):
            await job.delete()
        assert video == await job
        job.detach()
        assert "closed" in repr(session)
        assert sandbox.api_key not in repr(session)


async def test_another_thread_or_loop_is_refused():
    """Its tasks and sockets belong to one loop; elsewhere it would hang or corrupt them (C4)."""
    said: list[BaseException] = []

    def elsewhere(session: VideoSession) -> None:
        for work in (lambda: asyncio.run(use(session)), session.jobs, lambda: asyncio.run(session.aclose())):
            try:
                work()
            except VideoError as error:
                said.append(error)

    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        thread = threading.Thread(target=elsewhere, args=(session,))
        thread.start()
        await asyncio.to_thread(thread.join)
        assert [ConfigurationError] * 3 == [type(error) for error in said]
        assert "another event loop" in str(said[0])
        assert "coroutine" in str(said[1])
        assert "another event loop" in str(said[2])
        await use(session)
        assert 1 == sandbox.billed


async def test_a_job_is_not_awaited_on_another_loop():
    """Nothing would ever wake a task that waits there."""
    said: list[BaseException] = []

    async def wait_for(job: Job) -> None:
        for work in (lambda: job, job.delete, lambda: anext(job.events())):
            try:
                await work()
            except VideoError as error:
                said.append(error)

    async with Sandbox(**SMALL) as sandbox, opened(sandbox, poll_interval=0.02) as session:
        job = await session.submit("a cat", **WAN)
        thread = threading.Thread(target=lambda: asyncio.run(wait_for(job)))
        thread.start()
        await asyncio.to_thread(thread.join)
        assert [ConfigurationError] * 3 == [type(error) for error in said]
        assert (await job).id == job.id


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # which is what is tested
async def test_in_a_forked_child_it_is_refused_and_the_parent_is_unharmed(tmp_path: Path):
    """Two processes on one connection would read each other's answers (P6)."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, ledger=tmp_path / "l.db", poll_interval=0.02) as session:
        await use(session)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - in another process
            try:
                session.jobs()
            except BaseException as error:  # noqa: BLE001 - whatever it is, the parent judges it
                os.write(write, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(0)
        os.close(write)
        await asyncio.to_thread(os.waitpid, child, 0)
        said = os.read(read, 1000).decode()
        os.close(read)
        assert said.startswith("ConfigurationError:")
        assert "another process" in said
        await use(session)
        assert 2 == sandbox.billed


# Closing.


async def test_it_is_closed_twice_and_at_once():
    """Frameworks close shared objects more than once, and are cancelled while they do (C4)."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        await use(session)
        cancelled = asyncio.create_task(session.aclose())
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(*(session.aclose() for _ in range(5)))
        await asyncio.wait([cancelled])
        await session.aclose()


@pytest.mark.looptime
async def test_whoever_waits_is_told_that_it_was_closed():
    """A wait that nothing can end any more must end. The job goes on, and can be polled by its id."""
    async with Sandbox(**HOUR) as sandbox:
        async with opened(sandbox) as session:
            jobs = [await session.submit("a cat", **WAN) for _ in range(3)]
            waits = [asyncio.ensure_future(job) for job in jobs]
            listening = asyncio.ensure_future(events_of(jobs[0]))
            await asyncio.sleep(20)
        for job, wait in zip(jobs, waits, strict=True):
            with pytest.raises(SessionClosed) as caught:
                await wait
            assert (job.id, "yes") == (caught.value.job_id, caught.value.charged)
        assert Status.IN_PROGRESS == (await listening)[-1].status
        sandbox.faults.add(Fault.edit({"status": "completed"}, route="retrieve", times=None))
        async with opened(sandbox) as session:
            assert jobs[0].id is not None
            assert jobs[0].id == (await session.job(jobs[0].id)).id
        assert 3 == sandbox.billed


async def test_an_error_inside_closes_it_and_passes_through():
    """A session that hid its user's errors would be useless, and one that stayed open would leak."""
    async with Sandbox(**SMALL) as sandbox:
        before = asyncio.all_tasks()

        async def fail() -> None:
            async with opened(sandbox) as session:
                waiting.append(asyncio.ensure_future(use(session)))
                await asyncio.sleep(0)
                raise ZeroDivisionError

        waiting: list[asyncio.Future[object]] = []
        with pytest.raises(ZeroDivisionError):
            await fail()
        with suppress(SessionClosed):
            await waiting[0]
        left = {str(task) for task in asyncio.all_tasks() - before if not task.done()}
        assert set() == {task for task in left if "RequestHandler" not in task}


SCRIPT = """
import asyncio, pathlib, sys
from aihubmix_video import VideoRequest, VideoSession
from aihubmix_video.sandbox import Sandbox

async def main(folder, ledger):
    asyncio.get_running_loop().slow_callback_duration = 60.0  # the machine may be busy
    async with Sandbox(generation=0.0, content=5_000, render=False) as sandbox:
        options = dict(base_url=sandbox.url, rate=1000.0, burst=1000, poll_interval=0.02, ledger=ledger)
        async with VideoSession(sandbox.api_key, **options) as session:
            await session.generate("a cat", model="wan2.6-t2v", to=folder / "cat.mp4")
            abandoned = asyncio.create_task(session.generate("a dog", model="wan2.6-t2v", to=folder / "dog.mp4"))
            async for item in session.batch([VideoRequest(model="wan2.6-t2v", prompt="x")] * 5, to=folder / "{index}.mp4"):
                break
            job = await session.submit("[stuck]", model="wan2.6-t2v")
            async for event in job.events():
                break
        abandoned.cancel()
        never = VideoSession(sandbox.api_key, base_url=sandbox.url)
    assert (folder / "cat.mp4").stat().st_size == 5_000

for number in range(2):
    folder = pathlib.Path(sys.argv[1]) / str(number)
    folder.mkdir()
    asyncio.run(main(folder, folder / "l.db" if number else None))
"""


def test_nothing_is_complained_of_with_every_check_on_and_in_two_runs(tmp_path: Path):
    """Unclosed sockets, destroyed tasks and coroutines never awaited are bugs even if nothing fails (C4, P7)."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)  # noqa: S603 - our own text
    assert (0, "") == (done.returncode, done.stderr)


# The events of its jobs.


async def events_of(job: Job) -> list[JobEvent]:
    """Return all events of a job, up to its end."""
    return [event async for event in job.events()]


@pytest.mark.looptime
async def test_events_begin_with_the_present_and_end_with_the_job(tmp_path: Path):
    """A late subscriber need not wait for a change, and none waits for ever."""
    async with Sandbox(**(SMALL | {"generation": 120.0 * 60})) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", model="sora-2", to=tmp_path / "cat.mp4")
        early = asyncio.ensure_future(events_of(job))
        await asyncio.sleep(50)
        late = asyncio.ensure_future(events_of(job))
        first = await anext(job.events())
        assert first == job.snapshot() or first.status == job.status
        assert Status.IN_PROGRESS == first.status
        assert first.eta is not None
        await job
        for events in (await early, await late):
            assert {job.key} == {event.job for event in events}
            assert Status.COMPLETED == events[-1].status
            assert (FILM_SIZE, FILM_SIZE) == (events[-1].bytes_done, events[-1].bytes_total)
            told = [event.progress for event in events if event.progress is not None]
            assert sorted(told) == told
            assert [event.at for event in events] == sorted(event.at for event in events)
        assert (await early)[0].status is not Status.COMPLETED
        assert Status.IN_PROGRESS == (await late)[0].status
        after = await events_of(job)
        assert [Status.COMPLETED] == [event.status for event in after]
        assert None is after[0].eta


@pytest.mark.looptime
async def test_a_listener_who_does_not_read_costs_little_and_misses_only_the_oldest():
    """Memory must stay bounded, the job must not wait for the subscriber, and the end must reach it (Y6)."""
    async with Sandbox(**(SMALL | {"generation": 6000.0 * 60})) as sandbox, opened(sandbox, deadline=7200.0) as session:
        for percent in range(100):
            sandbox.faults.add(Fault.edit({"status": "in_progress", "progress": percent}, route="retrieve"))
        sandbox.faults.add(Fault.edit({"status": "completed", "progress": 100}, route="retrieve", times=None))
        job = await session.submit("a cat", model="sora-2")
        events = job.events()
        first = await anext(events)
        await job
        kept = [event async for event in events]
        assert first.status in {Status.QUEUED, Status.IN_PROGRESS}
        assert EVENTS_BUFFERED == len(kept)
        assert Status.COMPLETED == kept[-1].status
        assert seen(sandbox)["retrieve"] > EVENTS_BUFFERED


@pytest.mark.looptime
async def test_a_listener_that_raises_or_leaves_disturbs_nobody():
    """Errors in a subscriber's loop must not affect others (C3)."""
    async with Sandbox(**(SMALL | {"generation": 600.0})) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)

        async def raising() -> None:
            async for _ in job.events():
                raise ZeroDivisionError

        async def awaiting() -> str:
            async for _ in job.events():
                return (await job).id
            return ""

        results = await asyncio.gather(raising(), awaiting(), events_of(job), return_exceptions=True)
        assert isinstance(results[0], ZeroDivisionError)
        assert job.id == results[1]
        assert isinstance(results[2], list)
        assert () == job._tracked._subscriptions


@pytest.mark.looptime
async def test_a_failed_job_is_told_to_all_alike_and_may_be_awaited_again():
    """Each task that awaits it gets the error, whose traceback does not grow with the number of tasks."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        job = await session.submit("[fail]", **WAN)
        depths = set()
        for _ in range(5):
            with pytest.raises(JobFailed) as caught:
                await job
            depth, frame = 0, caught.value.__traceback__
            while frame is not None:
                depth, frame = depth + 1, frame.tb_next
            depths.add(depth)
            assert job.id == caught.value.job_id
        assert 1 == len(depths)
        assert Status.FAILED == (await events_of(job))[-1].status


@pytest.mark.looptime
async def test_a_job_let_go_of_ends_for_whoever_waits_and_lives_at_the_gateway():
    """Detached is not deleted."""
    async with Sandbox(**HOUR) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)
        wait = asyncio.ensure_future(job)
        await asyncio.sleep(20)
        job.detach()
        with pytest.raises(SessionClosed, match="no longer followed") as caught:
            await wait
        assert (job.id, "yes") == (caught.value.job_id, caught.value.charged)
        assert () == session.jobs()
        assert job.id is not None
        assert Status.IN_PROGRESS == (await session.videos.retrieve(job.id)).status
        assert session.job(job.id) is not session.job(job.id)
        assert 1 == len(session.jobs())
