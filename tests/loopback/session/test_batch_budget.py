"""What a batch may buy: caps that hold across restarts, and rows bought again after their video was refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import BatchItem, VideoRequest
from aihubmix_video.errors import BudgetExceeded, ContentRefused, InvalidRequest
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sessions import AT_ONCE, opened
from tests.pure.pictures import png

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aihubmix_video import VideoSession

SMALL: dict[str, Any] = AT_ONCE | {"content": 5_000}  # Any: the sandbox's options
REFUSED = "The request failed because the output video may contain sensitive information."


def sora(prompt: str, seconds: int = 4) -> VideoRequest:
    """Return a request with a known list price: 0.10 USD per second."""
    return VideoRequest(model="sora-2", prompt=prompt, seconds=seconds)


async def run(session: VideoSession, rows: Sequence[VideoRequest], folder: Path, **options: Any) -> list[BatchItem]:  # noqa: ANN401 - the batch's options
    """Run a batch to its end, and return its items by row."""
    items = [item async for item in session.batch(rows, to=folder / "{index}.mp4", **options)]
    return sorted(items, key=lambda item: item.index)


def capped(items: Sequence[BatchItem]) -> list[int]:
    """Return the rows that a cap refused."""
    return [item.index for item in items if isinstance(item.error, BudgetExceeded)]


@pytest.mark.parametrize(
    ("caps", "bought"),
    [
        ({"max_videos": 3}, 3),
        ({"max_seconds": 9.0}, 2),
        ({"max_spend": 1.7}, 4),
        ({"max_spend": 1.7, "prices": {"sora-2": 0.2}}, 2),
        ({"max_videos": 0}, 0),
    ],
    ids=str,
)
async def test_no_more_is_bought_than_the_caps_allow(caps: dict[str, Any], bought: int, tmp_path: Path):
    """However many rows there are, and however many are under way at once (M6)."""
    rows = [sora(f"cat {number}") for number in range(8)]
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        items = await run(session, rows, tmp_path, **caps)
        assert bought == sandbox.billed
        assert list(range(bought, 8)) == capped(items)
        assert {"no"} >= {item.charged for item in items[bought:]}
        assert all(item.ok for item in items[:bought])


async def test_caps_hold_across_runs_and_a_higher_one_goes_on(tmp_path: Path):
    """A batch that is run again does not buy its cap twice. If the cap is raised, it buys only the difference (M6)."""
    rows = [sora(f"cat {number}") for number in range(6)]
    async with Sandbox(**SMALL) as sandbox:
        for cap, bought in ((2, 2), (2, 2), (5, 5)):
            async with opened(sandbox, ledger=tmp_path / "l.db") as session:
                items = await run(session, rows, tmp_path, max_videos=cap)
                assert bought == sandbox.billed
                assert list(range(bought, 6)) == capped(items)
        async with opened(sandbox, ledger=tmp_path / "l.db") as session:
            assert all(item.ok for item in await run(session, rows, tmp_path))
        assert 6 == sandbox.billed


async def test_resume_keeps_to_the_caps_of_the_last_batch(tmp_path: Path):
    """Rows that were postponed must not be bought in addition to the rows that took their place."""
    rows = [sora(f"cat {number}") for number in range(3)]
    async with Sandbox(**SMALL) as sandbox:
        async with opened(sandbox, ledger=tmp_path / "l.db") as session:
            sandbox.faults.add(Fault.status(401, route="create", times=1))  # not bought, and kept for a later run
            await run(session, rows[:1], tmp_path / "a", max_videos=2)
            await run(session, rows[1:], tmp_path / "b", max_videos=2)
            assert 2 == sandbox.billed
        async with opened(sandbox, ledger=tmp_path / "l.db") as session:
            assert [0] == capped([item async for item in session.resume()])
            assert 2 == sandbox.billed
        async with opened(sandbox, ledger=tmp_path / "l.db") as session:
            await run(session, rows[1:], tmp_path / "b", max_videos=3)
            assert [] == capped([item async for item in session.resume()])
            assert 3 == sandbox.billed


async def test_what_was_refused_takes_nothing_of_a_cap(tmp_path: Path):
    """A refused row is not paid for, so the next one may be bought in its place."""
    rows = [sora("[refuse] cat"), sora("dog"), sora("[fail] cow"), sora("hen"), sora("pig")]
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, max_in_flight=1, poll_interval=0.02) as session:
        taken: list[VideoRequest] = []

        async def one_by_one() -> list[BatchItem]:
            return [
                item
                for row in rows
                async for item in session.batch([row], to=tmp_path / f"{len(taken)}-{{index}}.mp4", max_videos=1)
                if taken.append(row) is None
            ]

        items = await one_by_one()
        assert [False, True, False, True, True] == [item.ok for item in items]


async def test_an_uncertain_job_takes_its_share(tmp_path: Path):
    """It may have been bought, so its money may be gone."""
    rows = [sora("cat"), sora("dog")]
    async with Sandbox(**SMALL) as sandbox:
        sandbox.faults.add(Fault.reset(route="create"))
        for _ in range(2):
            async with opened(sandbox, ledger=tmp_path / "l.db") as session:
                items = await run(session, rows, tmp_path, max_videos=1)
                assert [1] == capped(items)
        assert 1 == sandbox.billed


@pytest.mark.parametrize(
    "caps",
    [{"max_videos": -1}, {"max_seconds": "9"}, {"max_spend": float("nan")}, {"prices": {"sora-2": -1}}],
    ids=str,
)
async def test_a_cap_that_cannot_be_meant_is_refused_at_once(caps: dict[str, Any], tmp_path: Path):
    """It is refused before any row is drawn, and before anything is sent."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        with pytest.raises(InvalidRequest):
            session.batch(iter([sora("cat")]), to=tmp_path / "{index}.mp4", **caps)
        with pytest.raises(InvalidRequest, match="moderation_retries"):
            session.batch([], to=tmp_path / "{index}.mp4", moderation_retries=11)
        assert 0 == sandbox.billed


# Moderation of finished videos.


def moderated(sandbox: Sandbox, times: int | None) -> None:
    """Let moderation refuse this many finished videos."""
    refusal = {"status": "failed", "error": {"code": "moderation", "message": REFUSED}, "progress": ...}
    sandbox.faults.add(Fault.edit(refusal, route="retrieve", times=times))


def bought(sandbox: Sandbox) -> Counter[str]:
    """Return the number of purchases by prompt."""
    return Counter(job.order.prompt for job in sandbox.jobs.values())


@pytest.mark.parametrize("ledger", [None, "l.db"])
@pytest.mark.parametrize(("retries", "purchases", "ok"), [(0, 1, False), (1, 2, False), (2, 3, True), (9, 3, True)])
async def test_a_refused_video_is_bought_anew_as_often_as_was_asked(
    ledger: str | None, retries: int, purchases: int, *, ok: bool, tmp_path: Path
):
    """A finished video that moderation refused may pass on another try. Unless asked for, nothing is bought twice."""
    async with (
        Sandbox(**SMALL) as sandbox,
        opened(sandbox, ledger=tmp_path / ledger if ledger else None, poll_interval=0.02) as session,
    ):
        moderated(sandbox, times=2)
        (item,) = await run(session, [sora("cat")], tmp_path, moderation_retries=retries)
        assert ok == item.ok
        assert Counter(cat=purchases) == bought(sandbox)
        if not ok:
            assert isinstance(item.error, ContentRefused)
            assert "output" == item.error.stage


async def test_retries_are_bounded_over_all_runs(tmp_path: Path):
    """Running the same command again must not restart the count. If more retries are asked for, they are made."""
    async with Sandbox(**SMALL) as sandbox:
        moderated(sandbox, times=None)
        for retries, purchases in ((2, 3), (2, 3), (0, 3), (3, 4)):
            async with opened(sandbox, ledger=tmp_path / "l.db", poll_interval=0.02) as session:
                (item,) = await run(session, [sora("cat")], tmp_path, moderation_retries=retries)
                assert isinstance(item.error, ContentRefused)
                assert "output" == item.error.stage
            assert Counter(cat=purchases) == bought(sandbox)


async def test_a_retry_that_a_cap_forbids_is_not_bought_by_a_resumption_either(tmp_path: Path):
    """The user saw the refusal, so a later run must not find the job waiting to be bought."""
    async with Sandbox(**SMALL) as sandbox:
        cancelled = {"status": "cancelled", "error": {"message": REFUSED}}  # which is not known to be free
        sandbox.faults.add(Fault.edit(cancelled, route="retrieve", times=1))
        async with opened(sandbox, ledger=tmp_path / "l.db", poll_interval=0.02) as session:
            (item,) = await run(session, [sora("cat")], tmp_path, moderation_retries=9, max_videos=1)
            assert isinstance(item.error, ContentRefused)
        async with opened(sandbox, ledger=tmp_path / "l.db", poll_interval=0.02) as session:
            assert [] == [item async for item in session.resume()]
        assert Counter(cat=1) == bought(sandbox)


async def test_retries_keep_to_the_caps(tmp_path: Path):
    """A try that may have been charged counts. At the cap the refusal is reported unchanged."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, poll_interval=0.02) as session:
        cancelled = {"status": "cancelled", "error": {"message": REFUSED}}  # which is not known to be free
        sandbox.faults.add(Fault.edit(cancelled, route="retrieve", times=None))
        (item,) = await run(session, [sora("cat")], tmp_path, moderation_retries=9, max_videos=3)
        assert isinstance(item.error, ContentRefused)
        assert Counter(cat=3) == bought(sandbox)


async def test_a_refused_request_and_a_failed_job_are_not_bought_anew(tmp_path: Path):
    """The same prompt would be refused again, and a failure does not come from moderation."""
    rows = [sora("[refuse] cat"), VideoRequest(model="wan2.6-t2v", prompt="dog"), sora("hen")]
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, poll_interval=0.02) as session:
        broken = {"status": "failed", "error": {"message": "internal error", "type": "video_generation_error"}}
        sandbox.faults.add(Fault.edit(broken, route="retrieve", model="wan2.6-t2v"))
        items = await run(session, rows, tmp_path, moderation_retries=3)
        assert [False, False, True] == [item.ok for item in items]
        assert Counter(dog=1, hen=1) == bought(sandbox)


async def test_a_picture_is_kept_for_another_try_and_no_longer(tmp_path: Path):
    """A run that buys again must send the picture of the first. Once the video exists, the picture is not needed."""
    row = VideoRequest(model="wan2.6-i2v", prompt="cat", input_reference=png(64, 64))
    media = tmp_path / "l.db.media"
    async with Sandbox(**SMALL) as sandbox:
        moderated(sandbox, times=1)
        for retries, kept in ((0, 1), (1, 0)):
            async with opened(sandbox, ledger=tmp_path / "l.db", poll_interval=0.02) as session:
                (item,) = await run(session, [row], tmp_path, moderation_retries=retries)
            assert bool(retries) == item.ok
            assert kept == len(list(media.iterdir()))
        assert 2 == sandbox.billed


async def test_a_batch_left_while_it_buys_anew_goes_on_another_day(tmp_path: Path):
    """Whenever the batch is left, nothing is lost and nothing is bought twice."""
    async with Sandbox(**SMALL) as sandbox:
        moderated(sandbox, times=2)
        for _ in range(8):
            async with opened(sandbox, ledger=tmp_path / "l.db", poll_interval=0.02) as session:
                items = session.batch([sora("cat"), sora("dog")], to=tmp_path / "{index}.mp4", moderation_retries=2)
                await anext(items, None)
                await items.aclose()
        async with opened(sandbox, ledger=tmp_path / "l.db", poll_interval=0.02) as session:
            assert all(
                item.ok for item in await run(session, [sora("cat"), sora("dog")], tmp_path, moderation_retries=2)
            )
        assert 4 == bought(sandbox).total()
