"""A net under all wordings: creates of a batch that are refused in the same words, one after the other. Pure.

A gateway may say in any words that an account is empty, a key limited or a service paused, and no list holds them all. What
it says of one row it says of the next: so while no create of the batch was accepted, a few refusals in the same words stop
it. What is known to be about the row alone does not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.errors import GatewayError, ModelUnavailable, RequestRefused, SubmitUncertain

if TYPE_CHECKING:
    from aihubmix_video.errors import VideoError

__all__ = ["STREAK", "RefusalStreak"]

STREAK: Final = 3
"""Refusals in the same words that stop a batch, and creates that may be under way until the first is accepted."""
_VARIES: Final = re.compile(r"[0-9a-f-]{16,}|\d+|\s+", re.IGNORECASE)
"""Request ids, times and amounts, which differ from one refusal to the next."""


@attrs.define
class RefusalStreak:
    """Counts refusals in the same words.

    Attributes:
        keep_buying: The user has said that buying goes on whatever is refused.
        settled: Whether a create was accepted, so that refusals are about their rows.
    """

    keep_buying: bool = False
    settled: bool = False
    _words: str = ""
    _count: int = 0

    @property
    def may_be_under_way(self) -> int | None:
        """Return how many creates may be under way at once, less those refused already; None for no bound of this net's."""
        return None if self.settled or self.keep_buying else max(STREAK - self._count, 1)

    def accepted(self) -> None:
        """A create was accepted."""
        self.settled = True

    def refused(self, error: VideoError) -> VideoError | None:
        """A create was refused.

        Returns:
            What the rows that are not bought any more end with; None while buying goes on.
        """
        if self.settled or self.keep_buying or not _counts(error):
            return None
        words = f"{type(error).__name__} {_VARIES.sub(' ', error.message)}"
        self._count = self._count + 1 if words == self._words else 1
        self._words = words
        return self._stopped(error) if self._count >= STREAK else None

    def _stopped(self, error: VideoError) -> VideoError:
        return RequestRefused(
            f"buying stopped, as the first {self._count} creates ended in the same words: {error.message}. Nothing of "
            "this row was sent; to buy it, run the batch again, or with keep_buying (--keep-buying)",
            status_code=error.status_code,
            retryable=True,
            charged="no",
        )


def _counts(error: VideoError) -> bool:
    """Whether an error may be about the account: refusals, and 2xx answers that nobody can read; lost answers are not."""
    if isinstance(error, SubmitUncertain):
        return error.status_code is not None and error.status_code < 300
    if isinstance(
        error, GatewayError
    ):  # a page of an edge, or an error in a 200; what may have been bought is uncertain
        return error.charged == "no"
    return isinstance(error, (RequestRefused, ModelUnavailable))
