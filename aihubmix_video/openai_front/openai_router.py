"""The front as a router: OpenAI's paths and envelopes over the application's one session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection  # noqa: TC002  # FastAPI looks at it

from aihubmix_video.errors import ConfigurationError, VideoError
from aihubmix_video.fastapi.router import identified
from aihubmix_video.fastapi.router_options import RouterOptions
from aihubmix_video.fastapi.slash_route import EitherSlashRoute
from aihubmix_video.openai_front.api_client import client_of
from aihubmix_video.openai_front.create_flow import CreateFlow
from aihubmix_video.openai_front.error_envelope import enveloped
from aihubmix_video.openai_front.front_options import RETRY_WINDOW, FrontOptions
from aihubmix_video.openai_front.front_routes import Caller, add_models, add_videos
from aihubmix_video.references.url_policy import UrlPolicy
from aihubmix_video.session.request_checks import literal_path

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence

    from fastapi import params
    from starlette.requests import Request
    from starlette.responses import Response

    from aihubmix_video.fastapi.app_state import AppState
    from aihubmix_video.fastapi.router_options import Allow
    from aihubmix_video.openai_front.api_client import ApiClient

__all__ = ["openai_router"]


class _OpenAIRoute(EitherSlashRoute):
    """Answers errors in OpenAI's envelope, whatever application it is part of."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except (VideoError, RequestValidationError, HTTPException) as error:
                return enveloped(error)

        return guarded


def openai_router(  # noqa: PLR0913  # each is one option of the router
    *,
    folder: str | os.PathLike[str] = "videos",
    clients: Iterable[ApiClient] | None = None,
    owner: Callable[..., Any] | None = None,
    allow: Allow | None = None,
    dependencies: Sequence[params.Depends] = (),
    retry_window: float = RETRY_WINDOW,
    answer_within: float = 10.0,
    reference_schemes: Collection[str] = ("https", "http", "data"),
    reference_hosts: Sequence[str] | None = None,
    private_hosts: bool = False,
    extra_body: bool = False,
    max_body: int = 32 << 20,
    max_waiting: int = 1000,
    prices: Mapping[str, float] | None = None,
) -> APIRouter:
    """Make a router that answers as OpenAI's videos API does; include it with the prefix ``/v1``.

    Args:
        folder: Where the videos are saved, as ``{key}.mp4``; made if it does not exist.
        clients: Those that may use it, each known by its token, with its caps and rate; each sees only its own videos. None leaves
            out this check, for applications that have their own.
        owner: In place of *clients*: a dependency that gives the caller's id, as of `video_router`.
        allow: Awaited with the owner and the `VideoRequest` before a new job is bought; refuses by raising `NotAllowed` (403)
            or `LimitReached` (429). It is not asked about a create that was sent before.
        dependencies: For every route, as FastAPI's own routers take them.
        retry_window: Seconds for which a client's same create without an ``Idempotency-Key`` is a retry of the first, and buys
            nothing; 0 switches that off.
        answer_within: Seconds for which a create waits for the gateway to accept or refuse it; then it is answered as queued.
        reference_schemes: Of reference URLs; nobody here fetches them.
        reference_hosts: Hosts that reference URLs may name, such as ``"*.example.com"``; None for every public one.
        private_hosts: Whether they may also name hosts that are not of the public internet.
        extra_body: Whether callers may send fields that no table knows in ``extra_body``, unchecked by caps and tables.
        max_body: Bytes that a request's body may have.
        max_waiting: Jobs that may wait to be bought; above it new ones are refused (503).
        prices: USD per second by model, in place of the list prices.

    Raises:
        ConfigurationError: An option cannot be used.
    """
    if clients is not None and owner is not None:
        raise ConfigurationError("clients and owner both say who a caller is: give one of them.")
    options = FrontOptions(
        router=RouterOptions(
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
            prices=prices,
        ),
        clients=None if clients is None else tuple(clients),
        retry_window=retry_window,
        answer_within=answer_within,
    )
    router = APIRouter(route_class=_OpenAIRoute, dependencies=list(dependencies), tags=["openai"])
    caller = _by_token(options.clients) if options.clients is not None else _by_owner(owner)
    add_videos(router, options, caller, _flows(options))
    add_models(router, caller)
    return router


def _by_token(clients: tuple[ApiClient, ...]) -> Callable[..., Awaitable[Caller]]:
    async def caller(connection: HTTPConnection) -> Caller:
        client = client_of(clients, connection.headers.get("authorization", ""))
        return Caller(owner=client.name, client=client)

    return caller


def _by_owner(owner: Callable[..., Any] | None) -> Callable[..., Awaitable[Caller]]:
    if owner is None:

        async def anybody() -> Caller:
            return Caller()

        return anybody

    async def caller(found: str = Depends(identified(owner))) -> Caller:
        return Caller(owner=found)

    return caller


def _flows(options: FrontOptions) -> Callable[[AppState], CreateFlow]:
    """Return what finds the one flow of a process's session."""
    flows: dict[AppState, CreateFlow] = {}

    def flow(service: AppState) -> CreateFlow:
        if service not in flows:
            flows.clear()  # the application was started again
            flows[service] = CreateFlow(service, options)
        return flows[service]

    return flow
