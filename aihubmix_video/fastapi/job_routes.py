"""Buying, listing, looking at and deleting jobs."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import attrs
from fastapi import APIRouter, Depends, Header, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.fastapi.app_state import AppState, get_service
from aihubmix_video.fastapi.http_errors import Conflict, Crowded, Deleted
from aihubmix_video.fastapi.problem_details import MEDIA_TYPE, SCHEMA
from aihubmix_video.fastapi.request_body import REQUEST_BODY, read_body, request_of
from aihubmix_video.fastapi.router_options import RouterOptions
from aihubmix_video.fastapi.schemas import JobList, JobResource, StateTold, resource_of
from aihubmix_video.types.job_info import VISIBLE, JobInfo, JobState
from aihubmix_video.types.request import VideoRequest

__all__ = [
    "Key",
    "Serving",
    "add_jobs",
    "answers",
    "base_of",
    "check_admission",
    "check_wanted",
    "delete_job",
    "target_in",
]

Serving = Annotated[AppState, Depends(get_service)]
Key = Annotated[str, Path(description="The job's key.", max_length=64, pattern="^[0-9A-Za-z-]+$")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.", pattern="^[0-9]{1,18}$")]
Wanted = Annotated[list[StateTold] | None, Query(description="Only jobs in these states.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The caller's own name of the job: the same name never buys twice.",
        min_length=1,
        max_length=255,
    ),
]


LOCATION: Final = {"Location": {"description": "The job's path.", "required": True, "schema": {"type": "string"}}}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors that a route may answer with."""
    said = {"description": "Problem details", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    return dict.fromkeys((*statuses, 403, 422, 500, 503), said)


def base_of(request: Request, below: int) -> str:
    """Return the path of the router itself, as the client sees it; *below* counts the route's own segments."""
    path = str(request.scope["path"]).removesuffix("/")
    return path.rsplit("/", below)[0] if below else path


def add_jobs(router: APIRouter, options: RouterOptions, owner: Callable[..., Any]) -> None:
    """Add the routes of jobs."""
    Owner = Annotated[str | None, Depends(owner)]  # noqa: N806 - a type

    @router.post(
        "/",
        status_code=202,
        summary="Buy a video",
        responses=answers(400, 409, 410, 413, 415, 429) | {202: {"model": JobResource, "headers": LOCATION}},
        openapi_extra=REQUEST_BODY,
    )
    async def create(
        request: Request, service: Serving, owner: Owner, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Take a job on, and answer once that is durable; buying it, and all that follows, is told by the job."""
        wanted = request_of(await read_body(request, options.max_body))
        info = await service.carried_out(_bought(service, options, wanted, owner, idempotency_key))
        base = base_of(request, 0)
        resource = resource_of(info, base, options.prices, service.session.capabilities)
        return JSONResponse(resource, 202, {"Location": f"{base}/{info.key}"})

    @router.get("/", summary="List jobs, the newest first", response_model=JobList, responses=answers())
    async def jobs(
        request: Request,
        service: Serving,
        owner: Owner,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Cursor = None,
        state: Wanted = None,
    ) -> Response:
        """Return a page of jobs."""
        states = frozenset(map(JobState, state)) if state else VISIBLE
        cursor = None if after is None else int(after)
        page = await service.registry.page(after=cursor, limit=limit, states=states, owner=owner)
        base = base_of(request, 0)
        items = [resource_of(info, base, options.prices, service.session.capabilities) for info in page.items]
        return JSONResponse({"items": items, "next": None if page.next is None else str(page.next)})

    @router.get("/{key}", summary="Look at a job", response_model=JobResource, responses=answers(404))
    async def job(request: Request, service: Serving, owner: Owner, key: Key) -> Response:
        """Return how a job stands."""
        info = await service.registry.find(key, owner)
        return JSONResponse(resource_of(info, base_of(request, 1), options.prices, service.session.capabilities))

    @router.delete("/{key}", status_code=204, summary="Delete a job", responses=answers(404, 409, 501, 502))
    async def delete(service: Serving, owner: Owner, key: Key) -> Response:
        """Delete a job at the gateway, its file, and from all lists; what was not sent yet is not bought."""
        await service.carried_out(delete_job(service, key, owner))
        return Response(status_code=204)


async def _bought(
    service: AppState, options: RouterOptions, wanted: VideoRequest, owner: str | None, idempotency_key: str | None
) -> JobInfo:
    check_wanted(service, options, wanted)
    if idempotency_key is None or not await service.registry.knows(idempotency_key, owner):
        await check_admission(service, options, wanted, owner)
    info = await service.registry.enqueue(wanted, to=target_in(options), idempotency_key=idempotency_key, owner=owner)
    if info.state is JobState.DROPPED:
        raise Deleted("the job with this idempotency key was deleted", job_key=info.key)
    return info


def check_wanted(service: AppState, options: RouterOptions, wanted: VideoRequest) -> None:
    """Refuse what could not be bought, or may not come over HTTP.

    Raises:
        InvalidRequest: Its model does not take it, or it has references or further fields that are not allowed here.
    """
    if wanted.extra_body is not None and not options.extra_body:
        raise InvalidRequest.of("extra_body", "…", "is not taken here")
    if problems := options.references.problems(wanted):
        raise InvalidRequest(problems)
    service.registry.check(wanted)


def target_in(options: RouterOptions) -> str:
    """Return the template of a job's file."""
    return str(options.folder).replace("{", "{{").replace("}", "}}") + "/{key}.mp4"


async def check_admission(service: AppState, options: RouterOptions, wanted: VideoRequest, owner: str | None) -> None:
    """Refuse a new job where there is no room for it, or the application does not allow it.

    Raises:
        Crowded: Too many jobs wait already.
        NotAllowed: The application says so; likewise `LimitReached`.
    """
    if service.session.stats().waiting >= options.max_waiting:
        raise Crowded(f"{options.max_waiting} jobs are waiting already")
    if options.allow is not None:
        await options.allow(owner, wanted)


UNDECIDED: Final = "may have been bought, and nobody knows; its operator has to decide about it first"


async def delete_job(service: AppState, key: str, owner: str | None) -> None:
    """Delete a job at the gateway, its file, and from all lists.

    Raises:
        JobNotFound: There is none.
        Conflict: It may have been bought, and nobody has decided about it yet.
        RequestRefused: The vendor cannot delete (501).
    """
    info = await service.registry.find(key, owner)
    if info.state is JobState.UNCERTAIN:
        raise Conflict(f"the job {UNDECIDED}", job_key=key, job_id=info.id, charged=info.charged)
    await service.registry.delete(key, owner)
    change = service.feed.latest(key)
    if change is None or change.info(service.registry).state is not JobState.DROPPED:  # it was not followed any more
        service.feed.deleted(attrs.evolve(info, state=JobState.DROPPED))
