"""Cancellation at any point, by any means: nothing is left behind, bought twice, or paid for and lost."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from aihubmix_video import VideoRequest
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sessions import AT_ONCE, WAN, descriptors, files, opened, seen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path

    from aihubmix_video import VideoSession

SMALL: dict[str, Any] = AT_ONCE | {"content": 5_000}  # Any: the sandbox's options
QUICK: dict[str, Any] = {"poll_interval": 0.02}  # Any: the session's options
MOST_PASSES = 400  # of the loop that one job takes, at most; it takes far fewer


@contextmanager
def cancelled_at(count: int, victim: asyncio.Task[Any]) -> Iterator[None]:  # Any: whatever it returns
    """Cancel a task in the *count*-th pass of the event loop from here, which is after the *count*-th thing that happened."""
    loop: Any = asyncio.get_running_loop()  # Any: the hook is not public
    turn, left = loop._run_once, count

    def counted() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            victim.cancel()
        turn()

    loop._run_once = counted
    try:
        yield
    finally:
        loop._run_once = turn


async def cut(work: Coroutine[Any, Any, object], count: int) -> bool:  # Any: whatever it is sent
    """Run *work*, and cancel it in the *count*-th pass; return whether it was done before."""
    task = asyncio.create_task(work)
    with cancelled_at(count, task):
        await asyncio.wait([task])
    if task.cancelled():
        return False
    await task
    return True


def posts(sandbox: Sandbox) -> Counter[str]:
    """Return the number of creates by prompt."""
    return Counter(str((logged.body or {}).get("prompt")) for logged in sandbox.log if logged.route == "create")


def others(before: set[asyncio.Task[Any]]) -> set[str]:  # Any: whatever they return
    """Return the tasks started since that still run, without those of the sandbox's connections."""
    left = (str(task) for task in asyncio.all_tasks() - before if not task.done())
    return {task for task in left if "RequestHandler" not in task}


async def until(came: Callable[[], bool]) -> None:
    """Wait for a condition that no event reports."""
    while not came():  # noqa: ASYNC110 - it happens at the sandbox, or on the disk
        await asyncio.sleep(0.01)


async def settled(session: VideoSession, base: set[asyncio.Task[Any]]) -> None:  # Any: whatever they return
    """Wait until the jobs that were bought are over, and give writes under way a moment to end."""
    for job in session.jobs():
        with suppress(Exception):
            await job
    for _ in range(100):
        if not others(base):
            break
        await asyncio.sleep(0.01)
    assert set() == others(base)


async def _generate(session: VideoSession, prompt: str, path: Path) -> object:
    return await session.generate(prompt, **WAN, to=path)


async def _submit(session: VideoSession, prompt: str, path: Path) -> object:
    return await (await session.submit(prompt, **WAN)).save(path)


async def _batch(session: VideoSession, prompt: str, path: Path) -> object:
    rows = [VideoRequest(prompt=prompt, **WAN)]
    items = session.batch(rows, to=path.with_name(path.stem + "{index}.mp4"))
    try:
        return [item async for item in items]
    finally:
        await items.aclose()


async def _endpoints(session: VideoSession, prompt: str, path: Path) -> object:
    video = await session.videos.create(prompt=prompt, **WAN)
    await session.videos.retrieve(video.id)
    await session.videos.download_content(video.id, path)
    return await session.videos.delete(video.id)


WAYS: list[Callable[..., Coroutine[Any, Any, object]]] = [_generate, _submit, _batch, _endpoints]


@pytest.mark.looptime
@pytest.mark.parametrize("way", WAYS)
async def test_cancelled_at_any_pass_of_the_loop_nothing_is_left(
    tmp_path: Path, way: Callable[[VideoSession, str, Path], Coroutine[Any, Any, object]]
):
    """Wherever it is, a cancelled call leaves no task, descriptor or temporary file, and at most one create (C1)."""
    before = asyncio.all_tasks()
    fds = descriptors()
    async with Sandbox(**SMALL) as sandbox:
        async with opened(sandbox) as session:
            await session.generate("warm up", **WAN)
            base = asyncio.all_tasks()
            for count in range(1, MOST_PASSES):
                done = await cut(way(session, f"cat {count}", tmp_path / f"{count}.mp4"), count)
                await settled(session, base)
                assert () == session.jobs()
                assert all(name.endswith(".mp4") for name in files(tmp_path))
                if done:
                    break
            assert 10 < count < MOST_PASSES - 1
            assert {1} == set(posts(sandbox).values())
            assert posts(sandbox).total() == sandbox.billed
            assert {5_000} == set(files(tmp_path).values())
        assert "VideoSession" not in str(others(before))
    assert set() == others(before)
    assert fds == descriptors()


async def test_cancelled_and_closed_at_any_pass_nothing_paid_for_is_lost(tmp_path: Path):
    """All that was billed is in the ledger with its id, and is fetched later. What was given up is not bought."""
    finished = False
    async with Sandbox(**SMALL) as sandbox:
        for count in range(1, MOST_PASSES, 5):
            prompt, path, ledger = f"cat {count}", tmp_path / f"{count}.mp4", tmp_path / f"{count}.db"
            async with opened(sandbox, **QUICK, ledger=ledger) as session:
                finished = await cut(session.generate(prompt, **WAN, to=path), count)
            assert all(name.endswith(".mp4") for name in files(tmp_path))
            bought = posts(sandbox)[prompt]
            async with opened(sandbox, **QUICK, ledger=ledger) as session:
                items = [item async for item in session.resume()]
            assert bought == posts(sandbox)[prompt] <= 1
            assert bool(bought) is (path.name in files(tmp_path))
            assert all(item.ok for item in items)
            if finished:
                break
        assert finished
        assert posts(sandbox).total() == sandbox.billed


async def test_closed_at_any_pass_every_row_bought_is_found_again(tmp_path: Path):
    """A batch whose session ends anywhere goes on in the next, and each row is bought once."""
    rows = [VideoRequest(prompt=f"cat {number}", **WAN) for number in range(4)]
    async with Sandbox(**SMALL) as sandbox:
        for count in (*range(1, 40, 5), *range(40, 200, 40)):
            folder = tmp_path / str(count)
            folder.mkdir()
            creates = seen(sandbox).get("create", 0)

            async def consume(folder: Path = folder) -> None:
                async with opened(sandbox, **QUICK, ledger=folder / "l.db") as session:
                    async for _ in session.batch(rows, to=folder / "{index}.mp4"):
                        pass

            await cut(consume(), count)
            async with opened(sandbox, **QUICK, ledger=folder / "l.db") as session:
                items = [item async for item in session.batch(rows, to=folder / "{index}.mp4")]
            assert [None] * 4 == [item.error for item in items]
            assert creates + 4 == seen(sandbox)["create"] == sandbox.billed
            assert {f"{number}.mp4" for number in range(4)} == set(files(folder))


async def test_a_cancelled_create_that_was_sent_is_kept_and_its_file_is_saved(tmp_path: Path):
    """It may be paid for, so it goes on while the session is open and is in the ledger. Its end breaks nothing (M4)."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
        sandbox.faults.add(Fault.wait(0.2, route="create"))
        task = asyncio.create_task(session.generate("a cat", **WAN, to=tmp_path / "cat.mp4"))
        await until(lambda: bool(sandbox.log))
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        for job in session.jobs():
            assert (await job).path == tmp_path / "cat.mp4"
        assert (await session.generate("another", **WAN, to=tmp_path / "2.mp4")).verified
        assert 2 == sandbox.billed
        assert [] == [item async for item in session.resume()]


@contextmanager
def names_resolving_slowly() -> Iterator[threading.Event]:
    """Keep the threads that resolve names busy until the event is set."""
    release = threading.Event()
    threads = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(threads)
    threads.submit(release.wait)
    try:
        yield release
    finally:
        release.set()


@pytest.mark.parametrize("ledger", [None, "l.db"])
async def test_a_create_cancelled_while_it_connects_is_not_sent(ledger: str | None, tmp_path: Path):
    """What was given up before it was sent is not bought, and this delays nothing else (M2)."""
    async with (
        Sandbox(**SMALL) as sandbox,
        opened(
            sandbox,
            **QUICK,
            base_url=sandbox.url.replace("127.0.0.1", "localhost"),
            ledger=tmp_path / ledger if ledger else None,
        ) as session,
    ):
        with names_resolving_slowly() as release:
            task = asyncio.create_task(session.submit("a cat", **WAN))
            await until(lambda: session.stats().creates_sent == 1)
            task.cancel()
            await asyncio.wait([task])
            release.set()
            await until(lambda: session.stats().in_flight == 0)
        assert task.cancelled()
        assert (0, 0) == (sandbox.billed, session.stats().failed)
        assert (await session.generate("another", **WAN, to=tmp_path / "2.mp4")).verified
        assert 1 == sandbox.billed == seen(sandbox)["create"]
        if ledger:
            assert [] == [item async for item in session.resume()]


async def test_a_cancelled_create_that_is_refused_breaks_nothing(tmp_path: Path):
    """No caller waits for the refusal. The session and its ledger go on."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
        base = asyncio.all_tasks()
        for fault in (
            Fault.status(400, {"error": {"message": "bad prompt"}}, route="create", delay=0.1),
            Fault.status(401, {"error": {"message": "bad key"}}, route="create", delay=0.1),
            Fault.busy(429, route="create", delay=0.1),
        ):
            sandbox.faults.add(fault)
            task = asyncio.create_task(session.generate("a cat", **WAN, to=tmp_path / "cat.mp4"))
            began = len(sandbox.log)
            await until(lambda began=began: len(sandbox.log) > began)
            task.cancel()
            await asyncio.wait([task])
            await settled(session, base)
        assert 0 == sandbox.billed
        assert [] == [item async for item in session.resume()]
        assert (await session.generate("a cat", **WAN, to=tmp_path / "cat.mp4")).verified


@pytest.mark.looptime
async def test_timeouts_and_groups_find_their_counters_right(tmp_path: Path):
    """`asyncio.timeout` and `TaskGroup` count cancellations; one that was swallowed or doubled would confuse them (C1)."""
    me = asyncio.current_task()
    assert me is not None

    async def within(seconds: float, work: Awaitable[object]) -> None:
        async with asyncio.timeout(seconds):
            await work

    async def stop(seconds: float) -> None:
        await asyncio.sleep(seconds)
        raise TimeoutError

    async def in_a_group(seconds: float, work: Coroutine[Any, Any, object]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(work)
                await stop(seconds)  # the failure of any child would leave the count wrong in Python 3.11
        except* TimeoutError:
            raise TimeoutError from None

    async def waited_for(seconds: float, work: Awaitable[object]) -> None:
        await asyncio.wait_for(work, seconds)

    async with Sandbox(**(SMALL | {"generation": 3600.0})) as sandbox, opened(sandbox) as session:
        base = asyncio.all_tasks()
        for limited in (within, in_a_group, waited_for):
            for number, seconds in enumerate((0.0, 0.000_001, 0.5, 7.0, 30.0, 59.0)):
                prompt = f"{limited.__name__} {number}"
                with pytest.raises(TimeoutError):
                    await limited(seconds, session.generate(prompt, **WAN, to=tmp_path / f"{prompt}.mp4"))
                assert 0 == me.cancelling()
                assert posts(sandbox)[prompt] <= 1
        await settled(session, base)
        assert sandbox.billed == len(files(tmp_path))


@pytest.mark.looptime
@pytest.mark.parametrize("seed", range(3))
async def test_a_storm_of_cancellations_harms_nobody_else(tmp_path: Path, seed: int):
    """Half of two hundred callers are cancelled at any moment. The others get theirs; what was bought arrives (C3)."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    async with Sandbox(**(SMALL | {"generation": 600.0}), seed=seed) as sandbox, opened(sandbox, rate=50.0) as session:
        base = asyncio.all_tasks()
        tasks = [
            asyncio.create_task(session.generate(f"cat {number}", **WAN, to=tmp_path / f"{number}.mp4"))
            for number in range(200)
        ]
        doomed = set(draw.sample(range(200), 100))
        for number in doomed:
            asyncio.get_running_loop().call_later(draw.uniform(0.0, 40.0), tasks[number].cancel)
        await asyncio.wait(tasks)
        for number, task in enumerate(tasks):
            assert task.cancelled() or task.result().path == tmp_path / f"{number}.mp4"
            assert number in doomed or not task.cancelled()
        await settled(session, base)
        assert 1 == max(posts(sandbox).values())
        assert 100 <= sandbox.billed == len(files(tmp_path))


async def _by_timeout(seconds: float, work: Coroutine[Any, Any, object]) -> None:
    async with asyncio.timeout(seconds):
        await work


async def _by_scope(seconds: float, work: Coroutine[Any, Any, object]) -> None:
    with anyio.fail_after(seconds):
        await work


async def _by_wait_for(seconds: float, work: Coroutine[Any, Any, object]) -> None:
    await asyncio.wait_for(work, seconds)


@pytest.mark.looptime
async def test_a_thousand_callers_are_given_up_by_every_means(tmp_path: Path):
    """In one group, with timeouts, scopes and waits that end anywhere: what was bought is saved, and bought once (Y3)."""
    draw = random.Random(1)  # noqa: S311 - repeatable, not secret
    given_up = 0

    async def caller(session: VideoSession, number: int) -> None:
        nonlocal given_up
        limited = draw.choice([_by_timeout, _by_scope, _by_wait_for])
        work = session.generate(f"cat {number}", **WAN, to=tmp_path / f"{number}.mp4")
        try:
            await limited(draw.uniform(0.0, 60.0), work)
        except TimeoutError:
            given_up += 1

    before, fds = asyncio.all_tasks(), descriptors()
    async with Sandbox(**(SMALL | {"speed": 1, "generation": 20.0})) as sandbox:
        async with opened(sandbox, rate=200.0) as session:
            base = asyncio.all_tasks()
            async with asyncio.TaskGroup() as group:
                for number in range(1000):
                    group.create_task(caller(session, number))
            await settled(session, base)
        assert 100 < given_up < 900
        assert 1 == max(posts(sandbox).values())
        assert 1000 - given_up <= sandbox.billed == len(files(tmp_path))
    assert set() == others(before)
    assert fds == descriptors()


@pytest.mark.looptime
async def test_of_two_who_await_one_job_the_other_is_not_disturbed():
    """A job does not belong to a task that awaits it; it is polled once for all of them (Y7)."""
    async with Sandbox(**(SMALL | {"generation": 6000.0})) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)

        async def wait() -> str:
            return (await job).id

        two = [asyncio.create_task(wait()) for _ in range(2)]
        await asyncio.sleep(20)
        two[0].cancel()
        assert job.id == await two[1]
        assert two[0].cancelled()
        assert job.id == await wait()
        assert 1 == sandbox.billed
        assert seen(sandbox)["retrieve"] <= 1 + 100 / 15 + 1


async def test_a_save_cancelled_in_the_middle_ends_its_download(tmp_path: Path):
    """The file is not wanted any more: no request, no task and no unfinished file may outlive the call (C1)."""
    async with Sandbox(**(SMALL | {"content": 3_000_000})) as sandbox, opened(sandbox, **QUICK) as session:
        video = await session.generate("a cat", **WAN)
        base = asyncio.all_tasks()
        sandbox.faults.add(Fault.drip(1_000, every=0.05, route="content", times=None))
        for number in range(3):
            task = asyncio.create_task(video.save(tmp_path / f"{number}.mp4"))
            await until(lambda: bool(files(tmp_path)))
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            await settled(session, base)
            assert {} == files(tmp_path)
        assert 0 == session.stats().downloading


@pytest.mark.looptime
async def test_downloads_given_up_make_room_for_others(tmp_path: Path):
    """Each took one of a few slots, which must be free again."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, max_downloads=2) as session:
        video = await session.generate("a cat", **WAN)
        sandbox.faults.add(Fault.silence(route="content", times=6))
        for number in range(6):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(video.save(tmp_path / f"{number}.mp4"), 5.0)
        assert (await asyncio.wait_for(video.save(tmp_path / "cat.mp4"), 5.0)).verified


@pytest.mark.looptime
async def test_a_consumer_cancelled_in_a_batch_buys_nothing_more(tmp_path: Path):
    """Cancelling the consumer has the effect of leaving the loop early."""
    rows = [VideoRequest(prompt=f"cat {number}", **WAN) for number in range(300)]
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, rate=10.0, burst=1) as session:
        base = asyncio.all_tasks()

        async def consume() -> None:
            async for _ in session.batch(rows, to=tmp_path / "{index}.mp4"):
                await asyncio.sleep(0)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(consume(), 5.0)
        await settled(session, base)
        billed = sandbox.billed
        assert 0 < billed < 100
        await asyncio.sleep(600)
        assert billed == sandbox.billed == len(files(tmp_path))
