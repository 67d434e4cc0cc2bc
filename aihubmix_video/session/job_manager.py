"""All jobs of one open session: takes them on, answers for them, and lets go of them."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import (
    DownloadFailed,
    InvalidRequest,
    JobNotFound,
    LedgerError,
    SessionClosed,
    VideoError,
    WaitTimeout,
)
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.protocol.video_ids import check_id
from aihubmix_video.scheduling.lifecycle import Phase
from aihubmix_video.scheduling.messages import (
    AddJob,
    Detach,
    Event,
    FollowJob,
    GrantPermit,
    SendCreate,
    SendDownload,
    SendPoll,
    WantFile,
)
from aihubmix_video.session.direct_calls import DirectCalls
from aihubmix_video.session.duration_store import JOBS_BETWEEN_SAVES
from aihubmix_video.session.gateway_calls import GatewayCalls
from aihubmix_video.session.job_log import JobLog
from aihubmix_video.session.job_stage import FACTS, Durability, Stage, StageEvent
from aihubmix_video.session.ledger_mapping import target_of
from aihubmix_video.session.output_reservations import OutputReservations
from aihubmix_video.session.request_checks import RequestChecker, kind_of, literal_path
from aihubmix_video.session.request_executor import RequestExecutor
from aihubmix_video.session.scheduler_loop import Perform, Request, SchedulerLoop
from aihubmix_video.session.tracked_job import Observer, OutputTarget, TrackedJob, Watcher
from aihubmix_video.storage.disk import DiskRefused
from aihubmix_video.storage.filesystem import remove
from aihubmix_video.storage.reference_files import load
from aihubmix_video.types.events import RequestHold, SessionStats
from aihubmix_video.types.object_url import ObjectUrl
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aihubmix_video.http.client import HttpClient
    from aihubmix_video.ledger.entry import LedgerEntry
    from aihubmix_video.polling.policy import Estimate
    from aihubmix_video.scheduling.scheduler import Scheduler
    from aihubmix_video.session.duration_store import DurationStore
    from aihubmix_video.session.ledger_mapping import IdempotencyKey, RowPlace
    from aihubmix_video.session.ledger_sync import LedgerSync
    from aihubmix_video.session.loop_guard import LoopGuard
    from aihubmix_video.settings import Settings
    from aihubmix_video.storage.disk import Disk
    from aihubmix_video.types.request import VideoRequest

__all__ = ["JobManager"]

log = logging.getLogger("aihubmix_video")

LEDGER_RETRY_SECONDS = 60.0  # seconds after a ledger failed before it is tried whether it can be written again
CREATE_GRACE_SECONDS = 5.0  # seconds that creates under way get to learn their ids when the session closes


class JobManager:
    """Knows every job of a session and everything that works for it.

    Attributes:
        settings: The session's options.
        loop_guard: Where it lives.
        ledger_sync: Its ledger.
        direct_calls: For requests of the user's own.
        gateway: For the gateway's other endpoints.
        observers: Told of every change of every job.
        request_observers: Told of every request about a job that ended.
    """

    def __init__(
        self,
        settings: Settings,
        loop_guard: LoopGuard,
        scheduler: Scheduler,
        client: HttpClient,
        disk: Disk,
        ledger_sync: LedgerSync,
        duration_store: DurationStore,
    ) -> None:
        self.settings = settings
        self.loop_guard = loop_guard
        self._duration_store = duration_store
        self._client = client
        self._disk = disk
        self.ledger_sync = ledger_sync
        ledger_sync.on_broken = self.stop_buying
        self._request_checks = RequestChecker(settings.validate, settings.capabilities)
        self._clock = asyncio.get_running_loop().time
        self._executor = RequestExecutor(settings, client, ledger_sync, disk, self._clock, self._tell)
        perform: dict[Request, Perform] = {
            SendCreate: self._executor.submit,
            SendPoll: self._executor.poll,
            SendDownload: self._executor.fetch,
        }
        self._scheduler_loop = SchedulerLoop(scheduler, perform, self._finish)
        self.request_observers = self._scheduler_loop.observers
        self.direct_calls = DirectCalls(self._scheduler_loop, client)
        self.gateway = GatewayCalls(self._scheduler_loop, client)
        self._session_key = secrets.token_hex(4)
        self._reservations = OutputReservations(disk)
        self._trouble: LedgerError | None = None
        self._troubled_at = -math.inf
        self._eta = self.eta  # one method object for all records
        self._attached: dict[str, TrackedJob] = {}  # by video id
        self._kept: dict[str, TrackedJob] = {}  # the ledger's, by key
        self.observers: list[Observer] = [JobLog()]

    def _tell(self, event: Event) -> None:
        self._scheduler_loop.tell(event)

    def wake(self) -> None:
        """Let the scheduler decide again: the rate may allow something new."""
        self._scheduler_loop.wake()

    # Taking on.

    def check(self, request: VideoRequest) -> None:
        """Raise `InvalidRequest` for what would be refused before anything is sent; what is only doubtful is not told."""
        self._request_checks.check(request, quiet=True)

    async def add(
        self,
        request: VideoRequest,
        target: OutputTarget | None = None,
        *,
        place: RowPlace | None = None,
        name: IdempotencyKey | None = None,
        owner: str | None = None,
        once: bool = False,
        watcher: Watcher | None = None,
    ) -> TrackedJob:
        """Check a request, write down that it is wanted, and queue it to be bought.

        Raises:
            InvalidRequest: The request cannot be sent, or its file not be written. Nothing was sent.
            LedgerError: It could not be written down. Nothing was sent.
        """
        await self.ensure_buying()
        self._request_checks.check(request)
        watchers = () if watcher is None else (watcher,)
        tracked = self._tracked(
            request=request,
            target=target,
            owner=owner,
            durability=self._durability(once=once),
            watchers=watchers,
            checked=True,
        )
        async with self._reservations.claimed(tracked):
            if self.ledger_sync.has_ledger:
                read = await load(request)
                if read is not request:
                    self._request_checks.check(read)  # with what its files hold
                await self.ledger_sync.intend(tracked, read, place, name)
            self.check_buying(tracked.key)  # it may have come to that meanwhile
            kind = kind_of(request, self.settings.capabilities)
            self._scheduler_loop.follow(tracked, AddJob(tracked.number, kind, target is not None))
            self._keep(tracked)
        return tracked

    @asynccontextmanager
    async def looked_up(self, find: Callable[[], Awaitable[LedgerEntry | None]]) -> AsyncIterator[LedgerEntry | None]:
        """Hold `LedgerSync.taking`, with a job of the ledger's looked up that is not just being let go of.

        One that is takes as long as the answer to its create, which holds up nobody else.
        """
        while True:
            async with self.ledger_sync.taking:
                entry = await find()
                tracked = None if entry is None else self.live(entry.key)
                if tracked is None or not FACTS[tracked.stage].leaving:
                    yield entry
                    return
            with suppress(VideoError):
                await (tracked.acceptance() if tracked.video_id is None else tracked.ended())

    def _keep(self, tracked: TrackedJob) -> None:
        if tracked.in_ledger:
            self._kept[tracked.key] = tracked
        tracked.tell()

    async def resume_entry(
        self, entry: LedgerEntry, watcher: Watcher | None = None, *, once: bool = False
    ) -> TrackedJob:
        """Take up a job of the ledger's where it was left: fetch it, follow it, or buy what was never sent.

        Raises:
            InvalidRequest: Its file is claimed by another job, or, of a job not bought yet, cannot be written.
            LedgerError: It is not bought yet, and nothing more is bought.
        """
        if entry.video_id is None:
            await self.ensure_buying(entry.key)
        tracked = self._tracked(
            key=entry.key,
            request=entry.request,
            target=target_of(entry),
            owner=entry.owner,
            created_at=entry.created_at,
            durability=Durability.ONCE if once else Durability.RESUMABLE,
            stage=Stage.WAITING if entry.video_id is None else Stage.FOLLOWED,
            video_id=entry.video_id,
            status=Status.PENDING if entry.video_id is None else Status.IN_PROGRESS,
            watchers=() if watcher is None else (watcher,),
        )
        async with self._reservations.claimed(tracked):
            kind, wants_file = kind_of(entry.request, self.settings.capabilities), tracked.target is not None
            if entry.state is LedgerState.COMPLETED and wants_file:
                lifetime = math.inf if entry.expires_at is None else entry.expires_at - time.time()
                tracked.status, tracked.expires_at = Status.COMPLETED, self._clock() + lifetime
                self._scheduler_loop.follow(tracked, WantFile(tracked.number, tracked.expires_at))
            elif entry.video_id is not None:
                # The last thing that happened to a job that is only bought is that it was bought.
                age = max(time.time() - entry.updated_at, 0.0) if entry.state is LedgerState.BOUGHT else None
                self._scheduler_loop.follow(tracked, FollowJob(tracked.number, kind, wants_file, age))
            else:
                self.check_buying(entry.key)  # it may have come to that meanwhile
                self._scheduler_loop.follow(tracked, AddJob(tracked.number, kind, wants_file))
            self._keep(tracked)
        return tracked

    async def decide(self, key: str, *, attach: str | None, drop: bool) -> None:
        """Carry out a user's decision about an uncertain job; see `LedgerSync.decide`.

        Raises:
            InvalidRequest: The id is none or another job's, or the job is under way.
            JobNotFound: The gateway does not know the id.
            LedgerError: Nothing is to be decided about the job, or there is none.
        """
        if attach is not None:
            await self.direct_calls.retrieve(attach)  # a wrong id would take the place of the right one
        async with self.ledger_sync.taking:
            if key in self._kept:
                raise InvalidRequest.of("key", key, "the job is under way; there is nothing to decide")
            await self.ledger_sync.decide(key, attach=attach, drop=drop)

    async def create(self, request: VideoRequest) -> Video:
        """Buy a job without following it, and describe it as accepted; raises as `VideoSession.submit`."""
        tracked = await self.add(request)
        try:
            await tracked.acceptance()
        except asyncio.CancelledError:
            self.abandon(tracked)
            raise
        tracked.check_accepted()
        self.detach(tracked)
        return self.describe(tracked)

    def abandon(self, tracked: TrackedJob) -> None:
        """Who submitted the job does not wait for it any more: it is not bought if it was not sent yet."""
        if not tracked.watchers:
            tracked.advance(StageEvent.DROP if tracked.video_id is None else StageEvent.DETACH)
            self.cancel(tracked)

    def attach(self, video_id: str) -> TrackedJob:
        """Follow a job bought earlier; the same record for the same id."""
        check_id(video_id)
        tracked = self._attached.get(video_id)
        if tracked is None:
            tracked = self._tracked(video_id=video_id, status=Status.QUEUED, stage=Stage.FOLLOWED)
            self._attached[video_id] = tracked
            self._scheduler_loop.follow(tracked, FollowJob(tracked.number, (), wants_file=False))
            tracked.tell()
        return tracked

    async def save(self, video_id: str, path: str | os.PathLike[str], *, overwrite: bool) -> Video:
        """Fetch a finished video to *path*; raises as `Video.save`."""
        check_id(video_id)
        target = OutputTarget(path=literal_path(path), overwrite=overwrite)
        tracked = self._tracked(video_id=video_id, status=Status.COMPLETED, target=target, stage=Stage.FOLLOWED)
        await self._reservations.take(tracked)
        self._scheduler_loop.follow(tracked, WantFile(tracked.number))
        tracked.tell()
        try:
            return await tracked.ended()
        except asyncio.CancelledError:
            self._scheduler_loop.tell(Detach(tracked.number))
            raise

    def _durability(self, *, once: bool) -> Durability:
        if not self.ledger_sync.has_ledger:
            return Durability.EPHEMERAL
        return Durability.ONCE if once else Durability.RESUMABLE

    def _tracked(self, **known: object) -> TrackedJob:
        number = self._scheduler_loop.number()
        known.setdefault("key", f"{self._session_key}-{number}")
        return TrackedJob(number=number, eta=self._eta, observers=self.observers, **known)  # type: ignore[arg-type]  # the fields of a record

    # Answering for.

    def live(self, key: str) -> TrackedJob | None:
        """Find a job of the ledger's that is followed now."""
        return self._kept.get(key)

    def followed(self) -> list[TrackedJob]:
        """List the jobs that are not over."""
        return list(self._scheduler_loop.jobs.values())

    def describe(self, tracked: TrackedJob) -> Video:
        """Describe an accepted job as a video."""
        return self.bound(tracked.video or Video(id=tracked.video_id or "", status=tracked.status))

    def eta(self, tracked: TrackedJob) -> Estimate | None:
        """Estimate how long the job still takes; None when it is not being generated."""
        if tracked.status.terminal:
            return None
        return self._scheduler_loop.scheduler.remaining(tracked.number, self._clock())

    async def delete_job(self, tracked: TrackedJob) -> None:
        """Delete a job at the gateway, and let go of it; in the ledger nothing is left to do for it then."""
        if tracked.video_id is not None:
            await self.direct_calls.delete(tracked.video_id)
        tracked.advance(StageEvent.DROP)
        if not tracked.in_ledger:
            self.detach(tracked)
            return
        async with self.ledger_sync.taking:  # or it might be taken up again in between
            await self.detach_and_wait(tracked)
            await self.ledger_sync.drop(tracked.key, {LedgerState.BOUGHT, LedgerState.COMPLETED})

    async def detach_and_wait(self, tracked: TrackedJob) -> None:
        """Stop following a job, and wait until nothing works for it any more."""
        self.detach(tracked)
        with suppress(VideoError):
            await tracked.ended()

    async def remove_file(self, place: Path | str) -> None:
        """Delete a video's file, or the object of which *place* is the URL."""
        try:
            if isinstance(place, Path):
                await self._disk.run(remove, place)
            elif (url := ObjectUrl.parse(place)) is not None:
                await self._disk.objects.remove(url)
        except (OSError, DiskRefused) as error:
            log.warning("%s could not be deleted: %s", place, getattr(error, "strerror", None) or error)

    def read_object(self, url: ObjectUrl, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield some bytes of a stored video; it raises `DiskRefused` where the store does not give them."""
        return self._disk.objects.read(url, start, stop)

    def stats(self) -> SessionStats:
        """Count what is going on."""
        scheduler, sent = self._scheduler_loop.scheduler, self._scheduler_loop.sent
        counts = scheduler.counts
        now = self._clock()
        holds = tuple(
            RequestHold(requests=hold.requests, until=time.time() + hold.until - now, reason=hold.reason)
            for hold in scheduler.holds(now)
        )
        return SessionStats(
            queued=counts[Phase.WAITING],
            in_flight=scheduler.in_flight,
            downloading=counts[Phase.DOWNLOADING],
            finished=counts[Phase.DONE],
            failed=counts[Phase.FAILED] + counts[Phase.UNCERTAIN] + counts[Phase.STALLED],
            creates_sent=sent[SendCreate],
            polls_sent=sent[SendPoll],
            downloads_sent=sent[SendDownload],
            others_sent=sent[GrantPermit],
            rate=scheduler.rate_limit.rate_at(now),
            cooling_until=max((hold.until for hold in holds), default=None),
            holds=holds,
        )

    # Letting go.

    def cancel(self, tracked: TrackedJob) -> None:
        """Do not buy a job that is still queued; one that was sent goes on, and in the ledger it stays for another day."""
        if tracked.video_id is None:
            self.detach(tracked)

    def detach(self, tracked: TrackedJob) -> None:
        """Stop following a job, wherever it stands."""
        tracked.advance(StageEvent.DETACH)
        self._scheduler_loop.tell(Detach(tracked.number))

    async def _finish(self, tracked: TrackedJob, error: VideoError | None) -> None:
        if isinstance(error, (WaitTimeout, JobNotFound, DownloadFailed)):
            error.last_heard = tracked.polls.last_heard(self._clock())
        await self.ledger_sync.finish(tracked, error)
        if tracked.end_with(error) is Stage.DROPPED and tracked.video_id is not None:
            error = SessionClosed("the job was deleted", job_id=tracked.video_id, job_key=tracked.key, charged="yes")
            error.advice = "It is gone at the gateway as well: there is nothing left to wait for."
        if self._trouble is not None and tracked.video_id is None and isinstance(error, SessionClosed):
            error = self._refused(tracked.key)  # withdrawn because of it
        if tracked.video_id is not None:
            self._attached.pop(tracked.video_id, None)
        self._kept.pop(tracked.key, None)
        self._reservations.release(tracked)
        if tracked.download is not None:
            await tracked.download.discard()
        tracked.finish(self.describe(tracked) if tracked.video_id is not None else None, error)
        await self._duration_store.keep(news=JOBS_BETWEEN_SAVES)

    def stop_buying(self, trouble: LedgerError) -> None:
        """Buy nothing more: what cannot be written down may be bought twice."""
        self._trouble, self._troubled_at = self._trouble or trouble, self._clock()
        for tracked in self.followed():
            self.cancel(tracked)

    async def ensure_buying(self, key: str | None = None) -> None:
        """Raise `LedgerError` if nothing more is bought, and still cannot be.

        A while after the ledger could not be written it is tried again: a server must not need a restart.
        """
        if self._trouble is not None and self._clock() - self._troubled_at >= LEDGER_RETRY_SECONDS:
            self._troubled_at = self._clock()  # one try at a time
            try:
                await self.ledger_sync.prove()
            except LedgerError as still:
                log.warning("the ledger still cannot be written: %s", still.message)
            else:
                log.warning("the ledger can be written again: buying goes on")
                self._trouble = None
        self.check_buying(key)

    def check_buying(self, key: str | None = None) -> None:
        """Raise `LedgerError` if nothing more is bought."""
        if self._trouble is not None:
            raise self._refused(key)

    def _refused(self, key: str | None = None) -> LedgerError:
        """Return why a job was not bought; what could not be written may have been another job's."""
        said = self._trouble.message if self._trouble is not None else "the ledger cannot be written"
        return LedgerError(said, job_key=key, charged="no")

    def bound(self, video: Video) -> Video:
        """Return a video that can be saved through this session."""
        return attrs.evolve(video, saver=self.save)

    async def aclose(self) -> None:
        """Close everything, in the order in which it depends on each other, the ledger whatever comes of the others."""
        async with AsyncExitStack() as last_first:
            last_first.push_async_callback(self.ledger_sync.aclose)
            last_first.push_async_callback(self._duration_store.keep)
            last_first.push_async_callback(self._disk.aclose)
            last_first.push_async_callback(self._client.aclose)
            for tracked in self.followed():
                if tracked.stage is Stage.WAITING:
                    tracked.advance(StageEvent.DETACH)  # creates that have not left do not leave any more
            await self._scheduler_loop.aclose(CREATE_GRACE_SECONDS)
