"""One job as it is told to others: all that is known of it, whether it is followed now or only remembered."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.errors import Charged, VideoError
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.types.video import Status

__all__ = ["VISIBLE", "JobInfo", "JobPage", "JobState"]


class JobState(StrEnum):
    """How far a job has come, in the few words that somebody needs who waits for a file."""

    WAITING = "waiting"
    """Not accepted by the gateway yet."""
    RUNNING = "running"
    """Being generated."""
    SAVING = "saving"
    """Finished at the vendor; its file is being fetched."""
    SAVED = "saved"
    """Its file is on disk."""
    DONE = "done"
    """Finished at the vendor, and no file was wanted."""
    FAILED = "failed"
    """Over without a video."""
    UNCERTAIN = "uncertain"
    """It may have been bought, and stays so until somebody decides (`VideoSession.decide`)."""
    DROPPED = "dropped"
    """Deleted."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self in ENDED


VISIBLE = frozenset(JobState) - {JobState.DROPPED}
"""States of jobs that are told of."""
ENDED = frozenset({JobState.SAVED, JobState.DONE, JobState.FAILED, JobState.UNCERTAIN, JobState.DROPPED})


@attrs.frozen(kw_only=True)
class JobInfo:
    """One job.

    Attributes:
        key: The session's own key.
        id: The gateway's id; None until it accepted the job.
        owner: Whose it is, in the application's words.
        request: What was asked for; None for a job that is followed by its id only.
        state: How far it has come.
        status: Where it stands at the gateway, as last heard.
        progress: Percent, 0 to 100; None where the vendor reports none.
        eta: Seconds until it is expected to finish; None when it is not being generated, or nothing is known.
        created_at: Unix seconds on this machine's clock; also `updated_at`, its last change.
        expires_at: Unix seconds; when its link goes, or went.
        bytes_done: Bytes of its file on disk.
        bytes_total: Size of its file, where known.
        path: The saved file, absolute; None until saved.
        object_url: Where its object lies, if it was saved to an object store; `path` is None then.
        sha256: Hex digest of the saved file.
        error: Why it failed or is uncertain; of a job that has not ended, what it was given up on for now.
        charged: Whether money was spent on it.
        note: What keeps it, in a few words, such as polls that fail one after the other; None while all is well.
    """

    key: str
    id: str | None = None
    owner: str | None = None
    request: VideoRequest | None = attrs.field(default=None, repr=False)
    state: JobState
    status: Status
    progress: float | None = None
    eta: float | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
    expires_at: float | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    path: Path | None = None
    object_url: str | None = None
    sha256: str | None = None
    error: VideoError | None = None
    charged: Charged = "no"
    note: str | None = None


@attrs.frozen(kw_only=True)
class JobPage:
    """Some jobs, the newest first.

    Attributes:
        items: They.
        next: What to pass as `after` for the page that follows; None when this is the last.
    """

    items: tuple[JobInfo, ...]
    next: int | None = None
