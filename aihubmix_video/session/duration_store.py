"""The statistics of how long jobs take, stored in the ledger by one session and restored by the next.

They only make waits shorter, so a failure to store or restore them is not an error: it is logged, and learning starts
over.
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
JOBS_BETWEEN_SAVES = 50  # jobs seen to finish after which the statistics are saved while the session goes on


class DurationStore:
    """Saves and restores what the poll policy of one session learns."""

    def __init__(self, ledger_sync: LedgerSync, policy: AdaptivePollPolicy) -> None:
        self._ledger_sync = ledger_sync
        self._policy = policy
        self._kept = 0.0  # jobs seen at the last save

    async def recall(self) -> None:
        """Restore what earlier sessions learnt."""
        try:
            data = await self._ledger_sync.ledger.recall(NAME)
            if data is not None:
                self._policy.restore(data)
        except (LedgerError, UnreadableError) as error:
            log.warning("the durations learnt by earlier sessions cannot be read (%s); learning starts over", error)
        self._kept = self._policy.jobs_seen

    async def keep(self, *, news: int = 1) -> None:
        """Save what was learnt, if at least *news* jobs were seen to finish since the last save."""
        seen = self._policy.jobs_seen
        if seen < self._kept + news:
            return
        self._kept = seen
        try:
            await self._ledger_sync.remember(NAME, self._policy.kept())
        except (LedgerError, SessionClosed) as error:
            log.warning("the durations learnt by this session cannot be saved (%s)", error)
