"""What the front was made with."""

from __future__ import annotations

from typing import Final

import attrs

from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.fastapi.router_options import RouterOptions  # noqa: TC001  # attrs keeps it
from aihubmix_video.openai_front.api_client import ApiClient, check_clients

__all__ = ["RETRY_WINDOW", "FrontOptions"]

RETRY_WINDOW: Final = 120.0
"""Seconds for which the same create is by default a retry: above the time after which proxies and clients give up."""
LONGEST_WINDOW: Final = 24 * 3600.0
LONGEST_ANSWER: Final = 60.0


@attrs.frozen(kw_only=True)
class FrontOptions:
    """See `openai_router` for the meaning of each.

    Raises:
        ConfigurationError: One cannot be used.
    """

    router: RouterOptions
    clients: tuple[ApiClient, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(check_clients)
    )
    retry_window: float = RETRY_WINDOW
    answer_within: float = 10.0

    def __attrs_post_init__(self) -> None:
        for name, most in (("retry_window", LONGEST_WINDOW), ("answer_within", LONGEST_ANSWER)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise ConfigurationError(f"{name}={shown(value)}: give seconds from 0 to {most:g}.")
