"""Which jobs there are, where each stands, and how many are where."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.scheduling.lifecycle import IN_HAND, IllegalTransition, Phase, Signal, advance

if TYPE_CHECKING:
    from aihubmix_video.polling.policy import PollHistory, PollPolicy
    from aihubmix_video.scheduling.concurrency_limit import ConcurrencyLimits

__all__ = ["GENERATING", "JobRow", "JobTable"]

GENERATING = frozenset({Phase.RUNNING, Phase.POLLING})
AT_VENDOR = GENERATING | {Phase.SUBMITTING}


@attrs.define
class JobRow:
    """What the scheduler remembers of a job.

    Attributes:
        failures: Tries in a row that did not bring what they should.
        refusals: Of these, the last ones that were refusals.
        crowded: Tries in a row that were one too many at once; they count by themselves, and without end.
        accepted_at: When it was bought; when that is unknown, since when it is followed.
        expires_at: When its link goes.
        detaching: While being submitted: not to be submitted again.
        sent_at: When its last request was handed out.
        give_up_at: Its deadline.
        reprieved: Whether its deadline was put off, since it passed during a standstill.
    """

    phase: Phase
    history: PollHistory
    wants_file: bool
    failures: int = 0
    refusals: int = 0
    crowded: int = 0
    accepted_at: float = -inf
    expires_at: float = inf
    detaching: bool = False
    sent_at: float = -inf
    give_up_at: float = inf
    reprieved: bool = False

    @property
    def tries(self) -> int:
        """Tries in a row that failed in the way of the last one."""
        return self.crowded or self.failures

    @property
    def model(self) -> str:
        """Whose vendor makes it; empty when not known."""
        return self.history.kind[0] if self.history.kind else ""


class JobTable:
    """All jobs that are not over.

    Args:
        policy: Told of each job that begins, or ceases, to be generated.
        admission: Told of each job that comes to its vendor's, or leaves.

    Attributes:
        jobs: By number.
        counts: Jobs by phase; the terminal ones count all that ever ended so.
        orphans: Jobs that are over while a request of theirs is under way, with the phase it belongs to.
    """

    def __init__(self, policy: PollPolicy, concurrency: ConcurrencyLimits) -> None:
        self.jobs: dict[int, JobRow] = {}
        self.counts = dict.fromkeys(Phase, 0)
        self.orphans: dict[int, Phase] = {}
        self._policy = policy
        self._concurrency = concurrency

    @property
    def in_flight(self) -> int:
        """Jobs bought, or being bought, and not yet over."""
        return len(self.jobs) - self.counts[Phase.WAITING]

    @property
    def running(self) -> int:
        """Jobs being generated."""
        return self.counts[Phase.RUNNING] + self.counts[Phase.POLLING]

    def is_generating(self, job: int) -> bool:
        """Whether a job, if there is one of this number, is being generated."""
        row = self.jobs.get(job)
        return row is not None and row.phase in GENERATING

    def add(self, job: int, row: JobRow) -> None:
        """Take on a job.

        Raises:
            IllegalTransition: The number is in use.
        """
        if job in self.jobs or job in self.orphans:
            raise IllegalTransition(f"the number {job} is in use")
        self.jobs[job] = row
        self.counts[row.phase] += 1
        self._moved(row, None, row.phase)

    def move(self, row: JobRow, signal: Signal) -> None:
        """Let something happen to a job."""
        before, row.phase = row.phase, advance(row.phase, signal)
        self.counts[before] -= 1
        self.counts[row.phase] += 1
        self._moved(row, before, row.phase)

    def remove(self, job: int, signal: Signal) -> JobRow:
        """Let a job be over."""
        row = self.jobs[job]
        if row.phase in IN_HAND and signal in (Signal.OVERDUE, Signal.WITHDRAWN):
            self.orphans[job] = row.phase
        self.move(row, signal)
        del self.jobs[job]
        return row

    def _moved(self, row: JobRow, before: Phase | None, after: Phase) -> None:
        if (before in GENERATING) != (after in GENERATING):
            (self._policy.begin if after in GENERATING else self._policy.leave)(row.history)
        if (before in AT_VENDOR) != (after in AT_VENDOR):
            if after in AT_VENDOR:
                self._concurrency.began(row.model)
            else:
                self._concurrency.left(row.model, ran=before in GENERATING)
