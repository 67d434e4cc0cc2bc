"""Server-sent events: of one job until it ends, and of all jobs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

import attrs
from fastapi import APIRouter, Depends, Header
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.requests import Request
from starlette.responses import Response

from aihubmix_video.errors import JobNotFound
from aihubmix_video.fastapi.app_state import AppState
from aihubmix_video.fastapi.feed import Feed, FeedChange
from aihubmix_video.fastapi.job_routes import Key, Serving, answers, base_of
from aihubmix_video.fastapi.router_options import RouterOptions
from aihubmix_video.fastapi.schemas import resource_of
from aihubmix_video.types.job_info import JobInfo, JobState

__all__ = ["EventStreams", "add_events"]

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The id of the last event that was seen, if there was one.")
]
PAUSE: Final = 0.2
"""Seconds between looks of those who follow all jobs: what changes in between they are told at once, and each job once."""
RETRY: Final = 2000
"""Milliseconds after which a browser that lost its stream asks for it again."""
HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # the latter for nginx
STREAM: Final[dict[str, Any]] = {
    "description": "Server-sent events: `job` with a job resource as data, `deleted` with the job's key.",
    "content": {
        "text/event-stream": {
            "itemSchema": {
                "type": "object",
                "properties": {
                    "event": {"enum": ["job", "deleted"]},
                    "id": {"type": "string", "pattern": "^[0-9]+$"},
                    "data": {"type": "string", "contentMediaType": "application/json"},
                    "retry": {"type": "integer"},
                },
            }
        }
    },
}


def add_events(router: APIRouter, options: RouterOptions, owner: Callable[..., Any]) -> None:
    """Add the event streams; before the routes of single jobs, as one of them would be taken for a job's key."""
    Owner = Annotated[str | None, Depends(owner)]  # noqa: N806 - a type

    @router.get("/events", summary="Follow all jobs", responses=answers() | {200: STREAM}, response_class=Response)
    async def every(
        request: Request, service: Serving, owner: Owner, last_event_id: LastEventId = None
    ) -> EventSourceResponse:
        """Stream how every job stands that has not ended, and then every change."""
        events = EventStreams(service, options, base_of(request, 1), owner)
        return EventSourceResponse(events.of_all(_number(last_event_id)), headers=HEADERS)

    @router.get(
        "/{key}/events",
        summary="Follow a job",
        responses=answers(404) | {200: STREAM, 204: {"description": "It has ended, and the client knows how."}},
        response_class=Response,
    )
    async def one(
        request: Request, service: Serving, owner: Owner, key: Key, last_event_id: LastEventId = None
    ) -> Response:
        """Stream how a job stands, and then every change until it has ended."""
        info = await service.registry.find(key, owner)
        seen = _number(last_event_id)
        if info.state.ended and seen is not None and seen >= number_of(service.feed, info):
            return Response(status_code=204)  # which is how a browser learns not to come back
        events = EventStreams(service, options, base_of(request, 2), owner)
        return EventSourceResponse(events.of_one(info, seen), headers=HEADERS)


def _number(text: str | None) -> int | None:
    """Read the id of an event; what is none counts as none, as the header may hold what other servers gave."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 18 else None


def number_of(feed: Feed, info: JobInfo) -> int:
    """Return the number of a job's last change; of one that the feed has forgotten, the moment of it."""
    change = feed.latest(info.key)
    return change.number if change is not None else int(info.updated_at * 1000)


class EventStreams:
    """Writes a feed's changes as events.

    Args:
        service: The process's.
        options: The router's.
        base: The path under which the router answers.
        owner: Whose jobs are told; None for everybody's.
    """

    def __init__(self, service: AppState, options: RouterOptions, base: str, owner: str | None) -> None:
        self._feed = service.feed
        self._registry = service.registry
        self._capabilities = service.session.capabilities
        self._options = options
        self._base = base
        self._owner = owner

    async def of_one(self, info: JobInfo, seen: int | None) -> AsyncIterator[bytes]:
        """Yield the events of a job until it has ended.

        Args:
            info: How it stands, where the feed does not know it.
            seen: The number of the last event that was seen.
        """
        key, told = info.key, number_of(self._feed, info)
        if (change := self._feed.latest(key)) is not None:
            info = change.info(self._registry)
        if seen is None or told > seen or info.state.ended:
            yield self._written(info, told)
        while not info.state.ended and not self._feed.closed:
            change = self._feed.latest(key)
            if change is not None and change.number > told:
                info, told = change.info(self._registry), change.number
                yield self._rendered(change)
            elif not await self._feed.more(key, self._options.heartbeat):
                yield KEEPALIVE_COMMENT
                info = await self._remembered(info)
                if info.state.ended:
                    yield self._written(info, int(info.updated_at * 1000))

    async def _remembered(self, info: JobInfo) -> JobInfo:
        """Look a job up that the feed may have forgotten: one that ended while this reader was slow."""
        if self._feed.latest(info.key) is not None:
            return info
        try:
            return await self._registry.find(info.key, self._owner)
        except JobNotFound:
            return attrs.evolve(info, state=JobState.DROPPED)

    async def of_all(self, seen: int | None) -> AsyncIterator[bytes]:
        """Yield the events of all jobs, until the application ends.

        Args:
            seen: The number of the last event that was seen.
        """
        feed = self._feed
        resumes = seen is not None and feed.reaches_back_to(seen)
        told = seen if seen is not None and resumes else feed.last
        changes = feed.since(told) if resumes else feed.standing()
        yield format_sse_event(comment="jobs", retry=RETRY)
        while not feed.closed:
            for change in changes:
                told = max(told, change.number)
                if self._owner in {None, change.owner}:
                    yield self._rendered(change)
            await asyncio.sleep(PAUSE)
            changes = feed.since(told)
            if not changes and not await feed.more(None, self._options.heartbeat):
                yield KEEPALIVE_COMMENT

    def _rendered(self, change: FeedChange) -> bytes:
        return change.rendered((self._base, self._options), self._write)

    def _write(self, change: FeedChange) -> bytes:
        return self._written(change.info(self._registry), change.number)

    def _resource(self, info: JobInfo) -> dict[str, Any]:
        return resource_of(info, self._base, self._options.prices, self._capabilities)

    def _written(self, info: JobInfo, number: int) -> bytes:
        """Write a job's state as an event."""
        dropped = info.state is JobState.DROPPED
        told = {"key": info.key} if dropped else self._resource(info)
        data = json.dumps(told, separators=(",", ":"))
        return format_sse_event(data_str=data, event="deleted" if dropped else "job", id=str(number), retry=RETRY)
