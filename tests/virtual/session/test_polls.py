"""Polls through a real session: whatever the gateway answers, no job is lost and the gateway is not overloaded."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from email.utils import formatdate
from itertools import pairwise
from math import nan
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import VideoSession, errors
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.types.video import Status
from tests.loopback.sessions import WAN, opened, seen, times

if TYPE_CHECKING:
    from aihubmix_video.errors import VideoError
    from aihubmix_video.session.job import Job

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

INTERVAL = 15.0
LONGEST_INTERVAL = INTERVAL * 1.5
SLOW: dict[str, Any] = {
    "speed": 1,
    "generation": 100.0,
    "content": 2_000,
    "render": False,
}  # Any: each has its own type
"""Options of a sandbox whose jobs take 100 seconds."""


async def submitted(session: VideoSession, count: int, prompt: str = "a cat") -> list[Job]:
    """Submit this many jobs at once."""
    return list(await asyncio.gather(*(session.submit(prompt, **WAN) for _ in range(count))))


def now() -> float:
    """Return the time of the event loop's clock."""
    return asyncio.get_running_loop().time()


# Responses that ask the client to slow down.


@pytest.mark.parametrize(
    ("retry_after", "at_least"),
    [
        (None, 0.025),
        ("0", 0.0),
        ("1", 1.0),
        ("40", 40.0),
        ("-5", 0.0),
        ("1e20", 100.0),
        ("NaN", 0.025),
        ("soon", 0.025),
        (formatdate(0, usegmt=True), 0.0),
        (formatdate(4e9, usegmt=True), 100.0),
    ],
    ids=["none", "0", "1", "40", "-5", "1e20", "NaN", "soon", "past", "future"],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_any_retry_after_cools_all_jobs_down_and_fails_none(
    status: int, retry_after: str | None, at_least: float
):
    """Real gateways send all of these. Whether its value is used or not, the response to one job holds for all."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        jobs = await submitted(session, 20)
        sandbox.faults.add(Fault.busy(status, retry_after=retry_after, route="retrieve"))
        videos = await asyncio.gather(*jobs)
        assert all(video.status is Status.COMPLETED for video in videos)
        assert sandbox.billed == 20
        polls = [logged for logged in sandbox.log if logged.route == "retrieve"]
        refused = next(logged.at for logged in polls if logged.fault is not None)
        # Requests that were sent at the same instant could not know of it.
        assert [] == [poll.at for poll in polls if refused + 0.01 < poll.at < refused + at_least]
        assert len(polls) <= 20 * (100 / INTERVAL + 3)


@pytest.mark.parametrize("retry_after", [None, "0", "-5", "NaN", "soon", "1"])
async def test_a_gateway_that_is_always_busy_is_not_asked_in_a_hot_loop(retry_after: str | None):
    """Retry-After: 0 on every response must not lead to as many requests as the rate allows."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        jobs = await submitted(session, 10)
        sandbox.faults.add(Fault.busy(retry_after=retry_after, route="retrieve", times=None, lasting=300.0))
        await asyncio.gather(*jobs)
        assert seen(sandbox)["retrieve"] <= 1.1 * 10 * (400 / INTERVAL) + 10


# What a gateway answers about a job.


@pytest.mark.parametrize(
    "faults",
    [
        (Fault.html(502, route="retrieve", times=3), Fault.html(200, route="retrieve")),
        (Fault.empty(200, route="retrieve"), Fault.empty(204, route="retrieve")),
        (Fault.status(200, b'{"id": "x', route="retrieve"), Fault.status(200, b"[]", route="retrieve")),
        (Fault.status(200, b"[" * 100_000, route="retrieve"), Fault.status(200, b'{"a":' * 100_000, route="retrieve")),
        (Fault.status(200, b'{"progress": ' + b"9" * 5_000 + b"}", route="retrieve"),),
        (Fault.status(200, '{"status": "completed"}'.encode("utf-16"), route="retrieve"),),
        (Fault.huge_body(3 << 20, route="retrieve"),),
        (Fault.huge_header(route="retrieve", times=2),),
        (Fault.add_headers({"Set-Cookie": "poll={n}; Path=/"}, route="retrieve", times=None),),
        tuple(Fault.status(code, route="retrieve") for code in (408, 425, 429, 500, 501, 503, 504, 520, 524)),
        (Fault.reset(route="retrieve"), Fault.close(route="retrieve"), Fault.cut(5, route="retrieve")),
        (Fault.silence(route="retrieve"), Fault.drip(1, 0.9, route="retrieve")),
        (Fault.endless("interim", route="retrieve"), Fault.endless("headers", route="retrieve")),
        (Fault.chunked("bad", route="retrieve"), Fault.length("-1", route="retrieve")),
        (Fault.edit({"status": ""}, route="retrieve"), Fault.edit({"status": "dreaming"}, route="retrieve")),
        (Fault.edit({"status": ...}, route="retrieve"), Fault.edit({"status": 7}, route="retrieve")),
        (Fault.status(200, {"error": {"message": "oops"}}, route="retrieve"),),
        (Fault.status(302, b"", headers={"Location": "https://elsewhere.test/"}, route="retrieve", times=2),),
        (Fault.status(401, route="retrieve", times=2),),
        (Fault.status(403, route="retrieve", times=2),),
        *((Fault.status(code, route="retrieve", times=2),) for code in (400, 405, 421, 451, 499)),
        *((Fault.html(code, route="retrieve", times=5),) for code in (400, 405, 418, 422)),
    ],
    ids=lambda faults: faults[0].name,
)
async def test_a_bad_poll_fails_no_job(faults: tuple[Fault, ...]):
    """The job goes on whatever the gateway answers meanwhile, and it is paid for."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)
        sandbox.faults.add(*faults)
        video = await job
        assert video.status is Status.COMPLETED
        assert sandbox.billed == 1


async def test_cookies_are_never_sent_back():
    """A gateway that sets a new cookie with each poll would make every request longer, and the session larger."""
    async with Sandbox(keep_headers=True, **SLOW) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.add_headers({"Set-Cookie": "poll{n}=x; Path=/"}, route="retrieve", times=None))
        await asyncio.gather(*await submitted(session, 5))
        polls = [logged for logged in sandbox.log if logged.route == "retrieve"]
        assert len(polls) > 5
        assert not any(name.lower() == "cookie" for poll in polls for name, _ in poll.headers)
        sizes = {sum(len(name) + len(value) for name, value in poll.headers) for poll in polls}
        assert len(sizes) == 1


@pytest.mark.parametrize("word", ["in_progress", "queued", "failed", "unknown", ""])
async def test_a_completed_job_stays_completed(word: str, tmp_path: object):
    """Replicas of a gateway lag behind each other, so one may still report a finished job as running."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", to=f"{tmp_path}/cat.mp4", **WAN)
        sandbox.faults.add(
            Fault.edit({"status": "completed"}, route="retrieve", times=1),
            Fault.edit({"status": word}, route="retrieve", times=None),
        )
        states = [event.status async for event in job.events()]
        first = states.index(Status.COMPLETED)
        assert {Status.COMPLETED} == set(states[first:])
        assert (await job).path is not None


async def test_a_failed_job_stays_failed():
    """A job that was reported to the user as final is not polled again."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat [fail]", **WAN)
        with pytest.raises(errors.JobFailed):
            await job
        sandbox.faults.add(Fault.edit({"status": "completed"}, route="retrieve", times=None))
        asked = seen(sandbox)["retrieve"]
        await asyncio.sleep(10 * INTERVAL)
        assert job.status is Status.FAILED
        assert asked == seen(sandbox)["retrieve"]
        with pytest.raises(errors.JobFailed):
            await job


async def test_an_answer_that_comes_again_word_for_word_says_nothing_new():
    """Most responses repeat, and are not decoded again. A different one is, also if it returns to an earlier text."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        (job,) = await submitted(session, 1)
        for progress, times_ in ((10, 3), (20, 2), (10, 2), (30, 1)):
            body = b'{"status": "in_progress", "progress": %d}' % progress
            sandbox.faults.add(Fault.status(200, body, route="retrieve", times=times_))
        told = [event.progress async for event in job.events() if event.progress is not None]
        assert [10.0, 20.0, 30.0] == list(dict.fromkeys(told))[:3]
        assert sorted(told) == told
        assert 8 < seen(sandbox)["retrieve"]
        assert Status.COMPLETED is (await job).status


async def test_the_same_words_under_another_status_are_another_answer():
    """A gateway that repeats its last body with a 404 has lost the job."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        (job,) = await submitted(session, 1)
        body = b'{"status": "in_progress", "progress": 10}'
        sandbox.faults.add(Fault.status(200, body, route="retrieve"))
        sandbox.faults.add(Fault.status(404, body, route="retrieve", times=None))
        with pytest.raises(errors.JobNotFound):
            await job


async def test_progress_never_falls():
    """A progress bar that goes back, or to NaN, misleads the user."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)
        for progress in (50, 100, 3, nan, -1, "97%", None, 1e300):
            sandbox.faults.add(Fault.edit({"progress": progress, "status": "in_progress"}, route="retrieve"))
        told = [event.progress async for event in job.events() if event.progress is not None]
        assert told
        assert sorted(told) == told
        assert all(0 <= progress <= 100 for progress in told)


# Jobs that never end, and jobs that the gateway does not know.


async def test_a_job_that_never_ends_times_out_and_can_be_followed_again():
    """The deadline ends the wait and not the job, which is paid for."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox, deadline=60.0) as session:
        job = await session.submit("a cat [stuck]", **WAN)
        began = now()
        with pytest.raises(errors.WaitTimeout) as caught:
            await job
        assert (job.id, "yes") == (caught.value.job_id, caught.value.charged)
        assert 59 <= now() - began <= 61
        asked = seen(sandbox)["retrieve"]

        again = session.job(str(job.id))
        sandbox.faults.add(Fault.edit({"status": "completed"}, route="retrieve"))
        assert (await again).id == job.id
        assert seen(sandbox)["retrieve"] > asked
        assert seen(sandbox)["create"] == 1


async def test_a_job_that_the_gateway_does_not_know_yet_is_waited_for():
    """A node may not know the job for half a minute, so a 404 is not a verdict on a young job."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(404, route="retrieve", times=None, lasting=30.0))
        job = await session.submit("a cat", **WAN)
        assert (await job).status is Status.COMPLETED
        assert sandbox.faults.struck()[0] >= 1
        assert seen(sandbox)["create"] == 1


async def test_a_job_that_the_gateway_never_knows_is_not_found():
    """It ends with a typed error that has the id and says that the job was paid for."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(404, route="retrieve", times=None))
        job = await session.submit("a cat", **WAN)
        with pytest.raises(errors.JobNotFound) as caught:
            await job
        assert (job.id, job.key, 404) == (caught.value.job_id, caught.value.job_key, caught.value.status_code)
        assert caught.value.charged in {"yes", "unknown"}
        assert 60 <= max(times(sandbox, "retrieve")) - times(sandbox, "create")[0] <= 120


@pytest.mark.parametrize(
    ("status", "kind"), [(401, errors.AuthenticationError), (403, errors.PermissionDenied)], ids=["401", "403"]
)
async def test_a_key_refused_on_polls_is_reported_and_the_job_can_be_attached(status: int, kind: type[VideoError]):
    """The key was revoked while the job ran. Once it works again, the video can still be downloaded."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)
        sandbox.faults.add(Fault.status(status, route="retrieve", times=None))
        with pytest.raises(kind) as caught:
            await job
        assert (job.id, "yes") == (caught.value.job_id, caught.value.charged)
        assert 2 <= seen(sandbox)["retrieve"] <= 5
        sandbox.faults.clear()
        assert (await session.job(str(job.id))).status is Status.COMPLETED
        assert sandbox.billed == 1


# The poll intervals of many jobs.


async def test_a_thousand_jobs_are_each_asked_about_once_per_interval():
    """The documented interval is a budget: on average no more polls than that, and no job waits long for its poll."""
    async with Sandbox(**SLOW | {"generation": 60.0}) as sandbox, opened(sandbox, rate=200.0, burst=1) as session:
        await asyncio.gather(*await submitted(session, 1000))
        asked: dict[str | None, list[float]] = defaultdict(list)
        for logged in sandbox.log:
            asked[logged.video_id].append(logged.at)
        gaps = [after - before for moments in asked.values() for before, after in pairwise(moments)]
        assert 1000 == sandbox.billed == len(asked)
        assert 0.9 * INTERVAL <= sum(gaps) / len(gaps)
        assert max(gaps) <= LONGEST_INTERVAL


@pytest.mark.looptime(noop_cycles=5)
async def test_jobs_that_outgrow_the_rate_are_all_asked_about():
    """If the rate allows one poll per job in 40 seconds, the interval grows for all jobs, and none is starved."""
    async with Sandbox(**SLOW | {"generation": 400.0}) as sandbox, opened(sandbox, rate=5.0, burst=1) as session:
        jobs = await submitted(session, 200)
        began = now()
        await asyncio.gather(*jobs)
        asked: dict[str | None, list[float]] = defaultdict(list)
        for logged in sandbox.log:
            if logged.at > began + INTERVAL:
                asked[logged.video_id].append(logged.at)
        gaps = [after - before for moments in asked.values() for before, after in pairwise(moments)]
        one_round = 200 / 5.0
        assert sum(gaps) / len(gaps) == pytest.approx(one_round, rel=0.1)
        assert max(gaps) <= 2.5 * one_round


# Outages, and failures of other jobs.

OUTAGES = {
    "503": lambda: Fault.status(503, times=None, lasting=60.0, after_processing=False),
    "502 html": lambda: Fault.html(502, times=None, lasting=60.0, after_processing=False),
    "reset": lambda: Fault.reset(times=None, lasting=60.0, after_processing=False),
}


def requests_within(sandbox: Sandbox, start: float, end: float) -> int:
    """Return the number of requests that arrived in a span of time."""
    return sum(start <= logged.at < end for logged in sandbox.log)


@pytest.mark.parametrize("kind", OUTAGES)
async def test_an_outage_of_a_minute_fails_no_job_and_is_not_made_worse(kind: str):
    """While everything fails, the session sends no more requests than to a healthy gateway."""
    async with Sandbox(**SLOW | {"generation": 300.0}) as sandbox, opened(sandbox) as session:
        jobs = await submitted(session, 200)
        await asyncio.sleep(INTERVAL * 4)
        began = now()
        healthy = requests_within(sandbox, began - 50.0, began)
        sandbox.faults.add(OUTAGES[kind]())
        await asyncio.sleep(60.0)
        assert requests_within(sandbox, began + 10, began + 60) <= 1.1 * healthy
        await asyncio.sleep(2 * INTERVAL)
        back = [logged for logged in sandbox.log if logged.at > began + 60 and logged.fault is None]
        assert {job.id for job in jobs} == {logged.video_id for logged in back}
        videos = await asyncio.gather(*jobs)
        assert all(video.status is Status.COMPLETED for video in videos)
        assert sandbox.billed == 200


async def test_a_gateway_that_is_down_for_a_minute_loses_no_job():
    """Connections are dropped without a response, and new ones are refused. All jobs resume within two intervals."""
    async with Sandbox(**SLOW | {"generation": 200.0}) as sandbox, opened(sandbox) as session:
        jobs = await submitted(session, 50)
        await asyncio.sleep(20.0)
        await sandbox.down()
        await asyncio.sleep(60.0)
        await sandbox.up()
        began = now()
        await asyncio.sleep(2 * INTERVAL)
        asked = {logged.video_id for logged in sandbox.log if logged.at >= began}
        assert {job.id for job in jobs} == asked
        await asyncio.gather(*jobs)
        assert sandbox.billed == 50


async def test_polls_that_hang_hold_up_no_other_job():
    """The polls of ten jobs are never answered. The other jobs are polled as if nothing were wrong."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        jobs = await submitted(session, 40)
        for job in jobs[:10]:
            sandbox.faults.add(Fault.silence(route="retrieve", video_id=job.id, times=None))
        await asyncio.gather(*jobs[10:])
        asked = Counter(logged.video_id for logged in sandbox.log if logged.route == "retrieve")
        for job in jobs[10:]:
            moments = [logged.at for logged in sandbox.log if logged.video_id == job.id]
            assert max(after - before for before, after in pairwise(moments)) <= LONGEST_INTERVAL
            assert asked[job.id] >= 100 / LONGEST_INTERVAL


# A wait that ends says why.


async def test_a_wait_that_ends_says_what_the_gateway_said_last():
    """After half an hour and a hundred polls, the error must say more than "not finished"."""
    async with Sandbox(**SLOW | {"generation": 1e6}) as sandbox, opened(sandbox, deadline=300.0) as session:
        job = await session.submit("a cat", **WAN)
        with pytest.raises(
            errors.WaitTimeout, match=r"the gateway last said '\w+'; \d+ polls, the last good"
        ) as caught:
            await job
        assert caught.value.last_heard is not None
        assert caught.value.last_heard in str(caught.value)


async def test_polls_that_fail_are_noted_while_they_do_and_told_at_the_end():
    """They are in the events and in the error. Once polls succeed again, the note is removed."""
    async with Sandbox(**SLOW | {"generation": 1e6}) as sandbox, opened(sandbox, deadline=600.0) as session:
        job = await session.submit("a cat", **WAN)
        sandbox.faults.add(Fault.status(500, route="retrieve", times=5))
        notes = [event.note async for event in job.events()]
        with pytest.raises(errors.WaitTimeout):
            await job
        told = [note for note in notes if note is not None]
        assert told
        assert all(note.startswith("the last ") and "HTTP 500" in note for note in told)
        assert notes[-1] is None
        assert job.snapshot().note is None


# Told once, and rightly.


async def test_each_event_says_something_new():
    """A job that is finished at the vendor, and wanted without a file, told so twice."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)
        told = [(event.status, event.progress, event.bytes_done, event.note) async for event in job.events()]
        assert Status.COMPLETED is told[-1][0]
        assert [pair for pair in pairwise(told) if pair[0] == pair[1]] == []
        assert 1 == [status for status, *_ in told].count(Status.COMPLETED)


async def test_who_awaits_a_deleted_job_is_told_that_it_was_deleted():
    """The advice to follow it again would lead to a 404."""
    async with Sandbox(**SLOW) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", model="sora-2")
        waiting = asyncio.create_task(asyncio.wait_for(job, 50))
        await asyncio.sleep(1)
        await job.delete()
        with pytest.raises(errors.SessionClosed, match="was deleted") as caught:
            await waiting
        assert "session.job" not in str(caught.value)
