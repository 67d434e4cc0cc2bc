"""Access control in front of everything that a standalone board serves."""

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
    "wrong host": (421, "Misdirected Request", "This board answers only to the names of its own machine."),
    "foreign": (403, "Forbidden", "Requests that change something are accepted only from the board's own page."),
    "no token": (401, "Unauthorized", "Sign in, or send the token as `Authorization: Bearer`."),
}


class AccessMiddleware:
    """Passes on the requests that the access policy allows, and refuses the others."""

    def __init__(self, app: ASGIApp, policy: AccessPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":  # nothing here uses another protocol
            return
        headers = Headers(scope=scope)
        verdict = self._policy.judge(scope["method"], scope["path"], headers)
        if verdict == "pass":
            await self._app(scope, receive, _hardened(send))
        else:
            await _refusal(verdict, scope, headers)(scope, receive, send)


def _hardened(send: Send) -> Send:
    """Keep other sites from reading or embedding the answer, whichever application makes it."""

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
