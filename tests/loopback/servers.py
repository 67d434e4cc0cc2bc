"""Applications behind a real server, and clients that talk to them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from fastapi import FastAPI

from aihubmix_video.fastapi import video_lifespan, video_router

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aihubmix_video.sandbox import Sandbox

CAT = {"model": "wan2.6-t2v", "prompt": "a cat", "seconds": 5}
ENDED = {"saved", "done", "failed", "uncertain"}


def session_options(sandbox: Sandbox, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - the session's options
    """Give options of a session at *sandbox* that need not wait for its rate, unless told otherwise."""
    usual = {"api_key": sandbox.api_key, "base_url": sandbox.url, "rate": 1000.0, "burst": 1000, "trust_env": False}
    return usual | {"poll_interval": 0.2} | options


def application(
    sandbox: Sandbox,
    folder: Path,
    *,
    router: dict[str, Any] | None = None,
    **session: Any,  # noqa: ANN401 - likewise
) -> FastAPI:
    """Make an application with the videos' routes under ``/videos``."""
    app = FastAPI(lifespan=video_lifespan(**session_options(sandbox, **session)))
    app.include_router(video_router(folder=folder / "videos", **(router or {})), prefix="/videos")
    return app


@asynccontextmanager
async def served(app: Any, **options: Any) -> AsyncIterator[str]:  # noqa: ANN401 - any ASGI application; uvicorn's options
    """Serve an application on a free loopback port; gives its URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="on", **options)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done(), "the application did not start"
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def client_of(app: Any, **options: Any) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ANN401 - likewise
    """Serve an application and give a client of it."""
    async with (
        served(app, **options) as url,
        httpx.AsyncClient(
            base_url=url, trust_env=False, timeout=20, limits=httpx.Limits(max_connections=None)
        ) as client,
    ):
        yield client


async def settled(client: httpx.AsyncClient, path: str, *states: str) -> dict[str, Any]:
    """Wait until a job is in one of these states, or has ended."""
    async with asyncio.timeout(30):
        while True:
            job: dict[str, Any] = (await client.get(path)).json()
            if job["state"] in (states or ENDED):
                return job
            assert job["state"] not in ENDED, job
            await asyncio.sleep(0.02)
