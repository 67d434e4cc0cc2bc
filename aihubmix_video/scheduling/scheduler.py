"""Who may send what, and when: one engine for all jobs of a session, without a clock and without a socket.

Theory of operation. `Scheduler.receive` takes what happened, `actions` hands out what may be sent now, `wakes_at` says when
to ask again; the shell around it does nothing else. Deciding reserves: an action handed out has already changed the job's
phase and taken its share of the rate, so that asking twice at the same moment gives nothing twice.

Requests wait in four lanes: creates, polls, downloads and single calls of the user's. When the shared rate allows a request,
the lanes take turns, see `lanes`. Each lane also bounds its own requests under way, so requests that hang hold up no other.

"Too fast" and "too many at once" are different refusals: the first shuts the rate for a while and lowers it, see `throttle`,
the second lowers the number of jobs in flight, see `admission`. Failures in a row are an outage, see `breaker`.

In a lane, creates go in the order in which they came, polls by the moment they became due, downloads by the moment their
link expires.
"""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from aihubmix_video.errors import (
    ConnectionFailed,
    GatewayError,
    RateLimited,
    SessionClosed,
    SubmitUncertain,
    VideoError,
    WaitTimeout,
)
from aihubmix_video.polling.kind_statistics import CLOSEST
from aihubmix_video.polling.policy import Trace
from aihubmix_video.polling.poll_budget import INTERVAL
from aihubmix_video.scheduling.backoff import Backoff
from aihubmix_video.scheduling.circuit_breaker import BAD_POLLS, DOWNLOAD_PAUSE, poll_pause
from aihubmix_video.scheduling.concurrency_limit import Admission, Turnstile
from aihubmix_video.scheduling.due_queue import Agenda
from aihubmix_video.scheduling.fair_queue import Lane, Lanes
from aihubmix_video.scheduling.job_table import Known, Roster
from aihubmix_video.scheduling.lifecycle import Phase, Signal
from aihubmix_video.scheduling.limits import Limits
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
from aihubmix_video.scheduling.poll_queue import RATIO, Ladder
from aihubmix_video.scheduling.rate_control import Throttle
from aihubmix_video.scheduling.retry import bounded, is_final, is_refusal, retry_delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.polling.policy import Cadence, Estimate
    from aihubmix_video.scheduling.rate_limit import Pace

__all__ = ["Limits", "Scheduler"]

TICK = 1 / 300  # of the interval; polls due within one become due together, so that a busy session wakes up less often
LONGEST_TICK = (
    0.05  # seconds; of so many jobs that more become due in it, the rate lets them leave one by one all the same
)
SOON = Backoff(first=2.0, cap=5.0)  # after a bad poll of a gateway that mostly works
SPARE = 10  # bad polls that are tried again soon, at most, where none is good in between
CREATES_SHARE = 4  # what is bought late is finished late, and polls of young jobs are mostly wasted; see docs/poller.md
STANDSTILL = 1.0  # seconds; a deadline noticed so late passed while nobody could ask
RESPITE = 8  # intervals that its job is then followed on, once
LAST_WORD = 1.0  # seconds before a deadline at which a job is asked about that would not be asked again before
APART = CLOSEST / INTERVAL  # of the interval; by so much two polls of one job are apart at least
PATIENCE = 1 / 30  # of the interval; polls that leave so soon after they were due did not wait for the rate


class Scheduler:
    """Decides for all jobs of a session which request leaves next.

    Args:
        pace: The shared rate.
        limits: How much at once, and how long.
        cadence: When to ask again about a running job.
        draw: Source of random numbers, 0 <= x < 1, for jitter.

    Attributes:
        counts: Jobs by phase; the terminal ones count all that ever ended so.
    """

    def __init__(self, *, pace: Pace, limits: Limits, cadence: Cadence, draw: Callable[[], float]) -> None:
        self._throttle = Throttle(pace)
        self._limits = limits
        self._cadence = cadence
        self._draw = draw
        self._admission = Admission()
        self._roster = Roster(cadence, self._admission)
        self._jobs = self._roster.jobs
        self.counts = self._roster.counts
        self._asks: set[int] = set()
        self._ended: list[Action] = []
        self._spare = 1  # bad polls that may be tried again soon
        self._reached = False  # whether the gateway ever answered
        self._tick = min(cadence.interval * TICK, LONGEST_TICK)
        self._creates, self._polls, self._downloads = self._make_lanes()
        self._singles = Lane(inf, Permit, lambda ticket, _due: ticket, Agenda(self._asks.__contains__))
        self._lanes = Lanes(
            *(self._singles, self._downloads, self._polls, self._creates), alive=self._waits, lane_of=self._lane_for
        )
        self._lane_of = {
            Phase.QUEUED: self._creates,
            Phase.SUBMITTING: self._creates,
            Phase.WAITING: self._polls,
            Phase.POLLING: self._polls,
            Phase.READY: self._downloads,
            Phase.FETCHING: self._downloads,
        }
        self._deadlines = Agenda(self._roster.is_generating)

    def _make_lanes(self) -> tuple[Lane, Lane, Lane]:
        limits, alive = self._limits, self._jobs.__contains__
        turnstile = Turnstile(alive, lambda job: self._jobs[job].model, self._admission)
        ladder = Ladder(alive, self._climbs_at, self._cadence.interval * PATIENCE)
        return (
            Lane(
                limits.max_creates,
                Submit,
                lambda job, _due: job,
                turnstile,
                admits=lambda: self.in_flight < limits.max_in_flight,
                alone=True,  # so that in an outage not every job uses up its tries
                share=CREATES_SHARE,
            ),
            Lane(limits.max_polls, Poll, lambda _job, due: due, ladder),
            Lane(limits.max_downloads, Fetch, lambda job, _due: self._jobs[job].expires_at, Agenda(alive)),
        )

    def _waits(self, number: int) -> bool:
        return number in self._jobs or number in self._asks

    def _lane_for(self, number: int) -> Lane:
        return self._singles if number in self._asks else self._lane_of[self._jobs[number].phase]

    def _climbs_at(self, job: int, rung: int, since: float) -> float:
        known = self._jobs[job]
        return known.accepted_at + self._cadence.worth_at(known.trace, RATIO ** (rung + 1), since - known.accepted_at)

    # What the session may ask.

    @property
    def in_flight(self) -> int:
        """Jobs bought, or being bought, and not yet over."""
        return self._roster.in_flight

    @property
    def pace(self) -> Pace:
        """The shared rate in force, with what was spent of it."""
        return self._throttle.pace

    def remaining(self, job: int, now: float) -> Estimate | None:
        """Estimate the time until a running job finishes; None when it is not being generated."""
        if not self._roster.is_generating(job):
            return None
        known = self._jobs[job]
        return self._cadence.estimate(known.trace, now - known.accepted_at)

    def wakes_at(self) -> float | None:
        """Say when `actions` may have something new without an event; None when never."""
        at = min(self._admission.probe_at, self._deadlines.first(), self._lanes.wakes_at(self.pace.opens_at()))
        return at if at < inf else None

    # Deciding.

    def actions(self, now: float) -> list[Action]:
        """Hand out everything that may be done now; each thing once."""
        self._mature(now)
        actions, self._ended = self._ended, []
        while self.pace.opens_at() <= now and (turn := self._lanes.take(now)) is not None:
            self._throttle.spend(now)
            actions.append(self._hand_out(*turn, now))
        return actions

    def _mature(self, now: float) -> None:
        """Move what has become due to where it is handed out from."""
        for due, job in self._deadlines.due(now):
            known = self._jobs[job]
            if now - due > STANDSTILL and not known.reprieved:
                known.reprieved = True
                self._give_up(job, known, at=now + RESPITE * self._cadence.interval)
            else:
                self._end(job, Signal.OVERDUE, WaitTimeout(f"not finished within {self._limits.deadline:g} s"))
        self._lanes.mature(now)

    def _hand_out(self, lane: Lane, rank: float, job: int, now: float) -> Action:
        if lane is self._singles:
            self._asks.discard(job)
        else:
            lane.busy += 1
            self._jobs[job].sent_at = now
            self._roster.move(self._jobs[job], Signal.HANDED_OUT)
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
                self._lanes.later.put(now, ticket)
            case Enlist(job, kind, wants_file):
                self._admit(job, Known(Phase.QUEUED, Trace(kind), wants_file), due=now)
            case Watch(job, kind, wants_file, age):
                trace = Trace(kind, dated=age is not None, seen=None)
                self._admit(job, Known(Phase.WAITING, trace, wants_file, accepted_at=now - (age or 0.0)), due=now)
                self._give_up(job, self._jobs[job], at=now + self._limits.deadline)
            case Want(job, expires_at):
                self._admit(job, Known(Phase.READY, Trace(()), wants_file=True, expires_at=expires_at), due=now)
            case Withdraw(job):
                self._withdraw(job)
            case SlowDown(retry_after):
                self._throttle.refused(retry_after, now, self._draw(), sent_at=now)
            case Spent(requests):
                for _ in range(requests):
                    self._throttle.spend(now)

    def _give_up(self, job: int, known: Known, *, at: float) -> None:
        """Follow the job until then."""
        known.give_up_at = at
        self._deadlines.put(at, job)

    def _admit(self, job: int, known: Known, *, due: float) -> None:
        self._roster.add(job, known)
        self._lanes.later.put(due, job)

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
            sent_at = now if known is None else known.sent_at
            self._throttle.refused(event.error.retry_after, now, self._draw(), sent_at=sent_at)
        else:
            self._throttle.admitted()
        if known is None:
            if (phase := self._roster.orphans.pop(event.job, None)) is not None:
                self._lane_of[phase].busy -= 1
            return
        lane = self._lane_of[known.phase]
        lane.busy -= 1
        if not (isinstance(event, Trouble) and isinstance(event.error, ConnectionFailed) and not event.error.sent):
            self._reached = True
            self._creates.breaker.worked()
        if not isinstance(event, Trouble):
            known.failures = known.refusals = known.crowded = 0
            self._throttle.worked(now)
            lane.breaker.worked()
        match event:
            case Polled() as polled:
                self._spare = min(self._spare + 1, SPARE)
                self._polled(polled, known, now)
            case Bought(job, settled):
                self._bought(job, known, now, settled=settled)
            case Fetched(job):
                self._end(job, Signal.SATISFIED)
            case Trouble(job, error, progressed):
                if isinstance(error, RateLimited) and error.limit == "concurrency":
                    known.crowded += 1
                else:
                    known.failures, known.crowded = 1 if progressed else known.failures + 1, 0
                known.refusals = known.refusals + 1 if is_refusal(error) else 0
                self._troubled(job, known, error, now)

    def _bought(self, job: int, known: Known, now: float, *, settled: bool) -> None:
        known.accepted_at = now
        known.withdrawn = False
        self._roster.move(known, Signal.BOUGHT)
        self._give_up(job, known, at=now + self._limits.deadline)
        self._lanes.later.put(now if settled else self._next_poll(known, now), job)

    def _polled(self, polled: Polled, known: Known, now: float) -> None:
        age, finished = now - known.accepted_at, polled.completed
        self._cadence.asked(known.trace, age, polled.progress, finished=finished, draw=self._draw())
        if not finished:
            self._roster.move(known, Signal.RUNNING)
            self._lanes.later.put(self._next_poll(known, now), polled.job)
        elif known.wants_file:
            known.expires_at = polled.expires_at
            self._roster.move(known, Signal.COMPLETED)
            self._lanes.later.put(now, polled.job)
        else:
            self._end(polled.job, Signal.SATISFIED)

    def _next_poll(self, known: Known, now: float) -> float:
        age = self._cadence.next_age(known.trace, now - known.accepted_at, self._draw())
        due, last = self._on_tick(known.accepted_at + age), known.give_up_at - LAST_WORD
        return last if now + self._cadence.interval * APART <= last < due else due

    def _on_tick(self, moment: float) -> float:
        return ceil(moment / self._tick) * self._tick

    def _troubled(self, job: int, known: Known, error: VideoError, now: float) -> None:
        if isinstance(error, RateLimited) and error.limit == "concurrency" and known.phase is Phase.SUBMITTING:
            self._admission.refused(known.model, now)
        if isinstance(error, SubmitUncertain):
            self._end(job, Signal.LOST, error)
            return
        if isinstance(error, SessionClosed) and known.withdrawn:  # stopped before it left
            self._roster.move(known, Signal.TROUBLE)
            self._end(job, Signal.WITHDRAWN)
            return
        final = is_final(known.phase, error, known.refusals, now - known.accepted_at if known.trace.dated else inf)
        wait = None if final else retry_delay(known.phase, error, known.tries, self._draw(), reached=self._reached)
        if final and not isinstance(error, ConnectionFailed):
            self._lane_of[known.phase].breaker.worked()  # a verdict is an answer
        if wait is None:
            self._end(job, Signal.ENDED, error)
            return
        if not isinstance(error, RateLimited):
            self._failed(known, error, now, wait)
        due = now + wait if known.phase is not Phase.POLLING else self._next_try(known, error, now)
        self._roster.move(known, Signal.TROUBLE)
        if known.withdrawn:
            self._end(job, Signal.WITHDRAWN)
        else:
            self._lanes.later.put(due, job)

    def _next_try(self, known: Known, error: VideoError, now: float) -> float:
        """Say when to poll again after a bad poll: soon if a good one pays for it, else after an interval.

        A gateway that fails now and then costs no job an interval; one that fails altogether is left to the breaker.
        """
        age = self._cadence.plain_age(now - known.accepted_at, self._draw())
        due = self._on_tick(known.accepted_at + age)
        if self._spare and now < due:
            self._spare -= 1
            due = min(due, now + (SOON.delay(known.tries, self._draw()) or 0.0))
        asked = bounded(error.retry_after) if isinstance(error, RateLimited) else None
        return max(due, now + (asked or 0.0))

    def _failed(self, known: Known, error: VideoError, now: float, wait: float) -> None:
        """Let the breaker of the lane know; it holds the lane if this seems to be the gateway's trouble and not the job's."""
        if known.phase is Phase.POLLING:
            pause = poll_pause(self._roster.running, self._cadence.interval)
            self._polls.breaker.failed(now, bears=BAD_POLLS, pause=pause)
        elif known.phase is Phase.SUBMITTING and isinstance(error, ConnectionFailed):
            self._creates.breaker.failed(now, bears=1, pause=wait)
        elif known.phase is Phase.FETCHING and isinstance(error, (ConnectionFailed, GatewayError)):
            self._downloads.breaker.failed(now, bears=self._limits.max_downloads, pause=DOWNLOAD_PAUSE)

    # Moving on.

    def _end(self, job: int, signal: Signal, error: VideoError | None = None) -> None:
        known = self._roster.remove(job, signal)
        self._ended.append(End(job, known.phase, error))
