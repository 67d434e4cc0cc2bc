"""What a router was made with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.request import VideoRequest
from aihubmix_video.urlpolicy import UrlPolicy

if TYPE_CHECKING:
    from pathlib import Path

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
