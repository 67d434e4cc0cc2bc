"""The front as an application of its own, and the door that puts it beside another one under ``/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from aihubmix_video.errors import VideoError
from aihubmix_video.openai_front.error_envelope import enveloped

if TYPE_CHECKING:
    from fastapi import APIRouter
    from starlette.datastructures import State
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from aihubmix_video.web.access import AccessPolicy

__all__ = ["PREFIX", "FrontDoor", "front_application"]

PREFIX: Final = "/v1"
REFUSALS: Final = {
    "wrong host": (421, "without tokens, this server answers only to the names of its own machine"),
    "foreign": (403, "without tokens, requests of other sites' pages are refused"),
}


def front_application(router: APIRouter, state: State) -> FastAPI:
    """Make an application of the front's router, whose every answer is one that OpenAI's clients can read.

    Args:
        router: See `openai_router`.
        state: That of the application whose lifespan opens the session.
    """
    app = FastAPI(title="OpenAI front", docs_url=None, redoc_url=None, openapi_url=None)
    app.state = state
    app.include_router(router, prefix=PREFIX)
    app.add_exception_handler(HTTPException, _answered)
    app.add_exception_handler(Exception, _unexpected)
    return app


async def _answered(_request: Request, error: Exception) -> Response:  # so that no thread is used
    return enveloped(error if isinstance(error, HTTPException) else VideoError("unexpected"))


async def _unexpected(_request: Request, _error: Exception) -> Response:  # as above
    return enveloped(VideoError("this server failed; its log says more"))


class FrontDoor:
    """Passes what is under ``/v1`` to the front, and all else to another application.

    Args:
        front: See `front_application`.
        other: The other one; None to answer with 404 in its place.
        policy: What a request to the front must show where clients have no tokens; None where they have.
    """

    def __init__(self, front: ASGIApp, other: ASGIApp | None, policy: AccessPolicy | None) -> None:
        self._front = front
        self._other = other
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            return
        path = str(scope["path"])
        if self._other is not None and path != PREFIX and not path.startswith(f"{PREFIX}/"):
            await self._other(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (self._front if refusal is None else refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._policy is None:
            return None
        verdict = self._policy.judge(scope["method"], scope["path"], Headers(scope=scope))
        if verdict not in REFUSALS:
            return None
        status, said = REFUSALS[verdict]
        return enveloped(HTTPException(status, said))
