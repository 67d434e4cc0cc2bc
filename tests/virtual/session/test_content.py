"""Downloads and deletes through a real session: a paid video is fetched however it is delivered, and bought once."""

from __future__ import annotations

import asyncio
import gzip
import random
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import Video, VideoSession, errors
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.sandbox.response_plan import ResponsePlan
from tests.loopback.scripted import ScriptedServer, whole
from tests.loopback.sessions import WAN, opened, seen
from tests.pure.films import film

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SIZE = 300_000
FAST: dict[str, Any] = {
    "profile": "field",
    "generation": 0.0,
    "content": SIZE,
    "render": False,
    "keep_headers": True,
}  # Any: of many types
NOT_READY = {"error": {"message": "Video is not ready yet", "type": "invalid_request_error"}}


async def fetched(session: VideoSession, path: Path) -> Video:
    """Buy one video, and save it to *path*."""
    return await session.generate("a cat", to=path, **WAN)


def files(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return [path.name for path in folder.iterdir()]


async def holds(sandbox: Sandbox, video: Video) -> bool:
    """Return whether the file is the job's video, to the byte."""
    assert video.path is not None
    return sha256(video.path.read_bytes()).hexdigest() == await sandbox.sha256(video.id) == video.sha256


# Too early, and too late.


@pytest.mark.parametrize("status", [400, 404, 409, 425])
async def test_content_that_is_not_ready_is_asked_for_again(status: int, tmp_path: Path):
    """A job can be completed and its content "not ready", as vendors' storage lags. It never means another create."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(status, NOT_READY, route="content", times=3))
        video = await fetched(session, tmp_path / "cat.mp4")
        assert await holds(sandbox, video)
        assert (1, 1, 4) == (sandbox.billed, seen(sandbox)["create"], seen(sandbox)["content"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 421, 429, 500, 501, 502, 503, 520])
@pytest.mark.parametrize("said", ["in JSON", "on a page"])
async def test_content_that_fails_for_a_moment_is_asked_for_again(said: str, status: int, tmp_path: Path):
    """A 404 too may come from a node that does not know the video yet, and a 400 from a proxy in between."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        answer = Fault.status if said == "in JSON" else Fault.html
        sandbox.faults.add(answer(status, route="content", times=2))
        assert await holds(sandbox, await fetched(session, tmp_path / "cat.mp4"))
        assert 1 == seen(sandbox)["create"]


async def test_a_finished_video_unknown_for_a_minute_is_had_all_the_same(tmp_path: Path):
    """Its job is long past the grace after the create. A finished video is retried as long as any other download."""
    async with Sandbox(**FAST | {"generation": 6000.0}) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", to=tmp_path / "cat.mp4", **WAN)
        sandbox.faults.add(Fault.status(404, route="content", times=None, lasting=60.0))
        assert await holds(sandbox, await job)
        assert 1 == sandbox.billed


async def test_a_link_that_is_gone_is_expired_at_once(tmp_path: Path):
    """410 is final: the video was paid for and cannot be downloaded any more."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(410, route="content", times=None))
        with pytest.raises(errors.JobExpired) as caught:
            await fetched(session, tmp_path / "cat.mp4")
        assert "yes" == caught.value.charged
        assert caught.value.job_id is not None
        assert (1, 1) == (seen(sandbox)["content"], sandbox.billed)
        assert [] == files(tmp_path)


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_the_earliest_to_expire_are_fetched_first_and_the_others_told_so(status: int, tmp_path: Path):
    """Fifty videos wait for one slow download. The first to expire goes first, and a video that expired is reported."""
    later = FAST | {"speed": 1, "generation": lambda order: 0.0 if order.prompt == "blocker" else 10.0}
    async with Sandbox(**later) as sandbox, opened(sandbox, max_downloads=1) as session:
        sandbox.faults.add(Fault.wait(50.0, route="content"))
        blocker = await session.submit("blocker", to=tmp_path / "blocker.mp4", **WAN)
        jobs = [await session.submit("a cat", to=tmp_path / f"{number}.mp4", **WAN) for number in range(50)]
        random.Random(1).shuffle(jobs)  # noqa: S311 - an order, not a secret
        lifetimes = {job.id: 20.0 + number if number < 5 else 1000.0 + number for number, job in enumerate(jobs)}
        for job in jobs:
            bought = sandbox.jobs[str(job.id)]
            fields = {"expires_at": bought.epoch + bought.created + lifetimes[job.id]}
            sandbox.faults.add(Fault.edit(fields, route="retrieve", video_id=job.id, times=None))
            if lifetimes[job.id] < 50:
                sandbox.faults.add(Fault.status(status, route="content", video_id=job.id, times=None))
        outcomes = dict(zip((job.id for job in jobs), await asyncio.gather(*jobs, return_exceptions=True), strict=True))
        late = {video_id for video_id, outcome in outcomes.items() if isinstance(outcome, errors.JobExpired)}
        assert {video_id for video_id, lifetime in lifetimes.items() if lifetime < 50} == late
        asked = [logged.video_id for logged in sandbox.log if logged.route == "content"][1:]
        assert sorted(asked, key=lambda video_id: lifetimes[video_id]) == asked
        assert all(await asyncio.gather(*(holds(sandbox, o) for o in outcomes.values() if isinstance(o, Video))))
        assert await holds(sandbox, await blocker)
        assert 51 == sandbox.billed


# Redirects.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_relative_redirect_is_followed(status: int, tmp_path: Path):
    """Within the gateway's origin the key is sent too, and the download succeeds as any other."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.redirect("content", status, route="content", times=3))
        assert await holds(sandbox, await fetched(session, tmp_path / "cat.mp4"))
        assert 4 == seen(sandbox)["content"]
        assert all(logged.authorized for logged in sandbox.log)


async def test_the_key_does_not_follow_to_another_origin(tmp_path: Path):
    """Another origin that serves the file, another port included, must not receive the key."""
    async with (
        Sandbox(**FAST) as sandbox,
        ScriptedServer(whole(film())) as other,
        opened(sandbox) as session,
    ):
        sandbox.faults.add(Fault.redirect(other.url, route="content"))
        video = await fetched(session, tmp_path / "cat.mp4")
        assert video.path is not None
        assert film() == video.path.read_bytes()
        assert [("GET", "/video")] == [(request.method, request.path) for request in other.requests]
        assert "authorization" not in other.requests[0].headers
        assert sandbox.api_key not in str(other.requests)


async def test_redirects_that_go_round_in_a_circle_end(tmp_path: Path):
    """At most four requests per attempt, a bounded number of attempts, and the job is kept."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.redirect("content", route="content", times=None))
        with pytest.raises(errors.DownloadFailed) as caught:
            await fetched(session, tmp_path / "cat.mp4")
        assert ("yes", True) == (caught.value.charged, caught.value.job_id is not None)
        assert seen(sandbox)["content"] <= 4 * 10
        assert 1 == sandbox.billed


# Downloads that are interrupted.


@pytest.mark.parametrize("ending", ["close", "reset", "silence"])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_download_that_is_cut_is_continued(ending: Any, times: int, tmp_path: Path):  # noqa: ANN401 - a literal
    """What is already on the disk is not fetched again."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        broken = ResponsePlan(stop=SIZE // 4, pieces=SIZE // 20, every=0.6, ending=ending)
        sandbox.faults.add(Fault(route="content", times=times, delivery=broken))
        assert await holds(sandbox, await fetched(session, tmp_path / "cat.mp4"))
        asked = [dict(logged.headers).get("Range") for logged in sandbox.log if logged.route == "content"]
        starts = [0 if text is None else int(text.removeprefix("bytes=").removesuffix("-")) for text in asked]
        assert times + 1 == len(starts)
        assert all(before < after for before, after in pairwise(starts))
        assert ["cat.mp4"] == files(tmp_path)


FAILURES = {
    "500": Fault.status(500, route="content", times=None),
    "html": Fault.html(200, route="content", times=None),
    "reset": Fault.reset(route="content", times=None),
    "empty": Fault.empty(200, route="content", times=None),
    "not ready": Fault.status(404, NOT_READY, route="content", times=None),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_download_that_fails_is_not_bought_again(failure: str, tmp_path: Path):
    """The job is not affected: it keeps its id, no create is sent, and its file can be fetched later."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(FAILURES[failure])
        job = await session.submit("a cat", to=tmp_path / "cat.mp4", **WAN)
        with pytest.raises(errors.VideoError) as caught:
            await job
        assert (job.id, "yes", True) == (caught.value.job_id, caught.value.charged, caught.value.retryable)
        assert [] == files(tmp_path)
        assert 3 <= seen(sandbox)["content"] <= 10
        sandbox.faults.clear()
        assert await holds(sandbox, await session.job(str(job.id)).save(tmp_path / "cat.mp4"))
        assert (1, 1) == (sandbox.billed, seen(sandbox)["create"])


async def test_an_outage_of_a_minute_loses_no_download(tmp_path: Path):
    """Ten downloads meet a gateway that answers only 503 for a minute, and succeed after it."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(503, route="content", times=None, lasting=60.0))
        videos = await asyncio.gather(*(fetched(session, tmp_path / f"{number}.mp4") for number in range(10)))
        assert all(await asyncio.gather(*(holds(sandbox, video) for video in videos)))
        assert 10 == sandbox.billed


# Deletes.

DELETED = {
    "200": (),
    "204": (Fault.empty(204, route="delete"),),
    "404": (Fault.status(404, route="delete"),),
    "410": (Fault.status(410, route="delete"),),
    "after 503": (Fault.status(503, route="delete", times=2),),
    "after a reset": (Fault.reset(route="delete"),),
}


@pytest.mark.parametrize("case", DELETED)
async def test_a_job_is_deleted_however_the_gateway_says_so(case: str):
    """A job that no longer exists counts as deleted, or a repeated delete would fail if the first response was lost."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        first, second = [await session.submit("a cat", **WAN) for _ in range(2)]
        sandbox.faults.add(*DELETED[case])
        await session.videos.delete(str(first.id))
        await session.videos.delete(str(first.id))
        sandbox.faults.clear()
        sandbox.faults.add(*DELETED[case])
        await second.delete()
        await second.delete()


async def test_a_vendor_that_cannot_delete_is_told_so_once():
    """Kling answers 501: a refusal, which a retry does not change. The job is not affected."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", model="kling-v2-1")
        for delete in (session.videos.delete, lambda _: job.delete()):
            with pytest.raises(errors.RequestRefused) as caught:
                await delete(str(job.id))
            assert (501, job.id) == (caught.value.status_code, caught.value.job_id)
        assert 2 == seen(sandbox)["delete"]
        assert (await job).id == job.id


async def test_a_deleted_job_is_not_followed_any_more():
    """Tasks that still await it get an error, and no further poll is sent."""
    async with Sandbox(**FAST | {"generation": 6000.0}) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)
        waiting = asyncio.ensure_future(job)
        await asyncio.sleep(20.0)
        await job.delete()
        with pytest.raises(errors.SessionClosed):
            await waiting
        polls = seen(sandbox)["retrieve"]
        await asyncio.sleep(100.0)
        assert polls == seen(sandbox)["retrieve"]
        assert () == session.jobs()


async def test_a_download_that_begins_anew_each_time_is_given_up(tmp_path: Path):
    """Each attempt brings some bytes more or fewer than the last, and none that can be kept. That is not progress."""
    async with Sandbox(**(FAST | {"resumable": False, "content": 3_000_000})) as sandbox, opened(sandbox) as session:
        for received in (1_000_000, 2_000_000) * 20:
            sandbox.faults.add(Fault.cut(received, ending="close", route="content"))
        with pytest.raises(errors.DownloadFailed):
            await fetched(session, tmp_path / "cat.mp4")
        assert seen(sandbox)["content"] == 10
        assert files(tmp_path) == []


@pytest.mark.parametrize("size", [40_000, 400_000, 3_000_000])
async def test_a_body_whose_framing_breaks_is_fetched_again(size: int, tmp_path: Path):
    """Wherever it breaks, and however the HTTP library reports it: the video is paid for."""
    async with Sandbox(**(FAST | {"content": size})) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(
            Fault.chunked("bad", route="content"),
            Fault.chunked("bad", stop=20_000, route="content"),
            Fault.chunked("missing", route="content"),
        )
        assert await holds(sandbox, await fetched(session, tmp_path / "cat.mp4"))
        assert 1 == sandbox.billed


# Odd ways to a video.


async def test_an_encoded_body_is_decoded_and_proved(tmp_path: Path):
    """A proxy compressed it, though nobody asked."""
    answer = Fault.status(
        200, gzip.compress(film()), headers={"Content-Encoding": "gzip"}, content_type="video/mp4", route="content"
    )
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(answer)
        video = await fetched(session, tmp_path / "cat.mp4")
        assert video.path is not None
        assert film() == video.path.read_bytes()
        assert (True, None) == (video.verified, video.unverified)
        assert 1 == seen(sandbox)["content"]


async def test_an_answer_that_only_names_the_video_is_followed_as_a_redirect(tmp_path: Path):
    """Under the same rules: the key stays here."""
    async with (
        Sandbox(**FAST) as sandbox,
        ScriptedServer(whole(film())) as other,
        opened(sandbox) as session,
    ):
        sandbox.faults.add(Fault.status(200, {"code": "success", "data": {"url": other.url}}, route="content"))
        video = await fetched(session, tmp_path / "cat.mp4")
        assert video.path is not None
        assert film() == video.path.read_bytes()
        assert "authorization" not in other.requests[0].headers


async def test_a_storage_that_refuses_a_link_is_asked_again_through_the_gateway(tmp_path: Path):
    """Its 403 is about the link; taken for the key's, a paid job ended after three."""
    refused = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    async with (
        Sandbox(**FAST) as sandbox,
        ScriptedServer(*[whole(refused, status=403, content_type="application/xml")] * 5) as other,
        opened(sandbox) as session,
    ):
        sandbox.faults.add(Fault.redirect(other.url, route="content", times=5))
        assert await holds(sandbox, await fetched(session, tmp_path / "cat.mp4"))
        assert 5 == len(other.requests)


@pytest.mark.parametrize("seconds", [70.0, 100.0, 170.0])
async def test_content_that_begins_late_is_received(seconds: float, tmp_path: Path):
    """The gateway fetches it from the vendor first; one limit says how long that may take."""
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault(route="content", delay=seconds, times=None))
        assert await holds(sandbox, await fetched(session, tmp_path / "cat.mp4"))
        assert 1 == seen(sandbox)["content"]


async def test_odd_bytes_that_come_twice_are_kept_and_said_to_be_odd(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """In the video and in the log."""
    odd = film() + b"behind the last box"
    async with Sandbox(**FAST) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(200, odd, content_type="video/mp4", route="content", times=None))
        video = await fetched(session, tmp_path / "cat.mp4")
        assert video.path is not None
        assert odd == video.path.read_bytes()
        assert False is video.verified
        assert video.unverified
        assert "not proved whole" in caplog.text
        assert 2 == seen(sandbox)["content"]
