"""The command ``resume``: everything unfinished in a ledger."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from aihubmix_video.cli.command_options import FILE, DecidingOptions, OutputOptions, SandboxOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.ledger_location import LedgerLocation, ledger_at, ledger_summary
from aihubmix_video.cli.runner import Runner, run_command
from aihubmix_video.cli.temporal_options import ServerOptions
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.session.decisions import decisions_of, row_key_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aihubmix_video.session.decisions import Decision
    from aihubmix_video.session.session import VideoSession

__all__ = ["resume"]


def resume(
    ledger: Path,
    /,
    *,
    sidecar: Annotated[bool, Parameter(group=FILE)] = False,
    gallery: Annotated[bool, Parameter(group=FILE)] = False,
    deciding: DecidingOptions = DecidingOptions(),
    session: SessionOptions = SessionOptions(),
    server: ServerOptions = ServerOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Resume everything unfinished in a ledger: what was bought is fetched, what was never sent is bought.

    Jobs that may have been bought are listed each time, until it is decided what is to become of them.

    Args:
        ledger: Folder of a batch, or the ledger itself; with --temporal, the name of a batch.
        sidecar: Write NAME.json beside each video.
        gallery: Write index.html beside the ledger: everything in it on one page.
        deciding: What is to become of jobs that may have been bought.
        session: How the gateway is reached.
        server: Which Temporal server, for a batch that runs there.
        how: What is printed.
    """
    screen = Screen.of_options(how)
    if server.temporal is not None:
        from aihubmix_video.cli.temporal_batches import resume_batch  # noqa: PLC0415  # needs the extra, and says so

        return run_command(screen, resume_batch(str(ledger), server, deciding, screen))
    path = ledger_at(ledger)
    if not path.exists():
        screen.error(f"there is not a ledger {path}. `aihubmix-video batch FILE -o DIR` makes one in DIR.")
        return ExitCode.NO_INPUT
    location = LedgerLocation.of(path, session, place=ledger)
    runner = Runner(session=session, sandbox=SandboxOptions(), screen=screen, location=location, sidecar=sidecar)
    if gallery:
        runner = runner.with_gallery(path.parent)
    return run_command(screen, resume_ledger(runner, location, deciding), location)


async def resume_ledger(runner: Runner, location: LedgerLocation, deciding: DecidingOptions) -> ExitCode:
    """Decide what the user has decided, and resume what is left."""
    summary = await ledger_summary(location)
    decisions = decisions_of(
        *(summary.uncertain, deciding.attach or (), deciding.resubmit or (), deciding.drop or ()), failed=summary.failed
    )
    if not summary.left and not decisions:
        runner.screen.insist(f"Nothing is left to do in {location.path}: {summary}.")
        if runner.gallery is not None:
            await runner.gallery.complete()
        return ExitCode.DONE
    keys = {entry.key: key for entry in (*summary.left, *summary.failed) if (key := row_key_of(entry)) is not None}
    again = {each.key for each in decisions if each.resubmit} & {entry.key for entry in summary.failed}
    total = len(summary.left) + len(again) - sum(each.drop for each in decisions)
    return await runner.follow(lambda session: resumed(session, decisions, keys), total)


async def resumed(
    session: VideoSession, decisions: Sequence[Decision], keys: Mapping[str, str]
) -> AsyncIterator[RowResult]:
    """Carry out the user's decisions, then yield the result of everything that was left.

    Args:
        session: The session of the ledger.
        decisions: What becomes of uncertain jobs.
        keys: The rows' own keys, by job.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    for each in decisions:
        await session.decide(each.key, attach=each.attach, resubmit=each.resubmit, drop=each.drop)
    async with aclosing(session.resume()) as finished:
        async for item in finished:
            yield RowResult.of(item, key=keys.get(item.key or ""), took=loop.time() - began)
