"""One line in the log for each change of a job, with what is known of the job as fields of the record.

The logger is ``aihubmix_video.jobs``. What a caller is told by an error anyway appears only where logging is configured.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.session.job_stage import Stage
from aihubmix_video.session.job_views import charged_of_job, state_of
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.session.tracked_job import TrackedJob

__all__ = ["JobLog", "JobLook", "line_of"]

log = logging.getLogger("aihubmix_video.jobs")
log.addHandler(logging.NullHandler())

LEVEL: Final[Mapping[Stage, int]] = {
    Stage.SAVED: logging.INFO,
    Stage.DONE: logging.INFO,
    Stage.FAILED: logging.WARNING,
    Stage.UNCERTAIN: logging.ERROR,
    Stage.LEFT: logging.WARNING,
    Stage.DROPPED: logging.INFO,
}
"""Of an end: an uncertain job waits for the user, and may have cost money."""


@attrs.frozen
class JobLook:
    """What tells one line from the next.

    Attributes:
        video_id: The gateway's id, once it is known.
        status: Where it stands at the gateway.
        progress: Percent.
        note: What keeps it.
    """

    video_id: str | None
    status: Status
    progress: float | None = None
    note: str | None = None


def line_of(before: JobLook | None, now: JobLook) -> tuple[int, str] | None:
    """Return level and text for a change of a job that goes on; None where there is nothing to tell."""
    if before is None:
        return logging.INFO, "taken on" if now.video_id is None else f"followed again as {now.video_id}"
    if now.video_id is not None and before.video_id is None:
        return logging.INFO, f"accepted as {now.video_id}"
    if now.status is not before.status:
        finished = now.status is Status.COMPLETED
        return logging.INFO if finished else logging.DEBUG, "finished at the vendor" if finished else now.status.value
    if now.note != before.note:
        return logging.INFO, now.note or "polls are answered again"
    if now.progress != before.progress and now.progress is not None:
        return logging.DEBUG, f"{now.progress:g} %"
    return None


class JobLog:
    """Observes a session's jobs, and logs how they change."""

    def __init__(self) -> None:
        self._looks: dict[int, JobLook] = {}

    def __call__(self, tracked: TrackedJob) -> None:
        """Log a job's change, if anything is logged."""
        if tracked.over:
            self._looks.pop(tracked.number, None)
            self._log_end(tracked)
            return
        if not log.isEnabledFor(logging.INFO):
            return
        now = JobLook(tracked.video_id, tracked.status, tracked.progress, tracked.polls.note)
        line = line_of(self._looks.get(tracked.number), now)
        self._looks[tracked.number] = now
        if line is not None:
            _write(tracked, *line)

    @staticmethod
    def _log_end(tracked: TrackedJob) -> None:
        video, error = tracked.video, tracked.error
        word = tracked.stage.name.lower()
        said = "" if error is None else f": {error.message}"
        if tracked.stage is Stage.SAVED and video is not None:
            said = f" to {video.path}, {video.bytes_written} bytes"
        closed = tracked.stage is Stage.LEFT and type(error).__name__ == "SessionClosed"
        _write(tracked, logging.INFO if closed else LEVEL[tracked.stage], f"{word}{said}")


def _write(tracked: TrackedJob, level: int, text: str) -> None:
    if log.isEnabledFor(level):
        log.log(level, "job %s: %s", tracked.key, text, extra=fields_of(tracked))


def fields_of(tracked: TrackedJob) -> dict[str, object]:
    """Return what is known of a job, without its prompt; what is not known is missing."""
    request, video, error = tracked.request, tracked.video, tracked.error
    known: dict[str, object] = {
        "job_key": tracked.key,
        "video_id": tracked.video_id,
        "model": None if request is None else request.model,
        "owner": tracked.owner,
        "job_state": tracked.stage.name.lower() if tracked.over else state_of(tracked).value,
        "status": tracked.status.value,
        "progress": tracked.progress,
        "polls": tracked.polls.polls,
        "charged": charged_of_job(tracked),
        "error_type": None if error is None else type(error).__name__,
        "request_id": None if error is None else error.request_id,
    }
    if tracked.over and video is not None and video.path is not None:
        known |= {"path": str(video.path), "bytes": video.bytes_written, "sha256": video.sha256}
    return {name: value for name, value in known.items() if value is not None}
