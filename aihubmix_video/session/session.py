"""The session: what users open, and everything else is reached through."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Self, Unpack

from aihubmix_video.errors import ConfigurationError, InvalidRequest, SessionClosed
from aihubmix_video.http.client import HttpClient
from aihubmix_video.http.rate_gate import RateGate
from aihubmix_video.ledger.account_binding import digest
from aihubmix_video.ledger.null_ledger import NullLedger
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.output.template import Template
from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from aihubmix_video.pricing.caps import Caps, check_retries
from aihubmix_video.scheduling.messages import SchedulerLimits
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.scheduling.scheduler import Scheduler
from aihubmix_video.session.batch import Batch
from aihubmix_video.session.batch_budget import BatchBudget
from aihubmix_video.session.duration_store import DurationStore
from aihubmix_video.session.endpoints import Videos
from aihubmix_video.session.job import Job
from aihubmix_video.session.job_manager import JobManager
from aihubmix_video.session.job_registry import JobRegistry
from aihubmix_video.session.job_views import tracked_of_entry
from aihubmix_video.session.ledger_sync import LedgerSync
from aihubmix_video.session.loop_guard import LoopGuard
from aihubmix_video.session.request_checks import build_request, literal_path
from aihubmix_video.session.tracked_job import OutputTarget, TrackedJob
from aihubmix_video.settings import settings_from
from aihubmix_video.shared_rate.open_shared import open_shared
from aihubmix_video.shared_rate.slot_acquirer import SlotAcquirer
from aihubmix_video.storage.disk import Disk
from aihubmix_video.types.deprecation import warn_renamed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
    from types import TracebackType

    from aihubmix_video.capabilities import CapabilitySet, Validate
    from aihubmix_video.catalog import Catalog
    from aihubmix_video.ledger.interface import Ledger
    from aihubmix_video.session.batch_rows import Row
    from aihubmix_video.session.gateway_calls import GatewayCalls
    from aihubmix_video.storage.object_storage import ObjectStorage
    from aihubmix_video.types.events import BatchItem, SessionStats
    from aihubmix_video.types.model_params import ModelName
    from aihubmix_video.types.request import VideoParams, VideoRequest
    from aihubmix_video.types.video import Video

__all__ = ["VideoSession"]


class VideoSession:
    """Submits video jobs, follows them all under one shared rate, and brings every file whole to disk.

    Example:
        ```python
        async with VideoSession() as session:
            video = await session.generate("a cat plays jazz piano", model="wan2.6-t2v", seconds=5, to="cat.mp4")
        ```

    Args:
        api_key: The Bearer key; None for ``$AIHUBMIX_API_KEY``. It is never shown.
        base_url: The gateway; None for ``$AIHUBMIX_BASE_URL``, or else ``https://aihubmix.com``. A trailing ``/v1`` is
            removed; plain http goes only to this machine.
        rate: Requests per second over everything the session sends: creates, polls, downloads, deletes and retries.
        rate_limit: Where the rate is kept, if other processes share it: the path of a file, for those of one host, or
            ``redis://host:6379/0`` (extra `redis`). All of them together then keep to `rate`, and what one of them is
            refused slows them all. A number is the rate of this session alone, as `rate`.
        fallback_share: Share of `rate` that this process takes for itself while a shared rate cannot be reached.
        burst: Requests that may leave back to back.
        poll_interval: Seconds; on average no more than one poll per interval is sent per running job.
        max_in_flight: Jobs bought and not yet finished, at most.
        max_downloads: Videos streaming at once, at most.
        deadline: Seconds from acceptance, or from when it is followed again, until a job is `WaitTimeout`; it stays alive at
            the gateway. One that passes while nobody could ask is put off once.
        ledger: Path of the durable record of all jobs, made if it does not exist; with it no paid job is lost by a crash,
            and running a batch again goes on with it. None: jobs are remembered only while the session is open.
        validate: ``"known"``: known models are checked, unknown ones pass with a warning; ``"strict"``: unknown ones are
            refused; ``"off"``: only what could not be sent is refused.
        capabilities: The tables of the models that the session knows: a `CapabilitySet`, or the path of a file of your own, which
            `capabilities.load` reads. None: those of the package.
        trust_env: Whether ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` count.
        new_key: The key is a new one of the account whose jobs the ledger holds. Without it a ledger of another key is
            refused, since jobs are known only to the account that bought them.
        object_storage: Where ``s3://``, ``gs://`` and ``az://`` targets are stored; None: `aihubmix_video.cloud.CloudStorage`,
            configured by the environment.

    Raises:
        ConfigurationError: An option cannot be used; the message names what is allowed.
    """

    def __init__(  # noqa: PLR0913 - each is one option of the session
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        rate: float = 10.0,
        rate_limit: float | str | os.PathLike[str] | None = None,
        fallback_share: float = 0.1,
        burst: int = 1,
        poll_interval: float = 15.0,
        max_in_flight: int = 1000,
        max_downloads: int = 8,
        deadline: float = 1800.0,
        ledger: str | os.PathLike[str] | None = None,
        validate: Validate = "known",
        capabilities: CapabilitySet | str | os.PathLike[str] | None = None,
        trust_env: bool = True,
        new_key: bool = False,
        object_storage: ObjectStorage | None = None,
    ) -> None:
        self._settings = settings_from(
            api_key=api_key,
            base_url=base_url,
            trust_env=trust_env,
            rate=rate,
            rate_limit=rate_limit,
            fallback_share=fallback_share,
            burst=burst,
            poll_interval=poll_interval,
            max_in_flight=max_in_flight,
            max_downloads=max_downloads,
            deadline=deadline,
            validate=validate,
            capabilities=capabilities,
        )
        settings = self._settings
        self._store = None
        if settings.shared_rate is not None:
            account = digest(settings.base_url.encode(), settings.api_key.reveal)
            self._store = open_shared(settings.shared_rate, account)
        self._acquirer: SlotAcquirer | None = None
        self._ledger_path = None if ledger is None else literal_path(ledger, "ledger", "run.db")
        self._new_key = new_key
        self._object_storage = object_storage
        self._opened: JobManager | None = None
        self._registry: JobRegistry | None = None
        self._loop_guard: LoopGuard | None = None
        self._closing: asyncio.Task[None] | None = None

    # One job.

    async def generate(
        self,
        prompt: str | VideoRequest,
        *,
        model: ModelName | str | None = None,
        to: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        **params: Unpack[VideoParams],
    ) -> Video:
        """Buy one video, wait for it, and save it.

        Cancelled before its create was sent, nothing is bought; afterwards the job goes on, and its file is saved as long as
        the session is open.

        Args:
            prompt: What to show, or a whole `VideoRequest`.
            model: The gateway's name of the model.
            to: The file to write, if it is wanted now; its folder must exist.
            overwrite: Replace an existing file; without it an existing file is an error before anything is sent.
            **params: The other fields of `VideoRequest`.

        Returns:
            The finished video, with its file's path and hash when it was saved.

        Raises:
            InvalidRequest: Nothing was sent.
            SubmitUncertain: The job may have been bought; it is not bought again.
            JobFailed: The vendor could not generate it.
            WaitTimeout, DownloadFailed: The job is fine; go on with `job`.
            VideoError: Any other cause; see `errors`.
        """
        return await (await self.submit(prompt, model=model, to=to, overwrite=overwrite, **params))

    async def submit(
        self,
        prompt: str | VideoRequest,
        *,
        model: ModelName | str | None = None,
        to: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        idempotency_key: str | None = None,
        owner: str | None = None,
        **params: Unpack[VideoParams],
    ) -> Job:
        """Buy one job; other arguments and errors are those of `generate`.

        Args:
            prompt: What to show, or a whole `VideoRequest`.
            model: The gateway's name of the model.
            to: The file to write, taken literally, if it is wanted; its folder must exist.
            overwrite: Replace an existing file.
            idempotency_key: Your own name of the job; needs a ledger. For the same name the same job is given again, also
                after a restart, and nothing is bought twice; the same name with another request is an error.
            owner: Whose job it is, in your application's words; one `idempotency_key` of two owners names two jobs.
            **params: The other fields of `VideoRequest`.

        Returns:
            A handle, once the gateway accepted the job; errors of the create raise here.

        Raises:
            InvalidRequest: Nothing was sent. Also where `idempotency_key` has no ledger, or names a job of another request.
            SubmitUncertain: The job may have been bought; it is not bought again.
            VideoError: Any other cause; see `errors`.
        """
        manager = self._manager
        request = build_request(prompt, model, params, self._settings.capabilities)
        target = None if to is None else OutputTarget(path=literal_path(to), overwrite=overwrite)
        if idempotency_key is None:
            tracked = await manager.add(request, target, owner=owner)
        else:
            taken = await self.registry.take(request, target, idempotency_key=idempotency_key, owner=owner)
            tracked = taken if isinstance(taken, TrackedJob) else tracked_of_entry(taken, manager.save)
        try:
            await tracked.acceptance()  # here, not further in: each frame that waits costs every job 200 bytes
        except asyncio.CancelledError:
            if idempotency_key is None:  # else it will be asked for again
                manager.abandon(tracked)
            raise
        tracked.check_accepted()
        tracked.settle()
        return Job(tracked, manager)

    def job(self, video_id: str) -> Job:
        """Follow a job bought earlier or elsewhere, by its id.

        That the gateway does not know it is told by awaiting the job; `videos.retrieve` tells at once. Of a job that this
        session submitted keep the handle, or find it in `jobs`: followed by its id it would be asked about twice.

        Raises:
            InvalidRequest: It cannot be an id.
        """
        manager = self._manager
        return Job(manager.attach(video_id), manager)

    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs it follows now, in the order in which it took them on; a snapshot."""
        manager = self._manager
        return tuple(Job(tracked, manager) for tracked in manager.followed())

    # Many jobs.

    def batch(  # noqa: PLR0913 - each is one option of the batch
        self,
        requests: Iterable[Row] | AsyncIterable[Row],
        *,
        to: str | os.PathLike[str],
        overwrite: bool = False,
        max_videos: int | None = None,
        max_seconds: float | None = None,
        max_spend: float | None = None,
        prices: Mapping[str, float] | None = None,
        moderation_retries: int = 0,
        keep_buying: bool = False,
    ) -> AsyncGenerator[BatchItem, None]:
        """Buy, follow and save many videos; one that fails ends nothing.

        Rows are drawn lazily, in bounded memory. Leaving the iteration early withdraws what was not sent yet; to have that
        done at once, close the iterator (`contextlib.aclosing`). After 401, 403 or an empty balance nothing more is bought,
        and the remaining rows are told with that error. What *requests* itself raises is raised after the rows before it.

        The caps count everything that the session's ledger had bought, or may have, when the batch began, and what the batch
        itself buys; without a ledger only the latter. What else the session buys meanwhile is not counted. A row that would
        exceed a cap is told as `BudgetExceeded`, and the same batch with a higher one buys it. `resume` keeps to the caps of
        the ledger's last batch.

        Args:
            requests: Requests, or mappings as `VideoRequest.from_mapping` reads them; a plain or async iterable of any length.
            to: Template of the file names, such as ``"out/{index:04d}-{slug}.mp4"``, with the fields ``index``, ``id``,
                ``key``, ``model`` and ``slug``. Its folder is made if it does not exist.
            overwrite: Replace existing files.
            max_videos: Videos that may be bought.
            max_seconds: Seconds of video together; rows of a length not known beforehand are refused.
            max_spend: USD by list price, which is not an invoice; rows without a known price are refused. What earlier runs
                bought counts at the highest list price of its model.
            prices: USD per second by model, in place of the list prices.
            moderation_retries: How often a row is bought again after moderation refused its finished video, which may pass on
                another try; at most 10, over all runs of the batch where there is a ledger. A refused request is not repeated.
            keep_buying: Go on whatever is refused. Without it, three creates that are refused in the same words, before any
                is accepted, stop the batch: what a gateway says of an account is not always known as such. Until the first
                is accepted, no more than three creates are under way.

        Returns:
            An iterator over the outcome of each row, as it finishes.

        Raises:
            InvalidRequest: The template, a cap, a price or the number of retries cannot be used.
        """
        template = Template.parse(os.fspath(to) if isinstance(to, os.PathLike) else to)
        template.require_unique()
        check_retries(moderation_retries)
        caps = Caps(max_videos=max_videos, max_seconds=max_seconds, max_spend=max_spend)
        batch = Batch(
            self._manager,
            requests,
            template,
            overwrite=overwrite,
            budget=BatchBudget(caps, prices, self._settings.capabilities),
            moderation_retries=moderation_retries,
            keep_buying=keep_buying,
        )
        return self._batch(batch)

    def resume(self) -> AsyncGenerator[BatchItem, None]:
        """Take up every job of the ledger's that is not finished, and tell each outcome as it comes.

        Jobs bought are followed and fetched, jobs never sent are bought now, and jobs that may have been bought are told as
        `SubmitUncertain`, each time until the user decides. Nothing is bought a second time. `BatchItem.index` is a row's place
        in its batch, 0 for a single job. Without a ledger there is nothing to tell.
        """
        manager = self._manager
        return self._batch(Batch(manager, manager.ledger_sync.ledger.unfinished()))

    async def decide(self, key: str, *, attach: str | None = None, resubmit: bool = False, drop: bool = False) -> None:
        """Decide what is to become of a job that may have been bought; `resume` acts on it.

        Args:
            key: The job's local key, as `VideoError.job_key` and `BatchItem.key` tell it.
            attach: It was bought: the id under which the console shows it.
            resubmit: Buy it, whatever became of it before. One that failed may be bought again, too.
            drop: It is not wanted any more.

        Raises:
            InvalidRequest: Not exactly one decision is given, the id cannot be one or is another job's, or the job is
                under way.
            JobNotFound: The gateway does not know the id.
            LedgerError: There is no such job, nothing is to be decided about it, or the session has no ledger.
        """
        if sum((attach is not None, resubmit, drop)) != 1:
            raise InvalidRequest.of("decision", key, "needs exactly one of attach, resubmit and drop")
        await self._manager.decide(key, attach=attach, drop=drop)

    @staticmethod
    async def _batch(batch: Batch) -> AsyncGenerator[BatchItem, None]:
        async with batch:
            async for item in batch:
                yield item

    # The endpoints, and the state of things.

    @property
    def videos(self) -> Videos:
        """The four endpoints, one coroutine each."""
        return Videos(self._manager)

    @property
    def gateway(self) -> GatewayCalls:
        """The gateway's other endpoints: model lists, balances."""
        return self._manager.gateway

    async def catalog(self, *, max_age: float = 300.0) -> Catalog:
        """Return what the gateway's public model list says now; nothing is asked unless this is called.

        Args:
            max_age: Seconds for which an answer is used again; the gateway lets it be cached for 300.

        Raises:
            MalformedReply: The answer is not a model list.
            VideoError: Any other failure; see `errors`.
        """
        return await self._manager.gateway.catalog(max_age=max_age)

    @property
    def registry(self) -> JobRegistry:
        """The jobs by their keys, also those of earlier sessions; for servers."""
        manager = self._manager
        self._registry = self._registry or JobRegistry(manager)
        return self._registry

    @property
    def register(self) -> JobRegistry:
        """The old name of `registry`, for one release."""
        warn_renamed("VideoSession.register", "VideoSession.registry")
        return self.registry

    @property
    def capabilities(self) -> CapabilitySet:
        """The tables of the models that this session knows."""
        return self._settings.capabilities

    @property
    def base_url(self) -> str:
        """The gateway that it talks to, without ``/v1``."""
        return self._settings.base_url

    def stats(self) -> SessionStats:
        """Take a snapshot of what is going on."""
        return self._manager.stats()

    # Opening and closing.

    async def __aenter__(self) -> Self:
        if self._loop_guard is not None:
            raise SessionClosed("a session is opened once; make a new one")
        loop_guard = LoopGuard.here()
        self._loop_guard = loop_guard
        settings = self._settings
        rate_limit = RateLimit.of_rate(settings.rate, settings.burst)
        limits = SchedulerLimits(
            max_in_flight=settings.max_in_flight, max_downloads=settings.max_downloads, deadline=settings.deadline
        )
        policy = AdaptivePollPolicy(settings.poll_interval)
        if self._store is not None:
            self._acquirer = SlotAcquirer(self._store, rate_limit, settings.fallback_share)
        control = None if self._acquirer is None else self._acquirer.controller
        scheduler = Scheduler(rate_limit=rate_limit, limits=limits, policy=policy, draw=random.random, control=control)
        ledger = await self._open_ledger()
        ledger_sync = LedgerSync(ledger, self._settings.capabilities)
        duration_store = await self._recalled(ledger_sync, policy)
        client = HttpClient(settings, RateGate(rate_limit))
        client.open()
        disk = Disk(settings.max_downloads, self._open_objects)
        self._opened = JobManager(settings, loop_guard, scheduler, client, disk, ledger_sync, duration_store)
        if self._acquirer is not None:
            self._acquirer.start(self._opened.wake)
        return self

    def _open_objects(self) -> ObjectStorage:
        if self._object_storage is not None:
            return self._object_storage
        try:
            from aihubmix_video.cloud.cloud_storage import CloudStorage  # noqa: PLC0415 - it needs the extra `cloud`
        except ImportError:
            raise ConfigurationError(
                "an object store as target needs the extra `cloud`: pip install 'aihubmix-video[cloud]'."
            ) from None
        self._object_storage = CloudStorage()
        return self._object_storage

    async def _open_ledger(self) -> Ledger:
        if self._ledger_path is None:
            return NullLedger()
        ledger = await SqliteLedger.open(self._ledger_path)
        try:
            await ledger.bind(self._settings.base_url, self._settings.api_key.reveal(), new_key=self._new_key)
        except BaseException:
            await ledger.aclose()
            raise
        return ledger

    @staticmethod
    async def _recalled(ledger_sync: LedgerSync, policy: AdaptivePollPolicy) -> DurationStore:
        """Let the poll policy begin with what earlier sessions learnt."""
        duration_store = DurationStore(ledger_sync, policy)
        try:
            await duration_store.recall()
        except BaseException:
            await ledger_sync.ledger.aclose()
            raise
        return duration_store

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the session: nothing more is bought, creates under way learn their ids, and all waits end.

        Jobs that were bought live on at the gateway. Closing twice, also at once, is fine.

        Raises:
            ConfigurationError: It was opened elsewhere: on another event loop, or in another process.
        """
        if self._opened is None or self._loop_guard is None:
            return
        self._loop_guard.check()
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(self._opened), name="aihubmix-video close")
        await asyncio.shield(self._closing)

    async def _close(self, manager: JobManager) -> None:
        try:
            await manager.aclose()
        finally:
            if self._acquirer is not None:
                await self._acquirer.aclose()

    @property
    def _manager(self) -> JobManager:
        """What does the work; it refuses a caller that may not ask for it."""
        if self._opened is None or self._loop_guard is None:
            raise SessionClosed("the session is not open")
        if self._closing is not None:
            raise SessionClosed("the session was closed")
        self._loop_guard.check()
        return self._opened

    def __repr__(self) -> str:
        state = "closed" if self._closing is not None else "new" if self._opened is None else "open"
        return f"<VideoSession {self._settings.base_url} {state}>"
