"""Accounts of jobs: from a record of a job that is followed, or from the ledger's entry of one that is not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.errors import Charged, SessionClosed, SubmitUncertain
from aihubmix_video.ledger.entry import Entry, State
from aihubmix_video.session.ledger_mapping import ENDS, REFUSALS, error_of, video_of
from aihubmix_video.session.tracked_job import Record
from aihubmix_video.types.job_info import JobInfo, JobState
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aihubmix_video.types.video import Saver

__all__ = ["info_of_entry", "info_of_record", "record_of_entry", "states_of"]

STATE: Final[Mapping[State, JobState]] = {
    State.INTENDED: JobState.WAITING,
    State.SENDING: JobState.WAITING,
    State.BOUGHT: JobState.RUNNING,
    State.COMPLETED: JobState.SAVING,
    State.SAVED: JobState.SAVED,
    State.DONE: JobState.DONE,
    State.FAILED: JobState.FAILED,
    State.UNCERTAIN: JobState.UNCERTAIN,
    State.DROPPED: JobState.DROPPED,
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
EXPLAINED: Final = frozenset({JobState.FAILED, JobState.UNCERTAIN})


def states_of(wanted: Collection[JobState]) -> frozenset[State]:
    """Say in which states of the ledger's the wanted jobs are."""
    return frozenset(state for state, told in STATE.items() if told in wanted)


def info_of_entry(entry: Entry) -> JobInfo:
    """Tell what the ledger knows of a job."""
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
        sha256=entry.sha256,
        error=error_of(entry) if state in EXPLAINED else None,
        charged=entry.charged,
    )


def record_of_entry(entry: Entry, saver: Saver) -> Record:
    """Make a handle's record of a job for which nothing is left to do.

    Args:
        entry: The job.
        saver: Lent to its video.
    """
    error, video = error_of(entry), video_of(entry)
    return Record(
        number=0,
        key=entry.key,
        request=entry.request,
        owner=entry.owner,
        created_at=entry.created_at,
        video_id=entry.video_id,
        status=STATUS[STATE[entry.state]],
        video=None if video is None else attrs.evolve(video, saver=saver),
        error=error,
        over=True,
        in_ledger=True,
    )


def info_of_record(record: Record, *, epoch: float) -> JobInfo:
    """Tell what the session knows of a job that it follows, or that has just ended.

    Args:
        record: The job.
        epoch: What the loop's clock lacks to be Unix seconds.
    """
    state, video = _state(record), record.video
    left = record.eta(record) if record.eta is not None and not state.ended else None
    return JobInfo(
        key=record.key,
        id=None if record.status is Status.PENDING else record.video_id,  # it is told when it is on the disk
        owner=record.owner,
        request=record.request,
        state=state,
        status=STATUS[state] if state.ended else record.status,
        progress=record.progress,
        eta=left.middle if left is not None else None,
        created_at=record.created_at,
        updated_at=record.updated_at,
        expires_at=record.expires_at + epoch if math.isfinite(record.expires_at) else None,
        bytes_done=record.bytes_done if video is None else video.bytes_written or record.bytes_done,
        bytes_total=record.bytes_total if video is None else video.bytes_written or record.bytes_total,
        path=video.path if video is not None and record.over else None,
        sha256=video.sha256 if video is not None and record.over else None,
        error=None if isinstance(record.error, SessionClosed) else record.error,
        charged=_charged(record),
    )


def _state(record: Record) -> JobState:
    error = record.error
    if not record.over or (isinstance(error, SessionClosed) and not record.abandoned):
        return _going(record)
    if error is None:
        return JobState.DONE if record.video is None or record.video.path is None else JobState.SAVED
    if isinstance(error, SessionClosed):
        return JobState.DROPPED
    if isinstance(error, SubmitUncertain):
        return JobState.UNCERTAIN
    verdicts = ENDS if record.video_id is not None else REFUSALS
    final = isinstance(error, verdicts) or (record.once and record.video_id is None) or not record.in_ledger
    return JobState.FAILED if final else _going(record)


def _going(record: Record) -> JobState:
    """Say how far a job has come that has not ended, or was given up on for now."""
    if record.video_id is None:
        return JobState.WAITING
    if record.status is Status.COMPLETED and record.target is not None:
        return JobState.SAVING
    return JobState.RUNNING


def _charged(record: Record) -> Charged:
    if record.error is not None:
        return record.error.charged
    if record.video_id is not None:
        return "yes"
    return "unknown" if record.sent else "no"
