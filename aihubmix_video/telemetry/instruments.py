"""What is measured: one row per metric, from which OpenTelemetry instruments and Prometheus metrics are made. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.telemetry.attributes import AttributeValue

__all__ = ["INSTRUMENTS", "Instrument", "Measurement", "prometheus_name"]

MINUTES: Final = (1, 5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1800, 3600)
SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300)
COUNTS: Final = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)


@attrs.frozen
class Instrument:
    """One metric.

    Attributes:
        name: As OpenTelemetry has it.
        kind: ``"active"`` goes up and down; ``"gauge"`` is set.
        unit: In the notation of UCUM, as OpenTelemetry has it.
        description: One sentence, without its full stop.
        attributes: Names of all attributes that a measurement may have.
        buckets: Upper bounds of a histogram's buckets.
    """

    name: str
    kind: Literal["counter", "active", "histogram", "gauge"]
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


@attrs.frozen
class Measurement:
    """One value to be added to, or recorded by, the instrument of that name."""

    name: str
    value: float
    attributes: Mapping[str, AttributeValue] = attrs.field(factory=dict)


MODEL: Final = "gen_ai.request.model"
STATE: Final = "aihubmix.video.job.state"
REQUEST: Final = "aihubmix.video.request"

INSTRUMENTS: Final[Mapping[str, Instrument]] = {
    each.name: each
    for each in (
        Instrument("aihubmix.video.jobs.active", "active", "{job}", "Jobs followed now, by state", (STATE,)),
        Instrument(
            "aihubmix.video.jobs.ended", "counter", "{job}", "Jobs that ended, by state", (STATE, MODEL, "error.type")
        ),
        Instrument(
            "gen_ai.client.operation.duration",
            "histogram",
            "s",
            "Seconds from taking a job on to its end",
            ("gen_ai.operation.name", "gen_ai.provider.name", MODEL, "error.type"),
            MINUTES,
        ),
        Instrument(
            "aihubmix.video.notice.duration",
            "histogram",
            "s",
            "Seconds from a video's completion, as the gateway dates it, until a poll found it",
            (MODEL,),
            SECONDS,
        ),
        Instrument(
            "aihubmix.video.notice.limit",
            "histogram",
            "s",
            "Seconds between the last poll that found a job running and the one that found it finished",
            (MODEL,),
            SECONDS,
        ),
        Instrument("aihubmix.video.polls", "histogram", "{poll}", "Polls per job that ended", (MODEL,), COUNTS),
        Instrument(
            "aihubmix.video.requests", "counter", "{request}", "Requests about jobs, by kind", (REQUEST, "error.type")
        ),
        Instrument("aihubmix.video.rate", "gauge", "{request}/s", "Requests per second in force"),
        Instrument(
            "aihubmix.video.cooldowns", "counter", "{cooldown}", "Times at which requests were held", (REQUEST,)
        ),
        Instrument(
            "aihubmix.video.cooldown.remaining", "gauge", "s", "Seconds for which requests are still held", (REQUEST,)
        ),
        Instrument(
            "aihubmix.video.cost",
            "counter",
            "{USD}",
            "List price of what was bought, or may have been; not an invoice",
            (MODEL, "aihubmix.video.charged"),
        ),
        Instrument("aihubmix.video.downloaded", "counter", "By", "Bytes of videos written to disk"),
    )
}
"""By name."""

UNITS: Final = {"s": "_seconds", "By": "_bytes", "{USD}": "_usd", "{request}/s": "_per_second"}


def prometheus_name(instrument: Instrument) -> str:
    """Return a metric's name at Prometheus, by the rules by which OpenTelemetry's own exporters rename it.

    Of a counter the client adds ``_total``.
    """
    return instrument.name.replace(".", "_") + UNITS.get(instrument.unit, "")
