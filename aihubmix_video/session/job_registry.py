"""A session's jobs by their keys: those it follows now and, as far as its ledger remembers, those of before."""

from __future__ import annotations

import asyncio
import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import InvalidRequest, JobNotFound, SessionClosed
from aihubmix_video.ledger.entry import Entry, State
from aihubmix_video.output.template import Template
from aihubmix_video.session.batch import CONTINUED
from aihubmix_video.session.job_views import info_of_entry, info_of_record, states_of
from aihubmix_video.session.ledger_mapping import Name
from aihubmix_video.session.tracked_job import Target
from aihubmix_video.types.job_info import VISIBLE, JobPage, JobState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from aihubmix_video.session.job_manager import Orchestrator
    from aihubmix_video.session.tracked_job import Observer, Record
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.types.request import VideoRequest

__all__ = ["Register"]

LONGEST_NAME: Final = 255
REMEMBERED: Final = 1000
UNDECIDED: Final = frozenset({State.SENDING, State.UNCERTAIN})


class Register:
    """For servers: finds, lists, takes on and deletes jobs by their keys. Reached as ``session.register``."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator
        self._books = orchestrator.books
        self._epoch = time.time() - asyncio.get_running_loop().time()
        self._finished: dict[str, JobInfo] = {}  # some that nothing but `remove` can change any more

    # Taking on.

    def check(self, request: VideoRequest) -> None:
        """Raise `InvalidRequest` for what would be refused before anything is sent, as `enqueue` would.

        What is only doubtful, such as a model that no table knows, is let pass without a warning, now and by `enqueue`.
        """
        self._orchestrator.check(request)

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
        target = None if to is None else Target(path=Template.parse(os.fspath(to)), make_folder=True)
        taken = await self.take(request, target, idempotency_key=idempotency_key, owner=owner, once=True)
        return info_of_entry(taken) if isinstance(taken, Entry) else self.describe(taken)

    async def take(
        self,
        request: VideoRequest,
        target: Target | None,
        *,
        idempotency_key: str | None,
        owner: str | None,
        once: bool = False,
    ) -> Record | Entry:
        """Take a job on, or find the one that was taken on under the same name, followed or ended; raises as `enqueue`."""
        _check_name("owner", owner)
        if idempotency_key is None:
            return await self._orchestrator.enlist(request, target, owner=owner, once=once)
        _check_name("idempotency_key", idempotency_key)
        digest = await self._books.fingerprint(request)
        if digest is None:
            raise InvalidRequest.of("idempotency_key", idempotency_key, "needs a ledger: VideoSession(ledger=...)")
        name = Name(client_key=_client_key(owner, idempotency_key), fingerprint=digest)
        async with self._orchestrator.looked_up(partial(self._books.named, name.client_key)) as known:
            if known is None:
                return await self._orchestrator.enlist(request, target, name=name, owner=owner, once=once)
            if known.fingerprint != digest:
                raise InvalidRequest.of(
                    "idempotency_key", idempotency_key, f"was given to another request, which became job {known.key}"
                )
            return await self._again(known, once=once)

    async def knows(self, idempotency_key: str, owner: str | None) -> bool:
        """Say whether a job was taken on under this name, so that asking again buys nothing."""
        return await self._books.named(_client_key(owner, idempotency_key)) is not None

    async def _again(self, entry: Entry, *, once: bool) -> Record | Entry:
        """Go on with a job of the ledger's, if there is anything left to do."""
        if (held := self._orchestrator.live(entry.key)) is not None:
            return held
        if entry.state in CONTINUED:
            return await self._orchestrator.readmit(entry, once=once)
        return entry

    def unfinished(self) -> AsyncIterator[Entry]:
        """Give every job of the ledger's that needs something, as of now."""
        return self._books.unfinished()

    async def take_up(self, entry: Entry) -> bool:
        """Follow a job of the ledger's that is unfinished, and say whether there was anything to do.

        One that was asked for singly, and not as a row of a batch, ends with the error that keeps it from being bought.
        """
        async with self._orchestrator.looked_up(partial(self._books.entry, entry.key)) as now:
            if now is None or self._orchestrator.live(entry.key) is not None or now.state not in CONTINUED:
                return False
            await self._orchestrator.readmit(now, once=now.batch is None)
            return True

    async def pursue(self, key: str) -> JobInfo:
        """Go on with a job of the ledger's now, as after a decision about it; see `VideoSession.decide`.

        Raises:
            JobNotFound: There is none.
            InvalidRequest: Its file is claimed by another job, or, of a job not bought yet, cannot be written.
        """
        await self.take_up(await self._entry(key, None))
        return await self.find(key)

    # Telling.

    def describe(self, record: Record) -> JobInfo:
        """Tell of a job that is followed, or has just ended."""
        return info_of_record(record, epoch=self._epoch)

    def live(self, key: str, owner: str | None = None) -> Record | None:
        """Find a job that is followed now, of *owner* if one is given."""
        record = self._orchestrator.live(key)
        return record if record is not None and owner in {None, record.owner} else None

    def following(self, owner: str | None = None) -> list[Record]:
        """Give the jobs that are followed now, in the order in which they were taken on."""
        return [record for record in self._orchestrator.followed() if owner in {None, record.owner}]

    async def find(self, key: str, owner: str | None = None) -> JobInfo:
        """Find a job.

        Args:
            key: Its key.
            owner: Whose it must be; None for anybody's.

        Raises:
            JobNotFound: There is none, or it was deleted.
        """
        if (record := self.live(key, owner)) is not None:
            return self.describe(record)
        info = self._finished.get(key)
        if info is None or owner not in {None, info.owner}:
            info = info_of_entry(await self._entry(key, owner))
            self._remember(info)
        return info

    def _remember(self, info: JobInfo) -> None:
        """Keep what is asked for again and again, as by players that seek, and cannot change."""
        if info.state in {JobState.SAVED, JobState.DONE}:
            self._finished[info.key] = info
            if len(self._finished) > REMEMBERED:
                del self._finished[next(iter(self._finished))]

    async def _entry(self, key: str, owner: str | None) -> Entry:
        entry = await self._books.entry(key)
        if entry is None or entry.state is State.DROPPED or owner not in {None, entry.owner}:
            raise JobNotFound("there is no such job", job_key=key)
        return entry

    async def page(
        self,
        *,
        after: int | None = None,
        limit: int = 50,
        states: Collection[JobState] = VISIBLE,
        owner: str | None = None,
    ) -> JobPage:
        """Give jobs, the newest first.

        Args:
            after: `JobPage.next` of the page before; None for the first.
            limit: How many are looked at. A page may hold fewer, as a job may just have gone on.
            states: Only these; all but those deleted if not given.
            owner: Only this one's; everybody's if None.
        """
        entries = await self._books.page(after, limit, states_of(states), owner)
        infos = [self._newest(entry) for entry in entries]
        return JobPage(
            items=tuple(info for info in infos if info.state in states),
            next=entries[-1].number if len(entries) == limit else None,
        )

    def _newest(self, entry: Entry) -> JobInfo:
        record = self._orchestrator.live(entry.key)
        return info_of_entry(entry) if record is None else self.describe(record)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Have *observer* called at every change of every job, until the function given back is called.

        It is called in the middle of things: it must be quick, and must not raise.
        """
        observers = self._orchestrator.observers
        observers.append(observer)
        return lambda: observers.remove(observer)

    # Deleting.

    async def remove(self, key: str, owner: str | None = None) -> None:
        """Delete a job: at the gateway, its file, and from all that is told. What was not sent yet is not bought.

        Raises:
            JobNotFound: There is none.
            InvalidRequest: It may have been bought, and nobody has decided about it yet.
            RequestRefused: The vendor cannot delete, as Kling (501); the job stays.
        """
        if (record := self.live(key, owner)) is not None:
            record.abandoned = True
            self._orchestrator.withdraw(record)
            await record.acceptance()
            record.abandoned = record.video_id is None
            if record.over and record.video_id is None and isinstance(record.error, SessionClosed):
                return  # withdrawn in time
        entry = await self._entry(key, owner)
        if entry.state in UNDECIDED:
            raise InvalidRequest.of("key", key, "may have been bought: look into the console, then decide about it")
        if entry.video_id is not None and entry.state is not State.FAILED:
            await self._orchestrator.delete(entry.video_id)
        async with self._books.taking:  # or it might be taken up again in between
            if (record := self.live(key)) is not None:
                record.abandoned = True
                await self._orchestrator.let_go(record)
            await self._drop(key)

    async def _drop(self, key: str) -> None:
        entry = await self._books.entry(key)
        if entry is not None and entry.state is not State.DROPPED:
            await self._books.drop(key)
            self._finished.pop(key, None)
            if entry.path is not None:
                await self._orchestrator.remove_file(entry.path)


def _client_key(owner: str | None, idempotency_key: str) -> str:
    """Make one name of two, by which the ledger tells all users' names apart."""
    return json.dumps([owner, idempotency_key])


def _check_name(field: str, name: str | None) -> None:
    """Refuse what could not be written down or told apart by eye."""
    if name is None:
        return
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest.of(field, name, f"must be 1 to {LONGEST_NAME} printable characters")
