"""Who may send what, and when: one engine for all jobs of a session, without a clock and without a socket.

Theory of operation. `Scheduler.receive` takes what happened, `actions` hands out what may be sent now, `wakes_at` says when
to ask again; the shell around it does nothing else. Deciding reserves: an action handed out has already changed the job's
phase and taken its share of the rate, so that asking twice at the same moment gives nothing twice.

Requests wait in four classes: creates, polls, downloads and single calls of the user's. When the shared rate allows a request,
the classes take turns, see `fair_queue`. Each class also bounds its own requests under way, so requests that hang hold up no other.

"Too fast" and "too many at once" are different refusals: the first shuts the rate for a while and lowers it, see `rate_control`,
the second lowers the number of jobs in flight, see `concurrency_limit`. Failures in a row are an outage, see `circuit_breaker`.

In a class, creates go in the order in which they came, polls by the moment they became due, downloads by the moment their
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
from aihubmix_video.polling.kind_statistics import MIN_POLL_SPACING_UNITS
from aihubmix_video.polling.policy import PollHistory
from aihubmix_video.polling.poll_budget import INTERVAL_UNITS
from aihubmix_video.scheduling.circuit_breaker import DOWNLOAD_PROBE_SECONDS, OPEN_AFTER_BAD_POLLS, poll_pause
from aihubmix_video.scheduling.concurrency_limit import ConcurrencyLimits, CreateQueue
from aihubmix_video.scheduling.due_queue import DueQueue
from aihubmix_video.scheduling.fair_queue import FairQueue, RequestClass
from aihubmix_video.scheduling.job_table import JobRow, JobTable
from aihubmix_video.scheduling.lifecycle import Phase, Signal
from aihubmix_video.scheduling.messages import (
    Accepted,
    Action,
    AddJob,
    AskPermit,
    Detach,
    Downloaded,
    EndJob,
    Event,
    FollowJob,
    GrantPermit,
    Hold,
    Polled,
    RequestFailed,
    RequestsSpent,
    SchedulerLimits,
    SendCreate,
    SendDownload,
    SendPoll,
    SlowDown,
    WantFile,
)
from aihubmix_video.scheduling.poll_queue import VALUE_CLASS_RATIO, PollQueue
from aihubmix_video.scheduling.rate_control import RateController
from aihubmix_video.scheduling.retry import Backoff, bounded, is_final, is_refusal, retry_delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.polling.policy import Estimate, PollPolicy
    from aihubmix_video.scheduling.rate_limit import RateLimit

__all__ = ["Scheduler", "SchedulerLimits"]

TICK_INTERVALS = (
    1 / 300
)  # of the interval; polls due within one become due together, so that a busy session wakes up less often
MAX_TICK_SECONDS = (
    0.05  # seconds; of so many jobs that more become due in it, the rate lets them leave one by one all the same
)
EARLY_POLL_RETRY = Backoff(first=2.0, cap=5.0)  # after a bad poll of a gateway that mostly works
MAX_EARLY_RETRIES = 10  # bad polls that are tried again soon, at most, where none is good in between
CREATE_WEIGHT = 4  # what is bought late is finished late, and polls of young jobs are mostly wasted; see docs/poller.md
MISSED_DEADLINE_SECONDS = 1.0  # seconds; a deadline noticed so late passed while nobody could ask
MISSED_DEADLINE_EXTENSION_INTERVALS = 8  # intervals that its job is then followed on, once
LAST_POLL_LEAD_SECONDS = (
    1.0  # seconds before a deadline at which a job is asked about that would not be asked again before
)
MIN_POLL_SPACING_INTERVALS = (
    MIN_POLL_SPACING_UNITS / INTERVAL_UNITS
)  # of the interval; by so much two polls of one job are apart at least
PROMPT_POLL_INTERVALS = (
    1 / 30
)  # of the interval; polls that leave so soon after they were due did not wait for the rate


class Scheduler:
    """Decides for all jobs of a session which request leaves next.

    Args:
        rate_limit: The shared rate.
        limits: How much at once, and how long.
        policy: When to ask again about a running job.
        draw: Source of random numbers, 0 <= x < 1, for jitter.
        control: What keeps the rate and the cool-downs; None for a rate of this scheduler's own.

    Attributes:
        counts: Jobs by phase; the terminal ones count all that ever ended so.
    """

    def __init__(
        self,
        *,
        rate_limit: RateLimit,
        limits: SchedulerLimits,
        policy: PollPolicy,
        draw: Callable[[], float],
        control: RateController | None = None,
    ) -> None:
        self._control = RateController(rate_limit) if control is None else control
        self._limits = limits
        self._policy = policy
        self._draw = draw
        self._concurrency = ConcurrencyLimits()
        self._table = JobTable(policy, self._concurrency)
        self._jobs = self._table.jobs
        self.counts = self._table.counts
        self._asks: set[int] = set()
        self._ended: list[Action] = []
        self._spare = 1  # bad polls that may be tried again soon
        self._reached = False  # whether the gateway ever answered
        self._tick = min(policy.interval * TICK_INTERVALS, MAX_TICK_SECONDS)
        self._creates, self._polls, self._downloads = self._make_classes()
        self._permits = RequestClass(
            *(inf, GrantPermit, lambda ticket, _due: ticket, DueQueue(self._asks.__contains__)),
            cooldown=self._control.followed,
        )
        self._queue = FairQueue(
            *(self._permits, self._downloads, self._polls, self._creates), alive=self._waits, class_of=self._class_for
        )
        self._class_of = {
            Phase.WAITING: self._creates,
            Phase.SUBMITTING: self._creates,
            Phase.RUNNING: self._polls,
            Phase.POLLING: self._polls,
            Phase.READY: self._downloads,
            Phase.DOWNLOADING: self._downloads,
        }
        self._deadlines = DueQueue(self._table.is_generating)

    def _make_classes(self) -> tuple[RequestClass, RequestClass, RequestClass]:
        limits, alive = self._limits, self._jobs.__contains__
        create_queue = CreateQueue(alive, lambda job: self._jobs[job].model, self._concurrency)
        poll_queue = PollQueue(alive, self._rises_at, self._policy.interval * PROMPT_POLL_INTERVALS)
        return (
            RequestClass(
                limits.max_creates,
                SendCreate,
                lambda job, _due: job,
                create_queue,
                cooldown=self._control.creates,
                admits=lambda: self.in_flight < limits.max_in_flight,
                alone=True,  # so that in an outage not every job uses up its tries
                share=CREATE_WEIGHT,
            ),
            RequestClass(
                limits.max_polls, SendPoll, lambda _job, due: due, poll_queue, cooldown=self._control.followed
            ),
            RequestClass(
                *(limits.max_downloads, SendDownload, lambda job, _due: self._jobs[job].expires_at, DueQueue(alive)),
                cooldown=self._control.followed,
            ),
        )

    def _waits(self, number: int) -> bool:
        return number in self._jobs or number in self._asks

    def _class_for(self, number: int) -> RequestClass:
        return self._permits if number in self._asks else self._class_of[self._jobs[number].phase]

    def _rises_at(self, job: int, value_class: int, since: float) -> float:
        row = self._jobs[job]
        return row.accepted_at + self._policy.worth_at(
            row.history, VALUE_CLASS_RATIO ** (value_class + 1), since - row.accepted_at
        )

    # What the session may ask.

    @property
    def in_flight(self) -> int:
        """Jobs bought, or being bought, and not yet over."""
        return self._table.in_flight

    @property
    def rate_limit(self) -> RateLimit:
        """The shared rate in force, with what was spent of it."""
        return self._control.rate_limit

    def remaining(self, job: int, now: float) -> Estimate | None:
        """Estimate the time until a running job finishes; None when it is not being generated."""
        if not self._table.is_generating(job):
            return None
        row = self._jobs[job]
        return self._policy.estimate(row.history, now - row.accepted_at)

    def wakes_at(self) -> float | None:
        """Return when `actions` may have something new without an event; None when never."""
        at = min(self._concurrency.probe_at, self._deadlines.first(), self._queue.wakes_at(self._control.wakes_from()))
        return at if at < inf else None

    def holds(self, now: float) -> list[Hold]:
        """List what keeps requests from being sent, other than the rate itself."""
        found = [
            Hold(requests, cooldown.until, "the gateway asked to wait")
            for requests, cooldown in (
                ("creates", self._control.creates),
                ("polls and downloads", self._control.followed),
            )
            if cooldown.until > now
        ]
        return found + [
            Hold(requests, request_class.breaker.held_until, "the gateway does not answer")
            for requests, request_class in (
                ("creates", self._creates),
                ("polls", self._polls),
                ("downloads", self._downloads),
            )
            if request_class.breaker.held_until > now
        ]

    # Deciding.

    def actions(self, now: float) -> list[Action]:
        """Hand out everything that may be done now; each thing once."""
        self._mature(now)
        actions, self._ended = self._ended, []
        while self._control.opens_at(now) <= now and (turn := self._queue.take(now)) is not None:
            self._control.spend(now)
            actions.append(self._hand_out(*turn, now))
        self._control.expects(self._queue.wakes_at(-inf), now)
        return actions

    def _mature(self, now: float) -> None:
        """Move what has become due to where it is handed out from."""
        for due, job in self._deadlines.due(now):
            row = self._jobs[job]
            if now - due > MISSED_DEADLINE_SECONDS and not row.reprieved:
                row.reprieved = True
                self._give_up(job, row, at=now + MISSED_DEADLINE_EXTENSION_INTERVALS * self._policy.interval)
            else:
                self._end(job, Signal.OVERDUE, WaitTimeout(f"not finished within {self._limits.deadline:g} s"))
        self._queue.mature(now)

    def _hand_out(self, request_class: RequestClass, rank: float, job: int, now: float) -> Action:
        if request_class is self._permits:
            self._asks.discard(job)
        else:
            request_class.busy += 1
            self._jobs[job].sent_at = now
            self._table.move(self._jobs[job], Signal.HANDED_OUT)
        if request_class is self._polls:
            self._policy.served(VALUE_CLASS_RATIO**rank)
        return request_class.action(job)

    # Being told.

    def receive(self, event: Event, now: float) -> None:
        """Take in what happened. Late answers about jobs that are over make room and, refused for the rate, slow all down."""
        match event:
            case Polled() | Accepted() | Downloaded() | RequestFailed():
                self._answered(event, now)
            case AskPermit(ticket):
                self._asks.add(ticket)
                self._queue.later.put(now, ticket)
            case AddJob(job, kind, wants_file):
                self._admit(job, JobRow(Phase.WAITING, PollHistory(kind), wants_file), due=now)
            case FollowJob(job, kind, wants_file, age):
                history = PollHistory(kind, dated=age is not None, seen=None)
                self._admit(job, JobRow(Phase.RUNNING, history, wants_file, accepted_at=now - (age or 0.0)), due=now)
                self._give_up(job, self._jobs[job], at=now + self._limits.deadline)
            case WantFile(job, expires_at):
                self._admit(job, JobRow(Phase.READY, PollHistory(()), wants_file=True, expires_at=expires_at), due=now)
            case Detach(job):
                self._withdraw(job)
            case SlowDown(retry_after):
                self._control.refused(self._control.followed, retry_after, now, self._draw(), sent_at=now)
            case RequestsSpent(requests):
                for _ in range(requests):
                    self._control.spend(now)

    def _give_up(self, job: int, row: JobRow, *, at: float) -> None:
        """Follow the job until then."""
        row.give_up_at = at
        self._deadlines.put(at, job)

    def _admit(self, job: int, row: JobRow, *, due: float) -> None:
        self._table.add(job, row)
        self._queue.later.put(due, job)

    def _withdraw(self, job: int) -> None:
        self._asks.discard(job)
        row = self._jobs.get(job)
        if row is None:
            return
        if row.phase is Phase.SUBMITTING:
            row.detaching = True
        else:
            self._end(job, Signal.WITHDRAWN)

    def _answered(self, event: Polled | Accepted | Downloaded | RequestFailed, now: float) -> None:
        row = self._jobs.get(event.job)
        if isinstance(event, RequestFailed) and isinstance(event.error, RateLimited) and event.error.limit == "rate":
            phase, sent_at = (self._table.orphans.get(event.job), now) if row is None else (row.phase, row.sent_at)
            cooldown = self._control.creates if phase is Phase.SUBMITTING else self._control.followed
            self._control.refused(cooldown, event.error.retry_after, now, self._draw(), sent_at=sent_at)
        else:
            self._control.admitted()
        if row is None:
            if (phase := self._table.orphans.pop(event.job, None)) is not None:
                self._class_of[phase].busy -= 1
            return
        request_class = self._class_of[row.phase]
        request_class.busy -= 1
        if not (
            isinstance(event, RequestFailed) and isinstance(event.error, ConnectionFailed) and not event.error.sent
        ):
            self._reached = True
            self._creates.breaker.worked()
        if not isinstance(event, RequestFailed):
            row.failures = row.refusals = row.crowded = 0
            self._control.worked(request_class.cooldown, now)
            request_class.breaker.worked()
        match event:
            case Polled() as polled:
                self._spare = min(self._spare + 1, MAX_EARLY_RETRIES)
                self._polled(polled, row, now)
            case Accepted(job, settled):
                self._bought(job, row, now, settled=settled)
            case Downloaded(job):
                self._end(job, Signal.SATISFIED)
            case RequestFailed(job, error, progressed):
                if isinstance(error, RateLimited) and error.limit == "concurrency":
                    row.crowded += 1
                else:
                    row.failures, row.crowded = 1 if progressed else row.failures + 1, 0
                row.refusals = row.refusals + 1 if is_refusal(error) else 0
                self._troubled(job, row, error, now)

    def _bought(self, job: int, row: JobRow, now: float, *, settled: bool) -> None:
        row.accepted_at = now
        row.detaching = False
        self._table.move(row, Signal.BOUGHT)
        self._give_up(job, row, at=now + self._limits.deadline)
        self._queue.later.put(now if settled else self._next_poll(row, now), job)

    def _polled(self, polled: Polled, row: JobRow, now: float) -> None:
        age, finished = now - row.accepted_at, polled.completed
        self._policy.asked(row.history, age, polled.progress, finished=finished, draw=self._draw())
        if not finished:
            self._table.move(row, Signal.RUNNING)
            self._queue.later.put(self._next_poll(row, now), polled.job)
        elif row.wants_file:
            row.expires_at = polled.expires_at
            self._table.move(row, Signal.COMPLETED)
            self._queue.later.put(now, polled.job)
        else:
            self._end(polled.job, Signal.SATISFIED)

    def _next_poll(self, row: JobRow, now: float) -> float:
        age = self._policy.next_age(row.history, now - row.accepted_at, self._draw())
        due, last = self._on_tick(row.accepted_at + age), row.give_up_at - LAST_POLL_LEAD_SECONDS
        return last if now + self._policy.interval * MIN_POLL_SPACING_INTERVALS <= last < due else due

    def _on_tick(self, moment: float) -> float:
        return ceil(moment / self._tick) * self._tick

    def _troubled(self, job: int, row: JobRow, error: VideoError, now: float) -> None:
        if isinstance(error, RateLimited) and error.limit == "concurrency" and row.phase is Phase.SUBMITTING:
            self._concurrency.refused(row.model, now)
        if isinstance(error, SubmitUncertain):
            self._end(job, Signal.LOST, error)
            return
        if isinstance(error, SessionClosed) and row.detaching:  # stopped before it left
            self._table.move(row, Signal.TROUBLE)
            self._end(job, Signal.WITHDRAWN)
            return
        final = is_final(row.phase, error, row.refusals, now - row.accepted_at if row.history.dated else inf)
        wait = None if final else retry_delay(row.phase, error, row.tries, self._draw(), reached=self._reached)
        if final and not isinstance(error, ConnectionFailed):
            self._class_of[row.phase].breaker.worked()  # a verdict is an answer
        if wait is None:
            self._end(job, Signal.ENDED, error)
            return
        if not isinstance(error, RateLimited):
            self._failed(row, error, now, wait)
        due = now + wait if row.phase is not Phase.POLLING else self._next_try(row, error, now)
        self._table.move(row, Signal.TROUBLE)
        if row.detaching:
            self._end(job, Signal.WITHDRAWN)
        else:
            self._queue.later.put(due, job)

    def _next_try(self, row: JobRow, error: VideoError, now: float) -> float:
        """Return when to poll again after a bad poll: soon if a good one pays for it, else after an interval.

        A gateway that fails now and then costs no job an interval; one that fails altogether is left to the breaker.
        """
        age = self._policy.plain_age(now - row.accepted_at, self._draw())
        due = self._on_tick(row.accepted_at + age)
        if self._spare and now < due:
            self._spare -= 1
            due = min(due, now + (EARLY_POLL_RETRY.delay(row.tries, self._draw()) or 0.0))
        asked = bounded(error.retry_after) if isinstance(error, RateLimited) else None
        return max(due, now + (asked or 0.0))

    def _failed(self, row: JobRow, error: VideoError, now: float, wait: float) -> None:
        """Let the circuit breaker of the class know; it holds the class if this seems to be the gateway's trouble and not the job's."""
        if row.phase is Phase.POLLING:
            pause = poll_pause(self._table.running, self._policy.interval)
            self._polls.breaker.failed(now, bears=OPEN_AFTER_BAD_POLLS, pause=pause)
        elif row.phase is Phase.SUBMITTING and isinstance(error, ConnectionFailed):
            self._creates.breaker.failed(now, bears=1, pause=wait)
        elif row.phase is Phase.DOWNLOADING and isinstance(error, (ConnectionFailed, GatewayError)):
            self._downloads.breaker.failed(now, bears=self._limits.max_downloads, pause=DOWNLOAD_PROBE_SECONDS)

    # Moving on.

    def _end(self, job: int, signal: Signal, error: VideoError | None = None) -> None:
        row = self._table.remove(job, signal)
        self._ended.append(EndJob(job, row.phase, error))
