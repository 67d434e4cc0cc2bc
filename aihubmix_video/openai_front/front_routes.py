"""The routes of videos and models, as OpenAI has them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import attrs
from fastapi import APIRouter, Depends, Header, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.errors import InvalidRequest, ModelUnavailable
from aihubmix_video.fastapi.app_state import AppState
from aihubmix_video.fastapi.content_routes import content_response
from aihubmix_video.fastapi.job_routes import Serving, delete_job
from aihubmix_video.openai_front.api_client import ApiClient
from aihubmix_video.openai_front.create_body import read_create
from aihubmix_video.openai_front.create_flow import Create, CreateFlow
from aihubmix_video.openai_front.front_options import FrontOptions
from aihubmix_video.openai_front.retry_rule import is_marked
from aihubmix_video.openai_front.video_object import key_of, poll_after, video_id, video_object
from aihubmix_video.types.job_info import JobInfo, JobState

__all__ = ["Caller", "add_models", "add_videos"]

IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
RetryCount = Annotated[str | None, Header(alias="x-stainless-retry-count")]
Flows = Callable[[AppState], CreateFlow]


@attrs.frozen(kw_only=True)
class Caller:
    """Who sends a request.

    Attributes:
        owner: Whose jobs it sees; None for everybody's.
        client: The client of the front that it is, where these are known by tokens.
    """

    owner: str | None = None
    client: ApiClient | None = None


def add_videos(
    router: APIRouter, options: FrontOptions, caller: Callable[..., Awaitable[Caller]], flows: Flows
) -> None:
    """Add the routes of videos."""
    Known = Annotated[Caller, Depends(caller)]  # noqa: N806  # a type

    @router.post("/videos", summary="Create a video")
    async def create(
        request: Request, service: Serving, known: Known, key: IdempotencyKey = None, retries: RetryCount = None
    ) -> Response:
        """Create a video; a create that was sent before is answered with the video that it became."""
        wanted = Create(
            request=await read_create(request, options.router.max_body),
            owner=known.owner,
            client=known.client,
            idempotency_key=key,
            marked=is_marked(retries),
        )
        flow = flows(service)
        info = await flow.accepted(await service.carried_out(flow.take(wanted)))
        if info.state is JobState.FAILED and info.id is None and info.charged == "no" and info.error is not None:
            raise info.error
        return _told(info, service)

    @router.get("/videos", summary="List videos")
    async def videos(  # each is one parameter of the request
        service: Serving,
        known: Known,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(max_length=100)] = None,
        order: Annotated[str, Query(max_length=10)] = "desc",
    ) -> Response:
        """Return a page of videos, the newest first."""
        if order != "desc":
            raise InvalidRequest.of("order", order, "the newest videos stand first here", allowed=("desc",))
        number = None if after is None else await service.registry.number_of(key_of(after), known.owner)
        page = await service.registry.page(after=number, limit=limit + 1, owner=known.owner)
        data = [video_object(info, service.session.capabilities) for info in page.items[:limit]]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
        has_more = page.next is not None or len(page.items) > limit
        return JSONResponse({"object": "list", "data": data, **ends, "has_more": has_more})

    @router.get("/videos/{id}", summary="Retrieve a video")
    async def video(service: Serving, known: Known, id: str) -> Response:  # noqa: A002  # as the path has it
        """Return how a video stands, as the session knows it; the gateway is not asked."""
        return _told(await service.registry.find(key_of(id), known.owner), service)

    @router.head("/videos/{id}/content", summary="Look at a video's size and version")
    @router.get("/videos/{id}/content", summary="Retrieve a video's content")
    async def content(
        request: Request,
        service: Serving,
        known: Known,
        id: str,  # noqa: A002  # as the path has it
        variant: Annotated[str, Query(max_length=20)] = "video",
    ) -> Response:
        """Return the video, or the part of it that is asked for."""
        if variant != "video":
            raise InvalidRequest.of("variant", variant, "only the video itself is kept here", allowed=("video",))
        return await content_response(service, request, await service.registry.find(key_of(id), known.owner))

    @router.delete("/videos/{id}", summary="Delete a video")
    async def delete(service: Serving, known: Known, id: str) -> Response:  # noqa: A002  # as the path has it
        """Delete a video here and at the gateway; what was not sent yet is not bought."""
        key = key_of(id)
        await service.carried_out(delete_job(service, key, known.owner))
        return JSONResponse({"id": video_id(key), "object": "video.deleted", "deleted": True})


def add_models(router: APIRouter, caller: Callable[..., Awaitable[Caller]]) -> None:
    """Add the routes of models: all that have a table."""
    behind: Final = [Depends(caller)]

    @router.get("/models", summary="List models", dependencies=behind)
    async def models(service: Serving) -> Response:
        """Return all models."""
        return JSONResponse({"object": "list", "data": [_model(each) for each in service.session.capabilities]})

    @router.get("/models/{model}", summary="Retrieve a model", dependencies=behind)
    async def model(service: Serving, model: str) -> Response:
        """Return one model."""
        found = service.session.capabilities.find(model)
        if found is None:
            raise ModelUnavailable(f"there is no table of the model {model[:80]!r}")
        return JSONResponse(_model(found))


def _model(capability: Capability) -> dict[str, Any]:
    return {"id": capability.model, "object": "model", "created": 0, "owned_by": str(capability.vendor)}


def _told(info: JobInfo, service: AppState) -> Response:
    after = poll_after(info)
    headers = {} if after is None else {"openai-poll-after-ms": str(round(after * 1000))}
    return JSONResponse(video_object(info, service.session.capabilities), headers=headers)
