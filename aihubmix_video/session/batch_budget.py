"""What a batch may still buy: its caps, less what was bought before according to the ledger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

import attrs

from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.errors import BudgetExceeded
from aihubmix_video.pricing.caps import Caps, CapUsage
from aihubmix_video.pricing.list_prices import check_prices, highest_price, list_price, seconds_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aihubmix_video.capabilities import CapabilitySet
    from aihubmix_video.ledger.entry import Spent
    from aihubmix_video.types.request import VideoRequest

__all__ = ["BatchBudget", "BudgetShare"]


@attrs.frozen
class BudgetShare:
    """What one video uses of the caps: its length in seconds and its list price in USD, if known."""

    seconds: float | None
    price: float | None


class BatchBudget:
    """The caps of a batch, and how much of them is used.

    Raises:
        InvalidRequest: A cap or a price is not a possible value.
    """

    def __init__(
        self,
        caps: Caps | None = None,
        prices: Mapping[str, float] | None = None,
        capabilities: CapabilitySet = BUILT_IN,
    ) -> None:
        self._capabilities = capabilities
        self._caps = caps or Caps()
        given: Mapping[str, float] = {} if prices is None else prices
        check_prices(given)
        self._prices = dict(given)
        self._budget = CapUsage(self._caps)

    def packed(self) -> bytes:
        """Return the caps and prices as JSON, without what is used of them."""
        return json.dumps({"caps": attrs.asdict(self._caps), "prices": self._prices}).encode()

    @classmethod
    def restored(cls, packed: bytes, capabilities: CapabilitySet = BUILT_IN) -> Self:
        """Return the budget that `packed` encoded, with nothing used."""
        kept = json.loads(packed)
        return cls(Caps(**kept["caps"]), kept["prices"], capabilities)

    @property
    def capped(self) -> bool:
        """Whether there is any cap."""
        return self._caps.any

    def begin(self, spent: Mapping[str, Spent]) -> None:
        """Count what earlier runs bought, or may have bought. Of these only the model and the length are known.

        So each counts at the price of its model's most expensive size, and an unknown length as the model's longest.
        """
        lengths = {model: self._longest(model, each) for model, each in spent.items()}
        costs = {model: _cost(seconds, highest_price(model, self._prices)) for model, seconds in lengths.items()}
        self._budget = CapUsage(
            self._caps,
            videos=sum(each.jobs for each in spent.values()),
            seconds=_sum(tuple(lengths.values())),
            spent=_sum(tuple(costs.values())),
        )

    def ask(self, request: VideoRequest) -> BudgetShare:
        """Reserve the share of a video, and return it.

        Raises:
            BudgetExceeded: It would exceed a cap, or whether it would is unknown. Nothing was reserved.
        """
        share = self._share(request)
        refusal = self._budget.refusal(share.seconds, share.price)
        if refusal is not None:
            raise BudgetExceeded([refusal])
        return self._taken(share)

    def count(self, request: VideoRequest) -> BudgetShare:
        """Reserve the share of a video that is bought in any case, and return it."""
        return self._taken(self._share(request))

    def give_back(self, share: BudgetShare | None) -> None:
        """Release the share of a video that was not bought after all."""
        if share is not None:
            self._budget.give_back(share.seconds, share.price)

    def _share(self, request: VideoRequest) -> BudgetShare:
        if not self.capped:
            return BudgetShare(None, None)
        seconds, price = seconds_of(request, self._capabilities), list_price(request, self._prices, self._capabilities)
        return BudgetShare(seconds, price)

    def _taken(self, share: BudgetShare) -> BudgetShare:
        self._budget.take(share.seconds, share.price)
        return share

    def _longest(self, model: str, spent: Spent) -> float | None:
        if not spent.unmeasured:
            return spent.seconds
        capability = self._capabilities.find(model)
        return None if capability is None else spent.seconds + spent.unmeasured * capability.seconds.allowed[-1]


def _cost(seconds: float | None, usd: float | None) -> float | None:
    return None if seconds is None or usd is None else seconds * usd


def _sum(amounts: Collection[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None
