"""Which endpoint a request is for."""

from __future__ import annotations

from typing import Literal
from urllib.parse import unquote

import attrs

Route = Literal["create", "list", "retrieve", "content", "delete", "models", "catalog", "balance"]
COLLECTION = "/v1/videos"
ITEM = COLLECTION + "/"
CONTENT = "/content"
BILLING = ("subscription", "usage", "remain")


@attrs.frozen
class RouteMatch:
    """An endpoint, and the id in its path."""

    route: Route
    video_id: str | None = None


READ_ONLY = {
    "/v1/models": RouteMatch("models"),
    "/api/v1/models": RouteMatch("catalog"),
    **{f"{prefix}/dashboard/billing/{name}": RouteMatch("balance") for prefix in ("/v1", "") for name in BILLING},
}
PUBLIC: frozenset[Route] = frozenset({"models", "catalog"})
"""What is answered without a key."""


def locate(method: str, path: str) -> RouteMatch | None:
    """Find the endpoint of a raw path; its id is one segment, still percent-encoded. None when there is none."""
    path = path.partition("?")[0]
    if path == COLLECTION:
        own: dict[str, Route] = {"POST": "create", "GET": "list"}
        return RouteMatch(own[method]) if method in own else None
    if path in READ_ONLY:
        return READ_ONLY[path] if method == "GET" else None
    if not path.startswith(ITEM):
        return None
    segment, slash, rest = path.removeprefix(ITEM).partition("/")
    if not segment or (slash and "/" + rest != CONTENT):
        return None
    if slash:
        return RouteMatch("content", unquote(segment)) if method == "GET" else None
    route: dict[str, Route] = {"GET": "retrieve", "DELETE": "delete"}
    return RouteMatch(route[method], unquote(segment)) if method in route else None


def is_known(path: str) -> bool:
    """Return whether any method has an endpoint at *path*."""
    return any(locate(method, path) for method in ("GET", "POST", "DELETE"))


def serves_host(host: str | None) -> bool:
    """Return whether a Host header names this machine's loopback; any port will do, there may be a proxy before us."""
    if not host:
        return False
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return name.lower() in {"127.0.0.1", "localhost", "[::1]"}
