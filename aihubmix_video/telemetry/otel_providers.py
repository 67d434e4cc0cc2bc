"""Whether somebody configured an OpenTelemetry SDK, and the meter and tracer of it."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from opentelemetry import metrics, trace

from aihubmix_video.telemetry.otel_metrics import OtelMetrics
from aihubmix_video.telemetry.otel_spans import OtelSpans
from aihubmix_video.telemetry.session_observer import SessionObserver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from aihubmix_video.session.session import VideoSession

__all__ = ["otel_observer"]

SCOPE: Final = "aihubmix_video"
API_MODULES: Final = ("opentelemetry.trace", "opentelemetry.metrics")
"""Providers of the API itself stand for an SDK that is not there."""


def otel_observer(
    session: VideoSession,
    *,
    prompts: bool,
    prices: Mapping[str, float] | None,
    tracer_provider: TracerProvider | None,
    meter_provider: MeterProvider | None,
) -> SessionObserver | None:
    """Return what observes a session for OpenTelemetry, not started yet; None where nothing would come of it."""
    tracers = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
    meters = metrics.get_meter_provider() if meter_provider is None else meter_provider
    number = version("aihubmix-video")
    spans = None
    if _does_something(tracers):
        spans = OtelSpans(tracers.get_tracer(SCOPE, number), session.base_url, prompts=prompts)
    sinks = [OtelMetrics(meters.get_meter(SCOPE, number))] if _does_something(meters) else []
    return SessionObserver(session, sinks, spans, prices) if sinks or spans is not None else None


def _does_something(provider: object) -> bool:
    return not type(provider).__module__.startswith(API_MODULES)
