"""What the polls of one job brought, as far as a user wants to know why it takes so long. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from aihubmix_video.errors import VideoError

__all__ = ["PollLog"]

TROUBLE_CHARACTERS: Final = 120
MINUTE: Final = 60.0
HOUR: Final = 3600.0
NOTED_AFTER: Final = 2
"""Bad polls in a row from which on they are worth a note; one may be chance, and is tried again at once."""


@attrs.frozen
class PollLog:
    """The polls of one job so far.

    Attributes:
        polls: How many were answered or failed.
        word: The gateway's own word for the job's status, as last heard.
        trouble: What the last poll brought in place of a status; None if it brought one.
        bad: Polls in a row that brought none.
        well_at: When the gateway last told a status, on the session's clock.
    """

    polls: int = 0
    word: str | None = None
    trouble: str | None = None
    bad: int = 0
    well_at: float | None = None

    def well(self, word: str | None, now: float) -> PollLog:
        """Return the log after an answer with a status."""
        return PollLog(self.polls + 1, word if word is not None else self.word, None, 0, now)

    def failed(self, error: VideoError) -> PollLog:
        """Return the log after a poll without one."""
        said = error.message if error.status_code is None else f"HTTP {error.status_code}: {error.message}"
        said = said if len(said) <= TROUBLE_CHARACTERS else said[: TROUBLE_CHARACTERS - 1] + "…"
        return PollLog(self.polls + 1, self.word, said, self.bad + 1, self.well_at)

    @property
    def note(self) -> str | None:
        """What keeps the job, in a few words, while something does; None while all is well."""
        if self.trouble is None or self.bad < NOTED_AFTER:
            return None
        return f"the last {self.bad} polls failed: {self.trouble}"

    def last_heard(self, now: float) -> str | None:
        """Return what the gateway last said, for an error that ends a wait; None before the first poll."""
        if self.polls == 0:
            return None
        counted = f"{self.polls} poll{'s' if self.polls > 1 else ''}"
        well = "" if self.well_at is None else f", the last good answer {_ago(now - self.well_at)} ago"
        if self.trouble is None:
            return f"the gateway last said {self.word!r}; {counted}{well}" if self.word else f"{counted}{well}"
        last = "the last poll" if self.bad == 1 else f"the last {self.bad} polls"
        before = f"; before that the gateway said {self.word!r}" if self.word else ""
        return f"{last} failed: {self.trouble}{before}; {counted}{well}"


def _ago(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.0f} h"
