"""What the commands do with a batch on a Temporal server; it needs the extra ``temporal``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.text_format import safe
from aihubmix_video.errors import ConfigurationError, InvalidRequest
from aihubmix_video.temporal import RowPhase, connect, find_batch, run_worker, submit_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.cli.batch_run import BatchRun
    from aihubmix_video.cli.command_options import DecidingOptions
    from aihubmix_video.cli.console import Screen
    from aihubmix_video.cli.runner import Runner
    from aihubmix_video.cli.temporal_options import ServerOptions, TemporalOptions
    from aihubmix_video.temporal import BatchHandle, BatchProgress, RowState

__all__ = ["cancel_batch", "order_batch", "resume_batch", "show_batch", "the_name", "work"]

NAMED = 20
"""Rows that are named one by one."""


async def work(server: ServerOptions, runner: Runner, *, submits_at_once: int) -> ExitCode:
    """Run one session and one worker until a signal comes; the jobs that it follows move to other workers."""
    screen = runner.screen
    client = await connect(required_address(server), namespace=server.namespace)
    async with runner.opened() as session:
        screen.insist(f"Working for {server.temporal}, task queue {server.task_queue}, until Ctrl-C.")
        stop = asyncio.Event()
        working = asyncio.create_task(
            run_worker(
                client,
                session,
                stop=stop,
                task_queue=server.task_queue,
                max_in_flight=runner.session.max_in_flight or 1000,
                submits_at_once=submits_at_once,
            )
        )
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            stop.set()
            await working  # creates under way learn their ids
            raise
    return ExitCode.DONE


async def order_batch(batch: BatchRun, options: TemporalOptions, max_in_flight: int | None, screen: Screen) -> ExitCode:
    """Start a batch or join it, and follow it unless told not to."""
    client = await connect(required_address(options), namespace=options.namespace)
    handle = await submit_batch(
        client,
        batch.file.source,
        name=options.batch_name or batch.places.folder.absolute().name,
        to=batch.places.template.text,
        format=batch.file.format,
        defaults=batch.file.defaults,
        ignored=batch.file.ignored,
        validate=batch.validate,
        overwrite=batch.overwrite,
        max_in_flight=max_in_flight or 1000,
        rows_per_shard=options.rows_per_shard,
        task_queue=options.task_queue,
    )
    screen.insist(
        f"Batch {safe(handle.name)}; it can be left and joined again:\n  {_command('resume', handle, options)}"
    )
    return ExitCode.DONE if options.detach else await _follow(handle, options, screen)


async def show_batch(name: str, server: ServerOptions, screen: Screen) -> ExitCode:
    """Print how a batch stands."""
    handle = await _found(name, server)
    progress = await handle.status()
    _print(handle, progress, server, screen)
    return _exit(progress)


async def resume_batch(name: str, server: ServerOptions, deciding: DecidingOptions, screen: Screen) -> ExitCode:
    """Carry out decisions about held rows, let a halted batch buy again, and follow it."""
    handle = await _found(name, server)
    progress = await handle.status()
    held = [each.row.number for each in progress.held]
    for text in deciding.attach or ():
        number, _, video_id = text.partition("=")
        if not video_id:
            raise ConfigurationError(f"--attach {safe(text)}: give ROW=ID.")
        await handle.decide(_row(number, held), attach=video_id)
    for row in _rows(deciding.resubmit, held):
        await handle.decide(row, resubmit=True)
    for row in _rows(deciding.drop, held):
        await handle.decide(row, drop=True)
    if progress.state == "halted":
        await handle.resume()
    return await _follow(handle, server, screen)


async def cancel_batch(name: str, server: ServerOptions, screen: Screen) -> ExitCode:
    """Let a batch buy nothing more, and follow it until what was bought is collected."""
    handle = await _found(name, server)
    await handle.cancel()
    return await _follow(handle, server, screen)


def required_address(server: ServerOptions) -> str:
    """Return the server's address.

    Raises:
        ConfigurationError: It is not given.
    """
    if server.temporal is None:
        raise ConfigurationError("give the Temporal server: --temporal HOST:PORT.")
    return server.temporal


def the_name(names: Sequence[str]) -> str:
    """Return the one name of a batch.

    Raises:
        ConfigurationError: There is none, or more than one.
    """
    if len(names) != 1:
        raise ConfigurationError("give the name of one batch.")
    return names[0]


async def _found(name: str, server: ServerOptions) -> BatchHandle:
    client = await connect(required_address(server), namespace=server.namespace)
    return await find_batch(client, name)


async def _follow(handle: BatchHandle, server: ServerOptions, screen: Screen) -> ExitCode:
    progress = await handle.status()
    last = ""
    async for progress in handle.follow(every=1.0):
        line = _counts(progress)
        if line != last and not screen.json:
            screen.say(line)
        last = line
    if not screen.json:
        async for row in handle.outcomes():
            if row.phase is RowPhase.FAILED and row.error is not None:
                screen.error(f"row {row.number}: {row.error.message}" + (f" [{row.video_id}]" if row.video_id else ""))
    else:
        screen.objects([row_object(row) async for row in handle.outcomes()])
    _print(handle, progress, server, screen)
    return _exit(progress)


def _print(handle: BatchHandle, progress: BatchProgress, server: ServerOptions, screen: Screen) -> None:
    if screen.json:
        screen.objects([{"batch": handle.name, "state": progress.state, **attrs.asdict(progress.counts)}])
    else:
        screen.insist(f"{safe(handle.name)}: {progress.state}; {_counts(progress)}")
    for name in progress.lost:
        screen.error(f"shard {name} was ended from outside: what it bought is in its history alone")
    if progress.halted is not None and progress.state == "halted":
        screen.error(f"nothing more is bought: {progress.halted.message}")
        screen.insist(f"Once that is put right:\n  {_command('resume', handle, server)}")
    for held in progress.held[:NAMED]:
        screen.error(f"row {held.row.number}: {held.row.error.message if held.row.error else 'may have been bought'}")
    if len(progress.held) > NAMED:
        screen.error(f"and {len(progress.held) - NAMED} more rows")
    if progress.held:
        command = _command("resume", handle, server)
        screen.insist(f"Look into the console, then\n  {command} --attach ROW=ID | --resubmit ROW | --drop ROW")


def row_object(row: RowState) -> dict[str, object]:
    """Return a row as ``--json`` prints it."""
    return {
        "index": row.number,
        "state": row.phase.value,
        "id": row.video_id,
        "path": row.path,
        "sha256": row.sha256,
        "bytes": row.bytes_written,
        "verified": row.verified,
        "error": None if row.error is None else {"type": row.error.type, "message": safe(row.error.message)},
        "charged": row.charged,
    }


def _counts(progress: BatchProgress) -> str:
    counts = attrs.asdict(progress.counts)
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no row yet"


def _exit(progress: BatchProgress) -> ExitCode:
    if progress.state not in {"done", "cancelled"}:
        return ExitCode.UNFINISHED if progress.state in {"halted", "deciding"} or progress.held else ExitCode.DONE
    return ExitCode.FAILED if progress.counts.failed or progress.lost else ExitCode.DONE


def _command(verb: str, handle: BatchHandle, server: ServerOptions) -> str:
    namespace = "" if server.namespace == "default" else f" --namespace {server.namespace}"
    return f"aihubmix-video {verb} {safe(handle.name)} --temporal {server.temporal}{namespace}"


def _rows(texts: Sequence[str] | None, held: Sequence[int]) -> list[int]:
    return [row for text in texts or () for row in (held if text == "all" else [_row(text, held)])]


def _row(text: str, held: Sequence[int]) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in held:
        raise InvalidRequest.of("row", text, "is not a row that waits for a decision", allowed=tuple(held[:NAMED]))
    return int(text)
