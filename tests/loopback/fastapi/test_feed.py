"""The feed itself: one line per job, whatever happens and whoever listens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aihubmix_video import VideoRequest
from aihubmix_video.fastapi.app_state import AppState
from aihubmix_video.fastapi.event_routes import EventStreams
from aihubmix_video.fastapi.feed import Feed
from aihubmix_video.fastapi.lifespan import ServerSession
from aihubmix_video.fastapi.router_options import RouterOptions
from aihubmix_video.sandbox import Sandbox
from tests.loopback.servers import session_options
from tests.loopback.sessions import AT_ONCE, WAN

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video import VideoSession

CAT = VideoRequest(prompt="a cat", **WAN)


async def done(session: VideoSession, feed: Feed, count: int) -> list[str]:
    """Buy so many videos, wait for their ends, and give their keys."""
    keys = [(await session.registry.enqueue(CAT)).key for _ in range(count)]
    async with asyncio.timeout(20):
        while session.jobs():
            await feed.more(None, 1)
    return keys


async def test_a_slow_listener_reads_each_job_once_as_it_stands_last():
    """However much happened; what it has not read is kept nowhere."""
    async with Sandbox(**AT_ONCE) as sandbox, ServerSession(**session_options(sandbox)) as session:
        feed = Feed(session.registry)
        start = feed.last
        keys = await done(session, feed, 5)
        changes = feed.since(start)
        numbers = [change.number for change in changes]
        assert set(keys) == {change.key for change in changes}
        assert sorted(set(numbers)) == numbers
        assert {"done"} == {change.info(session.registry).state.value for change in changes}
        assert [] == feed.since(feed.last)
        assert changes[3:] == feed.since(changes[2].number)


async def test_what_has_ended_long_ago_is_forgotten_and_the_feed_knows_that():
    """Whoever comes back later than that is told how everything stands, instead of too little."""
    async with Sandbox(**AT_ONCE) as sandbox, ServerSession(**session_options(sandbox)) as session:
        feed = Feed(session.registry, ended_kept=3)
        start = feed.last
        keys = await done(session, feed, 10)
        kept = {key for key in keys if feed.latest(key) is not None}
        assert 3 == len(kept)
        assert not feed.reaches_back_to(start)
        assert not feed.reaches_back_to(feed.last + 1)
        assert feed.reaches_back_to(feed.last)


async def test_a_listener_of_a_job_that_was_forgotten_meanwhile_still_learns_its_end(tmp_path: Path):
    """Its stream would never end otherwise."""
    async with (
        Sandbox(**AT_ONCE | {"generation": 60.0}) as sandbox,
        ServerSession(**session_options(sandbox)) as session,
    ):
        service = AppState(session)
        service.feed._ended_kept = 1
        first = await session.registry.enqueue(CAT)
        events = EventStreams(service, RouterOptions(folder=tmp_path, heartbeat=0.05), "", None).of_one(first, None)
        assert b'"state":"waiting"' in await anext(events)
        await done(session, service.feed, 5)
        await done(session, service.feed, 1)  # the first may have been the last of those to end
        assert service.feed.latest(first.key) is None
        rest = [event async for event in events]
        assert b'"state":"done"' in rest[-1]
        await service.aclose()


async def test_a_closed_feed_wakes_everybody():
    """Or the server would wait for its streams until it is killed."""
    async with Sandbox(**AT_ONCE) as sandbox, ServerSession(**session_options(sandbox)) as session:
        feed = Feed(session.registry)
        waiting = [asyncio.create_task(feed.more(key, 60)) for key in (None, "a", "a")]
        await asyncio.sleep(0)
        feed.close()
        feed.close()
        assert [True] * 3 == await asyncio.gather(*waiting)
        assert await feed.more("b", 60)
        assert {} == feed._waiters
