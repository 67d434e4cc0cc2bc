"""What a session knows of one job, and who is to be told of it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs

from aihubmix_video.errors import VideoError
from aihubmix_video.output.template import Template, slug
from aihubmix_video.session.job_stage import FACTS, NEXT, Durability, Stage, StageEvent, end_of
from aihubmix_video.session.poll_log import PollLog
from aihubmix_video.types.events import JobEvent
from aihubmix_video.types.object_url import ObjectUrl, split_root
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aihubmix_video.download.download import Download
    from aihubmix_video.polling.policy import Estimate
    from aihubmix_video.types.request import VideoRequest

__all__ = ["EventSubscription", "Observer", "OutputTarget", "TrackedJob", "Watcher"]

T = TypeVar("T")

log = logging.getLogger("aihubmix_video")

NO_POLLS = PollLog()
EVENTS_BUFFERED = 64  # kept for one that is slow to read; older ones make room, the last is never lost


@attrs.frozen(kw_only=True)
class OutputTarget:
    """Where a job's file goes.

    Attributes:
        path: A literal path, or a template to fill in.
        index: The row's position, for a template.
        key: The row's own key, for a template; None for the job's.
        overwrite: Whether an existing file is replaced.
        make_folder: Whether its folder is made where it does not exist.
    """

    path: str | Template
    index: int = 0
    key: str | None = None
    overwrite: bool = False
    make_folder: bool = False

    def place(self, tracked: TrackedJob) -> Path | ObjectUrl | None:
        """Return which file or object it is; None while a template waits for the job's id."""
        if isinstance(self.path, str):
            return ObjectUrl.parse(self.path) or Path(self.path).absolute()
        if self.path.needs_id and tracked.video_id is None:
            return None
        request = tracked.request
        rendered = self.path.render(
            index=self.index,
            id=tracked.video_id,
            key=self.key or tracked.key,
            model=request.model if request else "",
            slug=slug(request.prompt if request else ""),
        )
        return Path(rendered).absolute() if self.path.root is None else ObjectUrl(self.path.root, str(rendered))

    def root(self) -> str | None:
        """Return the object store that it names; None for a file."""
        parts = split_root(self.path if isinstance(self.path, str) else self.path.text)
        return None if parts is None else parts[0]

    def folder(self, tracked: TrackedJob) -> Path | None:
        """Return where the file will lie; None of an object, and while that waits for the job's id."""
        if self.root() is not None:
            return None
        path = self.place(tracked)
        if isinstance(path, Path):
            return path.parent
        text = self.path if isinstance(self.path, str) else self.path.text
        folder = Path(text).absolute().parent
        return None if "{" in str(folder) else folder


class EventSubscription:
    """One subscriber's events of a job; a subscriber may read as slowly as it likes."""

    __slots__ = ("_events", "_last", "_more")

    def __init__(self) -> None:
        self._events: deque[JobEvent] = deque(maxlen=EVENTS_BUFFERED)
        self._more = asyncio.Event()
        self._last: tuple[object, ...] = ()

    def put(self, event: JobEvent) -> None:
        """Add an event without waiting, unless it says nothing but what the last one said."""
        facts = (event.status, event.progress, event.bytes_done, event.bytes_total, event.note)
        if facts == self._last:
            return
        self._last = facts
        self._events.append(event)
        self._more.set()

    def wake(self) -> None:
        """Wake the subscriber: the job is over."""
        self._more.set()

    def take(self) -> JobEvent | None:
        """Take the oldest event not read yet."""
        return self._events.popleft() if self._events else None

    async def more(self) -> None:
        """Wait until there may be something to read."""
        await self._more.wait()
        self._more.clear()


Watcher = Callable[["TrackedJob"], None]
"""Told when a job is accepted, and when it is over."""
Observer = Callable[["TrackedJob"], None]
"""Told of every change of every job."""


@attrs.define(eq=False, kw_only=True)
class TrackedJob:
    """One job of a session. The scheduler loop and the request executor change it; handles, events and batches read it."""

    number: int
    key: str
    request: VideoRequest | None = None
    target: OutputTarget | None = None
    owner: str | None = None  # whose it is, in an application's words
    created_at: float = attrs.field(factory=time.time)  # Unix seconds
    updated_at: float = attrs.field(factory=time.time)
    video_id: str | None = None
    status: Status = Status.PENDING
    progress: float | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    video: Video | None = None
    error: VideoError | None = None
    stage: Stage = Stage.WAITING
    durability: Durability = Durability.EPHEMERAL
    checked: bool = False  # its request was judged when it was added, with everything that it refers to
    expires_at: float = math.inf  # when its link goes, on the loop's clock
    answer: int | None = None  # a hash of the last answer, if that said that the job goes on
    polls: PollLog = NO_POLLS  # what the polls brought
    download: Download | None = None
    eta: Callable[[TrackedJob], Estimate | None] | None = attrs.field(default=None, repr=False)
    watchers: tuple[Watcher, ...] = attrs.field(default=(), repr=False)
    observers: Collection[Observer] = attrs.field(default=(), repr=False)  # the session's, shared by all its jobs
    # Those who wait: a future each, for an event of asyncio's holds a kilobyte.
    _acceptance: tuple[asyncio.Future[None], ...] = attrs.field(default=(), init=False, repr=False)
    _ending: tuple[asyncio.Future[None], ...] = attrs.field(default=(), init=False, repr=False)
    _subscriptions: tuple[EventSubscription, ...] = attrs.field(default=(), init=False, repr=False)

    # Where it stands.

    @property
    def in_ledger(self) -> bool:
        """Whether the ledger keeps it."""
        return self.durability is not Durability.EPHEMERAL

    @property
    def over(self) -> bool:
        """Whether nothing changes it any more in this session."""
        return FACTS[self.stage].ended

    def advance(self, event: StageEvent) -> None:
        """Take note of what happened to it."""
        self.stage = NEXT.get((self.stage, event), self.stage)

    def end_with(self, error: VideoError | None) -> Stage:
        """Return the stage in which it ends with *error*."""
        return end_of(
            self.stage, error, self.durability, bought=self.video_id is not None, wants_file=self.target is not None
        )

    # What workers note.

    def accept(self, video: Video) -> None:
        """The gateway named the job."""
        self.video_id = video.id
        self.advance(StageEvent.ACCEPT)
        self.observe(video)
        if self._acceptance:
            self.video = video  # for the task that submitted it; a job that waits in a queue keeps none
            _wake(self._acceptance)
            self._acceptance = ()
        for watcher in self.watchers:
            watcher(self)

    def observe(self, video: Video) -> None:
        """The gateway described the job. What is terminal stays, and progress never falls."""
        progress = video.progress
        if self.progress is not None and (progress is None or progress < self.progress):
            progress = self.progress
        if self.status.terminal or (video.status, progress) == (self.status, self.progress):
            return
        self.status, self.progress = video.status, progress
        self.tell()

    def heard(self, polls: PollLog) -> None:
        """A poll was answered, or failed; subscribers are told where that is news to the user."""
        before, self.polls = self.polls, polls
        if before.word != polls.word or before.trouble != polls.trouble:
            log.info("job %s: %s", self.key, polls.trouble or f"the gateway says {polls.word!r}")
        if before.note != polls.note:
            self.tell()

    def received(self, done: int, total: int | None) -> None:
        """Some of the file is on disk."""
        self.bytes_done, self.bytes_total = done, total
        self.tell()

    def finish(self, video: Video | None, error: VideoError | None) -> None:
        """The job is over for this session; nothing changes it any more."""
        if self.over:
            return
        self.stage = self.end_with(error)
        self.video, self.error, self.download = video or self.video, error, None
        self.tell()
        _wake(self._acceptance + self._ending)
        for subscription in self._subscriptions:
            subscription.wake()
        for watcher in self.watchers:
            watcher(self)

    # Who is told.

    @property
    def awaited(self) -> bool:
        """Whether anyone would miss it, were it not bought."""
        return bool(self.watchers) or any(map(_waits, self._acceptance))

    def unwatch(self, watcher: Watcher) -> None:
        """Remove one watcher."""
        self.watchers = _without(watcher, self.watchers)

    def event(self) -> JobEvent:
        """Describe the job as it stands."""
        left = self.eta(self) if self.eta is not None else None
        return JobEvent(
            job=self.key,
            status=self.status,
            progress=self.progress,
            eta=left.middle if left is not None else None,
            eta_range=(left.low, left.high) if left is not None else None,
            bytes_done=self.bytes_done,
            bytes_total=self.bytes_total,
            at=time.time(),
            note=self.polls.note,
        )

    def tell(self) -> None:
        """Report to every observer and subscriber how the job stands; it costs next to nothing if there are none."""
        self.updated_at = time.time()
        for observer in self.observers:
            observer(self)
        if self._subscriptions:
            event = self.event()
            for subscription in self._subscriptions:
                subscription.put(event)

    def listen(self) -> EventSubscription:
        """Return a new subscription, which begins with the current state."""
        subscription = EventSubscription()
        subscription.put(self.event())
        self._subscriptions += (subscription,)
        return subscription

    def forget(self, subscription: EventSubscription) -> None:
        """End a subscription."""
        self._subscriptions = _without(subscription, self._subscriptions)

    def acceptance(self) -> asyncio.Future[None]:
        """Return a future that is done once the gateway named the job, or the job is over; each caller gets its own."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.video_id is None and not self.over:
            self._acceptance = (*filter(_waits, self._acceptance), waiter)
        else:
            waiter.set_result(None)
        return waiter

    def check_accepted(self) -> None:
        """Raise what the create ended with, if the job was not bought."""
        if self.error is not None and self.video_id is None:
            raise self.error

    def settle(self) -> None:
        """Keep no description of a job that is not over: while it waits, that would be most of what it holds."""
        if not self.status.terminal:
            self.video = None

    async def ended(self) -> Video:
        """Wait until the job is over.

        Raises:
            VideoError: What it ended with.
        """
        if not self.over:
            waiter = asyncio.get_running_loop().create_future()
            self._ending += (waiter,)
            try:
                await waiter
            finally:
                self._ending = _without(waiter, self._ending)
        if self.error is not None:
            raise self.error.with_traceback(None)
        if self.video is None:
            raise VideoError("the job ended without a video", job_id=self.video_id, job_key=self.key)
        return self.video


def _waits(waiter: asyncio.Future[None]) -> bool:
    return not waiter.done()  # nor cancelled


def _wake(waiters: Iterable[asyncio.Future[None]]) -> None:
    for waiter in filter(_waits, waiters):
        waiter.set_result(None)


def _without(one: T, them: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(other for other in them if other is not one)
