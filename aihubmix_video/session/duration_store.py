"""Between sessions: what was learnt of how long jobs take goes into the ledger, and the next session begins with it.

It only makes waits shorter, so nothing that goes wrong with it is an error: it is said in the log, and learning begins anew.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aihubmix_video.errors import LedgerError, SessionClosed
from aihubmix_video.polling.saved_statistics import UnreadableError

if TYPE_CHECKING:
    from aihubmix_video.polling.adaptive import AdaptivePollPolicy
    from aihubmix_video.session.ledger_sync import LedgerSync

__all__ = ["JOBS_BETWEEN_SAVES", "DurationStore"]

log = logging.getLogger("aihubmix_video")

NAME = "durations"
JOBS_BETWEEN_SAVES = 50  # jobs seen to finish, after which what was learnt is kept even if the session goes on


class DurationStore:
    """Keeps what one session's cadence learns."""

    def __init__(self, ledger_sync: LedgerSync, policy: AdaptivePollPolicy) -> None:
        self._ledger_sync = ledger_sync
        self._policy = policy
        self._kept = 0.0  # jobs seen when it was kept last

    async def recall(self) -> None:
        """Begin with what earlier sessions learnt."""
        try:
            data = await self._ledger_sync.ledger.recall(NAME)
            if data is not None:
                self._policy.restore(data)
        except (LedgerError, UnreadableError) as error:
            log.warning("what earlier sessions learnt of durations cannot be read (%s); learning begins anew", error)
        self._kept = self._policy.jobs_seen

    async def keep(self, *, news: int = 1) -> None:
        """Keep what was learnt, if at least so many jobs were seen to finish since it was kept last."""
        seen = self._policy.jobs_seen
        if seen < self._kept + news:
            return
        self._kept = seen
        try:
            await self._ledger_sync.remember(NAME, self._policy.kept())
        except (LedgerError, SessionClosed) as error:
            log.warning("what was learnt of durations cannot be kept (%s)", error)
