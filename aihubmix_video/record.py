"""What a session knows of one job, and who is to be told of it."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import VideoError
from aihubmix_video.events import JobEvent
from aihubmix_video.naming import Template, slug
from aihubmix_video.video import Status, Video

if TYPE_CHECKING:
    from aihubmix_video.download import Download
    from aihubmix_video.request import VideoRequest
    from aihubmix_video.scheduling.cadence import Estimate

__all__ = ["Listener", "Record", "Target", "Watcher"]

LISTENER_EVENTS = 64  # kept for one that is slow to read; older ones make room, the last is never lost


@attrs.frozen(kw_only=True)
class Target:
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

    def place(self, record: Record) -> Path | None:
        """Say which file it is; None while a template waits for the job's id."""
        if isinstance(self.path, str):
            return Path(self.path).absolute()
        if self.path.needs_id and record.video_id is None:
            return None
        request = record.request
        rendered = self.path.render(
            index=self.index,
            id=record.video_id,
            key=self.key or record.key,
            model=request.model if request else "",
            slug=slug(request.prompt if request else ""),
        )
        return Path(rendered).absolute()

    def folder(self, record: Record) -> Path | None:
        """Say where the file will lie; None while that waits for the job's id."""
        path = self.place(record)
        if path is not None:
            return path.parent
        text = self.path if isinstance(self.path, str) else self.path.text
        folder = Path(text).absolute().parent
        return None if "{" in str(folder) else folder


class Listener:
    """One reader of a job's events, who may read as slowly as he likes."""

    __slots__ = ("_events", "_more")

    def __init__(self) -> None:
        self._events: deque[JobEvent] = deque(maxlen=LISTENER_EVENTS)
        self._more = asyncio.Event()

    def put(self, event: JobEvent) -> None:
        """Tell him, without waiting."""
        self._events.append(event)
        self._more.set()

    def wake(self) -> None:
        """Let him see that the job is over."""
        self._more.set()

    def take(self) -> JobEvent | None:
        """Take the oldest event not read yet."""
        return self._events.popleft() if self._events else None

    async def more(self) -> None:
        """Wait until there may be something to read."""
        await self._more.wait()
        self._more.clear()


Watcher = Callable[["Record"], None]
"""Told when a job is accepted, and when it is over."""


@attrs.define(eq=False, kw_only=True)
class Record:
    """One job of a session. The driver and its workers change it; handles, events and batches read it."""

    number: int
    key: str
    request: VideoRequest | None = None
    target: Target | None = None
    video_id: str | None = None
    status: Status = Status.PENDING
    progress: float | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    video: Video | None = None
    error: VideoError | None = None
    over: bool = False
    in_ledger: bool = False
    abandoned: bool = False  # given up by the user for good, rather than left for another day
    withdrawn: bool = False  # being let go of
    expires_at: float = math.inf  # when its link goes, on the loop's clock
    download: Download | None = None
    eta: Callable[[Record], Estimate | None] | None = attrs.field(default=None, repr=False)
    watchers: tuple[Watcher, ...] = attrs.field(default=(), repr=False)
    _accepted: asyncio.Event | None = attrs.field(default=None, init=False, repr=False)
    _ended: asyncio.Event | None = attrs.field(default=None, init=False, repr=False)
    _listeners: tuple[Listener, ...] = attrs.field(default=(), init=False, repr=False)

    # What workers note.

    def accept(self, video: Video) -> None:
        """The gateway named the job."""
        self.video_id = video.id
        self.withdrawn = False  # what is bought is followed
        self.observe(video)
        if self._accepted is not None:
            self.video = video  # for whoever submitted it; a job that waits in a queue keeps none
            self._accepted.set()
            self._accepted = None  # an event holds 700 bytes, and the job may wait for long
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

    def received(self, done: int, total: int | None) -> None:
        """Some of the file is on disk."""
        self.bytes_done, self.bytes_total = done, total
        self.tell()

    def end(self, video: Video | None, error: VideoError | None) -> None:
        """The job is over for this session; nothing changes it any more."""
        if self.over:
            return
        self.over, self.video, self.error, self.download = True, video or self.video, error, None
        self.tell()
        for waiter in (self._accepted, self._ended, *self._listeners):
            if isinstance(waiter, Listener):
                waiter.wake()
            elif waiter is not None:
                waiter.set()
        for watcher in self.watchers:
            watcher(self)

    # Who is told.

    @property
    def awaited(self) -> bool:
        """Whether anyone would miss it, were it not bought."""
        return bool(self.watchers) or self._accepted is not None

    def unwatch(self, watcher: Watcher) -> None:
        """Tell one watcher no more."""
        self.watchers = tuple(other for other in self.watchers if other is not watcher)

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
        )

    def tell(self) -> None:
        """Tell every listener how the job stands; costs nothing when there is none."""
        if self._listeners:
            event = self.event()
            for listener in self._listeners:
                listener.put(event)

    def listen(self) -> Listener:
        """Add a listener, who finds the current state first."""
        listener = Listener()
        listener.put(self.event())
        self._listeners += (listener,)
        return listener

    def forget(self, listener: Listener) -> None:
        """Remove a listener."""
        self._listeners = tuple(other for other in self._listeners if other is not listener)

    async def accepted(self) -> None:
        """Wait until the gateway named the job, or the job is over."""
        if self.video_id is None and not self.over:
            self._accepted = self._accepted or asyncio.Event()
            await self._accepted.wait()

    async def ended(self) -> Video:
        """Wait until the job is over.

        Raises:
            VideoError: What it ended with.
        """
        if not self.over:
            self._ended = self._ended or asyncio.Event()
            await self._ended.wait()
        if self.error is not None:
            raise self.error.with_traceback(None)
        if self.video is None:
            raise VideoError("the job ended without a video", job_id=self.video_id, job_key=self.key)
        return self.video
