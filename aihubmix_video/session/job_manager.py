"""All jobs of one open session: takes them on, answers for them, and lets go of them."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import InvalidRequest, LedgerError, SessionClosed, VideoError
from aihubmix_video.ledger.entry import State
from aihubmix_video.protocol.video_ids import check_id
from aihubmix_video.scheduling.lifecycle import Phase
from aihubmix_video.scheduling.messages import Enlist, Event, Fetch, Permit, Poll, Submit, Want, Watch, Withdraw
from aihubmix_video.session.direct_calls import Singles
from aihubmix_video.session.duration_store import JOBS_BETWEEN
from aihubmix_video.session.ledger_mapping import target_of
from aihubmix_video.session.ledger_sync import Bookkeeper
from aihubmix_video.session.output_reservations import Claims
from aihubmix_video.session.request_checks import Checker, kind_of, literal_path
from aihubmix_video.session.request_executor import Performer
from aihubmix_video.session.scheduler_loop import Driver, Perform, Request
from aihubmix_video.session.tracked_job import Observer, Record, Target, Watcher
from aihubmix_video.storage.filesystem import remove
from aihubmix_video.storage.reference_files import load
from aihubmix_video.types.events import SessionStats
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from aihubmix_video.http.client import Transport
    from aihubmix_video.ledger.entry import Entry
    from aihubmix_video.ledger.interface import Ledger
    from aihubmix_video.polling.policy import Estimate
    from aihubmix_video.scheduling.scheduler import Scheduler
    from aihubmix_video.session.duration_store import Experience
    from aihubmix_video.session.ledger_mapping import Name, RowPlace
    from aihubmix_video.session.loop_guard import Home
    from aihubmix_video.settings import Settings
    from aihubmix_video.storage.disk import Disk
    from aihubmix_video.types.request import VideoRequest

__all__ = ["Orchestrator"]

log = logging.getLogger("aihubmix_video")

CONVALESCENCE = 60.0  # seconds after a ledger failed before it is tried whether it can be written again
CREATE_GRACE = 5.0  # seconds that creates under way get to learn their ids when the session closes


class Orchestrator:
    """Knows every job of a session and everything that works for it.

    Attributes:
        settings: The session's options.
        home: Where it lives.
        books: Its ledger.
        singles: For requests of the user's own.
        observers: Told of every change of every job.
    """

    def __init__(
        self,
        settings: Settings,
        home: Home,
        scheduler: Scheduler,
        transport: Transport,
        disk: Disk,
        ledger: Ledger,
        experience: Experience,
    ) -> None:
        self.settings = settings
        self.home = home
        self._experience = experience
        self._transport = transport
        self._disk = disk
        self.books = Bookkeeper(ledger)
        self._checker = Checker(settings.validate)
        self._clock = asyncio.get_running_loop().time
        self._performer = Performer(settings, transport, ledger, disk, self._clock, self._tell, self.stop_buying)
        perform: dict[Request, Perform] = {
            Submit: self._performer.submit,
            Poll: self._performer.poll,
            Fetch: self._performer.fetch,
        }
        self._driver = Driver(scheduler, perform, self._conclude)
        self.singles = Singles(self._driver, self._performer)
        self._session_key = secrets.token_hex(4)
        self._claims = Claims(disk)
        self._trouble: LedgerError | None = None
        self._troubled_at = -math.inf
        self._eta = self.eta  # one method object for all records
        self._attached: dict[str, Record] = {}  # by video id
        self._kept: dict[str, Record] = {}  # the ledger's, by key
        self.observers: list[Observer] = []

    def _tell(self, event: Event) -> None:
        self._driver.tell(event)

    # Taking on.

    def check(self, request: VideoRequest) -> None:
        """Raise `InvalidRequest` for what would be refused before anything is sent; what is only doubtful is not told."""
        self._checker.check(request, quiet=True)

    async def enlist(
        self,
        request: VideoRequest,
        target: Target | None = None,
        *,
        place: RowPlace | None = None,
        name: Name | None = None,
        owner: str | None = None,
        once: bool = False,
        watcher: Watcher | None = None,
    ) -> Record:
        """Check a request, write down that it is wanted, and queue it to be bought.

        Raises:
            InvalidRequest: The request cannot be sent, or its file not be written. Nothing was sent.
            LedgerError: It could not be written down. Nothing was sent.
        """
        await self._ensure_buying()
        self._checker.check(request)
        watchers = () if watcher is None else (watcher,)
        record = self._record(
            request=request,
            target=target,
            owner=owner,
            once=once,
            watchers=watchers,
            in_ledger=self.books.has_ledger,
        )
        async with self._claims.claimed(record):
            if self.books.has_ledger:
                read = await load(request)
                self._checker.check(read)
                await self.books.intend(record, read, place, name)
            self.check_buying(record.key)  # it may have come to that meanwhile
            self._driver.follow(record, Enlist(record.number, kind_of(request), target is not None))
            self._keep(record)
        return record

    @asynccontextmanager
    async def looked_up(self, find: Callable[[], Awaitable[Entry | None]]) -> AsyncIterator[Entry | None]:
        """Hold `Bookkeeper.taking`, with a job of the ledger's looked up that is not just being let go of.

        One that is takes as long as the answer to its create, which holds up nobody else.
        """
        while True:
            async with self.books.taking:
                entry = await find()
                record = None if entry is None else self.live(entry.key)
                if record is None or not record.withdrawn:
                    yield entry
                    return
            with suppress(VideoError):
                await (record.acceptance() if record.video_id is None else record.ended())

    def _keep(self, record: Record) -> None:
        if record.in_ledger:
            self._kept[record.key] = record
        record.tell()

    async def readmit(self, entry: Entry, watcher: Watcher | None = None, *, once: bool = False) -> Record:
        """Take up a job of the ledger's where it was left: fetch it, follow it, or buy what was never sent.

        Raises:
            InvalidRequest: Its file is claimed by another job, or, of a job not bought yet, cannot be written.
            LedgerError: It is not bought yet, and nothing more is bought.
        """
        if entry.video_id is None:
            await self._ensure_buying(entry.key)
        record = self._record(
            key=entry.key,
            request=entry.request,
            target=target_of(entry),
            owner=entry.owner,
            created_at=entry.created_at,
            once=once,
            video_id=entry.video_id,
            status=Status.PENDING if entry.video_id is None else Status.IN_PROGRESS,
            watchers=() if watcher is None else (watcher,),
            in_ledger=True,
        )
        async with self._claims.claimed(record):
            kind, wants_file = kind_of(entry.request), record.target is not None
            if entry.state is State.COMPLETED and wants_file:
                lifetime = math.inf if entry.expires_at is None else entry.expires_at - time.time()
                record.status, record.expires_at = Status.COMPLETED, self._clock() + lifetime
                self._driver.follow(record, Want(record.number, record.expires_at))
            elif entry.video_id is not None:
                # The last thing that happened to a job that is only bought is that it was bought.
                age = max(time.time() - entry.updated_at, 0.0) if entry.state is State.BOUGHT else None
                self._driver.follow(record, Watch(record.number, kind, wants_file, age))
            else:
                self.check_buying(entry.key)  # it may have come to that meanwhile
                self._driver.follow(record, Enlist(record.number, kind, wants_file))
            self._keep(record)
        return record

    async def decide(self, key: str, *, attach: str | None, drop: bool) -> None:
        """Carry out a user's decision about an uncertain job; see `Bookkeeper.decide`.

        Raises:
            InvalidRequest: The id is none or another job's, or the job is under way.
            JobNotFound: The gateway does not know the id.
            LedgerError: Nothing is to be decided about the job, or there is none.
        """
        if attach is not None:
            await self.retrieve(attach)  # a wrong id would take the place of the right one
        async with self.books.taking:
            if key in self._kept:
                raise InvalidRequest.of("key", key, "the job is under way; there is nothing to decide")
            await self.books.decide(key, attach=attach, drop=drop)

    async def create(self, request: VideoRequest) -> Video:
        """Buy a job without following it, and describe it as accepted; raises as `VideoSession.submit`."""
        record = await self.enlist(request)
        try:
            await record.acceptance()
        except asyncio.CancelledError:
            self.give_up(record)
            raise
        record.check_accepted()
        self.release(record)
        return self.describe(record)

    def give_up(self, record: Record) -> None:
        """Who submitted the job does not wait for it any more: it is not bought if it was not sent yet."""
        if not record.watchers:
            record.abandoned = record.video_id is None
            self.withdraw(record)

    def attach(self, video_id: str) -> Record:
        """Follow a job bought earlier; the same record for the same id."""
        check_id(video_id)
        record = self._attached.get(video_id)
        if record is None:
            record = self._record(video_id=video_id, status=Status.QUEUED)
            self._attached[video_id] = record
            self._driver.follow(record, Watch(record.number, (), wants_file=False))
        return record

    async def save(self, video_id: str, path: str | os.PathLike[str], *, overwrite: bool) -> Video:
        """Fetch a finished video to *path*; raises as `Video.save`."""
        check_id(video_id)
        target = Target(path=literal_path(path), overwrite=overwrite)
        record = self._record(video_id=video_id, status=Status.COMPLETED, target=target)
        await self._claims.take(record)
        self._driver.follow(record, Want(record.number))
        try:
            return await record.ended()
        except asyncio.CancelledError:
            self._driver.tell(Withdraw(record.number))
            raise

    def _record(self, **known: object) -> Record:
        number = self._driver.number()
        known.setdefault("key", f"{self._session_key}-{number}")
        return Record(number=number, eta=self._eta, observers=self.observers, **known)  # type: ignore[arg-type]  # the fields of a record

    # Answering for.

    def live(self, key: str) -> Record | None:
        """Find a job of the ledger's that is followed now."""
        return self._kept.get(key)

    def followed(self) -> list[Record]:
        """List the jobs that are not over."""
        return list(self._driver.jobs.values())

    def describe(self, record: Record) -> Video:
        """Describe an accepted job as a video."""
        return self._bound(record.video or Video(id=record.video_id or "", status=record.status))

    def eta(self, record: Record) -> Estimate | None:
        """Estimate how long the job still takes; None when it is not being generated."""
        if record.status.terminal:
            return None
        return self._driver.scheduler.remaining(record.number, self._clock())

    async def retrieve(self, video_id: str) -> Video:
        """Ask about a job once; transient failures are tried again."""
        return self._bound(await self.singles.retrieve(video_id))

    async def delete(self, video_id: str) -> None:
        """Delete a job; one that is gone already counts as deleted."""
        await self.singles.delete(video_id)

    async def discard(self, record: Record) -> None:
        """Delete a job at the gateway, and let go of it; in the ledger nothing is left to do for it then."""
        if record.video_id is not None:
            await self.delete(record.video_id)
        if not record.in_ledger:
            self.release(record)
            return
        async with self.books.taking:  # or it might be taken up again in between
            await self.let_go(record)
            await self.books.forsake(record.key)

    async def let_go(self, record: Record) -> None:
        """Stop following a job, and wait until nothing works for it any more."""
        self.release(record)
        with suppress(VideoError):
            await record.ended()

    async def remove_file(self, path: Path) -> None:
        """Delete a video's file."""
        try:
            await self._disk.run(remove, path)
        except OSError as error:
            log.warning("%s could not be deleted: %s", path, error.strerror)

    def stats(self) -> SessionStats:
        """Count what is going on."""
        scheduler, sent = self._driver.scheduler, self._driver.sent
        counts = scheduler.counts
        return SessionStats(
            queued=counts[Phase.QUEUED],
            in_flight=scheduler.in_flight,
            downloading=counts[Phase.FETCHING],
            finished=counts[Phase.DONE],
            failed=counts[Phase.FAILED] + counts[Phase.UNCERTAIN] + counts[Phase.STALLED],
            creates_sent=sent[Submit],
            polls_sent=sent[Poll],
            downloads_sent=sent[Fetch],
            others_sent=sent[Permit],
            rate=scheduler.pace.rate_at(self._clock()),
            cooling_until=max(scheduler.pace.shut_until - self._clock(), 0.0),
        )

    # Letting go.

    def withdraw(self, record: Record) -> None:
        """Do not buy a job that is still queued; one that was sent goes on, and in the ledger it stays for another day."""
        if record.video_id is None:
            self.release(record)

    def release(self, record: Record) -> None:
        """Stop following a job, wherever it stands."""
        record.withdrawn = True
        self._driver.tell(Withdraw(record.number))

    async def _conclude(self, record: Record, error: VideoError | None) -> None:
        try:
            await self.books.close(record, error)
        except LedgerError as trouble:
            log.critical("job %s: %s", record.key, trouble)
            self.stop_buying(trouble)
        if self._trouble is not None and record.video_id is None and isinstance(error, SessionClosed):
            error = self._refused(record.key)  # withdrawn because of it
        if record.video_id is not None:
            self._attached.pop(record.video_id, None)
        self._kept.pop(record.key, None)
        self._claims.release(record)
        if record.download is not None:
            await record.download.discard()
        record.end(self.describe(record) if record.video_id is not None else None, error)
        await self._experience.keep(news=JOBS_BETWEEN)

    def stop_buying(self, trouble: LedgerError) -> None:
        """Buy nothing more: what cannot be written down may be bought twice."""
        self._trouble, self._troubled_at = self._trouble or trouble, self._clock()
        for record in self.followed():
            self.withdraw(record)

    async def _ensure_buying(self, key: str | None = None) -> None:
        """Raise `LedgerError` if nothing more is bought, and still cannot be.

        A while after the ledger could not be written it is tried again: a server must not need a restart.
        """
        if self._trouble is not None and self._clock() - self._troubled_at >= CONVALESCENCE:
            self._troubled_at = self._clock()  # one try at a time
            try:
                await self.books.prove()
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
        """Say of a job that was not bought why not; what could not be written may have been another job's."""
        said = self._trouble.message if self._trouble is not None else "the ledger cannot be written"
        return LedgerError(said, job_key=key, charged="no")

    def _bound(self, video: Video) -> Video:
        """Let a video be saved through this session."""
        return attrs.evolve(video, saver=self.save)

    async def aclose(self) -> None:
        """Close everything, in the order in which it depends on each other, the ledger whatever comes of the others."""
        async with AsyncExitStack() as last_first:
            last_first.push_async_callback(self.books.aclose)
            last_first.push_async_callback(self._experience.keep)
            last_first.push_async_callback(self._disk.aclose)
            last_first.push_async_callback(self._transport.aclose)
            for record in self.followed():
                if not record.sent and record.video_id is None:
                    record.withdrawn = True  # creates that have not left do not leave any more
            await self._driver.aclose(CREATE_GRACE)
