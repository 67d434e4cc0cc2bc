"""Jobs by their keys: one purchase per idempotency key, and what is reported of jobs that came and went."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aihubmix_video import VideoRequest, VideoSession
from aihubmix_video.errors import (
    InvalidRequest,
    JobNotFound,
    RequestRefused,
    SubmitUncertain,
)
from aihubmix_video.ledger.memory_ledger import MemoryLedger
from aihubmix_video.ledger.transitions import Move, Transition
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.types.job_info import JobInfo, JobState
from tests.loopback.sessions import AT_ONCE, WAN, files, opened, seen

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.ledger.interface import Ledger

CAT = VideoRequest(prompt="a cat", **WAN)
DOG = VideoRequest(prompt="a dog", **WAN)


async def until(session: VideoSession, key: str, *states: JobState) -> JobInfo:
    """Wait until a job is in one of these states."""
    changed = asyncio.Event()
    stop = session.registry.observe(lambda _: changed.set())
    try:
        while (info := await session.registry.find(key)).state not in states:
            changed.clear()
            async with asyncio.timeout(20):
                await changed.wait()
        return info
    finally:
        stop()


async def test_one_name_is_one_purchase_also_at_once_and_after_a_restart(tmp_path: Path):
    """A client that got no response retries. Whichever of its requests arrived first, one video is bought."""
    async with Sandbox(**AT_ONCE) as sandbox:
        async with opened(sandbox, ledger=tmp_path / "a.db") as session:
            orders = [session.registry.enqueue(CAT, idempotency_key="k", to=tmp_path / "{key}.mp4") for _ in range(20)]
            keys = {info.key for info in await asyncio.gather(*orders)}
            assert 1 == len(keys)
            saved = await until(session, *keys, JobState.SAVED)
            again = await session.registry.enqueue(CAT, idempotency_key="k")
            assert (saved.id, JobState.SAVED, saved.path) == (again.id, again.state, again.path)
        async with opened(sandbox, ledger=tmp_path / "a.db") as session:
            job = await session.submit(CAT, idempotency_key="k")
            assert (saved.key, saved.id) == (job.key, job.id)
            assert saved.path == (await job).path
        assert 1 == sandbox.billed


async def test_a_name_given_to_another_request_is_refused(tmp_path: Path):
    """The client would get a video of something else."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        first = await session.registry.enqueue(CAT, idempotency_key="k")
        with pytest.raises(InvalidRequest, match=first.key) as caught:
            await session.registry.enqueue(DOG, idempotency_key="k")
        await until(session, first.key, JobState.DONE)
        assert ("idempotency_key", 1) == (caught.value.field, sandbox.billed)


async def test_names_belong_to_their_owners(tmp_path: Path):
    """Two users of one application know nothing of each other's names, and see nothing of each other's jobs."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        ann, bob = [
            await session.registry.enqueue(request, idempotency_key="k", owner=owner)
            for request, owner in ((CAT, "ann"), (DOG, "bob"))
        ]
        for info in (ann, bob):
            await until(session, info.key, JobState.DONE)
        with pytest.raises(JobNotFound):
            await session.registry.find(ann.key, "bob")
        assert [bob.key] == [info.key for info in (await session.registry.page(owner="bob")).items]
        assert [bob.key, ann.key] == [info.key for info in (await session.registry.page()).items]


async def test_a_name_without_a_ledger_is_refused_before_anything_is_sent():
    """A promise that could not be kept is not made."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        with pytest.raises(InvalidRequest, match="ledger"):
            await session.submit(CAT, idempotency_key="k")
        assert {} == seen(sandbox)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 256])
async def test_a_name_that_cannot_be_written_down_is_refused(tmp_path: Path, name: str):
    """Names come from clients, and end up in the ledger and in logs."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        with pytest.raises(InvalidRequest, match="printable"):
            await session.registry.enqueue(CAT, idempotency_key=name)
        with pytest.raises(InvalidRequest, match="printable"):
            await session.registry.enqueue(CAT, owner=name)


async def test_what_failed_before_it_was_bought_is_never_bought_later(tmp_path: Path):
    """Its user saw that it failed, and may have bought something else since."""
    async with Sandbox(**AT_ONCE, balance=0) as sandbox:
        async with opened(sandbox, ledger=tmp_path / "a.db") as session:
            info = await session.registry.enqueue(CAT, idempotency_key="k")
            failed = await until(session, info.key, JobState.FAILED)
            assert ("InsufficientBalance", "no") == (type(failed.error).__name__, failed.charged)
        async with opened(sandbox, ledger=tmp_path / "a.db") as session:
            again = await session.registry.find(info.key)
            assert ("InsufficientBalance", "no") == (type(again.error).__name__, again.charged)
            assert [] == [item async for item in session.resume()]


async def test_an_uncertain_job_is_given_again_and_not_bought_again(tmp_path: Path):
    """The same name returns the same uncertain job, until the user decides."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        sandbox.faults.add(Fault.reset(route="create"))
        info = await session.registry.enqueue(CAT, idempotency_key="k")
        await until(session, info.key, JobState.UNCERTAIN)
        again = await session.registry.enqueue(CAT, idempotency_key="k")
        assert (info.key, JobState.UNCERTAIN, "unknown") == (again.key, again.state, again.charged)
        with pytest.raises(SubmitUncertain):
            await session.submit(CAT, idempotency_key="k")
        with pytest.raises(InvalidRequest, match="decide"):
            await session.registry.delete(info.key)
        assert 1 == seen(sandbox)["create"]


async def test_a_decision_is_pursued_at_once(tmp_path: Path):
    """A user who has looked into the console expects the job to go on without restarting the server."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        sandbox.faults.add(Fault.reset(route="create", times=2))
        keys = [(await session.registry.enqueue(CAT)).key for _ in range(2)]
        for key in keys:
            await until(session, key, JobState.UNCERTAIN)
        there, gone = sandbox.jobs, keys[1]
        await session.decide(keys[0], attach=next(iter(there)))
        await session.decide(gone, resubmit=True)
        assert [JobState.RUNNING, JobState.WAITING] == [(await session.registry.resume_key(key)).state for key in keys]
        for key in keys:
            await until(session, key, JobState.DONE)
        with pytest.raises(JobNotFound):
            await session.registry.resume_key("nothing")


async def test_a_create_under_way_may_cost_money(tmp_path: Path):
    """Neither yes nor no would be true of it."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        sandbox.faults.add(Fault.wait(0.3, route="create"))
        job = await session.registry.enqueue(CAT)
        assert "no" == job.charged
        told = set()
        while (info := await session.registry.find(job.key)).state is JobState.WAITING:
            told.add(info.charged)
            await asyncio.sleep(0.01)
        assert ("unknown" in told, "yes") == (True, info.charged)


async def test_a_deleted_job_is_gone_with_its_file(tmp_path: Path):
    """It is gone at the gateway, on the disk, in lists and by its key, and its name buys nothing any more."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        info = await session.registry.enqueue(CAT, idempotency_key="k", to=tmp_path / "{key}.mp4")
        saved = await until(session, info.key, JobState.SAVED)
        assert saved.path is not None
        await session.registry.delete(info.key)
        assert not saved.path.exists()
        for call in (session.registry.find(info.key), session.registry.delete(info.key)):
            with pytest.raises(JobNotFound):
                await call
        assert () == (await session.registry.page()).items
        assert JobState.DROPPED is (await session.registry.enqueue(CAT, idempotency_key="k")).state
        assert (1, 1) == (sandbox.billed, seen(sandbox)["delete"])


async def test_a_job_deleted_before_it_was_sent_is_not_bought(tmp_path: Path):
    """The user no longer wants it."""
    async with (
        Sandbox(speed=1, generation=600, content=9_000, render=False) as sandbox,
        opened(sandbox, ledger=tmp_path / "a.db", max_in_flight=1) as session,
    ):
        first = await session.registry.enqueue(CAT)
        await until(session, first.key, JobState.RUNNING)
        second = await session.registry.enqueue(DOG)
        await session.registry.delete(second.key)
        with pytest.raises(JobNotFound):
            await session.registry.find(second.key)
        await session.registry.delete(first.key)
        assert 1 == sandbox.billed
        assert () == session.jobs()


async def test_a_job_that_the_vendor_cannot_delete_stays(tmp_path: Path):
    """It still costs money and renders; forgetting it would only hide that."""
    request = VideoRequest(model="kling-v2-6", prompt="a cat", seconds=5)
    async with (
        Sandbox(speed=1, generation=600, content=9_000, render=False) as sandbox,
        opened(sandbox, ledger=tmp_path / "a.db") as session,
    ):
        info = await session.registry.enqueue(request)
        await until(session, info.key, JobState.RUNNING)
        with pytest.raises(RequestRefused) as caught:
            await session.registry.delete(info.key)
        assert 501 == caught.value.status_code
        assert JobState.RUNNING is (await session.registry.find(info.key)).state


async def test_pages_hold_every_job_once(tmp_path: Path):
    """A client that continues from the end of a page misses nothing and sees nothing twice."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, ledger=tmp_path / "a.db") as session:
        keys = [(await session.registry.enqueue(CAT)).key for _ in range(7)]
        for key in keys:
            await until(session, key, JobState.DONE)
        told, after = [], None
        while True:
            page = await session.registry.page(after=after, limit=3)
            told += [info.key for info in page.items]
            after = page.next
            if after is None:
                break
        assert keys[::-1] == told
        assert () == (await session.registry.page(states={JobState.FAILED})).items


class Watched(MemoryLedger):
    """Stops when a file has its name, and the ledger is about to record it."""

    def __init__(self) -> None:
        super().__init__()
        self.named, self.go_on = asyncio.Event(), asyncio.Event()

    async def record(self, key: str, transition: Transition) -> None:
        """Wait until the test lets it continue."""
        if transition.move is Move.SAVED:
            self.named.set()
            await self.go_on.wait()
        await super().record(key, transition)


class WatchedSession(VideoSession):
    """A session with such a ledger."""

    ledger: Watched

    async def _open_ledger(self) -> Ledger:
        self.ledger = Watched()
        return self.ledger


async def test_a_job_deleted_while_its_file_gets_its_name_leaves_no_file(tmp_path: Path):
    """The file would never be found again: the job is gone from all lists."""
    async with (
        Sandbox(**AT_ONCE) as sandbox,
        WatchedSession(sandbox.api_key, base_url=sandbox.url, rate=1000.0, burst=1000, trust_env=False) as session,
    ):
        info = await session.registry.enqueue(CAT, to=tmp_path / "cat.mp4")
        await session.ledger.named.wait()
        removing = asyncio.create_task(session.registry.delete(info.key))
        for _ in range(1000):
            if "delete" in seen(sandbox):
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # by now the download has been cancelled
        session.ledger.go_on.set()
        await removing
        with pytest.raises(JobNotFound):
            await session.registry.find(info.key)
        assert {} == files(tmp_path)


async def test_the_old_names_still_work_and_warn(tmp_path: Path):
    """For one release, so that users can upgrade before they edit their code."""
    async with Sandbox(speed=60, render=False) as sandbox, opened(sandbox, ledger=tmp_path / "jobs.db") as session:
        with pytest.warns(DeprecationWarning, match=r"VideoSession\.registry"):
            assert session.register is session.registry
        info = await session.registry.enqueue(VideoRequest(model="sora-2", prompt="p"))
        with pytest.warns(DeprecationWarning, match=r"JobRegistry\.resume_key"):
            assert info.key == (await session.registry.pursue(info.key)).key
        with pytest.warns(DeprecationWarning, match=r"JobRegistry\.delete"):
            await session.registry.remove(info.key)
