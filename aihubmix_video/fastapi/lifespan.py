"""One session per process: opened when the application starts, closed when it ends."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from aihubmix_video.errors import LedgerInUse
from aihubmix_video.fastapi.app_state import NAME, AppState
from aihubmix_video.fastapi.recovery import JobRecovery
from aihubmix_video.fastapi.shutdown_signal import told_of_the_end
from aihubmix_video.ledger.memory_ledger import MemoryLedger
from aihubmix_video.ledger.null_ledger import NullLedger
from aihubmix_video.session.session import VideoSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from fastapi import FastAPI

    from aihubmix_video.ledger.interface import Ledger

__all__ = ["ServerSession", "video_lifespan"]

log = logging.getLogger("aihubmix_video")

LOCK_POLL_SECONDS = 0.25
"""Between looks of a stand-by at the ledger's lock, which ends with its holder; a look opens one file on this machine."""


class ServerSession(VideoSession):
    """A session that remembers its jobs also without a ledger on disk, as somebody will ask about them."""

    async def _open_ledger(self) -> Ledger:
        ledger = await super()._open_ledger()
        return MemoryLedger() if isinstance(ledger, NullLedger) else ledger


def video_lifespan(
    *,
    standby: bool = True,
    instrument: Callable[[VideoSession], AbstractContextManager[object]] | None = None,
    **session_options: Any,  # noqa: ANN401 - those of `VideoSession`
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]:
    """Open one session for the whole process: ``FastAPI(lifespan=video_lifespan(ledger="jobs.db"))``.

    Jobs that the ledger holds unfinished are taken up in the background; uncertain ones stay uncertain. Without a ledger
    jobs are remembered as long as the process lives, of those that have ended the newest ten thousand.

    To use it beside a lifespan of your own, enter it there, and pass on what it gives:

        @asynccontextmanager
        async def lifespan(app):
            async with video_lifespan(ledger="jobs.db")(app) as state:
                yield state

    Args:
        standby: While another process has the ledger, wait for it to end and then take over. A server accepts no request
            while it starts, so of two workers of one server the first serves everything, and the second waits. False: refuse
            to start instead.
        instrument: Called with the open session; the context that it returns lasts as long as the session, as
            `aihubmix_video.telemetry.observe_session` does.
        **session_options: Those of `VideoSession`.

    Raises:
        ConfigurationError: When the application starts: an option cannot be used.
        LedgerInUse: When the application starts: this process has the ledger already, or another one has it and *standby* is
            false.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            session = await _entered(stack, session_options, standby=standby)
            if session is None:
                yield {}
                return
            if instrument is not None:
                stack.enter_context(instrument(session))
            service = AppState(session)
            recovering = asyncio.create_task(JobRecovery(session).run(), name="aihubmix-video recovery")
            setattr(app.state, NAME, service)
            try:
                with told_of_the_end(service.feed.close):
                    yield {NAME: service}
            finally:
                delattr(app.state, NAME)
                await service.aclose()
                recovering.cancel()
                with suppress(asyncio.CancelledError):
                    await recovering

    return lifespan


async def _entered(
    stack: AsyncExitStack, options: Mapping[str, Any], *, standby: bool
) -> ServerSession | None:  # Any: of `VideoSession`
    """Open the session once no other process has its ledger; None if the server is asked to stop before that."""
    stopped = asyncio.Event()
    waiting = False
    with told_of_the_end(stopped.set):
        while not stopped.is_set():
            try:
                return await stack.enter_async_context(ServerSession(**options))
            except LedgerInUse as error:
                if not standby or error.held_here:
                    raise
                if not waiting:
                    log.warning("%s This process is a stand-by: it starts when that one has ended.", error)
                waiting = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), LOCK_POLL_SECONDS)
    return None
