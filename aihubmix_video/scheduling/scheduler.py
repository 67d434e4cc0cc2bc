"""Who may send what, and when: one engine for all jobs of a session, without a clock and without a socket.

Theory of operation. `Scheduler.receive` takes what happened, `actions` hands out what may be sent now, `wakes_at` says when
to ask again; the shell around it does nothing else. Deciding reserves: an action handed out has already changed the job's
phase and taken its share of the rate, so that asking twice at the same moment gives nothing twice.

Requests wait in four lanes: creates, polls, downloads and single calls of the user's. When the shared rate allows a request,
the lanes take turns, see `lanes`. Each lane also bounds its own requests under way, so requests that hang hold up no other.

"Too fast" and "too many at once" are different refusals: the first shuts the rate for a while, the second lowers the number
of jobs in flight, see `admission`.

In a lane, creates go in the order in which they came, polls by the moment they became due, downloads by the moment their
link expires.
"""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import (
    ConnectionFailed,
    RateLimited,
    SessionClosed,
    SubmitUncertain,
    VideoError,
    WaitTimeout,
)
from aihubmix_video.scheduling.admission import Admission
from aihubmix_video.scheduling.agenda import Agenda
from aihubmix_video.scheduling.backoff import Backoff
from aihubmix_video.scheduling.cadence import Trace
from aihubmix_video.scheduling.ladder import RATIO, Ladder
from aihubmix_video.scheduling.lanes import Lane, Lanes
from aihubmix_video.scheduling.lifecycle import IN_HAND, IllegalTransition, Phase, Signal, advance
from aihubmix_video.scheduling.messages import (
    Action,
    Ask,
    Bought,
    End,
    Enlist,
    Event,
    Fetch,
    Fetched,
    Permit,
    Poll,
    Polled,
    SlowDown,
    Spent,
    Submit,
    Trouble,
    Want,
    Watch,
    Withdraw,
)
from aihubmix_video.scheduling.retry import bounded, is_final, is_refusal, retry_delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.scheduling.cadence import Cadence, Estimate
    from aihubmix_video.scheduling.pace import Pace

__all__ = ["Limits", "Scheduler"]

TICK = 1 / 300  # of the interval; polls due within one become due together, so that a busy session wakes up less often
PATIENCE = 1 / 30  # of the interval; polls that leave so soon after they were due did not wait for the rate
COOLING = 5  # requests that would have left during the first cool-down after a 429 that does not say how long
COOLING_FIRST = (0.05, 2.0)  # seconds between which that is kept
COOLING_CAP = 60.0  # seconds
SOON = Backoff(first=2.0, cap=5.0)  # after a bad poll of a gateway that mostly works
SPARE = 10  # bad polls that are tried again soon, at most, where none is good in between


@attrs.frozen(kw_only=True)
class Limits:
    """How much at once, and how long.

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


@attrs.define
class _Job:
    """What the scheduler remembers of a job."""

    phase: Phase
    trace: Trace
    wants_file: bool
    failures: int = 0  # tries in a row that did not bring what they should
    refusals: int = 0  # of these, the last ones that were refusals
    sent_at: float = -inf  # when its last request was handed out
    accepted_at: float = -inf  # when unknown, long ago
    expires_at: float = inf
    withdrawn: bool = False  # while being submitted: not to be submitted again


GENERATING = frozenset({Phase.WAITING, Phase.POLLING})


class Scheduler:
    """Decides for all jobs of a session which request leaves next.

    Args:
        pace: The shared rate.
        limits: How much at once, and how long.
        cadence: When to ask again about a running job.
        draw: Source of random numbers, 0 <= x < 1, for jitter.

    Attributes:
        pace: The shared rate with what was spent of it.
        counts: Jobs by phase; the terminal ones count all that ever ended so.
    """

    def __init__(self, *, pace: Pace, limits: Limits, cadence: Cadence, draw: Callable[[], float]) -> None:
        self.pace = pace
        self.counts = dict.fromkeys(Phase, 0)
        self._limits = limits
        self._cadence = cadence
        self._draw = draw
        self._jobs: dict[int, _Job] = {}
        self._asks: set[int] = set()
        self._orphans: dict[int, Lane] = {}  # of jobs that ended while their request is still under way
        self._ended: list[Action] = []
        shortest, longest = COOLING_FIRST
        self._cooling = Backoff(first=min(max(COOLING * pace.interval, shortest), longest), cap=COOLING_CAP)
        self._strikes = 0  # cool-downs in a row
        self._cooled_at = -inf  # when the last one began
        self._spare = 1  # bad polls that may be tried again soon
        self._admission = Admission(float(limits.max_in_flight))
        self._reached = False  # whether the gateway ever answered
        self._tick = cadence.interval * TICK
        self._creates = self._lane(limits.max_creates, Submit, lambda job, _due: job)
        self._polls = self._lane(limits.max_polls, Poll, lambda _job, due: due)
        self._polls.ready = Ladder(self._jobs.__contains__, self._climbs_at, cadence.interval * PATIENCE)
        self._downloads = self._lane(limits.max_downloads, Fetch, lambda job, _due: self._jobs[job].expires_at)
        asked = self._asks.__contains__
        self._singles = Lane(inf, Permit, lambda ticket, _due: ticket, Agenda(asked), Agenda(asked))
        self._creates.admits = lambda: self.in_flight < self._admission.ceiling
        self._lanes = Lanes(self._singles, self._downloads, self._polls, self._creates)
        self._lane_of = {
            Phase.QUEUED: self._creates,
            Phase.SUBMITTING: self._creates,
            Phase.WAITING: self._polls,
            Phase.POLLING: self._polls,
            Phase.READY: self._downloads,
            Phase.FETCHING: self._downloads,
        }
        self._deadlines = Agenda(self._is_generating)

    def _lane(self, limit: int, action: Callable[[int], Action], rank: Callable[[int, float], float]) -> Lane:
        alive = self._jobs.__contains__
        return Lane(limit, action, rank, Agenda(alive), Agenda(alive))

    def _climbs_at(self, job: int, rung: int, since: float) -> float:
        known = self._jobs[job]
        age = self._cadence.worth_at(known.trace, RATIO ** (rung + 1), since - known.accepted_at)
        return known.accepted_at + age

    def _is_generating(self, job: int) -> bool:
        known = self._jobs.get(job)
        return known is not None and known.phase in GENERATING

    # What the session may ask.

    @property
    def in_flight(self) -> int:
        """Jobs bought, or being bought, and not yet over."""
        return len(self._jobs) - self.counts[Phase.QUEUED]

    def remaining(self, job: int, now: float) -> Estimate | None:
        """Estimate the time until a running job finishes; None when it is not being generated."""
        known = self._jobs.get(job)
        if known is None or known.phase not in GENERATING:
            return None
        return self._cadence.estimate(known.trace, now - known.accepted_at)

    def wakes_at(self) -> float | None:
        """Say when `actions` may have something new without an event; None when never."""
        at = min(self._admission.probe_at, self._deadlines.first(), self._lanes.wakes_at(self.pace.opens_at()))
        return at if at < inf else None

    # Deciding.

    def actions(self, now: float) -> list[Action]:
        """Hand out everything that may be done now; each thing once."""
        self._mature(now)
        self._admission.probe(now)
        actions, self._ended = self._ended, []
        while self.pace.opens_at() <= now and (turn := self._lanes.take(now)) is not None:
            self.pace = self.pace.spend(now)
            actions.append(self._hand_out(*turn, now))
        return actions

    def _mature(self, now: float) -> None:
        """Move what has become due to where it is handed out from."""
        for _, job in self._deadlines.due(now):
            self._end(job, Signal.OVERDUE, WaitTimeout(f"not finished within {self._limits.deadline:g} s"))
        self._lanes.mature(now)

    def _hand_out(self, lane: Lane, rank: float, job: int, now: float) -> Action:
        if lane is self._singles:
            self._asks.discard(job)
        else:
            lane.busy += 1
            self._jobs[job].sent_at = now
            self._move(self._jobs[job], Signal.HANDED_OUT)
        if lane is self._polls:
            self._cadence.served(RATIO**rank)
        return lane.action(job)

    # Being told.

    def receive(self, event: Event, now: float) -> None:
        """Take in what happened. Late answers about jobs that are over make room and, refused for the rate, slow all down."""
        match event:
            case Polled() | Bought() | Fetched() | Trouble():
                self._answered(event, now)
            case Ask(ticket):
                self._asks.add(ticket)
                self._singles.later.put(now, ticket)
            case Enlist(job, kind, wants_file):
                self._admit(job, _Job(Phase.QUEUED, Trace(kind), wants_file), due=now)
            case Watch(job, kind, wants_file, age):
                trace = Trace(kind, dated=age is not None, seen=None)
                self._admit(job, _Job(Phase.WAITING, trace, wants_file, accepted_at=now - (age or 0.0)), due=now)
                self._deadlines.put(now + self._limits.deadline, job)
            case Want(job, expires_at):
                self._admit(job, _Job(Phase.READY, Trace(()), wants_file=True, expires_at=expires_at), due=now)
            case Withdraw(job):
                self._withdraw(job)
            case SlowDown(retry_after):
                self._cool(retry_after, now, sent_at=now)
            case Spent(requests):
                for _ in range(requests):
                    self.pace = self.pace.spend(now)

    def _admit(self, job: int, known: _Job, *, due: float) -> None:
        if job in self._jobs or job in self._orphans:
            raise IllegalTransition(f"the number {job} is in use")
        self._jobs[job] = known
        self.counts[known.phase] += 1
        if known.phase in GENERATING:
            self._cadence.begin(known.trace)
        self._put(job, known, due)

    def _put(self, job: int, known: _Job, due: float) -> None:
        """Let the job wait in the lane of its phase."""
        self._lane_of[known.phase].later.put(due, job)

    def _withdraw(self, job: int) -> None:
        self._asks.discard(job)
        known = self._jobs.get(job)
        if known is None:
            return
        if known.phase is Phase.SUBMITTING:
            known.withdrawn = True
        else:
            self._end(job, Signal.WITHDRAWN)

    def _answered(self, event: Polled | Bought | Fetched | Trouble, now: float) -> None:
        known = self._jobs.get(event.job)
        if isinstance(event, Trouble) and isinstance(event.error, RateLimited) and event.error.limit == "rate":
            self._cool(event.error.retry_after, now, sent_at=now if known is None else known.sent_at)
        if known is None:
            if (lane := self._orphans.pop(event.job, None)) is not None:
                lane.busy -= 1
            return
        self._lane_of[known.phase].busy -= 1
        if not (isinstance(event, Trouble) and isinstance(event.error, ConnectionFailed) and not event.error.sent):
            self._reached, self._creates.probing, self._creates.held_until = True, False, -inf
        if not isinstance(event, Trouble):
            self._strikes = known.failures = known.refusals = 0
        match event:
            case Polled() as polled:
                self._spare = min(self._spare + 1, SPARE)
                self._polled(polled, known, now)
            case Bought(job, settled):
                self._bought(job, known, now, settled=settled)
            case Fetched(job):
                self._end(job, Signal.SATISFIED)
            case Trouble(job, error, progressed):
                known.failures = 1 if progressed else known.failures + 1
                known.refusals = known.refusals + 1 if is_refusal(error) else 0
                self._troubled(job, known, error, now)

    def _bought(self, job: int, known: _Job, now: float, *, settled: bool) -> None:
        known.accepted_at = now
        known.withdrawn = False
        self._move(known, Signal.BOUGHT)
        self._deadlines.put(now + self._limits.deadline, job)
        self._put(job, known, now if settled else self._next_poll(known, now))

    def _polled(self, polled: Polled, known: _Job, now: float) -> None:
        age, finished = now - known.accepted_at, polled.completed
        self._cadence.asked(known.trace, age, polled.progress, finished=finished, draw=self._draw())
        if not finished:
            self._move(known, Signal.RUNNING)
            self._put(polled.job, known, self._next_poll(known, now))
        elif known.wants_file:
            known.expires_at = polled.expires_at
            self._move(known, Signal.COMPLETED)
            self._put(polled.job, known, now)
        else:
            self._end(polled.job, Signal.SATISFIED)

    def _next_poll(self, known: _Job, now: float) -> float:
        age = self._cadence.next_age(known.trace, now - known.accepted_at, self._draw())
        return self._on_tick(known.accepted_at + age)

    def _on_tick(self, moment: float) -> float:
        return ceil(moment / self._tick) * self._tick

    def _troubled(self, job: int, known: _Job, error: VideoError, now: float) -> None:
        if isinstance(error, RateLimited) and error.limit == "concurrency" and known.phase is Phase.SUBMITTING:
            self._admission.refused(self.in_flight, now)
        if isinstance(error, SubmitUncertain):
            self._end(job, Signal.LOST, error)
            return
        if isinstance(error, SessionClosed) and known.withdrawn:  # stopped before it left
            self._move(known, Signal.TROUBLE)
            self._end(job, Signal.WITHDRAWN)
            return
        final = is_final(known.phase, error, known.refusals, now - known.accepted_at)
        wait = None if final else retry_delay(known.phase, error, known.failures, self._draw(), reached=self._reached)
        if wait is not None and known.phase is Phase.SUBMITTING and isinstance(error, ConnectionFailed):
            # One create at a time finds out when they can leave again, so that not every job uses up its tries.
            self._creates.probing, self._creates.held_until = True, now + wait
        if wait is None:
            self._end(job, Signal.ENDED, error)
            return
        due = now + wait if known.phase is not Phase.POLLING else self._next_try(known, error, now)
        self._move(known, Signal.TROUBLE)
        if known.withdrawn:
            self._end(job, Signal.WITHDRAWN)
        else:
            self._put(job, known, due)

    def _next_try(self, known: _Job, error: VideoError, now: float) -> float:
        """Say when to poll again after a bad poll: soon if a good one pays for it, else when the next poll would be due.

        A gateway that fails altogether is thus asked as often as a healthy one: no more, and, once it is back, no later. One
        that fails now and then costs no job an interval.
        """
        age = self._cadence.plain_age(now - known.accepted_at, self._draw())
        due = self._on_tick(known.accepted_at + age)
        if self._spare and now < due:
            self._spare -= 1
            due = min(due, now + (SOON.delay(known.failures, self._draw()) or 0.0))
        asked = bounded(error.retry_after) if isinstance(error, RateLimited) else None
        return max(due, now + (asked or 0.0))

    def _cool(self, retry_after: float | None, now: float, *, sent_at: float) -> None:
        """Shut the rate for all. Answers to requests that left before it was shut say nothing new: they do not add up."""
        wait = bounded(retry_after)
        if wait is None:
            if now < self.pace.shut_until or sent_at <= self._cooled_at:
                return
            self._strikes += 1
            wait = self._cooling.delay(self._strikes, self._draw()) or 0.0
            self._cooled_at = now
        self.pace = self.pace.cool(now + wait)

    # Moving on.

    def _move(self, known: _Job, signal: Signal) -> None:
        phase = advance(known.phase, signal)
        self.counts[known.phase] -= 1
        self.counts[phase] += 1
        if (known.phase in GENERATING) != (phase in GENERATING):
            (self._cadence.begin if phase in GENERATING else self._cadence.leave)(known.trace)
        known.phase = phase

    def _end(self, job: int, signal: Signal, error: VideoError | None = None) -> None:
        known = self._jobs[job]
        if known.phase in IN_HAND and signal in (Signal.OVERDUE, Signal.WITHDRAWN):
            self._orphans[job] = self._lane_of[known.phase]
        self._move(known, signal)
        del self._jobs[job]
        self._admission.ended()
        self._ended.append(End(job, known.phase, error))
