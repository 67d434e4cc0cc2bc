"""One session per process: opened when the application starts, closed when it ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from aihubmix_video.fastapi.app_state import NAME, AppState
from aihubmix_video.fastapi.recovery import JobRecovery
from aihubmix_video.fastapi.shutdown_signal import told_of_the_end
from aihubmix_video.ledger.memory_ledger import MemoryLedger
from aihubmix_video.ledger.null_ledger import NullLedger
from aihubmix_video.session.session import VideoSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI

    from aihubmix_video.ledger.interface import Ledger

__all__ = ["ServerSession", "video_lifespan"]


class ServerSession(VideoSession):
    """A session that remembers its jobs also without a ledger on disk, as somebody will ask about them."""

    async def _open_ledger(self) -> Ledger:
        ledger = await super()._open_ledger()
        return MemoryLedger() if isinstance(ledger, NullLedger) else ledger


def video_lifespan(
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
        **session_options: Those of `VideoSession`.

    Raises:
        ConfigurationError: When the application starts: an option cannot be used.
        LedgerInUse: When the application starts: another process has the ledger.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with ServerSession(**session_options) as session:
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
