"""The application of a board that is a server of its own: the page, the jobs behind it, and a door in front."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from aihubmix_video.board.access_middleware import PROBLEM, AccessMiddleware
from aihubmix_video.board.pages import document, video_board
from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.fastapi import monitoring_router, video_router
from aihubmix_video.web.access import COOKIE, AccessPolicy
from aihubmix_video.web.asset_files import assets
from aihubmix_video.web.html import login_html

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

__all__ = ["JOBS", "board_application"]

JOBS = "/videos"
LONGEST_LOGIN = 4096  # bytes
REMEMBERED = 30 * 24 * 3600  # seconds for which a browser stays signed in


def board_application(
    *,
    folder: Path,
    door: AccessPolicy,
    sandbox: bool,
    speed: float,
    prices: Mapping[str, float] | None = None,
    capabilities: CapabilitySet = BUILT_IN,
) -> tuple[FastAPI, ASGIApp]:
    """Make the application, and the same with its door in front, which is what is to be served."""
    app = FastAPI(title="Video board", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(video_router(folder=folder, prices=prices, extra_body=True), prefix=JOBS)
    app.include_router(monitoring_router())
    app.router.routes.append(document("/login", login_html(assets()), "text/html"))
    app.add_route("/login", _signing_in(door), methods=["POST"])
    board = video_board(
        jobs=JOBS,
        sandbox=sandbox,
        speed=speed,
        extra_body=True,
        prices=prices,
        capabilities=capabilities,
        sign_in="login",
    )
    app.mount("/", board)
    return app, AccessMiddleware(app, door)


def _signing_in(door: AccessPolicy) -> Callable[[Request], Awaitable[Response]]:
    async def sign_in(request: Request) -> Response:
        """Take the token, and give a cookie for it that scripts cannot read and other sites cannot send."""
        if not door.opens_to(await _token_in(request)):
            content = {
                "type": "about:blank",
                "title": "Unauthorized",
                "status": 401,
                "detail": "That is not the token.",
            }
            return JSONResponse(content, 401, {"WWW-Authenticate": "Bearer"}, media_type=PROBLEM)
        answer = Response(status_code=204)
        answer.set_cookie(
            COOKIE,
            door.cookie,
            max_age=REMEMBERED,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    return sign_in


async def _token_in(request: Request) -> object:
    """Read the token of a JSON body; None of any other, as forms of other sites can send those."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_LOGIN:
            return None
    try:
        told = json.loads(bytes(body))
    except (ValueError, RecursionError):
        return None
    return told.get("token") if isinstance(told, dict) else None
