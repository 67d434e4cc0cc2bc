"""Writes measurements with OpenTelemetry's metrics API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Observation

from aihubmix_video.telemetry.instruments import INSTRUMENTS, REQUEST, Instrument, Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.metrics import Meter

    from aihubmix_video.telemetry.cooldowns import CooldownCount

__all__ = ["OtelMetrics"]


class OtelMetrics:
    """One instrument per row of `INSTRUMENTS`; gauges are asked for by the reader's thread, from values kept here."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._rate: float | None = None
        self._cooldowns: CooldownCount | None = None
        self._write = {each.name: self._writer(each) for each in INSTRUMENTS.values() if each.kind != "gauge"}
        for name, callback in (
            ("aihubmix.video.rate", self._rate_now),
            ("aihubmix.video.cooldown.remaining", self._cooldowns_now),
        ):
            gauge = INSTRUMENTS[name]
            meter.create_observable_gauge(name, [callback], unit=gauge.unit, description=gauge.description)

    def measure(self, measurement: Measurement) -> None:
        """Write one measurement."""
        self._write[measurement.name](measurement.value, measurement.attributes)

    def set_gauges(self, rate: float, cooldowns: CooldownCount) -> None:
        """Keep what the gauges tell until the next call."""
        self._rate, self._cooldowns = rate, cooldowns

    def _writer(self, each: Instrument) -> Callable[..., None]:
        unit, description = each.unit, each.description
        match each.kind:
            case "counter":
                return self._meter.create_counter(each.name, unit, description).add
            case "active":
                return self._meter.create_up_down_counter(each.name, unit, description).add
            case _:
                return self._meter.create_histogram(
                    each.name, unit, description, explicit_bucket_boundaries_advisory=each.buckets
                ).record

    def _rate_now(self, _: CallbackOptions) -> Iterable[Observation]:
        return () if self._rate is None else (Observation(self._rate),)

    def _cooldowns_now(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._cooldowns is None:
            return ()
        held = self._cooldowns.remaining(time.time())
        return [Observation(seconds, {REQUEST: requests}) for requests, seconds in held.items()]
