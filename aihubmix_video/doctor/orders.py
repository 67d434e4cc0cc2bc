"""What a contract run buys: of each family the cheapest request whose options can be seen in the video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities import find_capability
from aihubmix_video.pricing.caps import Caps, CapUsage
from aihubmix_video.pricing.list_prices import list_price, seconds_of
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REQUESTS", "ContractOrder", "Orders", "choose"]

PROMPT = "a paper boat on a pond, seen from above, slow ripples"

REQUESTS = (
    VideoRequest(model="sora-2", prompt=PROMPT, seconds=4, size="720x1280"),
    VideoRequest(model="veo-3.1-fast-generate-preview", prompt=PROMPT, seconds=4, size="720x1280"),
    VideoRequest(model="wan2.6-t2v", prompt=PROMPT, seconds=2, size="720x1280"),
    VideoRequest(model="jimeng-3.0-pro", prompt=PROMPT, seconds=5, size="9:16"),
    VideoRequest(model="doubao-seedance-2-0-fast-260128", prompt=PROMPT, seconds=4, resolution="480p", ratio="9:16"),
    VideoRequest(model="kling-v1", prompt=PROMPT, seconds=5, mode="std", aspect_ratio="9:16"),
)
"""Upright, as no model makes that by default for all families: a frame that was not read is noticed."""


@attrs.frozen(kw_only=True)
class ContractOrder:
    """One video to buy.

    Attributes:
        request: What is asked for.
        price: USD by the prices that are known; None where nothing is charged.
    """

    request: VideoRequest
    price: float | None


@attrs.frozen(kw_only=True)
class Orders:
    """What is bought, the cheapest first, and why the other families are not."""

    bought: tuple[ContractOrder, ...] = ()
    left_out: Mapping[str, str] = attrs.field(factory=dict)


def choose(
    max_spend: float, *, prices: Mapping[str, float], models: frozenset[str] = frozenset(), free: bool = False
) -> Orders:
    """Return what may be bought for *max_spend*.

    Args:
        max_spend: USD.
        prices: USD per second by model, in place of the list prices.
        models: Only these; empty for every family.
        free: Whether the gateway charges nothing, as the sandbox does.

    Raises:
        InvalidRequest: The cap is not a possible one.
    """
    usage = CapUsage(Caps(max_spend=max_spend))
    bought: list[ContractOrder] = []
    left_out: dict[str, str] = {}
    wanted = [(list_price(each, prices), each) for each in REQUESTS if not models or each.model in models]
    for price, request in sorted(wanted, key=lambda pair: float("inf") if pair[0] is None else pair[0]):
        seconds = seconds_of(request)
        refused = None if free else usage.refusal(seconds, price)
        if refused is not None:
            left_out[request.model] = f"max_spend {refused.message}"
            continue
        usage.take(seconds, price)
        bought.append(ContractOrder(request=request, price=price))
    return Orders(bought=tuple(bought), left_out=left_out)


def pixels_of(request: VideoRequest) -> tuple[int, int] | None:
    """Return the width and height that a request asks for, as far as they are documented."""
    capability = find_capability(request.model)
    return None if capability is None else capability.pixels(request)
