"""A session at a sandbox, and what the sandbox saw of it."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aihubmix_video import VideoSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video.sandbox import Sandbox

AT_ONCE: dict[str, Any] = {
    "profile": "field",
    "generation": 0.0,
    "content": 50_000,
    "render": False,
}  # Any: each option has its own type
"""Options of a sandbox whose jobs are done at once, and whose films are valid and small."""

WAN = {"model": "wan2.6-t2v"}
"""The cheapest request to type: everything else has a default."""


@asynccontextmanager
async def opened(sandbox: Sandbox, **options: Any) -> AsyncIterator[VideoSession]:  # noqa: ANN401 - the session's options
    """Open a session at *sandbox* that need not wait for its rate, unless told otherwise."""
    usual = {"api_key": sandbox.api_key, "base_url": sandbox.url, "rate": 1000.0, "burst": 1000, "trust_env": False}
    async with VideoSession(**(usual | options)) as session:
        yield session


def seen(sandbox: Sandbox) -> dict[str | None, int]:
    """Count the requests that arrived, by endpoint."""
    return dict(Counter(logged.route for logged in sandbox.log))


def times(sandbox: Sandbox, route: str) -> list[float]:
    """Give the moments at which requests to one endpoint arrived, in seconds on the loop's clock."""
    return [logged.at for logged in sandbox.log if logged.route == route]


def files(folder: Path) -> dict[str, int]:
    """Give the sizes of all files below a folder by their names, but for those of a ledger, in which ``.db`` occurs."""
    found = [path for path in folder.rglob("*") if path.is_file() and ".db" not in path.name]
    return {str(path.relative_to(folder)): path.stat().st_size for path in found}


def descriptors() -> int:
    """Count the open file descriptors of this process; 0 where the system does not list them."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0
