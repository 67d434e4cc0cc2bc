"""An OpenAI-compatible front over the session: any OpenAI client buys, follows and fetches videos by its base URL alone.

    app = FastAPI(lifespan=video_lifespan(ledger="jobs.db"))
    app.include_router(openai_router(folder="videos", clients=[ApiClient.of("alice", token)]), prefix="/v1")

How clients are configured, and which creates count as one: ``docs/openai.md``. Needs the extra ``fastapi``.
"""

from __future__ import annotations

from aihubmix_video.openai_front.api_client import ApiClient
from aihubmix_video.openai_front.client_file import clients_in
from aihubmix_video.openai_front.openai_router import openai_router

__all__ = ["ApiClient", "clients_in", "openai_router"]
