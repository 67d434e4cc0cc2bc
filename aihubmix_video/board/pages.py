"""The board's page, and what it loads."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.web.access import POLICY
from aihubmix_video.web.asset_files import assets
from aihubmix_video.web.forms import model_form
from aihubmix_video.web.html import board_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["document", "video_board"]

TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # asked about each time, and mostly answered with 304
}


def video_board(
    *,
    jobs: str = "/videos",
    sandbox: bool = False,
    speed: float = 1.0,
    extra_body: bool = False,
    prices: Mapping[str, float] | None = None,
    capabilities: CapabilitySet = BUILT_IN,
    sign_in: str | None = None,
) -> Starlette:
    """Make the board, an ASGI application to be mounted beside a `video_router`.

    It shows and orders what the router does, as its visitor may: authentication is the application's own, for the
    router and for the board alike. The page loads nothing from other hosts, and has a strict Content-Security-Policy.

    Args:
        jobs: Where the router answers: a path, or an address relative to the page's.
        sandbox: Whether nothing is bought, so that the page need not ask before it orders.
        speed: How much faster than the vendors' the gateway's clock runs, for the times that the page shows.
        extra_body: Whether the router takes ``extra_body``, so that the form may offer it.
        prices: USD per second by model, in place of the list prices; as for the router.
        capabilities: The tables of the models that the form offers; those of the session.
        sign_in: Where visitors go whom the router does not know (401): a path, or an address relative to the page's.
    """
    models = [model_form(capability, prices) for capability in capabilities]
    switches = {"sandbox": sandbox, "speed": speed, "extra_body": extra_body}
    config = {"jobs": jobs, "sign_in": sign_in, **switches, "models": models}
    routes = [
        document("/", board_html(assets()), "text/html"),
        document("/config.json", json.dumps(config, ensure_ascii=False), "application/json"),
        *(
            document(f"/{name}", text, TYPES[kind])
            for name, text in assets().items()
            if (kind := name[-3:].lstrip(".")) in TYPES
        ),
    ]
    return Starlette(routes=routes)


def document(path: str, text: str, media_type: str) -> Route:
    """Serve a text that never changes, and say so to browsers that have it already."""
    body = text.encode()
    headers = {**HEADERS, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}

    async def answer(request: Request) -> Response:
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if headers["ETag"] in known:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media_type, headers=headers)

    return Route(path, answer, methods=["GET"])
