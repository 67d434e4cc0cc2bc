"""What serves all requests of one process: the session, and what must outlive a single request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from anyio import CapacityLimiter
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI looks at it

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.fastapi.feed import Feed
from aihubmix_video.telemetry.prometheus_metrics import SessionMetrics

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aihubmix_video.session.session import VideoSession

__all__ = ["NAME", "AppState", "get_service", "get_session"]

T = TypeVar("T")

READERS: Final = 8
GRACE: Final = 5.0  # seconds that creates and deletes get to be finished, before the session is closed under them

NAME: Final = "aihubmix_video"
"""Under which it is found in the application's state."""


class AppState:
    """One process's session and everything around it.

    Attributes:
        session: Open as long as the application runs.
        feed: What changed about which job.
        metrics: What it has done, for Prometheus.
        readers: Bounds the threads that read videos, so that a slow disk holds up nobody else's threads.
    """

    def __init__(self, session: VideoSession) -> None:
        self.session = session
        self.registry = session.registry
        self.feed = Feed(self.registry)
        self.metrics = SessionMetrics(session)
        self.readers = CapacityLimiter(READERS)
        self._tasks: set[asyncio.Task[object]] = set()

    async def carried_out(self, work: Coroutine[object, object, T]) -> T:
        """Await *work*, which is carried out even if the caller has gone."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """End what listens, and give what was begun some time to finish; closing the session ends the rest."""
        self.feed.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
        self.metrics.close()


async def get_service(connection: HTTPConnection) -> AppState:
    """Find the service that `video_lifespan` opened.

    Raises:
        ConfigurationError: It was not used.
    """
    found = getattr(connection.app.state, NAME, None) or connection.scope.get("state", {}).get(NAME)
    if not isinstance(found, AppState):
        raise ConfigurationError(
            "there is no open session: make the application with FastAPI(lifespan=video_lifespan(...)), or enter it in "
            "your own lifespan. In tests, see that the lifespan runs, as TestClient does within `with`."
        )
    return found


async def get_session(connection: HTTPConnection) -> VideoSession:
    """Return the process's session to a handler: ``session: Annotated[VideoSession, Depends(get_session)]``.

    Raises:
        ConfigurationError: `video_lifespan` was not used.
    """
    return (await get_service(connection)).session
