"""What came of one video: one value for what a batch yields, a registry lists and a ledger keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.errors import Charged, RequestRefused, SubmitUncertain, VideoError
from aihubmix_video.ledger.entry import UNFINISHED, LedgerState
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.session.decisions import row_key_of
from aihubmix_video.session.ledger_mapping import error_of, video_of
from aihubmix_video.types.events import BatchItem
from aihubmix_video.types.job_info import JobState
from aihubmix_video.types.resumable import is_resumable
from aihubmix_video.types.video import Video

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aihubmix_video.ledger.entry import LedgerEntry
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.web.cards import State

__all__ = ["RowResult"]

MAYBE_BOUGHT = frozenset({LedgerState.SENDING, LedgerState.UNCERTAIN})


@attrs.frozen(kw_only=True)
class RowResult:
    """The result of one row, of whatever command.

    Attributes:
        index: Position of the row, from 0.
        key: The row's own name, or else the session's short key; None if it never became a job.
        request: What was asked for, where it is known.
        video: The video, once the gateway described one.
        path: Its file, absolute; None if it was not saved.
        error: Why it did not succeed; None if it did.
        charged: Whether money was spent on it.
        took: Seconds since the command began its work.
        skipped: Whether its file existed already, so that nothing was done.
        job_key: The job's key in the session and the ledger; None if it never became a job.
        earlier: Whether it had ended in an earlier run.
        ended: Whether the job has ended; a job that has not is shown as unfinished.
        own: The values of the user's own columns of the batch file.
        capabilities: The tables that tell the length and size where the gateway does not.
    """

    index: int
    key: str | None = None
    request: VideoRequest | None = None
    video: Video | None = None
    path: Path | None = None
    error: VideoError | None = None
    charged: Charged = "no"
    took: float | None = None
    skipped: bool = False
    job_key: str | None = None
    earlier: bool = False
    ended: bool = True
    own: Mapping[str, object] = attrs.field(factory=dict)
    capabilities: CapabilitySet = attrs.field(default=BUILT_IN, repr=False, eq=False)

    @classmethod
    def of(cls, item: BatchItem, *, key: str | None = None, took: float | None = None) -> RowResult:
        """Return the result that a batch item describes; *key* is the row's own name."""
        return cls(
            index=item.index,
            key=key or item.key,
            request=item.request,
            video=item.video,
            path=item.path,
            error=item.error,
            charged=item.charged,
            took=took,
            job_key=item.key,
            earlier=item.earlier,
        )

    @classmethod
    def of_job(cls, job: JobInfo, index: int = 0) -> RowResult:
        """Return how a job of a session's registry stands; *index* is the place to show it at."""
        video = None
        if job.id is not None:
            video = Video(
                id=job.id,
                model=job.request.model if job.request is not None else None,
                status=job.status,
                progress=job.progress,
                expires_at=job.expires_at,
                path=job.path,
                object_url=job.object_url,
                bytes_written=job.bytes_done if job.path is not None or job.object_url is not None else None,
                sha256=job.sha256,
            )
        return cls(
            index=index,
            key=job.key,
            request=job.request,
            video=video,
            path=job.path,
            error=_error_of_job(job),
            charged=job.charged,
            job_key=job.key,
            earlier=True,
            ended=job.state.ended,
        )

    @classmethod
    def of_entry(cls, entry: LedgerEntry) -> RowResult:
        """Return how a job of a ledger stands."""
        ended = entry.state not in UNFINISHED - MAYBE_BOUGHT
        return cls(
            index=entry.index,
            key=row_key_of(entry),
            request=entry.request,
            video=video_of(entry),
            path=entry.path,
            error=error_of(entry) if ended else None,
            charged=entry.charged,
            job_key=entry.key,
            earlier=True,
            ended=ended,
        )

    @classmethod
    def of_any(cls, found: BatchItem | JobInfo | RowResult, index: int = 0) -> RowResult:
        """Return the result of whatever describes a video; *index* is the place of a job, which has none of its own."""
        if isinstance(found, RowResult):
            return found
        return cls.of(found) if isinstance(found, BatchItem) else cls.of_job(found, index)

    @property
    def location(self) -> str | None:
        """Where it was saved: the path, or the object's URL; None if it was not."""
        return str(self.path) if self.path is not None else self.object_url

    @property
    def object_url(self) -> str | None:
        """Where its object lies, if it was saved to an object store."""
        return self.video.object_url if self.video is not None and self.error is None else None

    @property
    def id(self) -> str | None:
        """The gateway's id, from the video or else from the error."""
        if self.video is not None:
            return self.video.id
        return self.error.job_id if self.error is not None else None

    @property
    def model(self) -> str:
        """The model's name, as asked for or else as the gateway reports it."""
        name = self.request.model if self.request is not None else self.video.model if self.video is not None else None
        return plain(name or "")

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Width and height: the gateway's, or else those its table promises."""
        if self.video is not None and self.video.width and self.video.height:
            return self.video.width, self.video.height
        capability = self.capabilities.find(self.request.model) if self.request is not None else None
        return capability.pixels(self.request) if capability is not None and self.request is not None else None

    @property
    def seconds(self) -> float | None:
        """Length in seconds: the gateway's, or else the one its table promises."""
        if self.video is not None and self.video.seconds is not None:
            return self.video.seconds
        capability = self.capabilities.find(self.request.model) if self.request is not None else None
        return capability.seconds_of(self.request) if capability is not None and self.request is not None else None

    @property
    def bytes(self) -> int | None:
        """Size of the saved file."""
        return self.video.bytes_written if self.video is not None else None

    @property
    def sha256(self) -> str | None:
        """Hex digest of the saved file."""
        return self.video.sha256 if self.video is not None else None

    @property
    def state(self) -> State:
        """What a card shows of it: saved, failed, uncertain or unfinished."""
        if not self.ended:
            return "unfinished"
        if self.error is None:
            return "saved"
        if isinstance(self.error, SubmitUncertain):
            return "uncertain"
        return "unfinished" if is_resumable(self.error) else "failed"


def _error_of_job(job: JobInfo) -> VideoError | None:
    if job.state is JobState.DROPPED and job.error is None:
        return RequestRefused("the job was dropped by decision of the user", job_key=job.key, job_id=job.id)
    return job.error if job.state.ended else None
