"""What is measured when something happens to a job, with plain numbers as times."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs
import pytest

from aihubmix_video.errors import GatewayError, JobFailed, SubmitUncertain
from aihubmix_video.telemetry.cooldowns import CooldownCount
from aihubmix_video.telemetry.instruments import INSTRUMENTS, Measurement
from aihubmix_video.telemetry.job_record import JobRecord, JobSighting
from aihubmix_video.types.events import RequestEnd, RequestHold, SessionStats
from aihubmix_video.types.job_info import JobState
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aihubmix_video.errors import VideoError

REQUEST = VideoRequest(model="sora-2", prompt="a cat")
NEW = JobSighting(key="k", at=100.0, state=JobState.WAITING, request=REQUEST)
BOUGHT = attrs.evolve(NEW, at=101.0, state=JobState.RUNNING, video_id="v", charged="yes")
SAVING = attrs.evolve(BOUGHT, at=160.0, state=JobState.SAVING, completed=True)
SAVED = attrs.evolve(SAVING, at=162.0, state=JobState.SAVED, over=True, bytes_done=500)


def polled(at: float, error: VideoError | None = None) -> RequestEnd:
    """Return a poll that ended at a moment."""
    return RequestEnd(job="k", request="poll", began=at - 0.1, ended=at, error=error)


def added(measurements: Iterable[Measurement]) -> dict[tuple[str, ...], float]:
    """Add measurements up by metric and attributes."""
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    for each in measurements:
        sums[(each.name.removeprefix("aihubmix.video."), *map(str, each.attributes.values()))] += each.value
    return {name: value for name, value in sums.items() if value}


def lived(
    *steps: JobSighting | RequestEnd, price: float | None = None
) -> tuple[JobRecord, dict[tuple[str, ...], float]]:
    """Let a job go through *steps*, and return its record and the sums of what was measured."""
    first, *others = steps
    assert isinstance(first, JobSighting)
    record = JobRecord.of(first, price)
    measured = list(record.begin())
    for step in others:
        measured += record.see(step) if isinstance(step, JobSighting) else record.end_request(step)
    return record, added(measured)


def test_a_job_that_is_saved_is_counted_once_and_active_no_more():
    """What goes up must come down, or a dashboard shows jobs that nobody has."""
    _, sums = lived(NEW, BOUGHT, polled(120.0), polled(150.0), SAVING, SAVED, price=0.8)
    assert {
        ("jobs.ended", "saved", "sora-2"): 1,
        ("requests", "poll"): 2,
        ("polls", "sora-2"): 2,
        ("cost", "sora-2", "yes"): 0.8,
        ("downloaded",): 500,
        ("notice.limit", "sora-2"): 10.0,
        ("gen_ai.client.operation.duration", "generate_content", "aihubmix", "sora-2"): 62.0,
    } == sums


def test_active_jobs_are_counted_by_their_state():
    """A job that goes on is taken from where it was, and added where it is."""
    assert {("jobs.active", "waiting"): 1} == lived(NEW)[1]
    assert {("jobs.active", "running"): 1} == lived(NEW, BOUGHT)[1]
    record, _ = lived(NEW, BOUGHT)
    assert {("jobs.active", "running"): -1} == added(record.stop())


@pytest.mark.parametrize(
    ("completed_at", "noticed"),
    [(158.5, 1.5), (170.0, 0.0), (90.0, 10.0)],
    ids=["as dated", "a clock ahead", "a clock behind"],
)
def test_the_time_to_notice_is_what_the_gateway_dates_within_what_we_know(completed_at: float, noticed: float):
    """The gateway's clock may be hours off; between two polls of ours the job cannot have been finished longer."""
    video = Video(id="v", status=Status.COMPLETED, completed_at=completed_at)
    record, _ = lived(NEW, BOUGHT, polled(150.0), attrs.evolve(SAVING, video=video))
    assert (noticed, 10.0) == (record.notice, record.notice_limit)


def test_a_failed_poll_finds_nothing_running():
    """It says nothing of the job, so the limit reaches back to the last answer."""
    record, sums = lived(NEW, BOUGHT, polled(120.0), polled(150.0, GatewayError("bad")), SAVING)
    assert (40.0, 2, 1) == (record.notice_limit, record.polls, record.bad_polls)
    assert 1 == sums["requests", "poll", "GatewayError"]


def test_a_resumed_job_is_not_bought_again_and_its_wait_is_not_ours():
    """Its price was counted where it was bought, and it may have lain finished for days before anyone asked."""
    video = Video(id="v", status=Status.COMPLETED, completed_at=10.0)
    record, sums = lived(BOUGHT, attrs.evolve(SAVING, video=video), SAVED, price=0.8)
    assert record.resumed
    assert (None, None) == (record.notice, record.notice_limit)
    assert [] == [name for name in sums if name[0] == "cost"]


def test_an_uncertain_job_counts_as_money_that_may_be_spent():
    """It is told apart, as nobody knows."""
    error = SubmitUncertain("lost", charged="unknown")
    end = attrs.evolve(NEW, at=101.0, state=JobState.UNCERTAIN, over=True, charged="unknown", error=error)
    _, sums = lived(NEW, end, price=0.8)
    assert 0.8 == sums["cost", "sora-2", "unknown"]
    assert 1 == sums["jobs.ended", "uncertain", "sora-2", "SubmitUncertain"]


def test_a_failed_job_says_by_which_class_of_error():
    """There are few classes, and endless texts."""
    end = attrs.evolve(BOUGHT, state=JobState.FAILED, over=True, charged="no", error=JobFailed("a cat is not allowed"))
    record, sums = lived(NEW, BOUGHT, end)
    assert 1 == sums["jobs.ended", "failed", "sora-2", "JobFailed"]
    assert "JobFailed" == record.summary()["error.type"]
    assert "a cat" not in str(record.summary())


def test_a_job_that_goes_on_without_us_is_left():
    """It is not waiting, as its last state might say, and not failed."""
    record, sums = lived(NEW, BOUGHT, attrs.evolve(BOUGHT, over=True))
    assert 1 == sums["jobs.ended", "left", "sora-2"]
    assert "left" == record.summary()["aihubmix.video.job.state"]


def test_bytes_of_a_file_that_is_begun_again_are_counted_again():
    """They were written."""
    steps = [attrs.evolve(SAVING, bytes_done=done) for done in (300, 500, 200, 500)]
    assert 1000 == lived(NEW, BOUGHT, *steps)[1][("downloaded",)]


def test_measurements_have_only_attributes_of_their_row():
    """Prometheus refuses others, in the middle of a job."""
    record = JobRecord.of(NEW, 0.8)
    error = JobFailed("no")
    measured = [*record.begin(), *record.see(BOUGHT), *record.end_request(polled(120.0, GatewayError("bad")))]
    measured += [*record.see(SAVING), *record.see(attrs.evolve(SAVED, error=error)), *record.stop()]
    for each in measured:
        assert set() == set(each.attributes) - set(INSTRUMENTS[each.name].attributes)


def stats(*holds: RequestHold) -> SessionStats:
    """Return a snapshot with these holds."""
    counts = dict.fromkeys(("queued", "in_flight", "downloading", "finished", "failed"), 0)
    sent = dict.fromkeys(("creates_sent", "polls_sent", "downloads_sent", "others_sent"), 0)
    return SessionStats(**counts, **sent, rate=10.0, cooling_until=None, holds=holds)


def test_a_hold_that_is_put_off_is_one_cooldown():
    """Each 429 puts it off; they are counted as requests."""
    count = CooldownCount()

    def seen(now: float, until: float) -> float:
        hold = RequestHold(requests="creates", until=until, reason="429")
        return sum(each.value for each in count.see(stats(hold), now))

    assert [1, 0, 0, 1] == [seen(100.0, 110.0), seen(105.0, 120.0), seen(119.0, 120.0), seen(130.0, 135.0)]
    assert {"creates": 2.0} == count.remaining(133.0)
    assert {"creates": 0.0} == count.remaining(200.0)
