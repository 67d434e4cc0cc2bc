"""Video generation behind an application's own HTTP API; needs the extra ``fastapi``.

    app = FastAPI(lifespan=video_lifespan(ledger="jobs.db"))
    app.include_router(video_router(folder="videos"), prefix="/videos")

How to run it, secure it and limit it: ``docs/fastapi.md``.
"""

from __future__ import annotations

from aihubmix_video.fastapi.lifespan import video_lifespan
from aihubmix_video.fastapi.problems import add_problem_handlers
from aihubmix_video.fastapi.refusals import LimitReached, NotAllowed
from aihubmix_video.fastapi.router import video_router
from aihubmix_video.fastapi.service import get_session

__all__ = [
    "LimitReached",
    "NotAllowed",
    "add_problem_handlers",
    "get_session",
    "video_lifespan",
    "video_router",
]
