"""The mapping between a `TrackedJob` of the session and a `LedgerEntry` of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video import errors
from aihubmix_video.errors import (
    ContentRefused,
    InvalidRequest,
    RequestRefused,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import Destination, LedgerEntry, LedgerState
from aihubmix_video.output.template import Template
from aihubmix_video.session.job_stage import Stage
from aihubmix_video.session.tracked_job import OutputTarget, TrackedJob
from aihubmix_video.types.object_url import split_root
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.capabilities import Capability
    from aihubmix_video.ledger.transitions import Transition
    from aihubmix_video.types.request import VideoRequest

__all__ = ["IdempotencyKey", "RowPlace", "closing_transition", "entry_of", "error_of", "target_of", "video_of"]


@attrs.frozen(kw_only=True)
class RowPlace:
    """The batch and the row that a job belongs to."""

    batch: str
    index: int
    fingerprint: str
    occurrence: int


@attrs.frozen(kw_only=True)
class IdempotencyKey:
    """The idempotency key that the user gave a job.

    Attributes:
        client_key: The key, unique in the ledger.
        fingerprint: The fingerprint of the request that the key was given for.
    """

    client_key: str
    fingerprint: str


def entry_of(
    tracked: TrackedJob,
    request: VideoRequest,
    place: RowPlace | None,
    name: IdempotencyKey | None,
    capability: Capability | None,
) -> LedgerEntry:
    """Return the ledger entry of a new job; *request* holds its media, *capability* is its model's table."""
    digest = place.fingerprint if place is not None else name.fingerprint if name is not None else ""
    return LedgerEntry(
        key=tracked.key,
        request=request,
        client_key=name.client_key if name is not None else None,
        owner=tracked.owner,
        created_at=tracked.created_at,
        batch=place.batch if place is not None else None,
        index=place.index if place is not None else 0,
        fingerprint=digest,
        occurrence=place.occurrence if place is not None else 0,
        target=_destination(tracked.target),
        seconds=capability.seconds_of(request) if capability is not None else None,
    )


def _destination(target: OutputTarget | None) -> Destination | None:
    if target is None:
        return None
    template = isinstance(target.path, Template)
    text = target.path.text if isinstance(target.path, Template) else target.path
    return Destination(
        text=text if split_root(text) is not None else str(Path(text).absolute()),
        template=template,
        index=target.index,
        row_key=target.key,
        overwrite=target.overwrite,
        make_folder=target.make_folder,
    )


def target_of(entry: LedgerEntry) -> OutputTarget | None:
    """Return where a job's file goes, restored from its entry; None if no file is wanted."""
    stored = entry.target
    if stored is None:
        return None
    return OutputTarget(
        path=Template.parse(stored.text) if stored.template else stored.text,
        index=stored.index,
        key=stored.row_key,
        overwrite=stored.overwrite,
        make_folder=stored.make_folder,
    )


_STATUS: Final[Mapping[LedgerState, Status]] = {
    LedgerState.COMPLETED: Status.COMPLETED,
    LedgerState.SAVED: Status.COMPLETED,
    LedgerState.DONE: Status.COMPLETED,
    LedgerState.FAILED: Status.FAILED,
    LedgerState.DROPPED: Status.FAILED,
}
"""What the gateway last said of a job that was bought; of the others it said that they go on."""


def video_of(entry: LedgerEntry) -> Video | None:
    """Return an entry's video, as far as the ledger knows it; None if the entry has no id."""
    if entry.video_id is None:
        return None
    return Video(
        id=entry.video_id,
        model=entry.request.model,
        status=_STATUS.get(entry.state, Status.IN_PROGRESS),
        seconds=entry.seconds,
        expires_at=entry.expires_at,
        path=entry.path,
        bytes_written=entry.bytes_written,
        sha256=entry.sha256,
        verified=entry.verified,
        unverified=entry.unverified,
        object_url=entry.object_url,
    )


def error_of(entry: LedgerEntry) -> VideoError | None:
    """Return the error because of which an entry has no video; None if it has one."""
    if entry.state in {LedgerState.SAVED, LedgerState.DONE}:
        return None
    if entry.state is LedgerState.DROPPED:
        return RequestRefused("the job was dropped by decision of the user", job_key=entry.key, job_id=entry.video_id)
    if entry.state in {LedgerState.SENDING, LedgerState.UNCERTAIN}:
        return _uncertainty(entry)
    kind = getattr(errors, entry.error_type or "", VideoError)
    if not issubclass(kind, VideoError) or issubclass(kind, InvalidRequest):
        kind = RequestRefused
    error = kind(
        entry.error_message or "the job failed in an earlier run",
        job_key=entry.key,
        job_id=entry.video_id,
        status_code=entry.status_code,
        request_id=entry.request_id,
        charged=entry.charged,
    )
    if isinstance(error, ContentRefused) and entry.video_id is not None:
        error.stage = "output"
    return error


def _uncertainty(entry: LedgerEntry) -> SubmitUncertain:
    message = entry.error_message or "the process ended while the create was being sent"
    return SubmitUncertain(
        message,
        body=entry.error_body,
        job_key=entry.key,
        status_code=entry.status_code,
        request_id=entry.request_id,
    )


def closing_transition(tracked: TrackedJob, error: VideoError | None) -> Transition | None:
    """Return the transition that ends a job; None if it stays unfinished, since it may still be downloaded or sent."""
    match tracked.end_with(error), error:
        case Stage.UNCERTAIN, VideoError():
            return transitions.uncertain(error)
        case Stage.FAILED, VideoError():
            return transitions.failed(error)
        case Stage.DONE, _:
            return transitions.done()
        case Stage.DROPPED, _ if tracked.video_id is None:  # what was bought is dropped by the call that deletes it
            return transitions.dropped()
        case _:
            return None
