"""Performs one action of the scheduler's: sends one request, notes what it brought, and reports one event."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities import find_capability, find_problems
from aihubmix_video.download.attempt_result import Outcome, Saved
from aihubmix_video.download.download import Download
from aihubmix_video.download.download_errors import error_of
from aihubmix_video.errors import (
    ConnectionFailed,
    DownloadFailed,
    InvalidRequest,
    JobFailed,
    LedgerError,
    MalformedReply,
    SessionClosed,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.http.client import Departure
from aihubmix_video.http.content_request import ContentRequest
from aihubmix_video.ledger.request_codec import has_media
from aihubmix_video.protocol import create_result
from aihubmix_video.protocol.encode_request import encode, to_json
from aihubmix_video.protocol.error_mapping import refusal
from aihubmix_video.protocol.headers import clock_skew
from aihubmix_video.scheduling.messages import Bought, Event, Fetched, Polled, Spent, Trouble
from aihubmix_video.session.ledger_mapping import REFUSALS
from aihubmix_video.session.request_checks import make_folder
from aihubmix_video.storage.disk import to_the_end
from aihubmix_video.storage.filesystem import remove_stale_parts
from aihubmix_video.storage.reference_files import load
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aihubmix_video.http.client import Transport
    from aihubmix_video.ledger.interface import Ledger
    from aihubmix_video.protocol.response import Reply
    from aihubmix_video.session.tracked_job import Record
    from aihubmix_video.settings import Settings
    from aihubmix_video.storage.disk import Disk

__all__ = ["Performer"]

log = logging.getLogger("aihubmix_video")

CREATE_SECONDS = 180.0  # an answer given up on is a job that may be lost, so creates get long
POLL_SECONDS = 30.0
DELETE_SECONDS = 60.0
GONE = frozenset({404, 410})
LINK_LIFETIME = 86400.0  # "download links usually have a 24-hour validity period", AIHubMix video guide, 2026-06-01


class Performer:
    """Sends what the scheduler decided.

    Args:
        settings: For how strictly requests are checked.
        transport: Sends.
        ledger: Is told before and after.
        disk: Writes.
        clock: The scheduler's clock.
        tell: Tells the scheduler of requests that no action stood for.
        broken: Told when the ledger could not take what has happened.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        ledger: Ledger,
        disk: Disk,
        clock: Callable[[], float],
        tell: Callable[[Event], None],
        broken: Callable[[LedgerError], None],
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._ledger = ledger
        self._disk = disk
        self._clock = clock
        self._tell = tell
        self._broken = broken

    # Creates.

    async def submit(self, record: Record) -> Event:
        """Buy the job: check, encode, record the intent, send, and keep the id before anything else."""
        departure = Departure(before=partial(self._depart, record), at_last=partial(self._leave, record))
        try:
            body = await self._body(record)
            reply = await self._transport.send("POST", body=body, seconds=CREATE_SECONDS, departure=departure)
        except VideoError as error:
            return await self._unanswered(record, error, departure)
        except asyncio.CancelledError:
            # Only the closing session cancels creates, and it waits for what becomes of them.
            if not departure.left:
                await self._unsent(record)
                raise
            reason = "the session was closed before the create was answered"
            return Trouble(record.number, SubmitUncertain(reason, job_key=record.key))
        match create_result.create_outcome(reply, now=time.time()):
            case create_result.Bought(video=video, also=also, warning=warning):
                return await self._keep(record, video, also, warning)
            case create_result.Unknown() as unknown:
                return Trouble(record.number, unknown.error(record.key))
            case create_result.Busy(error=busy):
                await self._unsent(record)
                return Trouble(record.number, owned(busy, record))
            case create_result.Refused(error=refused):
                if not isinstance(refused, REFUSALS):
                    await self._unsent(record)  # no verdict on the job: with another key, or money, it may be bought
                return Trouble(record.number, owned(refused, record))

    async def _depart(self, record: Record) -> None:
        """Mark the create as sent on the disk before its first byte leaves."""
        if record.in_ledger:
            await self._ledger.sending(record.key)

    @staticmethod
    def _leave(record: Record) -> None:
        """Let the create leave; the last moment at which it can be stopped.

        Raises:
            SessionClosed: Nobody wants the job any more.
        """
        if record.withdrawn:
            raise SessionClosed("the job was withdrawn before its create was sent")
        record.sent = True

    async def _body(self, record: Record) -> bytes:
        if record.request is None:
            raise VideoError("a job without a request cannot be submitted")
        request = record.request
        if has_media(request) and (entry := await self._ledger.entry(record.key)) is not None:
            request = entry.request  # the media as they were when the job was taken on
        request = await load(request)
        # Without a ledger the same request was judged when the job was taken on; from a ledger it may come from elsewhere.
        if record.in_ledger or request is not record.request:
            problems = find_problems(request, validate=self._settings.validate).problems
            if problems:
                raise InvalidRequest(problems)
        return to_json(encode(request, find_capability(request.model)))

    async def _unanswered(self, record: Record, error: VideoError, departure: Departure) -> Event:
        """Judge a create that brought no whole answer by whether it had left."""
        if not departure.left:
            await self._unsent(record)
            return Trouble(record.number, owned(error, record))
        body = error.body if isinstance(error, (ConnectionFailed, MalformedReply)) else b""
        reason = f"the create was sent, and its answer was lost: {error.message}"
        return Trouble(record.number, SubmitUncertain(reason, body=body, job_key=record.key))

    async def _keep(self, record: Record, video: Video, also: str | None, warning: str | None) -> Event:
        """Keep the id: at once in memory, then on the disk, whoever is cancelled meanwhile, and only then for whoever waits."""
        record.video_id, record.withdrawn = video.id, False  # what is bought is followed
        if record.in_ledger:
            await to_the_end(self._note(record, self._ledger.bought, video.id, also))
        record.accept(video)
        if warning is not None:
            log.warning("job %s: %s", record.key, warning)
        return Bought(record.number, settled=video.status.terminal)

    async def _unsent(self, record: Record) -> None:
        record.sent = False
        await self._note(record, self._ledger.unsent)

    async def _note(self, record: Record, tell: Callable[..., Awaitable[None]], *facts: object) -> None:
        """Tell the ledger what has happened already; that it cannot take it stops new purchases, and not this job."""
        if not record.in_ledger:
            return
        try:
            await tell(record.key, *facts)
        except LedgerError as error:
            log.critical("job %s (%s): %s", record.key, record.video_id or "not bought", error)
            self._broken(error)

    # Polls.

    async def poll(self, record: Record) -> Event:
        """Ask about the job."""
        video_id = record.video_id or ""
        try:
            reply = await self._transport.send("GET", video_id, seconds=POLL_SECONDS, departure=Departure())
            progress = record.progress if _repeats(reply, record) else await self._read(record, reply, video_id)
        except VideoError as error:
            return Trouble(record.number, owned(error, record))
        completed = record.status is Status.COMPLETED
        return Polled(record.number, completed=completed, expires_at=record.expires_at, progress=progress)

    async def _read(self, record: Record, reply: Reply, video_id: str) -> float | None:
        """Take in what an answer says of the job, and give the progress that it told.

        Raises:
            VideoError: What ends the job, or what is wrong with the answer.
        """
        video = create_result.read_poll(reply, job_id=video_id, now=time.time())
        if video.status is Status.FAILED:
            record.observe(video)
            raise create_result.failure_of(video)
        record.video = video if video.status.terminal else None
        record.observe(video)
        if record.status is Status.COMPLETED:
            lifetime = self._lifetime(video, reply)
            record.expires_at = self._clock() + lifetime
            await self._note(record, self._ledger.completed, time.time() + lifetime)
        progress = record.progress if video.progress is not None else None
        # Of an answer without a word of the progress that others told, more is to be known than that it came again.
        record.answer = hash(reply.body) if record.progress == progress and not video.status.terminal else None
        return progress

    async def retrieve(self, video_id: str, departure: Departure) -> Video:
        """Send one status request and read it."""
        reply = await self._transport.send("GET", video_id, seconds=POLL_SECONDS, departure=departure)
        return create_result.read_poll(reply, job_id=video_id, now=time.time())

    async def delete(self, video_id: str, departure: Departure) -> None:
        """Send one delete request; a job that is gone already counts as deleted."""
        reply = await self._transport.send("DELETE", video_id, seconds=DELETE_SECONDS, departure=departure)
        if not reply.ok and reply.status not in GONE:
            raise refusal(reply, job_id=video_id, now=time.time())

    # Downloads.

    async def fetch(self, record: Record) -> Event:
        """Send one content request, and go on with the file where the last one ended."""
        departure = Departure()
        kept = 0 if record.download is None else record.download.kept
        try:
            outcome = await self._attempt(record, departure)
        except VideoError as error:
            return Trouble(record.number, owned(error, record))
        finally:
            if departure.requests > 1:
                self._tell(Spent(departure.requests - 1))
        if isinstance(outcome, Saved):
            return Fetched(record.number)
        expired = self._clock() >= record.expires_at
        missed = error_of(outcome, video_id=record.video_id or "", expired=expired, now=time.time())
        progressed = record.download is not None and record.download.kept > kept
        return Trouble(record.number, owned(missed, record), progressed=progressed)

    async def _saved(self, record: Record, saved: Saved) -> None:
        """The file has its name: know it, and write it down."""
        size, sha256, verified = saved.bytes_written, saved.sha256, saved.verified
        video = record.video or Video(id=record.video_id or "", status=Status.COMPLETED)
        record.video = attrs.evolve(video, path=saved.path, bytes_written=size, sha256=sha256, verified=verified)
        if record.in_ledger:  # before the ledger is told: once it is, nobody looks there again
            await self._disk.run(remove_stale_parts, saved.path)
        noted = partial(self._ledger.saved, bytes_written=size, sha256=sha256, verified=verified)
        await self._note(record, noted, saved.path)

    async def _attempt(self, record: Record, departure: Departure) -> Outcome:
        record.download = record.download or await self._download(record)
        return await record.download.attempt(ContentRequest(self._transport, record.video_id or "", departure))

    async def _download(self, record: Record) -> Download:
        target = record.target
        path = target.place(record) if target is not None else None
        if target is None or path is None:
            raise DownloadFailed("the job has no file to be saved to", retryable=False)
        if target.make_folder:
            await self._disk.run(make_folder, path.parent)
        return Download(
            path,
            disk=self._disk,
            overwrite=target.overwrite,
            seconds=self._seconds(record),
            on_progress=record.received,
            on_saved=partial(self._saved, record),
        )

    @staticmethod
    def _seconds(record: Record) -> float | None:
        """Playing time to expect: the vendor's word, else what was ordered."""
        if record.video is not None and record.video.seconds is not None:
            return record.video.seconds
        request = record.request
        capability = find_capability(request.model) if request is not None else None
        return capability.seconds_of(request) if capability is not None and request is not None else None

    @staticmethod
    def _lifetime(video: Video, reply: Reply) -> float:
        """Seconds until the link goes, by the gateway's own clock."""
        if video.expires_at is not None:
            here = time.time()
            return max(video.expires_at - here - (clock_skew(reply.headers, here) or 0.0), 0.0)
        capability = find_capability(video.model or "")
        return capability.link_lifetime if capability is not None else LINK_LIFETIME


def _repeats(reply: Reply, record: Record) -> bool:
    """Whether an answer is the last one again, word for word, so that there is nothing to read in it.

    Most answers are: a job is asked about many times before it changes. Of the last one a hash of 64 bits is kept.
    """
    return reply.ok and record.answer == hash(reply.body)


def owned(error: VideoError, record: Record) -> VideoError:
    """Say on an error whose it is, and that a job with an id has been paid for."""
    error.job_key = record.key
    if record.video_id is not None:
        error.job_id = record.video_id
        # Of a job that was only attached by an id, nobody knows whether it exists.
        doubtful = error.charged == "no" or (error.charged == "unknown" and record.request is not None)
        if doubtful and not isinstance(error, (JobFailed, InvalidRequest)):
            error.charged = "yes"
    return error
