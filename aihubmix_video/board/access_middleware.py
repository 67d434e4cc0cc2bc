"""In front of everything that a board of its own answers: who is let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from aihubmix_video.web.access import AccessPolicy, Verdict

__all__ = ["AccessMiddleware"]

PROBLEM: Final = "application/problem+json"
REFUSALS: Final[dict[Verdict, tuple[int, str, str]]] = {
    "wrong host": (421, "Misdirected Request", "This board answers to the names of its own machine only."),
    "foreign": (403, "Forbidden", "Orders are taken from the board's own page only."),
    "no token": (401, "Unauthorized", "Sign in, or send the token as `Authorization: Bearer`."),
}


class AccessMiddleware:
    """Lets through what the door lets through, and sends everybody else away."""

    def __init__(self, app: ASGIApp, door: AccessPolicy) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":  # nothing here speaks anything else
            return
        headers = Headers(scope=scope)
        verdict = self._door.judge(scope["method"], scope["path"], headers)
        if verdict == "pass":
            await self._app(scope, receive, _hardened(send))
        else:
            await _refusal(verdict, scope, headers)(scope, receive, send)


def _hardened(send: Send) -> Send:
    """Keep other sites from reading or embedding what is answered, whoever answers it."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        await send(message)

    return sent


def _refusal(verdict: Verdict, scope: Scope, headers: Headers) -> Response:
    if verdict == "no token" and scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/login", 303)
    status, title, detail = REFUSALS[verdict]
    more = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(content, status, {"X-Content-Type-Options": "nosniff", **more}, media_type=PROBLEM)
