"""One HTTP answer as a plain value: what the transport hands to everything that reads answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Response"]


@attrs.frozen(kw_only=True)
class Response:
    """An answer, read to its end.

    Attributes:
        status: The HTTP status.
        headers: Header values by name, names in lower case.
        body: The bytes as received, after any content encoding was removed.
    """

    status: int
    # Not shown: a cookie or an echoed key in there would end up in logs and tracebacks.
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300
