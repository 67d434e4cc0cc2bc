"""A session's jobs by their keys: those it follows now and, as far as its ledger remembers, those of before."""

from __future__ import annotations

import asyncio
import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import InvalidRequest, JobNotFound
from aihubmix_video.ledger.entry import LedgerEntry, LedgerState
from aihubmix_video.output.template import Template
from aihubmix_video.session.batch import RESUMABLE
from aihubmix_video.session.job_stage import Stage, StageEvent
from aihubmix_video.session.job_views import info_of_entry, info_of_tracked, states_of
from aihubmix_video.session.ledger_mapping import IdempotencyKey
from aihubmix_video.session.tracked_job import OutputTarget
from aihubmix_video.types.deprecation import warn_renamed
from aihubmix_video.types.job_info import VISIBLE, JobPage, JobState
from aihubmix_video.types.object_url import ObjectUrl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from aihubmix_video.session.job_manager import JobManager
    from aihubmix_video.session.scheduler_loop import RequestObserver
    from aihubmix_video.session.tracked_job import Observer, TrackedJob
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.types.request import VideoRequest

__all__ = ["JobRegistry"]

MAX_NAME_CHARACTERS: Final = 255
MAX_FINISHED_REMEMBERED: Final = 1000
UNDECIDED: Final = frozenset({LedgerState.SENDING, LedgerState.UNCERTAIN})


class JobRegistry:
    """For servers: finds, lists, takes on and deletes jobs by their keys. Reached as ``session.registry``."""

    def __init__(self, manager: JobManager) -> None:
        self._manager = manager
        self._ledger_sync = manager.ledger_sync
        self._epoch = time.time() - asyncio.get_running_loop().time()
        self._finished: dict[str, JobInfo] = {}  # some that nothing but `remove` can change any more

    # Taking on.

    def check(self, request: VideoRequest) -> None:
        """Raise `InvalidRequest` for what would be refused before anything is sent, as `enqueue` would.

        What is only doubtful, such as a model that no table knows, is let pass without a warning, now and by `enqueue`.
        """
        self._manager.check(request)

    async def check_buying(self) -> None:
        """Raise `LedgerError` while nothing is bought, as the ledger cannot be written; now and then it is tried again."""
        await self._manager.ensure_buying()

    async def enqueue(
        self,
        request: VideoRequest,
        *,
        to: str | os.PathLike[str] | None = None,
        idempotency_key: str | None = None,
        owner: str | None = None,
    ) -> JobInfo:
        """Take a job on, and return once that is written down; it is bought as soon as the rate allows.

        An error that keeps it from being bought is its end, and told as such; so what failed is never bought later.

        Args:
            request: What is wanted.
            to: Template of the file, such as ``"videos/{key}.mp4"``; its folder is made if it does not exist.
            idempotency_key: The caller's own name of the job. For the same name the same job is given again, however often
                and however late, as long as the ledger remembers it.
            owner: Whose it is; names of two owners are never the same.

        Raises:
            InvalidRequest: Nothing was sent: the request cannot be, or its file not be written, or the name was given
                to another request.
            LedgerError: It could not be written down.
        """
        target = None if to is None else OutputTarget(path=Template.parse(os.fspath(to)), make_folder=True)
        taken = await self.take(request, target, idempotency_key=idempotency_key, owner=owner, once=True)
        return info_of_entry(taken) if isinstance(taken, LedgerEntry) else self.describe(taken)

    async def take(
        self,
        request: VideoRequest,
        target: OutputTarget | None,
        *,
        idempotency_key: str | None,
        owner: str | None,
        once: bool = False,
    ) -> TrackedJob | LedgerEntry:
        """Take a job on, or find the one that was taken on under the same name, followed or ended; raises as `enqueue`."""
        _check_name("owner", owner)
        if idempotency_key is None:
            return await self._manager.add(request, target, owner=owner, once=once)
        _check_name("idempotency_key", idempotency_key)
        digest = await self._ledger_sync.fingerprint(request)
        if digest is None:
            raise InvalidRequest.of("idempotency_key", idempotency_key, "needs a ledger: VideoSession(ledger=...)")
        name = IdempotencyKey(client_key=_client_key(owner, idempotency_key), fingerprint=digest)
        async with self._manager.looked_up(partial(self._ledger_sync.ledger.by_client_key, name.client_key)) as known:
            if known is None:
                return await self._manager.add(request, target, name=name, owner=owner, once=once)
            if known.fingerprint != digest:
                raise InvalidRequest.of(
                    "idempotency_key", idempotency_key, f"was given to another request, which became job {known.key}"
                )
            return await self._again(known, once=once)

    async def knows(self, idempotency_key: str, owner: str | None) -> bool:
        """Return whether a job was taken on under this name, so that asking again buys nothing."""
        return await self._ledger_sync.ledger.by_client_key(_client_key(owner, idempotency_key)) is not None

    async def _again(self, entry: LedgerEntry, *, once: bool) -> TrackedJob | LedgerEntry:
        """Go on with a job of the ledger's, if there is anything left to do."""
        if (held := self._manager.live(entry.key)) is not None:
            return held
        if entry.state in RESUMABLE:
            return await self._manager.resume_entry(entry, once=once)
        return entry

    def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Yield every job of the ledger's that needs something, as of now."""
        return self._ledger_sync.ledger.unfinished()

    async def resume_entry(self, entry: LedgerEntry) -> bool:
        """Follow a job of the ledger's that is unfinished, and say whether there was anything to do.

        One that was asked for singly, and not as a row of a batch, ends with the error that keeps it from being bought.
        """
        async with self._manager.looked_up(partial(self._ledger_sync.ledger.entry, entry.key)) as now:
            if now is None or self._manager.live(entry.key) is not None or now.state not in RESUMABLE:
                return False
            await self._manager.resume_entry(now, once=now.batch is None)
            return True

    async def resume_key(self, key: str) -> JobInfo:
        """Go on with a job of the ledger's now, as after a decision about it; see `VideoSession.decide`.

        Raises:
            JobNotFound: There is none.
            InvalidRequest: Its file is claimed by another job, or, of a job not bought yet, cannot be written.
        """
        await self.resume_entry(await self._entry(key, None))
        return await self.find(key)

    # Telling.

    def describe(self, tracked: TrackedJob) -> JobInfo:
        """Describe a job that is followed, or has just ended."""
        return info_of_tracked(tracked, epoch=self._epoch)

    def live(self, key: str, owner: str | None = None) -> TrackedJob | None:
        """Find a job that is followed now, of *owner* if one is given."""
        tracked = self._manager.live(key)
        return tracked if tracked is not None and owner in {None, tracked.owner} else None

    def following(self, owner: str | None = None) -> list[TrackedJob]:
        """Return the jobs that are followed now, in the order in which they were taken on."""
        return [tracked for tracked in self._manager.followed() if owner in {None, tracked.owner}]

    async def find(self, key: str, owner: str | None = None) -> JobInfo:
        """Find a job.

        Args:
            key: Its key.
            owner: Whose it must be; None for anybody's.

        Raises:
            JobNotFound: There is none, or it was deleted.
        """
        if (tracked := self.live(key, owner)) is not None:
            return self.describe(tracked)
        info = self._finished.get(key)
        if info is None or owner not in {None, info.owner}:
            info = info_of_entry(await self._entry(key, owner))
            self._remember(info)
        return info

    def _remember(self, info: JobInfo) -> None:
        """Keep what is asked for again and again, as by players that seek, and cannot change."""
        if info.state in {JobState.SAVED, JobState.DONE}:
            self._finished[info.key] = info
            if len(self._finished) > MAX_FINISHED_REMEMBERED:
                del self._finished[next(iter(self._finished))]

    async def _entry(self, key: str, owner: str | None) -> LedgerEntry:
        entry = await self._ledger_sync.ledger.entry(key)
        if entry is None or entry.state is LedgerState.DROPPED or owner not in {None, entry.owner}:
            raise JobNotFound("there is no such job", job_key=key)
        return entry

    def read_object(self, info: JobInfo, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes from *start* up to and without *stop* of a video that lies in an object store.

        Raises:
            JobNotFound: It does not lie in one.
        """
        url = ObjectUrl.parse(info.object_url or "")
        if url is None:
            raise JobNotFound("its video does not lie in an object store", job_key=info.key)
        return self._manager.read_object(url, start, stop)

    async def page(
        self,
        *,
        after: int | None = None,
        limit: int = 50,
        states: Collection[JobState] = VISIBLE,
        owner: str | None = None,
    ) -> JobPage:
        """Return jobs, the newest first.

        Args:
            after: `JobPage.next` of the page before; None for the first.
            limit: How many are looked at. A page may hold fewer, as a job may just have gone on.
            states: Only these; all but those deleted if not given.
            owner: Only this one's; everybody's if None.
        """
        entries = await self._ledger_sync.ledger.page(after, limit, states_of(states), owner=owner)
        infos = [self._newest(entry) for entry in entries]
        return JobPage(
            items=tuple(info for info in infos if info.state in states),
            next=entries[-1].number if len(entries) == limit else None,
        )

    async def number_of(self, key: str, owner: str | None = None) -> int:
        """Return a job's place among all jobs, as `page` takes it for *after*.

        Raises:
            JobNotFound: There is none, or it was deleted.
        """
        return (await self._entry(key, owner)).number

    def _newest(self, entry: LedgerEntry) -> JobInfo:
        tracked = self._manager.live(entry.key)
        return info_of_entry(entry) if tracked is None else self.describe(tracked)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call *observer* at every change of every job, until the returned function is called.

        It is called in the middle of things: it must be quick, and must not raise.
        """
        observers = self._manager.observers
        observers.append(observer)
        return lambda: observers.remove(observer)

    def observe_requests(self, observer: RequestObserver) -> Callable[[], None]:
        """Call *observer* at the end of every create, poll and content request, until the returned function is called.

        As with `observe`, it must be quick, and must not raise. What a job's end tells follows its last request.
        """
        observers = self._manager.request_observers
        observers.append(observer)
        return lambda: observers.remove(observer)

    # Deleting.

    async def delete(self, key: str, owner: str | None = None) -> None:
        """Delete a job: at the gateway, its file, and from all that is told. What was not sent yet is not bought.

        Raises:
            JobNotFound: There is none.
            InvalidRequest: It may have been bought, and nobody has decided about it yet.
            RequestRefused: The vendor cannot delete, as Kling (501); the job stays.
        """
        if (tracked := self.live(key, owner)) is not None:
            if tracked.video_id is None:
                tracked.advance(StageEvent.DROP)
                self._manager.cancel(tracked)
                await tracked.acceptance()
            if tracked.stage is Stage.DROPPED:
                return  # cancelled in time
        entry = await self._entry(key, owner)
        if entry.state in UNDECIDED:
            raise InvalidRequest.of("key", key, "may have been bought: look into the console, then decide about it")
        if entry.video_id is not None and entry.state is not LedgerState.FAILED:
            await self._manager.direct_calls.delete(entry.video_id)
        async with self._ledger_sync.taking:  # or it might be taken up again in between
            if (tracked := self.live(key)) is not None:
                tracked.advance(StageEvent.DROP)
                await self._manager.detach_and_wait(tracked)
            await self._drop(key)

    # The old names, for one release.

    async def take_up(self, entry: LedgerEntry) -> bool:
        """The old name of `resume_entry`."""
        warn_renamed("JobRegistry.take_up", "JobRegistry.resume_entry")
        return await self.resume_entry(entry)

    async def pursue(self, key: str) -> JobInfo:
        """The old name of `resume_key`."""
        warn_renamed("JobRegistry.pursue", "JobRegistry.resume_key")
        return await self.resume_key(key)

    async def remove(self, key: str, owner: str | None = None) -> None:
        """The old name of `delete`."""
        warn_renamed("JobRegistry.remove", "JobRegistry.delete")
        await self.delete(key, owner)

    async def _drop(self, key: str) -> None:
        entry = await self._ledger_sync.ledger.entry(key)
        if entry is not None and entry.state is not LedgerState.DROPPED:
            await self._ledger_sync.drop(key)
            self._finished.pop(key, None)
            if (place := entry.object_url or entry.path) is not None:
                await self._manager.remove_file(place)


def _client_key(owner: str | None, idempotency_key: str) -> str:
    """Make one name of two, by which the ledger tells all users' names apart."""
    return json.dumps([owner, idempotency_key])


def _check_name(field: str, name: str | None) -> None:
    """Refuse what could not be written down or told apart by eye."""
    if name is None:
        return
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise InvalidRequest.of(field, name, f"must be 1 to {MAX_NAME_CHARACTERS} printable characters")
