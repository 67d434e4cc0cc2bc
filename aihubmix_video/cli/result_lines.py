"""How the result of one video is printed: as a JSON object, as a line, as advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.cli.text_format import bytes_text, error_text, pixels_text, safe, seconds_text, took_text
from aihubmix_video.errors import SubmitUncertain, VideoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aihubmix_video.gallery.row_result import RowResult

__all__ = ["error_object", "failure_line", "finished_line", "result_object", "resume_lines"]


def result_object(result: RowResult) -> dict[str, object]:
    """Return a result as the object that ``--json`` prints."""
    return {
        "index": result.index,
        "key": result.key,
        "id": result.id,
        "status": _status(result),
        "path": result.location,
        "sha256": result.sha256,
        "verified": result.video.verified if result.video is not None else None,
        "unverified": result.video.unverified if result.video is not None else None,
        "error": error_object(result.error),
        "charged": result.charged,
    }


def _status(result: RowResult) -> str | None:
    if result.skipped:
        return "skipped"
    if isinstance(result.error, SubmitUncertain):
        return "uncertain"
    return result.video.status.value if result.video is not None else None


def error_object(error: VideoError | None) -> dict[str, str] | None:
    """Return an error as ``--json`` prints it."""
    return {"type": type(error).__name__, "message": error_text(error)} if error is not None else None


def finished_line(result: RowResult) -> str:
    """Return what is known of a saved video, without its path."""
    facts = (
        result.model,
        pixels_text(result.pixels),
        seconds_text(result.seconds),
        bytes_text(result.bytes),
        f"in {took_text(result.took)}" if result.took is not None else "",
        safe(result.video.doubt, 200) if result.video is not None and result.video.doubt is not None else "",
    )
    return "  ".join(filter(None, facts))


def failure_line(result: RowResult, *, alone: bool = False) -> str:
    """Return why a row has no video; *alone* if it is the only one, which needs no name."""
    name = f" ({safe(result.key, 64)})" if result.key else ""
    return f"{'' if alone else f'row {result.index}{name}: '}{error_text(result.error) if result.error is not None else ''}"


def resume_lines(ids: Iterable[str]) -> Iterator[str]:
    """Yield which jobs live on at the gateway, and the commands that resume them."""
    names = [safe(each) for each in ids]
    if names:
        yield f"{len(names)} paid job{'s live' if len(names) > 1 else ' lives'} on at the gateway; fetch with"
        yield from (f"  aihubmix-video download {name}" for name in names)
        yield "or look with `aihubmix-video status ID`. Do not submit them again."
