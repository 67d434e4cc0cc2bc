"""Accounts of jobs: from a record of a job that is followed, or from the ledger's entry of one that is not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.errors import Charged, SessionClosed, VideoError
from aihubmix_video.ledger.entry import FINISHED, LedgerEntry, LedgerState
from aihubmix_video.session.job_stage import FACTS, Durability, Stage
from aihubmix_video.session.ledger_mapping import error_of, video_of
from aihubmix_video.session.tracked_job import TrackedJob
from aihubmix_video.types.events import BatchItem
from aihubmix_video.types.job_info import JobInfo, JobState
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aihubmix_video.types.video import Saver

__all__ = [
    "charged_of_job",
    "info_of_entry",
    "info_of_tracked",
    "state_of",
    "states_of",
    "told",
    "told_again",
    "tracked_of_entry",
]

STATE: Final[Mapping[LedgerState, JobState]] = {
    LedgerState.INTENDED: JobState.WAITING,
    LedgerState.SENDING: JobState.WAITING,
    LedgerState.BOUGHT: JobState.RUNNING,
    LedgerState.COMPLETED: JobState.SAVING,
    LedgerState.SAVED: JobState.SAVED,
    LedgerState.DONE: JobState.DONE,
    LedgerState.FAILED: JobState.FAILED,
    LedgerState.UNCERTAIN: JobState.UNCERTAIN,
    LedgerState.DROPPED: JobState.DROPPED,
}
STATUS: Final[Mapping[JobState, Status]] = {
    JobState.WAITING: Status.PENDING,
    JobState.RUNNING: Status.IN_PROGRESS,
    JobState.SAVING: Status.COMPLETED,
    JobState.SAVED: Status.COMPLETED,
    JobState.DONE: Status.COMPLETED,
    JobState.FAILED: Status.FAILED,
    JobState.UNCERTAIN: Status.UNCERTAIN,
    JobState.DROPPED: Status.FAILED,
}
_ENDED: Final[Mapping[LedgerState, Stage]] = {
    LedgerState.INTENDED: Stage.LEFT,
    LedgerState.SENDING: Stage.UNCERTAIN,
    LedgerState.BOUGHT: Stage.LEFT,
    LedgerState.COMPLETED: Stage.LEFT,
    LedgerState.SAVED: Stage.SAVED,
    LedgerState.DONE: Stage.DONE,
    LedgerState.FAILED: Stage.FAILED,
    LedgerState.UNCERTAIN: Stage.UNCERTAIN,
    LedgerState.DROPPED: Stage.DROPPED,
}
"""How a job stands for a session that has nothing left to do for it."""
EXPLAINED: Final = frozenset({JobState.FAILED, JobState.UNCERTAIN})


def states_of(wanted: Collection[JobState]) -> frozenset[LedgerState]:
    """Return in which states of the ledger's the wanted jobs are."""
    return frozenset(state for state, told in STATE.items() if told in wanted)


def info_of_entry(entry: LedgerEntry) -> JobInfo:
    """Return what the ledger knows of a job."""
    state = STATE[entry.state]
    return JobInfo(
        key=entry.key,
        id=entry.video_id,
        owner=entry.owner,
        request=entry.request,
        state=state,
        status=STATUS[state],
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        expires_at=entry.expires_at,
        bytes_done=entry.bytes_written or 0,
        bytes_total=entry.bytes_written,
        path=entry.path,
        object_url=entry.object_url,
        sha256=entry.sha256,
        error=error_of(entry) if state in EXPLAINED else None,
        charged=entry.charged,
        note=video.doubt if (video := video_of(entry)) is not None else None,
    )


def tracked_of_entry(entry: LedgerEntry, saver: Saver) -> TrackedJob:
    """Make a handle's record of a job for which nothing is left to do.

    Args:
        entry: The job.
        saver: Lent to its video.
    """
    error, video = error_of(entry), video_of(entry)
    return TrackedJob(
        number=0,
        key=entry.key,
        request=entry.request,
        owner=entry.owner,
        created_at=entry.created_at,
        video_id=entry.video_id,
        status=STATUS[STATE[entry.state]],
        video=None if video is None else attrs.evolve(video, saver=saver),
        error=error,
        stage=_ENDED[entry.state],
        durability=Durability.RESUMABLE,
    )


def info_of_tracked(tracked: TrackedJob, *, epoch: float) -> JobInfo:
    """Return what the session knows of a job that it follows, or that has just ended.

    Args:
        tracked: The job.
        epoch: What the loop's clock lacks to be Unix seconds.
    """
    state, video = state_of(tracked), tracked.video
    left = tracked.eta(tracked) if tracked.eta is not None and not state.ended else None
    return JobInfo(
        key=tracked.key,
        id=None if tracked.status is Status.PENDING else tracked.video_id,  # it is told when it is on the disk
        owner=tracked.owner,
        request=tracked.request,
        state=state,
        status=STATUS[state] if state.ended else tracked.status,
        progress=tracked.progress,
        eta=left.middle if left is not None else None,
        created_at=tracked.created_at,
        updated_at=tracked.updated_at,
        expires_at=tracked.expires_at + epoch if math.isfinite(tracked.expires_at) else None,
        bytes_done=tracked.bytes_done if video is None else video.bytes_written or tracked.bytes_done,
        bytes_total=tracked.bytes_total if video is None else video.bytes_written or tracked.bytes_total,
        path=video.path if video is not None and tracked.over else None,
        object_url=video.object_url if video is not None and tracked.over else None,
        sha256=video.sha256 if video is not None and tracked.over else None,
        error=None if isinstance(tracked.error, SessionClosed) else tracked.error,
        charged=charged_of_job(tracked),
        note=tracked.polls.note if not state.ended else video.doubt if video is not None else None,
    )


def state_of(tracked: TrackedJob) -> JobState:
    """Return the state of a job as users see it; one that is let go of keeps the state in which it is left."""
    if FACTS[tracked.stage].ended and tracked.stage is not Stage.LEFT:
        return FACTS[tracked.stage].state
    if tracked.video_id is None:
        return JobState.WAITING
    if tracked.status is Status.COMPLETED and tracked.target is not None:
        return JobState.SAVING
    return JobState.RUNNING


def told(index: int, tracked: TrackedJob, error: VideoError | None) -> BatchItem:
    """Return how a job ended."""
    return BatchItem(
        index=index,
        key=tracked.key,
        request=tracked.request,
        video=tracked.video,
        path=tracked.video.path if tracked.video is not None else None,
        error=error,
        charged=error.charged if error is not None else "yes",
    )


def told_again(index: int, entry: LedgerEntry, error: VideoError | None) -> BatchItem:
    """Return what the ledger knows of a row."""
    return BatchItem(
        index=index,
        key=entry.key,
        request=entry.request,
        video=video_of(entry),
        path=entry.path,
        error=error,
        charged=entry.charged,
        earlier=entry.state in FINISHED,
    )


def charged_of_job(tracked: TrackedJob) -> Charged:
    """Return whether money was spent on a job."""
    if tracked.error is not None:
        return tracked.error.charged
    return "yes" if tracked.video_id is not None else FACTS[tracked.stage].charged
