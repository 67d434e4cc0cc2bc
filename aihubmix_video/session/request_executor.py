"""Performs one action of the scheduler's: sends one request, notes what it brought, and reports one event."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.download.attempt_result import Outcome, Saved
from aihubmix_video.download.download import Download
from aihubmix_video.download.download_errors import error_of
from aihubmix_video.errors import (
    ConnectionFailed,
    DownloadFailed,
    InvalidRequest,
    JobFailed,
    MalformedReply,
    SessionClosed,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.http.client import SendHook
from aihubmix_video.http.content_request import ContentRequest
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.request_codec import has_media
from aihubmix_video.protocol import create_result
from aihubmix_video.protocol.decode_video import status_word
from aihubmix_video.protocol.encode_request import encode, to_json
from aihubmix_video.protocol.headers import clock_skew
from aihubmix_video.protocol.stray_id import attach_hint
from aihubmix_video.scheduling.messages import Accepted, Downloaded, Event, Polled, RequestFailed, RequestsSpent
from aihubmix_video.session.content_probe import has_content
from aihubmix_video.session.direct_calls import POLL_SECONDS
from aihubmix_video.session.job_stage import FACTS, StageEvent, is_verdict
from aihubmix_video.session.request_checks import make_folder
from aihubmix_video.storage.disk import DiskRefused, to_the_end
from aihubmix_video.storage.filesystem import remove_stale_parts
from aihubmix_video.storage.object_storage import ObjectFacts
from aihubmix_video.storage.reference_files import load
from aihubmix_video.types.object_url import ObjectUrl
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aihubmix_video.http.client import HttpClient
    from aihubmix_video.protocol.response import Response
    from aihubmix_video.session.ledger_sync import LedgerSync
    from aihubmix_video.session.tracked_job import TrackedJob
    from aihubmix_video.settings import Settings
    from aihubmix_video.storage.disk import Disk

__all__ = ["RequestExecutor"]

log = logging.getLogger("aihubmix_video")

CREATE_SECONDS = 180.0  # an answer given up on is a job that may be lost, so creates get long
LINK_LIFETIME = 86400.0  # "download links usually have a 24-hour validity period", AIHubMix video guide, 2026-06-01


class RequestExecutor:
    """Sends what the scheduler decided.

    Args:
        settings: For how strictly requests are checked.
        client: Sends.
        ledger_sync: Is told before and after.
        disk: Writes.
        clock: The scheduler's clock.
        tell: Tells the scheduler of requests that no action stood for.
    """

    def __init__(
        self,
        settings: Settings,
        client: HttpClient,
        ledger_sync: LedgerSync,
        disk: Disk,
        clock: Callable[[], float],
        tell: Callable[[Event], None],
    ) -> None:
        self._settings = settings
        self._client = client
        self._ledger_sync = ledger_sync
        self._disk = disk
        self._clock = clock
        self._tell = tell

    # Creates.

    async def submit(self, tracked: TrackedJob) -> Event:
        """Buy the job: check, encode, record the intent, send, and keep the id before anything else."""
        send_hook = SendHook(before=partial(self._depart, tracked), at_last=partial(self._leave, tracked))
        try:
            body = await self._body(tracked)
            response = await self._client.send("POST", body=body, seconds=CREATE_SECONDS, send_hook=send_hook)
        except VideoError as error:
            return await self._unanswered(tracked, error, send_hook)
        except asyncio.CancelledError:
            # Only the closing session cancels creates, and it waits for what becomes of them.
            if not send_hook.left:
                await self._unsent(tracked)
                raise
            reason = "the session was closed before the create was answered"
            return RequestFailed(tracked.number, SubmitUncertain(reason, job_key=tracked.key))
        match create_result.create_outcome(response, now=time.time()):
            case create_result.Bought(video=video, also=also, warning=warning):
                return await self._keep(tracked, video, also, warning)
            case create_result.Unknown() as unknown:
                return RequestFailed(tracked.number, offered(unknown.error(tracked.key), tracked))
            case create_result.Busy(error=busy):
                await self._unsent(tracked)
                return RequestFailed(tracked.number, owned(busy, tracked))
            case create_result.Refused(error=refused):
                if not is_verdict(refused):
                    await self._unsent(tracked)  # no verdict on the job: with another key, or money, it may be bought
                return RequestFailed(tracked.number, owned(refused, tracked))

    async def _depart(self, tracked: TrackedJob) -> None:
        """Mark the create as sent on the disk before its first byte leaves."""
        if tracked.in_ledger:
            await self._ledger_sync.record(tracked, transitions.sending())

    @staticmethod
    def _leave(tracked: TrackedJob) -> None:
        """Let the create leave; the last moment at which it can be stopped.

        Raises:
            SessionClosed: Nobody wants the job any more.
        """
        if FACTS[tracked.stage].leaving:
            raise SessionClosed("the job was withdrawn before its create was sent")
        tracked.advance(StageEvent.LEAVE)

    async def _body(self, tracked: TrackedJob) -> bytes:
        if tracked.request is None:
            raise VideoError("a job without a request cannot be submitted")
        request = tracked.request
        if has_media(request) and (entry := await self._ledger_sync.ledger.entry(tracked.key)) is not None:
            request = entry.request  # the media as they were when the job was taken on
        request = await load(request)
        # Judged when it was added, but for files that are read only now; what an older ledger holds may come from elsewhere.
        if not tracked.checked or (request is not tracked.request and not tracked.in_ledger):
            problems = self._settings.capabilities.judge(request, validate=self._settings.validate).problems
            if problems:
                raise InvalidRequest(problems)
        capability = self._settings.capabilities.find(request.model)
        return to_json(encode(request, capability, lift=self._settings.validate != "off"))

    async def _unanswered(self, tracked: TrackedJob, error: VideoError, send_hook: SendHook) -> Event:
        """Judge a create that brought no whole answer by whether it had left."""
        if not send_hook.left:
            await self._unsent(tracked)
            return RequestFailed(tracked.number, owned(error, tracked))
        body = error.body if isinstance(error, (ConnectionFailed, MalformedReply)) else b""
        reason = f"the create was sent, and its answer was lost: {error.message}"
        uncertain = SubmitUncertain(reason, body=body, job_key=tracked.key)
        return RequestFailed(tracked.number, offered(uncertain, tracked))

    async def _keep(self, tracked: TrackedJob, video: Video, also: str | None, warning: str | None) -> Event:
        """Keep the id: at once in memory, then on the disk, whatever is cancelled meanwhile, and only then for the tasks that wait."""
        tracked.video_id = video.id
        tracked.advance(StageEvent.ACCEPT)
        if tracked.in_ledger:
            await to_the_end(self._ledger_sync.note(tracked, transitions.bought(video.id, also)))
        tracked.accept(video)
        if warning is not None:
            log.warning("job %s: %s", tracked.key, warning)
        return Accepted(tracked.number, settled=video.status.terminal)

    async def _unsent(self, tracked: TrackedJob) -> None:
        tracked.advance(StageEvent.RETURN)
        await self._ledger_sync.note(tracked, transitions.unsent())

    # Polls.

    async def poll(self, tracked: TrackedJob) -> Event:
        """Ask about the job."""
        video_id = tracked.video_id or ""
        try:
            response = await self._client.send("GET", video_id, seconds=POLL_SECONDS, send_hook=SendHook())
            if _repeats(response, tracked):
                progress = tracked.progress
                tracked.heard(tracked.polls.well(None, self._clock()))
            else:
                progress = await self._read(tracked, response, video_id)
        except VideoError as error:
            if not isinstance(error, JobFailed):  # which is the status that was asked for
                tracked.heard(tracked.polls.failed(error))
            return RequestFailed(tracked.number, owned(error, tracked))
        completed = tracked.status is Status.COMPLETED
        return Polled(tracked.number, completed=completed, expires_at=tracked.expires_at, progress=progress)

    async def _read(self, tracked: TrackedJob, response: Response, video_id: str) -> float | None:
        """Take in what an answer says of the job, and give the progress that it told.

        Raises:
            VideoError: What ends the job, or what is wrong with the answer.
        """
        video = create_result.read_poll(response, job_id=video_id, now=time.time())
        tracked.heard(tracked.polls.well(status_word(video) or None, self._clock()))
        doubtful = create_result.may_be_complete(video)
        if doubtful and await self._has_content(video_id):
            video = attrs.evolve(video, status=Status.COMPLETED)
        if video.status is Status.FAILED:
            tracked.observe(video)
            raise create_result.failure_of(video)
        tracked.video = video if video.status.terminal else None
        tracked.observe(video)
        if tracked.status is Status.COMPLETED:
            lifetime = self._lifetime(video, response)
            tracked.expires_at = self._clock() + lifetime
            await self._ledger_sync.note(tracked, transitions.completed(time.time() + lifetime))
        progress = tracked.progress if video.progress is not None else None
        # Of an answer without a word of the progress that others told, more is to be known than that it came again.
        settled = doubtful or video.status.terminal or tracked.progress != progress
        tracked.answer = None if settled else hash(response.body)
        return progress

    async def _has_content(self, video_id: str) -> bool:
        """Ask for the content of a job whose status is not known; it counts as one more request."""
        send_hook = SendHook()
        try:
            return await has_content(ContentRequest(self._client, video_id, send_hook))
        finally:
            self._tell(RequestsSpent(send_hook.requests))

    # Downloads.

    async def fetch(self, tracked: TrackedJob) -> Event:
        """Send one content request, and go on with the file where the last one ended."""
        send_hook = SendHook()
        kept = 0 if tracked.download is None else tracked.download.kept
        try:
            outcome = await self._attempt(tracked, send_hook)
        except VideoError as error:
            return RequestFailed(tracked.number, owned(error, tracked))
        finally:
            if send_hook.requests > 1:
                self._tell(RequestsSpent(send_hook.requests - 1))
        if isinstance(outcome, Saved):
            return Downloaded(tracked.number)
        expired = self._clock() >= tracked.expires_at
        missed = error_of(outcome, video_id=tracked.video_id or "", expired=expired, now=time.time())
        progressed = tracked.download is not None and tracked.download.kept > kept
        return RequestFailed(tracked.number, owned(missed, tracked), progressed=progressed)

    async def _saved(self, tracked: TrackedJob, spooled: Path | None, saved: Saved) -> None:
        """The file has its name: know it, and write it down."""
        video = tracked.video or Video(id=tracked.video_id or "", status=Status.COMPLETED)
        file = attrs.asdict(saved)
        tracked.video = attrs.evolve(video, **file)
        if saved.unverified is not None:
            log.warning(
                "job %s: %s is kept, but not proved whole: it %s", tracked.key, tracked.video.location, saved.unverified
            )
        if tracked.in_ledger:  # before the ledger is told: once it is, nobody looks there again
            await self._disk.run(remove_stale_parts, spooled or saved.path)
        await self._ledger_sync.note(tracked, transitions.saved(**file))

    async def _attempt(self, tracked: TrackedJob, send_hook: SendHook) -> Outcome:
        tracked.download = tracked.download or await self._download(tracked)
        return await tracked.download.attempt(ContentRequest(self._client, tracked.video_id or "", send_hook))

    async def _download(self, tracked: TrackedJob) -> Download:
        target = tracked.target
        path = target.place(tracked) if target is not None else None
        if target is None or path is None:
            raise DownloadFailed("the job has no file to be saved to", retryable=False)
        spooled, publisher = None, None
        if isinstance(path, ObjectUrl):
            publisher = partial(self._store, tracked, path)
            path = spooled = await self._spooled(path)
        elif target.make_folder:
            await self._disk.run(make_folder, path.parent)
        return Download(
            path,
            disk=self._disk,
            overwrite=target.overwrite,
            seconds=self._seconds(tracked),
            on_progress=tracked.received,
            publisher=publisher,
            on_saved=partial(self._saved, tracked, spooled),
        )

    async def _spooled(self, url: ObjectUrl) -> Path:
        """Return the local path at which an object is fetched and verified.

        Raises:
            DownloadFailed: There is no folder for it.
        """
        refused: DiskRefused
        try:
            return await self._disk.run(self._disk.objects.spool_path, url)
        except DiskRefused as error:
            refused = error
        raise DownloadFailed(f"the file {refused}", retryable=refused.passing)

    async def _store(self, tracked: TrackedJob, url: ObjectUrl, part: Path, whole: Saved) -> Saved:
        """Store a whole file as an object, with the suffix of what it is."""
        if whole.path is not None and whole.path.suffix != ".mp4":
            url = url.with_suffix(whole.path.suffix)
        facts = ObjectFacts(
            sha256=whole.sha256,
            size=whole.bytes_written,
            job=tracked.key,
            video=tracked.video_id or "",
            request=tracked.request,
        )
        overwrite = tracked.target is not None and tracked.target.overwrite
        await self._disk.objects.put(part, url, overwrite=overwrite, facts=facts)
        return attrs.evolve(whole, path=None, object_url=str(url))

    def _seconds(self, tracked: TrackedJob) -> float | None:
        """Playing time to expect: the vendor's word, else what was ordered."""
        if tracked.video is not None and tracked.video.seconds is not None:
            return tracked.video.seconds
        request = tracked.request
        capability = self._settings.capabilities.find(request.model) if request is not None else None
        return capability.seconds_of(request) if capability is not None and request is not None else None

    def _lifetime(self, video: Video, response: Response) -> float:
        """Seconds until the link goes, by the gateway's own clock."""
        if video.expires_at is not None:
            here = time.time()
            return max(video.expires_at - here - (clock_skew(response.headers, here) or 0.0), 0.0)
        capability = self._settings.capabilities.find(video.model)
        return capability.link_lifetime if capability is not None else LINK_LIFETIME


def _repeats(response: Response, tracked: TrackedJob) -> bool:
    """Whether an answer is the last one again, word for word, so that there is nothing to read in it.

    Most answers are: a job is asked about many times before it changes. Of the last one a hash of 64 bits is kept.
    """
    return response.ok and tracked.answer == hash(response.body)


def offered(error: SubmitUncertain, tracked: TrackedJob) -> SubmitUncertain:
    """Say on an error which id stands in the answer, and by which command the user takes it."""
    if hint := attach_hint(error.body, tracked.key, in_ledger=tracked.in_ledger):
        error.message = f"{error.message.rstrip('.')}. {hint}"
    return error


def owned(error: VideoError, tracked: TrackedJob) -> VideoError:
    """Note on an error which job it is about, and that a job with an id has been paid for."""
    error.job_key = tracked.key
    if tracked.video_id is not None:
        error.job_id = tracked.video_id
        # Of a job that was only attached by an id, nobody knows whether it exists.
        doubtful = error.charged == "no" or (error.charged == "unknown" and tracked.request is not None)
        if doubtful and not isinstance(error, (JobFailed, InvalidRequest)):
            error.charged = "yes"
    return error
