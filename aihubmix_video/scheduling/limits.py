"""How much at once, and how long."""

from __future__ import annotations

import attrs

__all__ = ["Limits"]


@attrs.frozen(kw_only=True)
class Limits:
    """What a session bounds.

    Attributes:
        max_in_flight: Jobs bought, or being bought, and not yet over.
        max_creates: Creates under way at once; likewise `max_polls` and `max_downloads`.
        deadline: Seconds from acceptance until a job is `WaitTimeout`.
    """

    max_in_flight: int = 1000
    max_creates: int = 64
    max_polls: int = 256
    max_downloads: int = 8
    deadline: float = 1800.0
