"""Prices in the gateway's model list.

Its `pricing` is of tokens for most models: {"input", "output", …}, per million by observation and per thousand by its
documents. What a video costs cannot be told from that. Only a price that names its unit, a second or a video, is taken.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from aihubmix_video.protocol.json_places import fields_of

__all__ = ["LivePrice", "price_of"]

PER_SECOND = ("persecond", "pricepersecond", "videopersecond", "outputpersecond", "usdpersecond", "second")
PER_VIDEO = ("pervideo", "pricepervideo", "perrequest", "pricepercall", "percall", "request")
LARGEST = 1e4  # USD; a larger number is of another unit


@attrs.frozen(kw_only=True)
class LivePrice:
    """What the gateway asks for; None where it does not say.

    Attributes:
        per_second: USD per second of video.
        per_video: USD per video of any length.
    """

    per_second: float | None = None
    per_video: float | None = None


def price_of(pricing: object) -> LivePrice | None:
    """Return the price that a `pricing` object gives, or None where it gives none in these units."""
    if not isinstance(pricing, Mapping):
        return None
    fields = fields_of(dict(pricing))
    per_second = next((usd for name in PER_SECOND if (usd := _usd(fields.get(name))) is not None), None)
    per_video = next((usd for name in PER_VIDEO if (usd := _usd(fields.get(name))) is not None), None)
    if per_second is None and per_video is None:
        return None
    return LivePrice(per_second=per_second, per_video=per_video)


def _usd(value: object) -> float | None:
    """Return a positive price; zero means "not given" in such lists, and a free video is not believed."""
    if isinstance(value, str):
        value = value.strip().removeprefix("$")
        if not value.replace(".", "", 1).isdigit() or not value.isascii():
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    usd = float(value)
    return usd if 0 < usd <= LARGEST else None
