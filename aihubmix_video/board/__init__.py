"""The live board: one page on which videos are ordered, followed and played; needs the extra ``fastapi``.

    app = FastAPI(lifespan=video_lifespan(ledger="jobs.db"))
    app.include_router(video_router(), prefix="/videos")
    app.mount("/board", video_board(jobs="/videos"))

pages              the page and what it loads
access_middleware  who is let in, where the board is a server of its own
app                that server's application
"""

from __future__ import annotations

from aihubmix_video.board.pages import video_board

__all__ = ["video_board"]
