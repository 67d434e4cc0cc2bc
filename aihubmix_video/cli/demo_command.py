"""The demo: several videos of different families through the sandbox, from the file of prompts beside this module."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from aihubmix_video.cli.batch_command import BatchRun
from aihubmix_video.cli.open_batch_file import OutputPlaces, opened
from aihubmix_video.cli.result_tables import videos_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from aihubmix_video.cli.exit_codes import ExitCode
    from aihubmix_video.cli.row_result import RowResult
    from aihubmix_video.cli.runner import Runner
    from aihubmix_video.session.session import VideoSession

__all__ = ["FOLDER", "SPEED", "demo", "demo_batch", "greeting"]

FOLDER = "demo-videos"
SPEED = 12.0  # a minute in five seconds: the whole in about twenty, time enough to see it work
NAME = "{index:02d}-{key}.mp4"


@contextmanager
def demo_batch(folder: Path) -> Iterator[BatchRun]:
    """Give the demo's batch, whose videos replace those of an earlier demo in *folder*."""
    with as_file(files("aihubmix_video.cli") / "demo.jsonl") as rows, opened(str(rows), None, {}) as file:
        yield BatchRun(file=file, places=OutputPlaces.under(folder, NAME), validate="strict", overwrite=True)


def greeting(videos: int) -> str:
    """Say what is about to happen."""
    return f"{videos} videos, made by a gateway on this machine: no key, no network, no cost.\n"


async def demo(runner: Runner, folder: Path) -> ExitCode:
    """Make the demo's videos in *folder*, and show them."""
    seen: list[RowResult] = []
    with demo_batch(folder) as batch:
        total = batch.plan().total.videos
        runner.screen.say(greeting(total))

        async def work(session: VideoSession) -> AsyncIterator[RowResult]:
            async for outcome in batch.outcomes(session):
                seen.append(outcome)
                yield outcome

        code = await runner.follow(work, total)
    if not runner.screen.json:
        runner.screen.say("")
        runner.screen.table(videos_table(sorted(seen, key=lambda outcome: outcome.index)))
    for line in _next(folder):
        runner.screen.say(line)
    return code


def _next(folder: Path) -> tuple[str, ...]:
    return (
        "",
        f"The files are real MP4s in {folder}/; play one. Next:",
        "  aihubmix-video models                                   what each model takes",
        "  export AIHUBMIX_API_KEY=…                               your key",
        "  aihubmix-video generate 'a cat plays jazz' -m sora-2 -o cat.mp4",
    )
