"""The command ``download``: the videos of jobs that were bought earlier."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import TYPE_CHECKING, Annotated

from aihubmix_video.cli.command_options import OUTPUT_PATH, OutputOptions, SandboxOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.output_paths import files_of, key_of
from aihubmix_video.cli.runner import Runner, required, run_command
from aihubmix_video.errors import JobNotFound, VideoError
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.types.video import Video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aihubmix_video.errors import Charged
    from aihubmix_video.session.session import VideoSession

__all__ = ["download"]


def download(
    *ids: str,
    output: Annotated[Path | None, OUTPUT_PATH] = None,
    overwrite: bool = False,
    now: bool = False,
    session: SessionOptions = SessionOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Wait for jobs bought earlier, and save their videos.

    Args:
        ids: Ids of the jobs, whole.
        output: The file of a single video, or a folder. [default: this folder]
        overwrite: Replace existing files.
        now: Ask for the content at once, whatever the gateway says of the job's status.
        session: How the gateway is reached.
        how: What is printed.
    """
    files = files_of(required(ids), output)
    runner = Runner(session=session, sandbox=SandboxOptions(), screen=Screen.of_options(how))
    work = runner.follow(lambda opened: downloaded(opened, files, overwrite=overwrite, now=now), len(files))
    return run_command(runner.screen, work)


async def downloaded(
    session: VideoSession, files: Sequence[tuple[str, Path]], *, overwrite: bool, now: bool = False
) -> AsyncIterator[RowResult]:
    """Wait for jobs bought earlier, or not with *now*, and yield the result of each as soon as its video is saved."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def fetched(index: int, video_id: str, path: Path) -> RowResult:
        key = key_of(video_id)
        try:
            if now:
                video = await session.videos.download_content(video_id, path, overwrite=overwrite)
            else:
                video = await session.job(video_id).save(path, overwrite=overwrite)
        except VideoError as error:
            known = Video(id=video_id)
            charged: Charged = "unknown" if isinstance(error, JobNotFound) else "yes"
            return RowResult(index=index, key=key, video=known, error=error, charged=charged)
        return RowResult(index=index, key=key, video=video, path=video.path, charged="yes", took=loop.time() - began)

    tasks = [asyncio.create_task(fetched(index, *file)) for index, file in enumerate(files)]
    try:
        for task in asyncio.as_completed(tasks):
            yield await task
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
