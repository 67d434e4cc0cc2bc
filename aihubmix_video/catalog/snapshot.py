"""One answer of the gateway's model list, with where and when it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities import list_capabilities
from aihubmix_video.catalog.drift import Difference, drift_of
from aihubmix_video.catalog.model_list import LiveModel, decode_models

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aihubmix_video.capabilities import Capability

__all__ = ["Catalog"]


@attrs.frozen(kw_only=True)
class Catalog:
    """What the gateway's public model list said.

    Attributes:
        models: Its video models, in its order.
        source: The URL that was read.
        read_at: When, in Unix seconds.
        unread: How many rows could not be read.
    """

    models: tuple[LiveModel, ...]
    source: str
    read_at: float
    unread: int = 0

    @classmethod
    def decode(cls, body: bytes, *, source: str, read_at: float) -> Catalog:
        """Return the catalog that an answer's body is.

        Raises:
            MalformedReply: It is not a model list.
        """
        models, unread = decode_models(body)
        return cls(models=models, source=source, read_at=read_at, unread=unread)

    def age(self, now: float) -> float:
        """Return the seconds since it was read; *now* is in Unix seconds."""
        return max(now - self.read_at, 0.0)

    def find(self, model: str) -> LiveModel | None:
        """Return a model by its exact name; None when it is not listed."""
        return next((each for each in self.models if each.model == model), None)

    def drift(self, tables: Iterable[Capability] | None = None) -> tuple[Difference, ...]:
        """Return how the list differs from the capability tables; None for the package's own."""
        return drift_of(self.models, list_capabilities() if tables is None else tables)

    def prices(self) -> dict[str, float]:
        """Return USD per second by model, of the models whose price is given so: what ``batch(prices=…)`` takes."""
        priced = ((each.model, each.price.per_second) for each in self.models if each.price is not None)
        return {model: usd for model, usd in priced if usd is not None}
