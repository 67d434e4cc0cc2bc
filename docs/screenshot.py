# ruff: noqa: INP001 - a program, not a package
"""Draw `demo.svg`, the README's figure: the live display in the midst of a real demo. Run: ``python docs/screenshot.py``."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, chdir
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from aihubmix_video.cli.command_options import SandboxOptions, SessionOptions
from aihubmix_video.cli.console import LIVE_SECONDS, Screen
from aihubmix_video.cli.demo_command import FOLDER, SPEED, demo_batch, greeting
from aihubmix_video.cli.runner import Runner

FIGURE = Path(__file__).resolve().parent / "demo.svg"
COLUMNS, LINES = 112, 24
FINISHED = 4  # videos on disk at the moment of the picture


async def take(folder: Path) -> Console:
    """Run the demo until some of its videos are there, and give the console with what was on it."""
    console = Console(record=True, file=StringIO(), width=COLUMNS, height=LINES, force_terminal=True, highlight=False)
    screen = Screen(console=console, out=StringIO(), live=True, quiet=False)
    runner = Runner(session=SessionOptions(), sandbox=SandboxOptions(sandbox=True, speed=SPEED), screen=screen)
    console.print(Text.assemble(("$ ", "dim"), ("aihubmix-video demo", "bold")))
    with demo_batch(folder) as batch:
        total = batch.plan().total.videos
        screen.say(greeting(total))
        screen.begin(total)
        async with runner.opened() as session, aclosing(batch.results(session)) as results:  # type: ignore[type-var]
            watcher = asyncio.create_task(_watch(screen, session.jobs))
            for _ in range(FINISHED):
                screen.finished(await anext(results))
            console.print(screen.picture(session.jobs()))
            watcher.cancel()
    return console


async def _watch(screen: Screen, jobs) -> None:  # noqa: ANN001 - a method of the session
    """Let the screen see the jobs as often as in real life: it remembers how long each has run."""
    while True:
        screen.picture(jobs())
        await asyncio.sleep(LIVE_SECONDS)


def main() -> None:
    """Take the picture; the fonts it would fetch from elsewhere are left out."""
    with TemporaryDirectory() as name, chdir(name):
        taken = asyncio.run(take(Path(FOLDER)))
    picture = taken.export_svg(title="aihubmix-video demo", unique_id="demo")
    FIGURE.write_text(re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
