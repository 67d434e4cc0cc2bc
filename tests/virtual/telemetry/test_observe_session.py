"""Traces and metrics of real sessions, as an SDK receives them in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import errors
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.telemetry import observe_session
from tests.loopback.sessions import AT_ONCE, WAN, opened

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

pytest.importorskip("looptime")
pytest.importorskip("opentelemetry.sdk")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

from opentelemetry import metrics, trace  # noqa: E402  # they come with an extra
from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402

LATER: dict[str, Any] = {"speed": 1, "generation": 60.0, "content": 50_000, "render": False}


class Sdk:
    """An SDK that keeps everything in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider(metric_readers=[self._reader])
        self.options = {"tracer_provider": self.tracers, "meter_provider": self.meters}

    def spans(self, prefix: str = "") -> list[ReadableSpan]:
        """Return the spans that ended."""
        return [span for span in self._exporter.get_finished_spans() if span.name.startswith(prefix)]

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return values, and of histograms the counts, by metric and attributes."""
        data = self._reader.get_metrics_data()
        found: dict[tuple[str, ...], float] = {}
        for scope in data.resource_metrics[0].scope_metrics if data is not None and data.resource_metrics else ():
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    value = point.count if hasattr(point, "count") else point.value
                    found[(metric.name.removeprefix("aihubmix.video."), *map(str, point.attributes.values()))] = value
        return found

    def text(self) -> str:
        """Return everything that the exporters received, as text."""
        return "".join(span.to_json() for span in self.spans()) + str(self.metrics())


@pytest.fixture
def sdk() -> Sdk:
    """Return a fresh SDK."""
    return Sdk()


async def test_a_job_is_one_span_with_its_create_and_its_download_inside(sdk: Sdk, tmp_path: Path):
    """Polls are a number: a job of half an hour is asked about a hundred times."""
    async with Sandbox(**LATER) as sandbox, opened(sandbox) as session:
        with observe_session(session, **sdk.options), sdk.tracers.get_tracer("app").start_as_current_span("app") as app:
            video = await session.generate("a cat", to=tmp_path / "cat.mp4", **WAN)
        polls = session.stats().polls_sent
    (job,) = sdk.spans("generate_content")
    children = [span for span in sdk.spans() if span.parent is not None and span.parent.span_id == job.context.span_id]
    assert ["create video", "download video"] == [span.name for span in children]
    assert job.parent is not None
    assert app.get_span_context().span_id == job.parent.span_id
    assert {
        "gen_ai.request.model": "wan2.6-t2v",
        "gen_ai.response.id": video.id,
        "aihubmix.video.job.state": "saved",
        "aihubmix.video.polls": polls,
        "aihubmix.video.creates": 1,
        "aihubmix.video.charged": "yes",
        "aihubmix.video.file.size": video.bytes_written,
        "aihubmix.video.file.sha256": video.sha256,
    }.items() <= dict(job.attributes or {}).items()
    assert ["accepted", "completed"] == [event.name for event in job.events]
    assert polls > 1


async def test_many_jobs_are_counted_by_how_they_ended(sdk: Sdk, tmp_path: Path):
    """Saved, failed and uncertain, with the requests that it took; nothing is active at the end."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.edit({"status": "failed", "error": {"message": "no"}}, route="retrieve", times=1))
        with observe_session(session, prices={"wan2.6-t2v": 0.1}, **sdk.options):
            for number in range(3):
                try:
                    await session.generate("a cat", to=tmp_path / f"{number}.mp4", seconds=5, **WAN)
                except errors.JobFailed:
                    continue
            sandbox.faults.add(Fault.status(504, route="create"))
            with pytest.raises(errors.SubmitUncertain):
                await session.generate("a cat", to=tmp_path / "lost.mp4", seconds=5, **WAN)
    told = sdk.metrics()
    ended = {key[1:]: value for key, value in told.items() if key[0] == "jobs.ended"}
    assert {
        ("saved", "wan2.6-t2v"): 2,
        ("failed", "wan2.6-t2v", "JobFailed"): 1,
        ("uncertain", "wan2.6-t2v", "SubmitUncertain"): 1,
    } == ended
    assert {0} == {value for key, value in told.items() if key[0] == "jobs.active"}
    assert 1.5 == pytest.approx(told["cost", "wan2.6-t2v", "yes"])
    assert 0.5 == pytest.approx(told["cost", "wan2.6-t2v", "unknown"])
    assert 4 == told["polls", "wan2.6-t2v"]
    assert 100_000 == told["downloaded",]
    assert 0 < told["rate",]


async def test_a_cooldown_is_counted_and_told_while_it_lasts(sdk: Sdk, tmp_path: Path):
    """A session that stands still must be seen to."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(429, route="create", headers={"Retry-After": "3"}))
        with observe_session(session, **sdk.options):
            await session.generate("a cat", to=tmp_path / "cat.mp4", **WAN)
    told = sdk.metrics()
    assert 1 == told["cooldowns", "creates"]
    assert 1 == told["requests", "create", "RateLimited"]
    assert ("cooldown.remaining", "creates") in told
    first, second = sdk.spans("create video")
    assert ("RateLimited", 429) == (
        (first.attributes or {})["error.type"],
        (first.attributes or {})["http.response.status_code"],
    )
    assert "error.type" not in (second.attributes or {})


@pytest.mark.parametrize("asked", [False, True])
async def test_prompts_are_told_only_to_those_who_ask(sdk: Sdk, tmp_path: Path, *, asked: bool):
    """Also within the texts of errors, which vendors fill with what was sent."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        body = {"error": {"message": "refused: a purple zebra", "type": "invalid_request_error"}}
        sandbox.faults.add(Fault.status(400, body, route="create"))
        with observe_session(session, prompts=asked, **sdk.options):
            with pytest.raises(errors.RequestRefused):
                await session.generate("a purple zebra", to=tmp_path / "cat.mp4", **WAN)
            await session.generate("a purple zebra", to=tmp_path / "cat.mp4", **WAN)
    assert (4 if asked else 0) == sdk.text().count("purple zebra")  # two jobs, the refused create, and its job


async def test_the_key_is_never_told(sdk: Sdk, tmp_path: Path):
    """Not even where the gateway repeats it."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        body = {"error": {"message": f"bad key {sandbox.api_key}"}}
        sandbox.faults.add(Fault.status(401, body, route="create"))
        with observe_session(session, prompts=True, **sdk.options), pytest.raises(errors.AuthenticationError):
            await session.generate("a cat", to=tmp_path / "cat.mp4", **WAN)
    assert sdk.spans("generate_content")
    assert sandbox.api_key not in sdk.text()


async def test_without_an_sdk_nothing_is_subscribed_to():
    """The API's own providers stand for one that is not there; then a session must cost what it costs alone."""
    proxies = {"tracer_provider": trace.ProxyTracerProvider(), "meter_provider": metrics.NoOpMeterProvider()}
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        manager = session._manager
        before = (list(manager.observers), list(manager.request_observers))
        for options in ({}, proxies):
            with observe_session(session, **options):
                assert before == (list(manager.observers), list(manager.request_observers))


async def test_a_job_that_is_still_running_at_the_end_is_told_as_it_stands(sdk: Sdk, tmp_path: Path):
    """A span that never ends is never seen; the job itself goes on."""
    async with Sandbox(**LATER) as sandbox, opened(sandbox) as session:
        with observe_session(session, **sdk.options):
            job = await session.submit("a cat", to=tmp_path / "cat.mp4", **WAN)
        assert (await job).path == tmp_path / "cat.mp4"
    (span,) = sdk.spans("generate_content")
    assert "running" == (span.attributes or {})["aihubmix.video.job.state"]
    assert 0 == sdk.metrics()["jobs.active", "running"]


async def test_jobs_that_the_closing_session_leaves_are_told_as_left(sdk: Sdk):
    """They go on at the gateway, and are resumed on another day."""
    async with Sandbox(**LATER) as sandbox, opened(sandbox) as session:
        with observe_session(session, **sdk.options):
            await session.submit("a cat", **WAN)
            await session.aclose()
    (span,) = sdk.spans("generate_content")
    assert "left" == (span.attributes or {})["aihubmix.video.job.state"]
    assert 1 == sdk.metrics()["jobs.ended", "left", "wan2.6-t2v"]


async def test_a_job_followed_by_its_id_is_told_from_the_moment_it_is_followed(sdk: Sdk):
    """Its span belongs to whoever attached it, not to the request that first heard of it."""
    async with Sandbox(**LATER) as sandbox, opened(sandbox) as first, opened(sandbox) as second:
        job = await first.submit("a cat", **WAN)
        with observe_session(second, **sdk.options):
            with sdk.tracers.get_tracer("app").start_as_current_span("app") as app:
                again = second.job(str(job.id))
            await again
    (span,) = sdk.spans("generate_content")
    assert span.parent is not None
    assert app.get_span_context().span_id == span.parent.span_id
    assert (True, "done") == tuple(
        (span.attributes or {})[f"aihubmix.video.job.{name}"] for name in ("resumed", "state")
    )


class BrokenSdk(TracerProvider):
    """An SDK whose spans cannot be made."""

    def get_tracer(self, *_: object, **__: object) -> Any:  # noqa: ANN401  # it is not one
        """Return what is not a tracer."""
        return object()


async def test_an_sdk_that_fails_costs_no_video(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Telemetry is worth less than a paid job; that it is off is said once."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        with observe_session(session, tracer_provider=BrokenSdk(), meter_provider=metrics.NoOpMeterProvider()):
            videos = await asyncio.gather(
                *(session.generate("a cat", to=tmp_path / f"{number}.mp4", **WAN) for number in range(3))
            )
    assert 3 == len({video.path for video in videos}) == sandbox.billed
    assert 1 == caplog.text.count("telemetry failed")


async def test_a_price_that_cannot_be_meant_is_refused():
    """As everywhere."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        with pytest.raises(errors.InvalidRequest), observe_session(session, prices={"sora-2": -1.0}):
            pass
