"""Jobs that nobody looks after any more, on virtual time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import VideoRequest
from aihubmix_video.fastapi.lifespan import ServerSession
from aihubmix_video.fastapi.recovery import JobRecovery
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.types.job_info import JobState
from tests.loopback.sessions import WAN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video import VideoSession

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CAT = VideoRequest(prompt="a cat", **WAN)
DAY = 86400.0


@asynccontextmanager
async def looked_after(sandbox: Sandbox, **options: Any) -> AsyncIterator[VideoSession]:  # noqa: ANN401 - the session's
    """Open a server's session with its steward."""
    usual = {"api_key": sandbox.api_key, "base_url": sandbox.url, "rate": 1000.0, "burst": 1000, "trust_env": False}
    async with ServerSession(**(usual | options)) as session:
        stewarding = asyncio.create_task(JobRecovery(session).run())
        try:
            yield session
        finally:
            stewarding.cancel()
            await asyncio.gather(stewarding, return_exceptions=True)


async def state_of(session: VideoSession, key: str) -> JobState:
    """Say how far a job has come."""
    return (await session.registry.find(key)).state


async def test_a_paid_job_whose_deadline_has_passed_is_followed_again_until_it_ends():
    """It lives on at the gateway, and its video is paid for."""
    async with (
        Sandbox(speed=1, generation=1000.0, content=2_000, render=False) as sandbox,
        looked_after(sandbox, deadline=100.0) as session,
    ):
        job = await session.registry.enqueue(CAT)
        await asyncio.sleep(110)
        stalled = await session.registry.find(job.key)
        assert (JobState.RUNNING, ()) == (stalled.state, session.jobs())
        await asyncio.sleep(3000)
        assert JobState.DONE is await state_of(session, job.key)
        assert 1 == sandbox.billed


async def test_a_job_that_never_ends_is_asked_about_ever_more_rarely():
    """Nobody will know before an operator looks; until then it must not be followed for ever."""
    async with (
        Sandbox(speed=1, generation=9 * DAY, content=2_000, render=False) as sandbox,
        looked_after(sandbox, deadline=20.0) as session,
    ):
        await session.registry.enqueue(CAT)
        await asyncio.sleep(DAY)
        taken_up: set[int] = set()
        session.registry.observe(lambda record: taken_up.add(record.number))
        await asyncio.sleep(DAY)
        assert 24 <= len(taken_up) <= 50  # PATIENCE: every half hour to an hour


async def test_what_was_withdrawn_is_not_bought_behind_anybodys_back():
    """A batch that was left early, or stopped, keeps its unsent rows in the ledger; nobody wants them now."""
    async with (
        Sandbox(speed=1, generation=50.0, content=2_000, render=False) as sandbox,
        looked_after(sandbox, max_in_flight=1) as session,
    ):
        withdrawn = await session.registry.enqueue(CAT)
        later = await session.registry.enqueue(CAT)
        await asyncio.sleep(1)
        (record,) = [each for each in session.registry.following() if each.key == later.key]
        session._manager.cancel(record)
        await asyncio.sleep(600)
        assert JobState.DONE is await state_of(session, withdrawn.key)
        assert JobState.WAITING is await state_of(session, later.key)
        assert 1 == sandbox.billed
