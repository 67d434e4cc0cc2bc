"""A video as the gateway last described it, and where its file lies."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from aihubmix_video.errors import SessionClosed

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Status", "Video"]


class Status(StrEnum):
    """Where a job stands. The gateway's many words are folded into these (see `protocol.decode_video`)."""

    PENDING = "pending"
    """Ours: not yet accepted by the gateway."""
    QUEUED = "queued"
    """Accepted and waiting at the vendor."""
    IN_PROGRESS = "in_progress"
    """Being generated; also every word we do not know."""
    COMPLETED = "completed"
    """Finished; its content can be fetched."""
    FAILED = "failed"
    """Ended without a video."""
    UNCERTAIN = "uncertain"
    """Ours: the create may or may not have been bought (`SubmitUncertain`)."""

    @property
    def terminal(self) -> bool:
        """Whether the gateway will not change it any more."""
        return self in TERMINAL


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED})


class Saver(Protocol):
    """Fetches a finished video to *path*; lent to a `Video` by the session it came from."""

    async def __call__(self, video_id: str, path: str | os.PathLike[str], *, overwrite: bool) -> Video: ...


@attrs.frozen(kw_only=True)
class Video:
    """One video job as its gateway describes it, and its file once saved.

    Attributes:
        id: The gateway's id, opaque, 90 to 260 characters.
        model: The model's name, as the gateway repeats it.
        status: Where the job stands.
        seconds: Length asked for, in seconds.
        width: Pixels; also `height`.
        progress: Percent, 0 to 100, where the vendor reports it.
        created_at: Unix seconds on the gateway's clock; also `completed_at` and `expires_at`.
        error: The vendor's words when it failed.
        path: The saved file, absolute; None until saved.
        bytes_written: Size of the saved file in bytes.
        sha256: Hex digest of the saved file.
        verified: True when the file was proved whole, False when it could not be proved, None when not saved.
        unverified: Why it could not be proved, completing "the file …"; None otherwise.
        object_url: Where its object lies, if it was saved to an object store; `path` is None then.
        raw: The gateway's answer as received, for fields that have no name here.
    """

    id: str
    model: str | None = None
    status: Status = Status.IN_PROGRESS
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    progress: float | None = None
    created_at: float | None = None
    completed_at: float | None = None
    expires_at: float | None = None
    error: str | None = None
    path: Path | None = None
    bytes_written: int | None = None
    sha256: str | None = None
    verified: bool | None = None
    unverified: str | None = None
    object_url: str | None = None
    # Any: a JSON object of the vendor's making; users index it with keys that we cannot foresee.
    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False, eq=False)
    _saver: Saver | None = attrs.field(default=None, repr=False, eq=False)

    @property
    def location(self) -> str | None:
        """Where it was saved: the path, or the object's URL; None until saved."""
        return self.object_url or (None if self.path is None else str(self.path))

    @property
    def doubt(self) -> str | None:
        """Why its saved file may not be whole, as a sentence; None if it is proved whole, or not saved."""
        if self.verified is not False:
            return None
        return f"Not proved whole: the file {self.unverified or 'could have been cut without a trace'}."

    async def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Video:
        """Fetch the video to *path* and verify it.

        Args:
            path: The file to write; its folder must exist.
            overwrite: Replace an existing file, atomically. Without it an existing file is an error.

        Returns:
            This video with `path`, `bytes_written`, `sha256` and `verified` set.

        Raises:
            InvalidRequest: *path* exists, is a folder or cannot be written.
            DownloadFailed: The file could not be brought whole; nothing was left at *path*. Resumable.
            JobExpired: The link is gone.
            SessionClosed: The session that made this video is closed.
        """
        if self._saver is None:
            raise SessionClosed("this video belongs to no open session", job_id=self.id)
        saved = await self._saver(self.id, path, overwrite=overwrite)
        return attrs.evolve(
            self,
            path=saved.path,
            bytes_written=saved.bytes_written,
            sha256=saved.sha256,
            verified=saved.verified,
            unverified=saved.unverified,
            object_url=saved.object_url,
        )
