# ruff: noqa: INP001 - a program, not a package
"""Video generation behind an own API, with users, a limit for each, and a page that shows progress.

    $ pip install 'aihubmix-video[fastapi]'
    $ export AIHUBMIX_API_KEY=sk-...
    $ uvicorn fastapi_app:app

Then http://127.0.0.1:8000/?token=let-ann-in shows a form, and http://127.0.0.1:8000/docs the API.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import HTMLResponse

from aihubmix_video import VideoSession  # noqa: TC001 - FastAPI looks at it
from aihubmix_video.fastapi import LimitReached, add_problem_handlers, get_session, video_lifespan, video_router

if TYPE_CHECKING:
    from aihubmix_video import VideoRequest

USERS = {"let-ann-in": "ann", "let-bob-in": "bob"}  # yours come from a database
DAY = 24 * 3600
VIDEOS_A_DAY = 5

app = FastAPI(title="Videos", lifespan=video_lifespan(ledger=os.environ.get("VIDEO_LEDGER", "jobs.db")))
add_problem_handlers(app)


async def user(authorization: Annotated[str, Header()] = "", token: str = "") -> str:
    """Say who asks: by a header or, as browsers send none with event streams and videos, by the query."""
    found = USERS.get(authorization.removeprefix("Bearer ") or token)
    if found is None:
        raise HTTPException(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
    return found


bought: defaultdict[str | None, deque[float]] = defaultdict(deque)


async def allow(owner: str | None, wanted: VideoRequest) -> None:  # noqa: ARG001 - a limit by model would look at it
    """Let every user buy a few videos a day."""
    now, earlier = time.time(), bought[owner]
    while earlier and earlier[0] < now - DAY:
        earlier.popleft()
    if len(earlier) >= VIDEOS_A_DAY:
        raise LimitReached(f"{VIDEOS_A_DAY} videos a day", retry_after=earlier[0] + DAY - now)
    earlier.append(now)


app.include_router(video_router(folder="videos", owner=user, allow=allow), prefix="/videos")


@app.get("/stats", dependencies=[Depends(user)])
async def stats(session: Annotated[VideoSession, Depends(get_session)]) -> dict[str, Any]:
    """Show what the process is doing: handlers of your own use the same session."""
    now = session.stats()
    return {"waiting": now.waiting, "in_flight": now.in_flight, "downloading": now.downloading}


@app.get("/", response_class=HTMLResponse, dependencies=[Depends(user)])
async def page() -> str:
    """Show a form, and what becomes of what it sends."""
    return PAGE


PAGE = """<!doctype html>
<meta charset="utf-8"><title>Videos</title>
<form><label>Prompt <input name="prompt" required></label> <button>Generate</button></form>
<p role="status"></p>
<video controls hidden></video>
<script>
const token = new URLSearchParams(location.search).get("token") ?? "";
const [form, status, video] = ["form", "p", "video"].map((name) => document.querySelector(name));
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("videos/", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Idempotency-Key": crypto.randomUUID(),
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({model: "wan2.6-t2v", seconds: 5, prompt: form.prompt.value}),
  });
  const job = await answer.json();
  if (!answer.ok) { status.textContent = job.detail; return; }
  const events = new EventSource(`videos/${job.key}/events?token=${token}`);
  events.addEventListener("job", ({data}) => {
    const {state, progress, eta, error, content} = JSON.parse(data);
    status.textContent = error?.message ?? [state, progress && `${progress} %`, eta && `${Math.round(eta)} s`].filter(Boolean).join(", ");
    if (content) { video.src = `${content}?token=${token}`; video.hidden = false; }
    if (["saved", "failed", "uncertain"].includes(state)) events.close();
  });
});
</script>
"""
