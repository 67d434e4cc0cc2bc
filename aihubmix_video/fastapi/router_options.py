"""What a router was made with."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.pricing.list_prices import check_prices
from aihubmix_video.references.url_policy import UrlPolicy
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from pathlib import Path

SCHEMES: Final = frozenset({"http", "https", "data"})

__all__ = ["Allow", "RouterOptions"]

Allow = Callable[[str | None, VideoRequest], Awaitable[object]]
"""Told the owner and what is wanted; refuses by raising `NotAllowed` or `LimitReached`."""


@attrs.frozen(kw_only=True)
class RouterOptions:
    """See `video_router` for the meaning of each."""

    folder: Path
    references: UrlPolicy = attrs.field(factory=UrlPolicy)
    allow: Allow | None = None
    extra_body: bool = False
    max_body: int = 32 << 20
    max_waiting: int = 1000
    heartbeat: float = 15.0
    prices: Mapping[str, float] | None = None

    def __attrs_post_init__(self) -> None:
        for name, value in (
            ("max_body", self.max_body),
            ("max_waiting", self.max_waiting),
            ("heartbeat", self.heartbeat),
        ):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise ConfigurationError(f"{name}={shown(value)}: give a number above 0.")
        if odd := self.references.schemes - SCHEMES:
            raise ConfigurationError(
                f"reference_schemes: {', '.join(sorted(odd))} cannot be passed on; give http, https or data."
            )
        check_prices(self.prices or {})
