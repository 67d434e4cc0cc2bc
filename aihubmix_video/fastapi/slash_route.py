"""Routes that answer with and without a slash at their path's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import APIRoute
from starlette.routing import Match

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["EitherSlashRoute"]


class EitherSlashRoute(APIRoute):
    """Answers with or without a slash at its path's end.

    A redirect from one spelling to the other loses a POST with clients that do not follow one, or that follow it with a GET.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match either spelling."""
        match, child = super().matches(scope)
        if match is not Match.NONE or scope["type"] != "http":
            return match, child
        path = str(scope["path"])
        return super().matches({**scope, "path": path.removesuffix("/") if path.endswith("/") else f"{path}/"})
