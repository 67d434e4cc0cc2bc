"""The command ``demo``: several videos of different families through the sandbox, from `demo.jsonl`."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.text import Text

from aihubmix_video.cli.batch_run import BatchRun
from aihubmix_video.cli.command_options import OUTPUT_PATH, OutputOptions, SandboxOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.open_batch_file import OutputPlaces, opened
from aihubmix_video.cli.runner import Runner, run_command
from aihubmix_video.cli.table_format import new_table
from aihubmix_video.cli.text_format import bytes_text, pixels_text, seconds_text, took_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from rich.table import Table

    from aihubmix_video.cli.exit_codes import ExitCode
    from aihubmix_video.gallery.row_result import RowResult
    from aihubmix_video.session.session import VideoSession

__all__ = ["FOLDER", "SPEED", "demo", "demo_batch", "greeting"]

FOLDER = "demo-videos"
SPEED = 12.0
"""A minute in five seconds: the whole in about twenty, time enough to see it work."""
NAME = "{index:02d}-{key}.mp4"


def demo(
    *,
    output: Annotated[Path, OUTPUT_PATH] = Path(FOLDER),
    speed: float = SPEED,
    how: OutputOptions = OutputOptions(),
) -> int:
    """Make eight videos of different models on this machine: no key, no network, no cost.

    Args:
        output: Folder for the videos; those of an earlier demo are replaced. [default: demo-videos]
        speed: How much faster than the vendors. [default: 12]
        how: What is printed.
    """
    screen = Screen.of_options(how)
    runner = Runner(session=SessionOptions(), sandbox=SandboxOptions(sandbox=True, speed=speed), screen=screen)
    return run_command(screen, make_demo(runner, output))


@contextmanager
def demo_batch(folder: Path) -> Iterator[BatchRun]:
    """Open the demo's batch, whose videos replace those of an earlier demo in *folder*."""
    with as_file(files("aihubmix_video.cli") / "demo.jsonl") as rows, opened(str(rows), None, {}) as file:
        yield BatchRun(file=file, places=OutputPlaces.under(folder, NAME), validate="strict", overwrite=True)


def greeting(videos: int) -> str:
    """Return what is about to happen."""
    return f"{videos} videos, made by a gateway on this machine: no key, no network, no cost.\n"


async def make_demo(runner: Runner, folder: Path) -> ExitCode:
    """Make the demo's videos in *folder*, and print what they are."""
    seen: list[RowResult] = []
    with demo_batch(folder) as batch:
        total = batch.plan().total.videos
        runner.screen.say(greeting(total))

        async def work(session: VideoSession) -> AsyncIterator[RowResult]:
            async for result in batch.results(session):
                seen.append(result)
                yield result

        code = await runner.follow(work, total)
    if not runner.screen.json:
        runner.screen.say("")
        runner.screen.table(videos_table(sorted(seen, key=lambda result: result.index)))
    for line in _next(folder):
        runner.screen.say(line)
    return code


def videos_table(results: Iterable[RowResult]) -> Table:
    """Return a table of finished videos, and of those that failed."""
    table = new_table("file", "model", "picture", "length", "size", "sha256", "took")
    table.columns[0].no_wrap = True
    for each in results:
        file = Text(each.path.name, "bold") if each.path is not None else Text("failed", "red")
        table.add_row(
            file,
            each.model,
            pixels_text(each.pixels),
            seconds_text(each.seconds),
            bytes_text(each.bytes),
            (each.sha256 or "")[:10],
            took_text(each.took),
        )
    return table


def _next(folder: Path) -> tuple[str, ...]:
    return (
        "",
        f"The files are real MP4s in {folder}/; play one. Next:",
        "  aihubmix-video models                                   what each model takes",
        "  export AIHUBMIX_API_KEY=…                               your key",
        "  aihubmix-video generate 'a cat plays jazz' -m sora-2 -o cat.mp4",
    )
