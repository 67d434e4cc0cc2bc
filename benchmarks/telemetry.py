"""What telemetry costs a session, in CPU time per job: not entered, entered without an SDK, and with one.

Run ``python benchmarks/telemetry.py``. The kinds take turns within each round, so that a busy machine slows all of them; the
local gateway runs in another process, and its time is not counted. Noise is what two series of the same kind differ by.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import time
from contextlib import nullcontext
from statistics import median
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from aihubmix_video import VideoSession
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.telemetry import observe_session
from aihubmix_video.telemetry.prometheus_metrics import SessionMetrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

JOBS = 300
ROUNDS = 15


def serve(pipe: Connection) -> None:
    """Serve a gateway whose jobs are done at once, until told to stop."""

    async def serving() -> None:
        async with Sandbox(generation=0.0, render=False) as sandbox:
            pipe.send((sandbox.url, sandbox.api_key))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serving())


def with_sdk(session: VideoSession) -> Any:  # noqa: ANN401 - a context
    """Observe with an SDK that exports nothing, which leaves the cost of what is handed to it."""
    tracers, meters = TracerProvider(), MeterProvider(metric_readers=[InMemoryMetricReader()])
    return observe_session(session, tracer_provider=tracers, meter_provider=meters)


def with_prometheus(session: VideoSession) -> Any:  # noqa: ANN401 - a context
    """Keep what a server keeps for ``/metrics``."""
    SessionMetrics(session)
    return nullcontext()


KINDS: dict[str, Callable[[VideoSession], Any]] = {
    "alone": lambda _: nullcontext(),
    "alone again (noise)": lambda _: nullcontext(),
    "observed, no SDK": observe_session,
    "observed, with an SDK": with_sdk,
    "/metrics of a server": with_prometheus,
}


async def measure(url: str, key: str, kind: Callable[[VideoSession], Any]) -> float:
    """Return microseconds of CPU time per job."""
    options: dict[str, Any] = {"rate": 1000.0, "burst": 1000, "poll_interval": 0.25, "trust_env": False}
    gc.collect()
    async with VideoSession(key, base_url=url, **options) as session:
        with kind(session):
            began = time.process_time()
            jobs = await asyncio.gather(*(session.submit("a cat", model="wan2.6-t2v", seconds=5) for _ in range(JOBS)))
            await asyncio.gather(*jobs)
            return (time.process_time() - began) / JOBS * 1e6


def main() -> None:
    """Measure and print."""
    ours, theirs = multiprocessing.Pipe()
    gateway = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    gateway.start()
    url, key = ours.recv()
    took: dict[str, list[float]] = {name: [] for name in KINDS}
    try:
        for turn in range(ROUNDS + 1):
            names = list(KINDS)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                each = asyncio.run(measure(url, key, KINDS[name]))
                if turn:  # the first warms up
                    took[name].append(each)
    finally:
        ours.send(None)
        gateway.join()
    for name, values in took.items():
        ratios = [value / alone for value, alone in zip(values, took["alone"], strict=True)]
        print(f"{name:24} {median(values):7.0f} µs per job, × alone: {median(ratios):.3f}")


if __name__ == "__main__":
    main()
