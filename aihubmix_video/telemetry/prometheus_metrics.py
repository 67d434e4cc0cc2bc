"""A session's metrics in Prometheus' text format; needs `prometheus_client`, which the extra ``fastapi`` brings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from aihubmix_video.telemetry.instruments import INSTRUMENTS, Instrument, prometheus_name
from aihubmix_video.telemetry.session_observer import SessionObserver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.session.session import VideoSession
    from aihubmix_video.telemetry.cooldowns import CooldownCount
    from aihubmix_video.telemetry.instruments import Measurement

__all__ = ["CONTENT_TYPE", "PrometheusMetrics", "SessionMetrics"]

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class PrometheusMetrics:
    """One Prometheus metric per row of `INSTRUMENTS`, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._metrics = {each.name: self._metric(each) for each in INSTRUMENTS.values()}
        self._cooldowns: CooldownCount | None = None

    def measure(self, measurement: Measurement) -> None:
        """Write one measurement; an attribute that it lacks is an empty label."""
        row = INSTRUMENTS[measurement.name]
        metric = self._metrics[measurement.name]
        if row.attributes:
            metric = metric.labels(*(measurement.attributes.get(name, "") for name in row.attributes))
        if isinstance(metric, Histogram):
            metric.observe(measurement.value)
        else:
            metric.inc(measurement.value)

    def set_gauges(self, rate: float, cooldowns: CooldownCount) -> None:
        """Set the rate in force, and keep what tells for how long requests are held."""
        gauge = self._metrics["aihubmix.video.rate"]
        assert isinstance(gauge, Gauge)  # noqa: S101  # as its row says
        gauge.set(rate)
        self._cooldowns = cooldowns

    def render(self) -> bytes:
        """Return all metrics as text."""
        gauge = self._metrics["aihubmix.video.cooldown.remaining"]
        assert isinstance(gauge, Gauge)  # noqa: S101  # as its row says
        for requests, seconds in (
            self._cooldowns.remaining(time.time()) if self._cooldowns is not None else {}
        ).items():
            gauge.labels(requests).set(seconds)
        return generate_latest(self._registry)

    def _metric(self, each: Instrument) -> Counter | Gauge | Histogram:
        name, labels = prometheus_name(each), [attribute.replace(".", "_") for attribute in each.attributes]
        match each.kind:
            case "counter":
                return Counter(name, each.description, labels, registry=self._registry)
            case "histogram":
                return Histogram(name, each.description, labels, registry=self._registry, buckets=each.buckets)
            case _:
                return Gauge(name, each.description, labels, registry=self._registry)


class SessionMetrics:
    """What one open session has done since this began.

    Args:
        session: The session.
        prices: USD per second by model, in place of the list prices.
    """

    def __init__(self, session: VideoSession, prices: Mapping[str, float] | None = None) -> None:
        self._metrics = PrometheusMetrics()
        self._observer = SessionObserver(session, [self._metrics], prices=prices)
        self._observer.start()

    def render(self) -> bytes:
        """Return all metrics as text, as of now."""
        self._observer.refresh()
        return self._metrics.render()

    def close(self) -> None:
        """End it."""
        self._observer.stop()
