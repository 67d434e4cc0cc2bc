"""The command that goes on with a ledger."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.ledger_location import standing_of
from aihubmix_video.cli.row_result import RowResult
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.session.decisions import decisions_of, own

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aihubmix_video.cli.command_options import DecidingOptions
    from aihubmix_video.cli.runner import Runner
    from aihubmix_video.session.decisions import Decision
    from aihubmix_video.session.session import VideoSession

__all__ = ["resume"]


async def resume(runner: Runner, deciding: DecidingOptions) -> ExitCode:
    """Go on with a ledger: decide what is to be decided, and take up what is left."""
    if runner.location is None:
        raise ConfigurationError("there is no ledger to go on with.")
    standing = await standing_of(runner.location)
    decisions = decisions_of(standing.uncertain, deciding.attach or (), deciding.resubmit or (), deciding.drop or ())
    if not standing.left:
        runner.screen.insist(f"Nothing is left to do in {runner.location.path}: {standing}.")
        if runner.gallery is not None:
            await runner.gallery.whole(runner.location)
        return ExitCode.DONE
    keys = {entry.key: key for entry in standing.left if (key := own(entry)) is not None}
    total = len(standing.left) - sum(each.drop for each in decisions)
    return await runner.follow(lambda session: resumed(session, decisions, keys), total)


async def resumed(
    session: VideoSession, decisions: Sequence[Decision], keys: Mapping[str, str]
) -> AsyncIterator[RowResult]:
    """Carry out what the user decided, then take up everything that is left; *keys* names rows by job."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for each in decisions:
        await session.decide(each.key, attach=each.attach, resubmit=each.resubmit, drop=each.drop)
    async with aclosing(session.resume()) as finished:
        async for item in finished:
            yield RowResult.of(item, key=keys.get(item.key or ""), took=loop.time() - began)
