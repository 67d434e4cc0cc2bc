"""What those who operate a server ask it: whether it works, and what it has done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, HTTPException
from prometheus_client.parser import text_string_to_metric_families

from aihubmix_video.errors import LedgerError
from aihubmix_video.fastapi import monitoring_router, video_lifespan, video_router
from aihubmix_video.fastapi.app_state import NAME
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.servers import CAT, client_of, session_options, settled
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aihubmix_video import VideoSession


def monitored(sandbox: Sandbox, folder: Path, **options: object) -> FastAPI:
    """Make an application with the two routes."""
    app = FastAPI(lifespan=video_lifespan(**session_options(sandbox)))
    app.include_router(video_router(folder=folder), prefix="/videos")
    app.include_router(monitoring_router(**options))  # type: ignore[arg-type]  # of several types
    return app


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Read metrics as Prometheus does: values by name and labels that are not empty."""
    families = text_string_to_metric_families(text)
    return {
        (each.name, *filter(None, each.labels.values())): each.value for family in families for each in family.samples
    }


async def test_metrics_tell_what_the_session_did(tmp_path: Path):
    """By the reader that comes with Prometheus' own client, so that a scrape is sure to be understood."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(monitored(sandbox, tmp_path)) as client:
        sandbox.faults.add(Fault.status(429, route="create", headers={"Retry-After": "0.1"}))
        key = (await client.post("/videos/", json=CAT)).json()["key"]
        await settled(client, f"/videos/{key}")
        answer = await client.get("/metrics")
    told = samples(answer.text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert 1 == told["aihubmix_video_jobs_ended_total", "saved", CAT["model"]]
    assert 1 == told["aihubmix_video_requests_total", "create"]
    assert 1 == told["aihubmix_video_requests_total", "create", "RateLimited"]
    assert 50_000 == told["aihubmix_video_downloaded_bytes_total",]
    assert 0 < told["aihubmix_video_rate_per_second",]
    assert 1 == told["aihubmix_video_polls_count", CAT["model"]]
    assert {0} == {value for name, value in told.items() if name[0] == "aihubmix_video_jobs_active"}


async def test_metrics_contain_neither_the_key_nor_prompts(tmp_path: Path):
    """They are scraped by machines that have no business with either."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(monitored(sandbox, tmp_path)) as client:
        key = (await client.post("/videos/", json=CAT | {"prompt": "purple zebra"})).json()["key"]
        await settled(client, f"/videos/{key}")
        text = (await client.get("/metrics")).text
    assert "aihubmix_video_jobs_ended_total" in text
    assert sandbox.api_key not in text
    assert "zebra" not in text


async def test_metrics_can_be_guarded_and_health_stays_open(tmp_path: Path):
    """Load balancers send no tokens."""

    def refuse() -> None:
        raise HTTPException(401)

    guarded = {"dependencies": [Depends(refuse)]}
    async with Sandbox(**AT_ONCE) as sandbox, client_of(monitored(sandbox, tmp_path, **guarded)) as client:
        answers = [await client.get(path) for path in ("/metrics", "/healthz", "/healthz/")]
    assert [401, 200, 200] == [answer.status_code for answer in answers]
    assert {"status": "ok"} == answers[1].json()


async def test_a_server_that_cannot_buy_says_so(tmp_path: Path):
    """So that jobs are sent to one that can; what exactly is wrong is for the log."""
    app = None
    async with Sandbox(**AT_ONCE) as sandbox:
        app = monitored(sandbox, tmp_path)
        async with client_of(app) as client:
            session: VideoSession = getattr(app.state, NAME).session
            session._manager.stop_buying(LedgerError("the disk is full: secret place"))
            session._manager._troubled_at = session._manager._clock()  # it was tried just now
            answer = await client.get("/healthz")
    assert (503, {"status": "the ledger cannot be written"}) == (answer.status_code, answer.json())


async def test_a_session_is_instrumented_as_long_as_it_is_open(tmp_path: Path):
    """By whatever the application likes, such as `observe_session`."""
    log: list[str] = []

    @contextmanager
    def instrument(session: VideoSession) -> Iterator[None]:
        log.append(repr(session))
        yield
        log.append(repr(session))

    async with Sandbox(**AT_ONCE) as sandbox:
        app = FastAPI(lifespan=video_lifespan(instrument=instrument, **session_options(sandbox)))
        app.include_router(video_router(folder=tmp_path), prefix="/videos")
        async with client_of(app) as client:
            assert 200 == (await client.get("/videos/")).status_code
    assert [f"<VideoSession {sandbox.url} open>"] * 2 == log
