"""The router: what is answered under which path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError

from aihubmix_video.errors import ConfigurationError, VideoError
from aihubmix_video.fastapi.content_routes import add_content
from aihubmix_video.fastapi.event_routes import add_events
from aihubmix_video.fastapi.http_errors import NotAllowed
from aihubmix_video.fastapi.job_routes import add_jobs
from aihubmix_video.fastapi.problem_details import error_of_validation, problem_response
from aihubmix_video.fastapi.router_options import Allow, RouterOptions
from aihubmix_video.fastapi.slash_route import EitherSlashRoute
from aihubmix_video.references.url_policy import UrlPolicy
from aihubmix_video.session.request_checks import literal_path

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence

    from fastapi import params
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["identified", "video_router"]


class _VideoRoute(EitherSlashRoute):
    """Answers with problem details, whatever application it is part of."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except VideoError as error:
                return problem_response(error)
            except RequestValidationError as error:
                return problem_response(error_of_validation(error))

        return guarded


def video_router(  # noqa: PLR0913 - each is one option of the router
    *,
    folder: str | os.PathLike[str] = "videos",
    owner: Callable[..., Any] | None = None,
    allow: Allow | None = None,
    dependencies: Sequence[params.Depends] = (),
    reference_schemes: Collection[str] = ("https", "http", "data"),
    reference_hosts: Sequence[str] | None = None,
    private_hosts: bool = False,
    extra_body: bool = False,
    max_body: int = 32 << 20,
    max_waiting: int = 1000,
    heartbeat: float = 15.0,
    prices: Mapping[str, float] | None = None,
) -> APIRouter:
    """Make a router that buys, follows, lists, plays and deletes videos; include it with a prefix of your own.

    Args:
        folder: Where the videos are saved, as ``{key}.mp4``; made if it does not exist.
        owner: A dependency that gives the caller's id: a string, a number or a UUID; without one the caller is refused (403).
            Callers see only their own jobs, and their idempotency keys are kept apart. None: everybody sees everything.
        allow: Awaited with the owner and the `VideoRequest` before a new job is bought; refuses by raising `NotAllowed` (403)
            or `LimitReached` (429). It is not asked about one that an idempotency key names already.
        dependencies: For every route, as FastAPI's own routers take them; this is where authentication belongs.
        reference_schemes: Of reference URLs; nobody here fetches them.
        reference_hosts: Hosts that reference URLs may name, such as ``"cdn.example.com"`` or ``"*.example.com"``; None for
            every public one.
        private_hosts: Whether they may also name hosts that are not of the public internet.
        extra_body: Whether callers may send ``extra_body``, which reaches the vendor unchecked.
        max_body: Bytes that a request's body may have.
        max_waiting: Jobs that may wait to be bought; above it new ones are refused (503).
        heartbeat: Seconds of silence after which an event stream sends a comment.
        prices: USD per second by model, in place of the list prices.

    Raises:
        ConfigurationError: An option cannot be used.
    """
    options = RouterOptions(
        folder=Path(literal_path(folder)),
        references=UrlPolicy(
            schemes=frozenset(reference_schemes),
            hosts=None if reference_hosts is None else tuple(reference_hosts),
            private=private_hosts,
        ),
        allow=allow,
        extra_body=extra_body,
        max_body=max_body,
        max_waiting=max_waiting,
        heartbeat=heartbeat,
        prices=prices,
    )
    router = APIRouter(route_class=_VideoRoute, dependencies=list(dependencies), tags=["videos"])
    caller = _anybody if owner is None else identified(owner)
    add_events(router, options, caller)
    add_content(router, caller)
    add_jobs(router, options, caller)
    return router


async def _anybody() -> None:
    """Ask for no owner: everybody sees everything."""


def identified(owner: Callable[..., Any]) -> Callable[..., Any]:
    """Make sure of what the application's dependency gives: no one must see everything because a name is missing."""

    async def identified(found: Any = Depends(owner)) -> str:  # noqa: ANN401, B008 - whatever it gives; as FastAPI has it
        if found is None or found == "":
            raise NotAllowed("nobody is known by that name")
        if not isinstance(found, (str, int, UUID)):
            raise ConfigurationError(f"owner= must give a string, a number or a UUID, not {type(found).__name__}")
        return str(found)

    return identified
