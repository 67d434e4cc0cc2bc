"""Fronts behind a real server, and the clients that people use."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI

from aihubmix_video.fastapi import video_lifespan
from aihubmix_video.openai_front import openai_router
from tests.loopback.servers import served, session_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aihubmix_video.sandbox import Sandbox

CAT = {"model": "wan2.6-t2v", "prompt": "a cat", "seconds": "5"}
TOKEN = "a-token-for-the-tests"


def front(
    sandbox: Sandbox,
    folder: Path,
    *,
    session: dict[str, Any] | None = None,
    **options: Any,  # noqa: ANN401  # those of the router
) -> FastAPI:
    """Make an application with the front under ``/v1``."""
    app = FastAPI(lifespan=video_lifespan(**session_options(sandbox, **(session or {}))))
    app.include_router(openai_router(folder=folder / "videos", **options), prefix="/v1")
    return app


@asynccontextmanager
async def plain(app: FastAPI, token: str = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a front, and give a client that does nothing by itself."""
    async with (
        served(app) as url,
        httpx.AsyncClient(
            base_url=f"{url}/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20
        ) as client,
    ):
        yield client


async def ended(client: httpx.AsyncClient, video: str) -> dict[str, Any]:
    """Ask about a video until it has ended."""
    async with asyncio.timeout(30):
        while True:
            told: dict[str, Any] = (await client.get(f"/videos/{video}")).json()
            if told["status"] in {"completed", "failed"}:
                return told
            await asyncio.sleep(0.02)
