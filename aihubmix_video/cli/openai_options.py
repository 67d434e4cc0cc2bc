"""The options of ``serve`` that concern OpenAI's clients."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import TYPE_CHECKING

import attrs
from cyclopts import Group, Parameter

from aihubmix_video.errors import ConfigurationError

if TYPE_CHECKING:
    from aihubmix_video.openai_front import ApiClient

__all__ = ["OpenAIOptions"]

WINDOW = 120.0


@Parameter(name="*", group=Group("OpenAI's clients", sort_key=5))
@attrs.frozen(kw_only=True)
class OpenAIOptions:
    """Whether OpenAI's clients are served, and which.

    Attributes:
        openai: Serve OpenAI's videos API too, under /v1: any client of it gets the ledger, caps and rate of this server.
        clients: TOML file of the clients that may use it: [NAME] and token_sha256, max_videos, max_seconds, max_spend, rate.
        retry_window: Seconds for which a client's same create without an Idempotency-Key is a retry; 0 for none. [default: 120]
    """

    openai: bool = False
    clients: Path | None = None
    retry_window: float = WINDOW

    def check(self) -> None:
        """Check that the options belong together.

        Raises:
            ConfigurationError: They do not.
        """
        if not self.openai and (self.clients is not None or self.retry_window != WINDOW):
            raise ConfigurationError("--clients and --retry-window go with --openai.")

    def known_clients(self) -> tuple[ApiClient, ...] | None:
        """Return who the clients are; None if no file names them."""
        from aihubmix_video.openai_front import clients_in  # noqa: PLC0415  # needs the extra, which `serve` checks first

        return None if self.clients is None else clients_in(self.clients)
