"""The shell around the scheduler: tells it what happened, has its actions performed, and arms one timer.

Nothing is decided here. The scheduler is turned, synchronously, once per pass of the event loop in which something
happened, and at the moment that it named itself. Each action is performed by a task that lives for that one request and
ends in one event; the scheduler's request classes bound how many there are. A job that waits costs no task.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Final, Literal

from aihubmix_video.errors import Charged, SessionClosed, SubmitUncertain, VideoError
from aihubmix_video.scheduling.lifecycle import Phase
from aihubmix_video.scheduling.messages import (
    AskPermit,
    Detach,
    EndJob,
    Event,
    GrantPermit,
    RequestFailed,
    SendCreate,
    SendDownload,
    SendPoll,
    SlowDown,
)
from aihubmix_video.session.job_stage import FACTS
from aihubmix_video.session.tracked_job import TrackedJob
from aihubmix_video.types.events import RequestEnd
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from aihubmix_video.scheduling.scheduler import Scheduler

__all__ = ["Perform", "Request", "RequestObserver", "SchedulerLoop"]

Request = type[SendCreate] | type[SendPoll] | type[SendDownload]
Perform = Callable[[TrackedJob], Coroutine[object, object, Event]]
"""Performs one action for a job, and reports the one event it ended in."""
RequestObserver = Callable[[RequestEnd], None]
"""Told of every request about a job that ended."""

log = logging.getLogger("aihubmix_video")

GONE = "the session was closed"
NAMES: Final[Mapping[Request, Literal["create", "poll", "download"]]] = {
    SendCreate: "create",
    SendPoll: "poll",
    SendDownload: "download",
}
LOGGED_HOLD_SECONDS = 5.0


class SchedulerLoop:
    """Runs one scheduler on the running event loop.

    Args:
        scheduler: Decides.
        perform: What performs each sort of action.
        finish: Ends each job that is over: it tells the ledger first, then the tasks that wait for the job.

    Attributes:
        observers: Told of every request about a job, once the scheduler was.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        perform: Mapping[Request, Perform],
        finish: Callable[[TrackedJob, VideoError | None], Coroutine[object, object, None]],
    ) -> None:
        self.scheduler = scheduler
        self.jobs: dict[int, TrackedJob] = {}
        self.sent: dict[type[object], int] = dict.fromkeys((SendCreate, SendPoll, SendDownload, GrantPermit), 0)
        self._perform = perform
        self._finish_job = finish
        self._finishing: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._numbers = count(1)
        self._permits: dict[int, asyncio.Future[None]] = {}
        self._tasks: dict[Request, dict[int, asyncio.Task[Event]]] = {
            kind: {} for kind in perform
        }  # by the job's number
        self._timer: asyncio.Handle | None = None
        self._armed_for = inf
        self._turn_is_due = False
        self._closed = False
        self._logged_until: dict[str, float] = {}
        self.observers: list[RequestObserver] = []

    def number(self) -> int:
        """Return the next job's number."""
        return next(self._numbers)

    # Being told.

    def follow(self, tracked: TrackedJob, event: Event) -> None:
        """Take on a job; *event* says how it begins.

        Raises:
            SessionClosed: Nothing is taken on any more.
        """
        if self._closed:
            raise SessionClosed(GONE)
        self.jobs[tracked.number] = tracked
        self.tell(event)

    def tell(self, event: Event) -> None:
        """Pass on what happened; what follows from it is done within this pass of the loop."""
        if not self._closed:
            now = self._loop.time()
            self.scheduler.receive(event, now)
            if isinstance(event, (RequestFailed, SlowDown)):
                self._log_holds(now)
            self._call_turn()

    def _log_holds(self, now: float) -> None:
        """Log each wait of more than a few seconds once: a session that stands still must say why."""
        for hold in self.scheduler.holds(now):
            if hold.until - now > LOGGED_HOLD_SECONDS and now >= self._logged_until.get(hold.requests, -inf):
                self._logged_until[hold.requests] = hold.until
                log.warning("%s wait for %.0f s: %s", hold.requests, hold.until - now, hold.reason)

    async def permit(self) -> None:
        """Wait until a request of the caller's own may leave.

        Raises:
            SessionClosed: The session was closed meanwhile.
        """
        if self._closed:
            raise SessionClosed(GONE)
        ticket = self.number()
        self._permits[ticket] = permitted = self._loop.create_future()
        self.tell(AskPermit(ticket))
        try:
            await permitted
        finally:
            if self._permits.pop(ticket, None) is not None:
                self.tell(Detach(ticket))

    # Turning.

    def wake(self) -> None:
        """Let the scheduler decide within this pass of the loop: the rate may allow something new."""
        if not self._closed:
            self._call_turn()

    def _call_turn(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self, at: float = -inf) -> None:
        """Let the scheduler decide; *at* is the moment that it named, if this is it.

        A loop rings early by as much as its clock is coarse. Told so, the scheduler would only name the same moment again.
        """
        self._turn_is_due = False
        if self._closed:
            return
        for action in self.scheduler.actions(max(self._loop.time(), at)):
            self._do(action)
        self._arm()

    def _do(self, action: SendCreate | SendPoll | SendDownload | GrantPermit | EndJob) -> None:
        if isinstance(action, EndJob):
            self._end(action)
            return
        self.sent[type(action)] += 1
        if isinstance(action, GrantPermit):
            if (permitted := self._permits.pop(action.ticket, None)) is not None and not permitted.done():
                permitted.set_result(None)
            return
        kind, tracked = type(action), self.jobs[action.job]
        task = self._loop.create_task(self._performed(kind, tracked))
        self._tasks[kind][tracked.number] = task
        task.add_done_callback(lambda done: self._forget(kind, tracked.number, done))

    def _forget(self, kind: Request, number: int, done: asyncio.Task[Event]) -> None:
        if self._tasks[kind].get(number) is done:  # else the job's next one is under way already
            del self._tasks[kind][number]

    async def _performed(self, kind: Request, tracked: TrackedJob) -> Event:
        began = time.time()
        try:
            event = await self._perform[kind](tracked)
        except VideoError as error:
            event = RequestFailed(tracked.number, error)
        except asyncio.CancelledError:
            gone = RequestFailed(tracked.number, SessionClosed(GONE))
            self.tell(gone)  # its place is free again
            self._report(kind, tracked, began, gone)
            raise
        except Exception as exc:  # a bug of ours must end its job, not hang it
            log.exception("job %s: unexpected failure", tracked.key)
            said = f"internal error ({type(exc).__name__})"
            lost = kind is SendCreate and FACTS[tracked.stage].charged == "unknown"
            event = RequestFailed(
                tracked.number, SubmitUncertain(said) if lost else VideoError(said, charged=charged_of(tracked))
            )
        self.tell(event)
        self._report(kind, tracked, began, event)
        return event

    def _report(self, kind: Request, tracked: TrackedJob, began: float, event: Event) -> None:
        if self.observers:
            error = event.error if isinstance(event, RequestFailed) else None
            end = RequestEnd(job=tracked.key, request=NAMES[kind], began=began, ended=time.time(), error=error)
            for observer in self.observers:
                observer(end)

    def _arm(self) -> None:
        """Arm the timer for the scheduler's next moment; an earlier one does no harm."""
        at = self.scheduler.wakes_at()
        if at is None or self._armed_for <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = at  # not every event loop's timers know theirs
        self._timer = self._loop.call_at(at, self._ring, at)

    def _ring(self, at: float) -> None:
        self._timer, self._armed_for = None, inf
        self._turn(at)

    def _end(self, end: EndJob) -> None:
        tracked = self.jobs.pop(end.job)
        error = end.error
        if end.phase is Phase.DROPPED:
            error = SessionClosed("the job is no longer followed", charged=charged_of(tracked))
        elif end.phase is Phase.UNCERTAIN:
            tracked.status = Status.UNCERTAIN
        self._finish(tracked, error)

    def _finish(self, tracked: TrackedJob, error: VideoError | None) -> None:
        if error is not None:
            error.job_key, error.job_id = tracked.key, tracked.video_id
        task = self._loop.create_task(self._finished(tracked, error))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _finished(self, tracked: TrackedJob, error: VideoError | None) -> None:
        """End a job once nothing works for it any more: one that is detached may still be polled, or write its file."""
        under_way = [tasks[tracked.number] for tasks in self._tasks.values() if tracked.number in tasks]
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
        await self._finish_job(tracked, error)

    # Ending.

    async def aclose(self, grace: float) -> None:
        """Stop: cancel what can be repeated, let creates under way learn their ids, then end every job.

        Args:
            grace: Seconds that creates under way get.
        """
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        creates = list(self._tasks[SendCreate].values())
        others = [task for kind, tasks in self._tasks.items() if kind is not SendCreate for task in tasks.values()]
        for task in others:
            task.cancel()
        if creates:
            await asyncio.wait(creates, timeout=grace)
        for task in creates:
            task.cancel()
        for event in await asyncio.gather(*creates, *others, return_exceptions=True):
            if isinstance(event, RequestFailed):
                self._close(event.job, event.error)
        for number in list(self.jobs):
            self._close(number, None)
        await asyncio.gather(*self._finishing)
        for permitted in self._permits.values():
            if not permitted.done():
                permitted.set_exception(SessionClosed(GONE))

    def _close(self, number: int, error: VideoError | None) -> None:
        tracked = self.jobs.pop(number, None)
        if tracked is None:
            return
        if isinstance(error, SubmitUncertain):
            tracked.status = Status.UNCERTAIN
        elif error is None or error.retryable:
            error = SessionClosed(GONE, charged=charged_of(tracked))
        self._finish(tracked, error)


def charged_of(tracked: TrackedJob) -> Charged:
    """Whether the job was paid for, as far as its id tells."""
    return "yes" if tracked.video_id is not None else "no"
