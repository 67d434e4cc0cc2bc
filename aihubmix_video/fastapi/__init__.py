"""Video generation behind an application's own HTTP API; needs the extra ``fastapi``.

    app = FastAPI(lifespan=video_lifespan(ledger="jobs.db"))
    app.include_router(video_router(folder="videos"), prefix="/videos")

How to run it, secure it and limit it: ``docs/fastapi.md``.
"""

from __future__ import annotations

from aihubmix_video.fastapi.app_state import get_session
from aihubmix_video.fastapi.http_errors import LimitReached, NotAllowed
from aihubmix_video.fastapi.lifespan import video_lifespan
from aihubmix_video.fastapi.monitoring_routes import monitoring_router
from aihubmix_video.fastapi.problem_details import add_problem_handlers
from aihubmix_video.fastapi.router import video_router

__all__ = [
    "LimitReached",
    "NotAllowed",
    "add_problem_handlers",
    "get_session",
    "monitoring_router",
    "video_lifespan",
    "video_router",
]
