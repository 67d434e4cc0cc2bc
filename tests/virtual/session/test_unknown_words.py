"""Jobs whose status is told in words that nobody knows: the content endpoint is asked, for bytes are the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import errors
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.types.video import Status
from tests.loopback.sessions import WAN, opened, seen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

QUICK: dict[str, Any] = {
    "speed": 1,
    "generation": 1.0,
    "content": 50_000,
    "render": False,
}  # Any: each option has its own type
SLOW: dict[str, Any] = {"speed": 1, "generation": 100.0, "content": 2_000, "render": False}
DREAMING = {"status": "dreaming", "progress": 100}


@pytest.mark.parametrize(
    "fields",
    [
        DREAMING,
        {"status": "dreaming", "completed_at": 1772452114},
        {"status": "dreaming", "url": "https://films.test/cat.mp4"},
        {"status": ..., "video": {"url": "https://films.test/cat.mp4"}},
    ],
    ids=["progress", "time", "link", "no word"],
)
async def test_a_finished_video_is_had_whatever_its_status_is_called(fields: Mapping[str, object], tmp_path: Path):
    """It is paid for, and would be waited for until the deadline: one more question brings it."""
    async with Sandbox(**QUICK) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault(route="retrieve", times=None, fields=fields))
        video = await session.generate("a cat", to=tmp_path / "cat.mp4", **WAN)

        assert (Status.COMPLETED, True) == (video.status, video.verified)
        assert (1, 2) == (sandbox.billed, seen(sandbox)["content"])


async def test_content_that_is_not_there_yet_is_asked_for_once_per_poll():
    """Asking is free, but it is a request like any other: never more than one for each poll."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault(route="retrieve", times=None, fields=DREAMING))
        video = await (await session.submit("a cat", **WAN))

        assert Status.COMPLETED is video.status
        assert 1 < seen(sandbox)["content"] <= seen(sandbox)["retrieve"]
        assert 1 == sandbox.billed


@pytest.mark.parametrize(
    "answer", [Fault.html(200, route="content", times=None), Fault.status(200, {"ok": 1}, route="content", times=None)]
)
async def test_what_is_not_a_video_finishes_no_job(answer: Fault):
    """A page or a piece of JSON in place of the content is not the truth that was asked for."""
    async with Sandbox(**QUICK) as sandbox, opened(sandbox, deadline=200.0) as session:
        sandbox.faults.add(Fault(route="retrieve", times=None, fields=DREAMING))
        sandbox.faults.add(answer)
        with pytest.raises(errors.WaitTimeout, match="dreaming"):
            await (await session.submit("a cat", **WAN))


async def test_a_known_word_is_believed():
    """A job that says it is in progress at 100 percent is in progress: vendors finish their files in that state."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault(route="retrieve", times=2, fields={"status": "in_progress", "progress": 100}))
        await (await session.submit("a cat", **WAN))

        assert "content" not in seen(sandbox)
