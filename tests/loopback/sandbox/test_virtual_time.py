"""The sandbox on a loop whose time jumps: minutes of generation in milliseconds."""

from __future__ import annotations

import asyncio

import pytest

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sandboxes import client, create

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_jobs_and_faults_keep_the_time_of_the_loop():
    """Its only clock is the loop's, so a test may wait five minutes for a video at no cost."""
    loop = asyncio.get_running_loop()
    async with Sandbox(speed=1, generation=285.0, content=b"film") as sandbox, client(sandbox) as session:
        video_id = await create(session)
        began = loop.time()
        polls = 0
        while True:
            async with session.get(f"v1/videos/{video_id}") as answer:
                if (await answer.json())["status"] == "completed":
                    break
            polls += 1
            await asyncio.sleep(15)
        assert 19 == polls
        assert 285 <= loop.time() - began < 300

        sandbox.faults.add(Fault.wait(5.0, route="content"))
        asked = loop.time()
        async with session.get(f"v1/videos/{video_id}/content") as answer:
            assert b"film" == await answer.read()
        assert 5 <= loop.time() - asked < 10
