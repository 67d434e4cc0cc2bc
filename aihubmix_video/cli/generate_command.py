"""The command ``generate``: one video, bought, waited for and saved."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from aihubmix_video.cli.command_options import (
    OUTPUT_PATH,
    ContentOptions,
    FieldOptions,
    KeepingOptions,
    OutputOptions,
    SandboxOptions,
    SessionOptions,
)
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.ledger_location import LedgerLocation
from aihubmix_video.cli.output_paths import file_of
from aihubmix_video.cli.prompt_source import prompt_of
from aihubmix_video.cli.runner import Runner, run_command
from aihubmix_video.errors import VideoError
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video.session.session import VideoSession

__all__ = ["generate"]


def generate(  # noqa: PLR0913  # each is an option, or a group of options
    prompt: str,
    /,
    *,
    model: Annotated[str, Parameter(name=("--model", "-m"))],
    output: Annotated[Path | None, OUTPUT_PATH] = None,
    overwrite: bool = False,
    keeping: KeepingOptions = KeepingOptions(),
    fields: FieldOptions = FieldOptions(),
    references: ContentOptions = ContentOptions(),
    session: SessionOptions = SessionOptions(),
    sandbox: SandboxOptions = SandboxOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Buy one video, wait for it, and save it.

    Args:
        prompt: What to show; - reads it from standard input, @FILE from a file (@@ begins a prompt with @). One that begins with - goes after --, at the end.
        model: The model's name; `aihubmix-video models` lists them.
        output: The file, or a folder: what has no extension is one, made if need be. [default: the prompt's first words]
        overwrite: Replace an existing file.
        keeping: What is kept beside it.
        fields: What the model takes.
        references: What Seedance may look at.
        session: How the gateway is reached.
        sandbox: Whether everything happens here.
        how: What is printed.
    """
    prompt = prompt_of(prompt)
    content = {"content": references.added_to(fields.content)}
    request = VideoRequest.from_mapping({"model": model, "prompt": prompt, **fields.given(), **content})
    path = file_of(prompt, output)
    screen = Screen.of_options(how)
    location = LedgerLocation.of(keeping.ledger, session) if keeping.ledger is not None else None
    runner = Runner(session=session, sandbox=sandbox, screen=screen, location=location, sidecar=keeping.sidecar)
    work = runner.follow(lambda opened: generated(opened, request, path, overwrite=overwrite), 1)
    return run_command(screen, work, location)


async def generated(
    session: VideoSession, request: VideoRequest, path: Path, *, overwrite: bool
) -> AsyncIterator[RowResult]:
    """Yield the result of a single video."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        job = await session.submit(request, to=path, overwrite=overwrite)
    except VideoError as error:
        yield RowResult(index=0, request=request, error=error, charged=error.charged)
        return
    try:
        video = await job
    except VideoError as error:
        yield RowResult(index=0, key=job.key, request=request, error=error, charged=error.charged)
        return
    took = loop.time() - began
    yield RowResult(index=0, key=job.key, request=request, video=video, path=video.path, charged="yes", took=took)
