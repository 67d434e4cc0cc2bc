"""The command ``delete``: jobs, deleted at the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.cli.command_options import OutputOptions, SandboxOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.result_lines import error_object
from aihubmix_video.cli.runner import Runner, print_errors, required, run_command
from aihubmix_video.cli.text_format import safe
from aihubmix_video.errors import VideoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.cli.exit_codes import ExitCode

__all__ = ["delete"]


def delete(*ids: str, session: SessionOptions = SessionOptions(), how: OutputOptions = OutputOptions()) -> int:
    """Delete jobs at the gateway. Kling has no delete.

    Args:
        ids: Ids of the jobs, whole.
        session: How the gateway is reached.
        how: What is printed.
    """
    runner = Runner(session=session, sandbox=SandboxOptions(), screen=Screen.of_options(how))
    return run_command(runner.screen, delete_jobs(runner, required(ids)))


async def delete_jobs(runner: Runner, ids: Sequence[str]) -> ExitCode:
    """Delete jobs at the gateway, and print what came of each."""
    answers = await runner.each(ids, lambda session, video_id: session.videos.delete(video_id))
    for video_id, answer in zip(ids, answers, strict=True):
        if runner.screen.json:
            error = error_object(answer) if isinstance(answer, VideoError) else None
            runner.screen.objects([{"id": video_id, "deleted": error is None, "error": error}])
        elif answer is None:
            runner.screen.result(f"deleted {safe(video_id)}")
    return print_errors(runner.screen, ids, answers)
