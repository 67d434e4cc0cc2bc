"""The live board: one page on which videos are ordered, followed and played; needs the extra ``fastapi``.

    app = FastAPI(lifespan=video_lifespan(ledger="jobs.db"))
    app.include_router(video_router(), prefix="/videos")
    app.mount("/board", video_board(jobs="/videos"))

site    the page and what it loads
guard   who is let in, where the board is a server of its own
served  that server's application
"""

from __future__ import annotations

from aihubmix_video.board.site import video_board

__all__ = ["video_board"]
