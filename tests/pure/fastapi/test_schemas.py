"""The job resource: what is told of a job, from every state that it can be in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video import Status, VideoRequest
from aihubmix_video.errors import (
    AuthenticationError,
    DownloadFailed,
    JobFailed,
    RequestRefused,
    SessionClosed,
    SubmitUncertain,
    VideoError,
    WaitTimeout,
)
from aihubmix_video.fastapi.schemas import JobResource, resource_of
from aihubmix_video.ledger.entry import FINISHED, LedgerEntry, LedgerState
from aihubmix_video.session.job_stage import Durability, Stage
from aihubmix_video.session.job_views import STATE, STATUS, info_of_entry, info_of_tracked, states_of
from aihubmix_video.session.tracked_job import OutputTarget, TrackedJob
from aihubmix_video.types.job_info import ENDED, VISIBLE, JobInfo, JobState
from aihubmix_video.types.video import Video

SORA = VideoRequest(model="sora-2", prompt="a cat", seconds=8, size="1280x720")
SAVED = Video(id="v", path=Path("/v/a.mp4"), bytes_written=5, sha256="00")
NO_JOB: dict[str, Any] = {"state": JobState.RUNNING, "status": Status.IN_PROGRESS}


def tracked(**fields: Any) -> TrackedJob:  # noqa: ANN401 - those of a tracked job
    """Return a job that is followed, with only what a test is about; given an `error` or a `video` it is over."""
    usual: dict[str, Any] = {
        "number": 1,
        "key": "k-1",
        "request": SORA,
        "durability": Durability.RESUMABLE,
        "stage": Stage.FOLLOWED if "video_id" in fields else Stage.WAITING,
        "target": OutputTarget(path="a.mp4"),
    }
    video, error = fields.pop("video", None), fields.pop("error", None)
    job = TrackedJob(**(usual | fields))
    if video is not None or error is not None:
        job.finish(video, error)
    return job


def test_it_has_the_fields_that_were_agreed_on():
    """Pages are written against it."""
    told = resource_of(JobInfo(key="k-1", request=SORA, **NO_JOB), "/videos")
    assert JobResource.__annotations__.keys() == told.keys()
    assert ("sora-2", "a cat", 8, "1280x720", pytest.approx(0.8)) == tuple(
        told[name] for name in ("model", "prompt", "seconds", "size", "price")
    )


def test_only_a_saved_job_can_be_played():
    """A path that answers 409 would be shown as a broken video."""
    paths = {
        state: resource_of(JobInfo(key="k-1", state=state, status=STATUS[state]), "/a/videos")["content"]
        for state in JobState
    }
    assert {"/a/videos/k-1/content"} == {path for state, path in paths.items() if state is JobState.SAVED}
    assert {None} == {path for state, path in paths.items() if state is not JobState.SAVED}


def test_what_no_table_knows_is_left_open():
    """Unknown models may be bought; then nobody here knows their length, size or price."""
    told = resource_of(JobInfo(key="k-1", request=VideoRequest(model="new", prompt="a", seconds=3), **NO_JOB), "")
    assert ("new", None, None, None) == tuple(told[name] for name in ("model", "seconds", "size", "price"))
    attached = resource_of(JobInfo(key="k-1", **NO_JOB), "")
    assert [None] * 5 == [attached[name] for name in ("model", "prompt", "seconds", "size", "price")]


def test_an_error_of_ours_is_told_without_its_words():
    """A failed job is shown to its user, who has nothing to do with our key."""
    failed = JobInfo(key="k", state=JobState.FAILED, status=Status.FAILED, error=AuthenticationError("key sk-1 is bad"))
    assert "sk-1" not in json.dumps(resource_of(failed, ""))


@given(st.sampled_from(LedgerState), st.sampled_from([None, "JobFailed", "Unheard", "InvalidRequest"]), st.booleans())
def test_every_entry_of_a_ledger_can_be_told(state: LedgerState, error: str | None, path: bool):  # noqa: FBT001 - drawn
    """Whatever an earlier version, or process, has left there."""
    entry = LedgerEntry(key="k-1", request=SORA, state=state, error_type=error, path=Path("/a") if path else None)
    info = info_of_entry(entry)
    told = resource_of(info, "/videos")
    assert json.loads(json.dumps(told)) == told
    assert (state in FINISHED or state is LedgerState.UNCERTAIN) == info.state.ended
    assert (told["error"] is not None) == (info.state in {JobState.FAILED, JobState.UNCERTAIN})


def test_ledger_states_and_told_states_belong_together():
    """A list filtered by what is told must find everything that is told so."""
    assert set(LedgerState) == STATE.keys()
    assert set(JobState) == STATUS.keys() == set(STATE.values())
    assert frozenset(LedgerState) == states_of(JobState)
    assert frozenset(LedgerState) - {LedgerState.DROPPED} == states_of(VISIBLE)
    assert ENDED - {JobState.UNCERTAIN} == {STATE[state] for state in FINISHED}


STALLED = WaitTimeout("not finished")
ENDS: list[tuple[dict[str, Any], JobState]] = [
    ({}, JobState.WAITING),
    ({"video_id": "v", "status": Status.QUEUED}, JobState.RUNNING),
    ({"video_id": "v", "status": Status.COMPLETED}, JobState.SAVING),
    ({"video_id": "v", "status": Status.COMPLETED, "target": None}, JobState.RUNNING),
    ({"video_id": "v", "video": SAVED}, JobState.SAVED),
    ({"video_id": "v", "video": attrs.evolve(SAVED, path=None), "target": None}, JobState.DONE),
    ({"video_id": "v", "error": JobFailed("no")}, JobState.FAILED),
    ({"video_id": "v", "error": STALLED}, JobState.RUNNING),
    ({"video_id": "v", "error": STALLED, "durability": Durability.EPHEMERAL}, JobState.FAILED),
    ({"video_id": "v", "error": DownloadFailed("disk full"), "status": Status.COMPLETED}, JobState.SAVING),
    ({"error": SubmitUncertain("lost")}, JobState.UNCERTAIN),
    ({"error": RequestRefused("no")}, JobState.FAILED),
    ({"error": AuthenticationError("no")}, JobState.WAITING),
    ({"error": AuthenticationError("no"), "durability": Durability.ONCE}, JobState.FAILED),
    ({"error": SessionClosed("restart"), "durability": Durability.ONCE}, JobState.WAITING),
    ({"error": SessionClosed("deleted"), "stage": Stage.WAITING_DROPPING}, JobState.DROPPED),
    ({"video_id": "v", "error": SessionClosed("restart")}, JobState.RUNNING),
]


@pytest.mark.parametrize(("fields", "state"), ENDS)
def test_a_job_is_told_by_what_becomes_of_it(fields: dict[str, Any], state: JobState):
    """Failed is what nobody will go on with; everything else goes on, here or after a restart."""
    info = info_of_tracked(tracked(**fields), epoch=0.0)
    assert state is info.state
    assert state.ended == (info.status is STATUS[state] and state in ENDED)


@pytest.mark.parametrize(
    ("fields", "charged"),
    [
        ({}, "no"),
        ({"stage": Stage.SENDING}, "unknown"),
        ({"video_id": "v", "stage": Stage.SENDING}, "yes"),
        ({"error": SubmitUncertain("lost"), "stage": Stage.SENDING}, "unknown"),
        ({"video_id": "v", "error": VideoError("x", charged="no")}, "no"),
    ],
)
def test_whether_money_was_spent_is_told_as_it_is_known(fields: dict[str, Any], charged: str):
    """While a create is under way it is not known."""
    assert charged == info_of_tracked(tracked(**fields), epoch=0.0).charged


def test_moments_are_told_in_unix_seconds():
    """Within a process, a link's end is kept on a clock that means nothing elsewhere."""
    info = info_of_tracked(tracked(expires_at=50.0, created_at=1e9), epoch=1e9)
    assert (1e9 + 50.0, 1e9) == (info.expires_at, info.created_at)
    assert None is info_of_tracked(tracked(), epoch=1e9).expires_at
