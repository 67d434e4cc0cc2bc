"""The scheduler against a gateway that does anything, at any time: what holds in every history."""

from __future__ import annotations

import random
from math import inf

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aihubmix_video.errors import (
    ConnectionFailed,
    DownloadFailed,
    GatewayError,
    JobExpired,
    JobFailed,
    JobNotFound,
    MalformedReply,
    RateLimited,
    RequestRefused,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from aihubmix_video.polling.kind_statistics import MIN_POLL_SPACING_UNITS
from aihubmix_video.scheduling.lifecycle import TERMINAL, Phase
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
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.scheduling.scheduler import MISSED_DEADLINE_EXTENSION_INTERVALS, MISSED_DEADLINE_SECONDS, Scheduler

INTERVAL = 4.0
CLOSEST_SECONDS = MIN_POLL_SPACING_UNITS / 15 * INTERVAL  # between good polls of one job
DEADLINE = 30.0
SLACK = 1e-6  # rounding; clocks are floats
KINDS = [("sora-2", "4"), ("sora-2", "8"), ("wan2.6-t2v", "5")]

pauses = st.one_of(st.floats(0, 1), st.floats(0, 3 * INTERVAL), st.floats(0, 3 * DEADLINE))
wishes = st.sampled_from([None, None, 0.0, 3.0, 50.0, 1e9])
common = st.one_of(
    st.builds(lambda wish: RateLimited("429", retry_after=wish), wishes),
    st.builds(lambda wish: RateLimited("too many at once", retry_after=wish, limit="concurrency"), wishes),
    st.sampled_from([GatewayError("502"), ConnectionFailed("refused"), JobNotFound("404"), RequestRefused("400")]),
)
create_errors = st.one_of(common, st.sampled_from([SubmitUncertain("lost"), MalformedReply("half")]))
poll_errors = st.one_of(common, st.just(JobFailed("vendor")))
fetch_errors = st.one_of(common, st.sampled_from([DownloadFailed("cut"), JobExpired("410")]))


class Gateway(RuleBasedStateMachine):
    """Plays the session and the gateway, keeps its own books, and compares."""

    @initialize(
        rate=st.sampled_from([0.5, 2.0, 10.0, 100.0]),
        burst=st.integers(1, 4),
        most=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)),
        seed=st.integers(0, 2**32),
        start=st.sampled_from([0.0, 12.5, 1e6]),
    )
    def open(self, rate: float, burst: int, most: tuple[int, int, int, int], seed: int, start: float) -> None:
        """Begin a session."""
        in_flight, creates, polls, downloads = most
        self.limits = SchedulerLimits(
            max_in_flight=in_flight,
            max_creates=creates,
            max_polls=polls,
            max_downloads=downloads,
            deadline=DEADLINE,
        )
        self.rate, self.burst, self.now = rate, burst, start
        draw = random.Random(seed).random  # noqa: S311 - jitter that hypothesis can repeat
        self.policy = AdaptivePollPolicy(INTERVAL)
        self.engine = Scheduler(
            rate_limit=RateLimit.of_rate(rate, burst), limits=self.limits, policy=self.policy, draw=draw
        )
        self.numbers = 0
        self.open_jobs: dict[int, Phase] = {}
        self.tickets: set[int] = set()
        self.under_way: dict[int, Action] = {}
        self.ended: dict[int, EndJob] = {}
        self.uncertain: set[int] = set()
        self.not_again: set[int] = set()  # withdrawn while being bought
        self.not_before: dict[int, float] = {}
        self.give_up_at: dict[int, float] = {}
        self.reprieved: set[int] = set()
        self.shut_until = {True: -inf, False: -inf}  # of creates, and of everything else
        self.left: list[float] = []  # moments at which requests left
        self.woken = True

    # What the session does.

    def number(self) -> int:
        """Give out the next number."""
        self.numbers += 1
        return self.numbers

    def tell(self, event: Event) -> None:
        """Let the scheduler hear of something."""
        self.engine.receive(event, self.now)
        self.woken = False

    @rule(kind=st.sampled_from(KINDS), wants_file=st.booleans())
    def enlist(self, kind: tuple[str, ...], wants_file: bool) -> None:  # noqa: FBT001 - hypothesis fills it in by name
        """Buy a job."""
        job = self.number()
        self.open_jobs[job] = Phase.WAITING
        self.tell(AddJob(job, kind, wants_file))

    @rule(kind=st.sampled_from(KINDS), wants_file=st.booleans(), age=st.one_of(st.none(), st.floats(0, 1e5)))
    def watch(self, kind: tuple[str, ...], wants_file: bool, age: float | None) -> None:  # noqa: FBT001 - likewise
        """Follow a job bought earlier."""
        job = self.number()
        self.open_jobs[job] = Phase.RUNNING
        self.give_up_at[job] = self.now + DEADLINE
        self.tell(FollowJob(job, kind, wants_file, age))

    @rule(lifetime=st.one_of(st.just(inf), st.floats(-5, 100)))
    def want(self, lifetime: float) -> None:
        """Want a finished job's file."""
        job = self.number()
        self.open_jobs[job] = Phase.READY
        self.tell(WantFile(job, self.now + lifetime))

    @rule()
    def ask(self) -> None:
        """Want to send a request of one's own."""
        ticket = self.number()
        self.tickets.add(ticket)
        self.tell(AskPermit(ticket))

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Wait no longer for something, known or not."""
        number = data.draw(st.integers(1, self.numbers + 1))
        self.tickets.discard(number)
        if self.open_jobs.get(number) is Phase.SUBMITTING:
            self.not_again.add(number)
        self.tell(Detach(number))

    @rule(requests=st.integers(0, 3))
    def spend(self, requests: int) -> None:
        """Follow redirects."""
        self.left += [self.now] * requests
        self.tell(RequestsSpent(requests))

    @rule(wish=wishes)
    def slow_down(self, wish: float | None) -> None:
        """Be refused on a request of one's own."""
        self.cooled(wish)
        self.tell(SlowDown(wish))

    # What time does.

    @rule(pause=pauses)
    def wait(self, pause: float) -> None:
        """Let time pass; the loop may be late."""
        self.now += pause
        self.woken = False

    @rule()
    def wake(self) -> None:
        """Go to the moment that the scheduler named."""
        at = self.engine.wakes_at()
        if at is not None:
            self.now = max(self.now, at)
        self.act()

    @rule()
    def act(self) -> None:
        """Ask what is to be done."""
        self.put_off()
        for action in self.engine.actions(self.now):
            self.note(action)
        at = self.engine.wakes_at()
        assert at is None or at > self.now  # else the shell around it would spin
        assert self.engine.actions(self.now) == []
        self.woken = True

    def put_off(self) -> None:
        """Give jobs whose deadline passed while nobody looked one more chance."""
        for job, phase in self.open_jobs.items():
            if (
                phase is Phase.RUNNING
                and self.now - self.give_up_at[job] > MISSED_DEADLINE_SECONDS
                and job not in self.reprieved
            ):
                self.reprieved.add(job)
                self.give_up_at[job] = self.now + MISSED_DEADLINE_EXTENSION_INTERVALS * INTERVAL

    # What the gateway does.

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), well=st.booleans(), flag=st.booleans())
    def answer(self, data: st.DataObject, well: bool, flag: bool) -> None:  # noqa: FBT001 - hypothesis fills them in
        """Answer any of the requests under way."""
        job = data.draw(st.sampled_from(sorted(self.under_way)))
        action = self.under_way.pop(job)
        if well:
            self.tell(self.good(action, flag))
        else:
            errors = {SendCreate: create_errors, SendPoll: poll_errors, SendDownload: fetch_errors}[type(action)]
            self.fail(job, action, data.draw(errors), flag)

    def good(self, action: Action, flag: bool) -> Event:  # noqa: FBT001 - told apart by the rule above
        """Answer well, in one of two ways."""
        match action:
            case SendCreate(job):
                self.open_jobs[job] = Phase.RUNNING
                self.give_up_at[job] = self.now + DEADLINE
                self.not_before[job] = self.now + (0.0 if flag else CLOSEST_SECONDS)
                return Accepted(job, settled=flag)
            case SendPoll(job):
                self.not_before[job] = self.now + (0.0 if flag else CLOSEST_SECONDS)
                if flag and job in self.open_jobs:
                    self.open_jobs[job] = Phase.READY
                progress = (None, 1.0, 50.0, 99.0, 100.0)[job % 5]
                return Polled(job, completed=flag, expires_at=self.now + 60.0, progress=progress)
            case SendDownload(job):
                return Downloaded(job)
        raise AssertionError(action)

    def fail(self, job: int, action: Action, error: VideoError, progressed: bool) -> None:  # noqa: FBT001 - likewise
        """Answer badly."""
        if isinstance(error, RateLimited) and error.limit == "rate":
            self.cooled(error.retry_after, creates=isinstance(action, SendCreate))
        if isinstance(error, SubmitUncertain):
            self.uncertain.add(job)
        self.not_before[job] = self.now + 0.5
        self.tell(RequestFailed(job, error, progressed=progressed and isinstance(action, SendDownload)))

    def cooled(self, wish: float | None, *, creates: bool = False) -> None:
        """Note until when nothing of that kind may leave."""
        if wish is not None:
            self.shut_until[creates] = max(self.shut_until[creates], self.now + min(wish, 120.0))

    # What must hold of each action.

    def note(self, action: Action) -> None:
        """Enter an action into the books, if it is right."""
        if isinstance(action, EndJob):
            self.note_end(action)
            return
        self.departed(creates=isinstance(action, SendCreate))
        if isinstance(action, GrantPermit):
            assert action.ticket in self.tickets
            self.tickets.discard(action.ticket)
            return
        job = action.job
        assert job in self.open_jobs
        assert job not in self.under_way
        assert self.now >= self.not_before.get(job, -inf) - SLACK
        self.under_way[job] = action
        if isinstance(action, SendCreate):
            assert self.open_jobs[job] in (Phase.WAITING, Phase.SUBMITTING)
            assert job not in self.uncertain | self.not_again
            self.open_jobs[job] = Phase.SUBMITTING
            assert self.engine.in_flight <= self.limits.max_in_flight
        else:
            assert self.open_jobs[job] is (Phase.RUNNING if isinstance(action, SendPoll) else Phase.READY)

    def departed(self, *, creates: bool) -> None:
        """Check the law of the rate for every window that ends now."""
        assert self.now >= self.shut_until[creates]
        self.left.append(self.now)
        for i, first in enumerate(self.left):
            assert len(self.left) - i <= self.burst + (self.now - first) * self.rate + SLACK

    def note_end(self, end: EndJob) -> None:
        """Check that a job ended once, and for a reason."""
        assert end.job in self.open_jobs
        assert end.job not in self.ended
        assert end.phase in TERMINAL
        assert (end.phase is Phase.UNCERTAIN) == (end.job in self.uncertain)
        assert (end.error is None) == (end.phase in (Phase.DONE, Phase.DROPPED))
        if end.phase is Phase.STALLED:
            assert self.now >= self.give_up_at[end.job]
        del self.open_jobs[end.job]
        self.ended[end.job] = end

    # What must hold at any time.

    @invariant()
    def counts_agree(self) -> None:
        """The scheduler's counts are the books' counts."""
        counts = self.engine.counts
        jobs = len(self.open_jobs) + len(self.ended)
        assert min(counts.values()) >= 0
        assert sum(counts.values()) == jobs
        if self.woken:
            assert sum(counts[phase] for phase in TERMINAL) == len(self.ended)
            assert self.engine.in_flight == len(self.open_jobs) - counts[Phase.WAITING]

    @invariant()
    def the_cadence_knows_how_many_jobs_run(self) -> None:
        """It shares out a budget between them."""
        assert self.policy._running == self.engine.counts[Phase.RUNNING] + self.engine.counts[Phase.POLLING]

    @invariant()
    def bounds_hold(self) -> None:
        """Never more under way than allowed, requests of jobs that are over included."""
        for kind, most in (
            (SendCreate, self.limits.max_creates),
            (SendPoll, self.limits.max_polls),
            (SendDownload, self.limits.max_downloads),
        ):
            assert sum(isinstance(action, kind) for action in self.under_way.values()) <= most

    @invariant()
    def no_job_outlives_its_deadline(self) -> None:
        """Looked at after its deadline, a job is over or finished."""
        generating = [job for job, phase in self.open_jobs.items() if phase is Phase.RUNNING]
        assert not self.woken or all(self.give_up_at[job] > self.now for job in generating)

    def teardown(self) -> None:
        """From anywhere, answers that are all good lead to an end of every job, and then to silence."""
        if not hasattr(self, "engine"):
            return
        for _ in range(10_000):
            self.act()
            for job in sorted(self.under_way):
                self.tell(self.good(self.under_way.pop(job), flag=True))
            if self.woken:
                at = self.engine.wakes_at()
                if at is None:
                    break
                self.now = at
        assert self.engine.wakes_at() is None
        assert not self.open_jobs
        assert not self.tickets
        assert not self.under_way
        assert len(self.ended) == sum(self.engine.counts.values())
        assert not self.engine._table.orphans
        assert all(request_class.busy == 0 for request_class in self.engine._queue)


TestHistories = Gateway.TestCase
TestHistories.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
