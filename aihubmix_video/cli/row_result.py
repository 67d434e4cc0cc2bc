"""What came of one video, and how it is told: as a JSON object, as a line, as advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities import find_capability
from aihubmix_video.cli.exit_codes import goes_on
from aihubmix_video.cli.text_format import bytes_text, error_text, pixels_text, safe, seconds_text, took_text
from aihubmix_video.errors import Charged, SubmitUncertain, VideoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from aihubmix_video.types.events import BatchItem
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.types.video import Video

__all__ = [
    "RowResult",
    "error_object",
    "failure_line",
    "finished_line",
    "go_on_lines",
    "outcome_object",
    "resume_lines",
]


@attrs.frozen(kw_only=True)
class RowResult:
    """The end of one row, of whatever command.

    Attributes:
        index: Position of the row, from 0.
        key: The row's own name, or else the session's short key; None when it never became a job.
        request: What was asked for, where it is known.
        video: The video, once the gateway described one.
        path: Its file, absolute; None when it was not saved.
        error: Why it did not succeed; None when it did.
        charged: Whether money was spent on it.
        took: Seconds since the command began its work.
        skipped: Whether its file was there already, so that nothing was done.
        job_key: The job's key in the session and the ledger; None when it never became a job.
        earlier: Whether it had ended in an earlier run.
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

    @classmethod
    def of(cls, item: BatchItem, *, key: str | None = None, took: float | None = None) -> RowResult:
        """Take over a batch item."""
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

    @property
    def id(self) -> str | None:
        """The gateway's id, from the video or else from the error."""
        if self.video is not None:
            return self.video.id
        return self.error.job_id if self.error is not None else None

    @property
    def model(self) -> str:
        """The model's name, as asked for or else as the gateway says it."""
        name = self.request.model if self.request is not None else self.video.model if self.video is not None else None
        return safe(name or "")

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Width and height: the gateway's, or else those its table promises."""
        if self.video is not None and self.video.width and self.video.height:
            return self.video.width, self.video.height
        capability = find_capability(self.request.model) if self.request is not None else None
        return capability.pixels(self.request) if capability is not None and self.request is not None else None

    @property
    def seconds(self) -> float | None:
        """Length in seconds, likewise."""
        if self.video is not None and self.video.seconds is not None:
            return self.video.seconds
        capability = find_capability(self.request.model) if self.request is not None else None
        return capability.seconds_of(self.request) if capability is not None and self.request is not None else None

    @property
    def bytes(self) -> int | None:
        """Size of the saved file."""
        return self.video.bytes_written if self.video is not None else None

    @property
    def sha256(self) -> str | None:
        """Hex digest of the saved file."""
        return self.video.sha256 if self.video is not None else None


def outcome_object(outcome: RowResult) -> dict[str, object]:
    """Give an outcome as the object that ``--json`` prints."""
    return {
        "index": outcome.index,
        "key": outcome.key,
        "id": outcome.id,
        "status": _status(outcome),
        "path": str(outcome.path) if outcome.path is not None else None,
        "sha256": outcome.sha256,
        "error": error_object(outcome.error),
        "charged": outcome.charged,
    }


def _status(outcome: RowResult) -> str | None:
    if outcome.skipped:
        return "skipped"
    if isinstance(outcome.error, SubmitUncertain):
        return "uncertain"
    return outcome.video.status.value if outcome.video is not None else None


def error_object(error: VideoError | None) -> dict[str, str] | None:
    """Give an error as JSON prints it."""
    return {"type": type(error).__name__, "message": error_text(error)} if error is not None else None


def finished_line(outcome: RowResult) -> str:
    """Say what is known of a saved video, without its path."""
    facts = (
        outcome.model,
        pixels_text(outcome.pixels),
        seconds_text(outcome.seconds),
        bytes_text(outcome.bytes),
        f"in {took_text(outcome.took)}" if outcome.took is not None else "",
    )
    return "  ".join(filter(None, facts))


def failure_line(outcome: RowResult, *, alone: bool = False) -> str:
    """Say why a video is not there; *alone* when there is no other to tell it from."""
    name = f" ({safe(outcome.key, 64)})" if outcome.key else ""
    return f"{'' if alone else f'row {outcome.index}{name}: '}{error_text(outcome.error) if outcome.error is not None else ''}"


def go_on_lines(outcomes: Iterable[RowResult]) -> Iterator[str]:
    """Say how to go on with jobs that live on at the gateway, one line per id."""
    ids = [each.id for each in outcomes if each.error is not None and goes_on(each.error) and each.id is not None]
    yield from resume_lines(ids)


def resume_lines(ids: Iterable[str]) -> Iterator[str]:
    """Say which jobs live on at the gateway, and the commands that go on with them."""
    names = [safe(each) for each in ids]
    if names:
        yield f"{len(names)} paid job{'s live' if len(names) > 1 else ' lives'} on at the gateway; go on with"
        yield from (f"  aihubmix-video download {name}" for name in names)
        yield "or look with `aihubmix-video status ID`. Do not submit them again."
