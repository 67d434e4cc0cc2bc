"""What a session tells its users while it works: job events, batch items and statistics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.errors import Charged, VideoError
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.types.video import Status, Video

__all__ = ["BatchItem", "JobEvent", "RequestEnd", "RequestHold", "SessionStats"]


@attrs.frozen(kw_only=True)
class JobEvent:
    """Something changed about one job.

    Attributes:
        job: The job's local key.
        status: Where it stands now.
        progress: Percent, 0 to 100, never falling; None where the vendor reports none.
        eta: Seconds until it is expected to finish, or None when nothing is known.
        bytes_done: Bytes of its file on disk so far.
        bytes_total: Size of its file in bytes, where the gateway says it.
        at: Unix seconds on this machine's clock.
        eta_range: Seconds between which eight in ten such jobs finish, where `eta` is known.
        note: What keeps the job, in a few words, such as polls that fail one after the other; None while all is well.
    """

    job: str
    status: Status
    progress: float | None = None
    eta: float | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    at: float
    eta_range: tuple[float, float] | None = None
    note: str | None = None

    @property
    def key(self) -> str:
        """The job's local key, as `Job.key` and `BatchItem.key` call it."""
        return self.job


@attrs.frozen(kw_only=True)
class RequestEnd:
    """One request about a job was answered, or failed.

    Attributes:
        job: The job's local key.
        request: What was asked for.
        began: Unix seconds at which the rate let it leave; what is prepared before its first byte is included.
        ended: Unix seconds at which everything that it brought was noted.
        error: Why it brought nothing; None if it did.
    """

    job: str
    request: Literal["create", "poll", "download"]
    began: float
    ended: float
    error: VideoError | None = None


@attrs.frozen(kw_only=True)
class BatchItem:
    """The outcome of one row of a batch.

    Attributes:
        index: Position of the row, from 0.
        key: The job's local key; None for a row that never became a job.
        request: The request, or None when the row could not be read as one.
        video: The video, once the gateway described one.
        path: Its file, absolute; None when it was not saved.
        error: Why it did not succeed; None when it did.
        charged: Whether money was spent on it.
        earlier: Whether it had ended in an earlier run, and the ledger tells it again.
    """

    index: int
    key: str | None = None
    request: VideoRequest | None
    video: Video | None = None
    path: Path | None = None
    error: VideoError | None = None
    charged: Charged
    earlier: bool = False

    @property
    def location(self) -> str | None:
        """Where its video was saved: the path, or the object's URL; None when it was not saved."""
        return self.video.location if self.video is not None else None

    @property
    def ok(self) -> bool:
        """Whether the row ended as it should."""
        return self.error is None


@attrs.frozen(kw_only=True)
class RequestHold:
    """Requests of one kind that are not sent for a while.

    Attributes:
        requests: ``"creates"``, ``"polls"``, ``"downloads"`` or ``"polls and downloads"``.
        until: Unix seconds on this machine's clock at which they are sent again, as far as is known now.
        reason: Why, in words.
    """

    requests: str
    until: float
    reason: str

    def __str__(self) -> str:
        clock = datetime.fromtimestamp(self.until, UTC).astimezone().strftime("%H:%M:%S")
        return f"{self.requests} wait until {clock}: {self.reason}"


@attrs.frozen(kw_only=True)
class SessionStats:
    """What one session is doing and has done; a snapshot.

    Attributes:
        queued: Jobs not yet sent; the older name of `waiting`, kept since users rely on it.
        in_flight: Jobs bought, or being bought, and not yet finished.
        downloading: Videos streaming to disk now.
        finished: Jobs ended well.
        failed: Jobs ended otherwise, those uncertain included.
        creates_sent: Create requests sent; also `polls_sent`, `downloads_sent` and `others_sent`.
        rate: Requests per second in force.
        holds: Requests that are not sent for a while, such as creates after "too many requests": which, until when, and why.
        cooling_until: Unix seconds on this machine's clock from which the gateway may be asked again; None when it may be
            asked now.
    """

    queued: int
    in_flight: int
    downloading: int
    finished: int
    failed: int
    creates_sent: int
    polls_sent: int
    downloads_sent: int
    others_sent: int
    rate: float
    cooling_until: float | None
    holds: tuple[RequestHold, ...] = ()

    @property
    def waiting(self) -> int:
        """Jobs that the gateway has not accepted yet, as `JobState.WAITING` calls them."""
        return self.queued

    @property
    def requests_sent(self) -> int:
        """All requests that left, whatever their kind."""
        return self.creates_sent + self.polls_sent + self.downloads_sent + self.others_sent
