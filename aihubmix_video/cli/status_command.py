"""The command ``status``: how jobs stand at the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from aihubmix_video.cli.command_options import OutputOptions, SandboxOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.result_lines import error_object
from aihubmix_video.cli.runner import Runner, print_errors, required, run_command
from aihubmix_video.cli.table_format import new_table
from aihubmix_video.cli.temporal_options import ServerOptions
from aihubmix_video.cli.text_format import pixels_text, safe, seconds_text, short_id
from aihubmix_video.errors import VideoError
from aihubmix_video.protocol.decode_video import status_word
from aihubmix_video.types.video import Video

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from aihubmix_video.cli.exit_codes import ExitCode

__all__ = ["status"]


def status(
    *ids: str,
    session: SessionOptions = SessionOptions(),
    server: ServerOptions = ServerOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Ask the gateway how jobs stand.

    Args:
        ids: Ids of the jobs, whole; with --temporal, the name of a batch.
        session: How the gateway is reached.
        server: Which Temporal server, for a batch that runs there.
        how: What is printed.
    """
    runner = Runner(session=session, sandbox=SandboxOptions(), screen=Screen.of_options(how))
    if server.temporal is not None:
        from aihubmix_video.cli.temporal_batches import show_batch, the_name  # noqa: PLC0415  # needs the extra, and says so

        return run_command(runner.screen, show_batch(the_name(ids), server, runner.screen))
    return run_command(runner.screen, print_statuses(runner, required(ids)))


async def print_statuses(runner: Runner, ids: Sequence[str]) -> ExitCode:
    """Ask about jobs once, and print how each stands."""
    answers = await runner.each(ids, lambda session, video_id: session.videos.retrieve(video_id))
    if runner.screen.json:
        runner.screen.objects(status_object(*pair) for pair in zip(ids, answers, strict=True))
    elif videos := [answer for answer in answers if isinstance(answer, Video)]:
        piped = not runner.screen.out.isatty()
        longest = max(len(video.id) for video in videos)
        runner.screen.table(statuses_table(videos, whole_ids=piped), cell_width=longest if piped else 0)
    return print_errors(runner.screen, ids, answers)


def statuses_table(videos: Sequence[Video], *, whole_ids: bool = False) -> Table:
    """Return a table of how jobs stand; an id is cut where a person reads it, and whole where a program may."""
    table = new_table("id", "model", "status", "progress", "length", "picture", "error")
    for video in videos:
        size = (video.width, video.height) if video.width and video.height else None
        table.add_row(
            Text(safe(video.id, 300) if whole_ids else safe(short_id(video.id)), no_wrap=whole_ids),
            safe(video.model or "", 40),
            Text(_status_text(video)),
            "" if video.progress is None else f"{video.progress:.0f}%",
            seconds_text(video.seconds),
            pixels_text(size),
            Text(safe(video.error or "", 200)),
        )
    return table


def _status_text(video: Video) -> str:
    """Return the status, with the gateway's own word where that is another one."""
    word = safe(status_word(video), 40)
    return video.status.value if not word or word == video.status.value else f"{video.status.value} ({word})"


def status_object(video_id: str, answer: Video | VideoError) -> dict[str, object]:
    """Return a job's state as ``--json`` prints it."""
    video = answer if isinstance(answer, Video) else Video(id=video_id)
    known = isinstance(answer, Video)
    failed = {"type": "JobFailed", "message": safe(video.error)} if video.error is not None else None
    return {
        "id": video_id,
        "model": video.model,
        "status": video.status.value if known else None,
        "said": safe(status_word(video), 80) or None if known else None,
        "progress": video.progress,
        "seconds": video.seconds,
        "width": video.width,
        "height": video.height,
        "created_at": video.created_at,
        "completed_at": video.completed_at,
        "expires_at": video.expires_at,
        "error": failed if known else error_object(answer if isinstance(answer, VideoError) else None),
    }
