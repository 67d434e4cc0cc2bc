"""List prices, in USD per second of video.

These are the prices that vendors publish, not invoices: what an account is billed may differ by discounts, taxes and changes
since the dates given here. They serve to estimate and to cap; a user's own prices take their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.capabilities.field_rules import is_number
from aihubmix_video.errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from aihubmix_video.types.request import VideoRequest

__all__ = ["LIST_PRICES", "ListPrice", "check_prices", "highest_price", "list_price", "seconds_of"]

OPENAI = "OpenAI price list, by AIHubMix field observations"
GOOGLE = "Google price list, by AIHubMix field observations"


@attrs.frozen(kw_only=True)
class ListPrice:
    """What one second of a model's video costs by its vendor's list.

    Attributes:
        usd: USD per second.
        sizes: USD per second at sizes that cost something else, by pixels (``"1024x1792"``) or tier (``"4k"``).
        source: Whose list it is.
        seen: When it was noted.
    """

    usd: float
    sizes: Mapping[str, float] = attrs.field(factory=dict, hash=False)
    source: str
    seen: str


LIST_PRICES: Mapping[str, ListPrice] = {
    "sora-2": ListPrice(usd=0.10, source=OPENAI, seen="2026"),
    "sora-2-pro": ListPrice(usd=0.30, sizes={"1024x1792": 0.50, "1792x1024": 0.50}, source=OPENAI, seen="2026"),
    "veo-3.1-generate-preview": ListPrice(usd=0.40, sizes={"4k": 0.60}, source=GOOGLE, seen="2026"),
    "veo-3.1-fast-generate-preview": ListPrice(usd=0.15, sizes={"4k": 0.35}, source=GOOGLE, seen="2026"),
    "veo-3.0-generate-preview": ListPrice(usd=0.40, sizes={"4k": 0.60}, source=GOOGLE, seen="2026"),
    "veo-2.0-generate-001": ListPrice(usd=0.35, source=GOOGLE, seen="2026"),
}
"""By model; of models that are missing here no price is published that could be relied on."""


LARGEST: Final = 1e6  # USD per second


def check_prices(prices: Mapping[str, float]) -> None:
    """Refuse prices that cannot be meant.

    Raises:
        InvalidRequest: One is not a finite number of USD per second from 0 up; all such are named.
    """
    if not isinstance(prices, Mapping):
        raise InvalidRequest.of("prices", prices, "must be a mapping of models to USD per second")
    problems = [
        Problem.of(f"prices[{model}]", usd, "must be USD per second, a finite number from 0 up")
        for model, usd in prices.items()
        if not (is_number(usd) and 0 <= usd < LARGEST)
    ]
    if problems:
        raise InvalidRequest(problems)


def list_price(
    request: VideoRequest, prices: Mapping[str, float] | None = None, capabilities: CapabilitySet = BUILT_IN
) -> float | None:
    """Return what a whole video costs by list, in USD; this is not an invoice.

    Args:
        request: What is asked for.
        prices: The user's own USD per second, by model, at every size; they override the list.
        capabilities: The tables that tell a request's length and size.

    Returns:
        None when the price or the length is not known.
    """
    seconds = seconds_of(request, capabilities)
    usd = _per_second(request, prices or {}, capabilities) if seconds is not None else None
    return None if seconds is None or usd is None else seconds * usd


def seconds_of(request: VideoRequest, capabilities: CapabilitySet = BUILT_IN) -> int | None:
    """Return how long a video will be; None when its model chooses, or has no table."""
    capability = capabilities.find(request.model)
    return capability.seconds_of(request) if capability is not None else None


def highest_price(model: str, prices: Mapping[str, float] | None = None) -> float | None:
    """Return what a second costs at the dearest size, in USD, for videos of which the size is not known."""
    if prices is not None and model in prices:
        return prices[model]
    listed = LIST_PRICES.get(model)
    return None if listed is None else max(listed.usd, *listed.sizes.values(), 0.0)


def _per_second(request: VideoRequest, prices: Mapping[str, float], capabilities: CapabilitySet) -> float | None:
    if request.model in prices:
        return prices[request.model]
    listed, capability = LIST_PRICES.get(request.model), capabilities.find(request.model)
    if listed is None or capability is None or not listed.sizes:
        return None if listed is None else listed.usd
    size = capability.size_of(request)
    return None if size is None else listed.sizes.get(size.pixels, listed.sizes.get(size.tier, listed.usd))
