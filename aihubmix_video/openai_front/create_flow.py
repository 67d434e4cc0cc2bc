"""From a client's create to a job, bought once: which job it is already, whether the client may, and then the purchase."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

import attrs

from aihubmix_video.errors import JobNotFound
from aihubmix_video.fastapi.http_errors import Deleted, LimitReached
from aihubmix_video.fastapi.job_routes import check_admission, check_wanted, target_in
from aihubmix_video.ledger.fingerprint import fingerprint
from aihubmix_video.openai_front.client_usage import CAPPED_SECONDS, ClientUsage, Purchase
from aihubmix_video.openai_front.retry_rule import is_same_create, made_name
from aihubmix_video.pricing.list_prices import list_price, seconds_of
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.types.job_info import JobState

if TYPE_CHECKING:
    from aihubmix_video.fastapi.app_state import AppState
    from aihubmix_video.openai_front.api_client import ApiClient
    from aihubmix_video.openai_front.front_options import FrontOptions
    from aihubmix_video.session.tracked_job import TrackedJob
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.types.request import VideoRequest

__all__ = ["Create", "CreateFlow"]

PAGE: Final = 200
BURST_SECONDS: Final = 10.0
"""For so much of its rate a client that was silent may create at once."""
MOST_NUMBERS: Final = 10_000


@attrs.frozen(kw_only=True)
class Create:
    """One create as it came.

    Attributes:
        request: What is wanted.
        owner: Who wants it; None where all are one.
        client: The same as a client of the front, where it has any.
        idempotency_key: The client's own name of the job.
        marked: Whether the client marks it as a retry.
    """

    request: VideoRequest
    owner: str | None = None
    client: ApiClient | None = None
    idempotency_key: str | None = None
    marked: bool = False


class CreateFlow:
    """All creates of one process."""

    def __init__(self, service: AppState, options: FrontOptions) -> None:
        self._service = service
        self._options = options
        self._registry = service.registry
        self._locks: WeakValueDictionary[tuple[str | None, str], asyncio.Lock] = WeakValueDictionary()
        self._numbers: dict[tuple[str | None, str], int] = {}  # of the newest job with that request
        self._usages: dict[str, ClientUsage] = {}
        self._rates: dict[str, RateLimit] = {}
        self._purchases: dict[str, tuple[ClientUsage, Purchase]] = {}  # by job key, of jobs that may turn out unpaid
        self._registry.observe(self._changed)

    async def take(self, create: Create) -> JobInfo:
        """Return the job that a create becomes, or is already; a new one is written down when this returns.

        Raises:
            InvalidRequest: The request cannot be, or its idempotency key was given to another one. Nothing was bought.
            LimitReached: A cap or the rate of the client. Nothing was bought.
            Deleted: The job of this idempotency key was deleted.
            LedgerError: It could not be written down. Nothing was bought.
        """
        check_wanted(self._service, self._options.router, create.request)
        if create.idempotency_key is not None:
            name = create.idempotency_key
            async with self._locked(create.owner, name):
                return await self._named(create, name)
        if not self._options.retry_window:
            return await self._bought(create, None)
        digest = fingerprint(create.request)
        async with self._locked(create.owner, digest):
            return await self._matched(create, digest)

    async def accepted(self, info: JobInfo) -> JobInfo:
        """Return the job once the gateway has accepted or refused it, or as it is when that takes too long."""
        loop, feed = asyncio.get_running_loop(), self._service.feed
        until = loop.time() + self._options.answer_within
        while info.state is JobState.WAITING and not feed.closed and (left := until - loop.time()) > 0:
            with suppress(JobNotFound):
                info = await self._registry.find(info.key, info.owner)
            if info.state is JobState.WAITING:
                await feed.more(info.key, left)
        return info

    def _locked(self, owner: str | None, name: str) -> asyncio.Lock:
        lock = self._locks.get((owner, name))
        if lock is None:
            lock = self._locks[owner, name] = asyncio.Lock()
        return lock

    # Which job it is.

    async def _named(self, create: Create, name: str) -> JobInfo:
        if not await self._registry.knows(name, create.owner):
            return await self._bought(create, name)
        info = await self._known(create, name)
        if info.state is JobState.DROPPED:
            raise Deleted("the video of this idempotency key was deleted", job_key=info.key)
        return info

    async def _matched(self, create: Create, digest: str) -> JobInfo:
        last = await self._last_number(create.owner, digest)
        if last >= 0:
            info = await self._known(create, made_name(digest, last))
            window = self._options.retry_window
            if is_same_create(info, time.time(), window=window, marked=create.marked):
                return info
        info = await self._bought(create, made_name(digest, last + 1))
        self._numbers[create.owner, digest] = last + 1
        if len(self._numbers) > MOST_NUMBERS:
            del self._numbers[next(iter(self._numbers))]
        return info

    async def _last_number(self, owner: str | None, digest: str) -> int:
        """Return the number of the newest job with this request; -1 if there is none."""
        last = self._numbers.get((owner, digest), -1)
        while await self._registry.knows(made_name(digest, last + 1), owner):
            last += 1
        return last

    async def _known(self, create: Create, name: str) -> JobInfo:
        return await self._registry.enqueue(create.request, idempotency_key=name, owner=create.owner)

    # Buying.

    async def _bought(self, create: Create, name: str | None) -> JobInfo:
        await check_admission(self._service, self._options.router, create.request, create.owner)
        request = create.request
        purchase = self._purchase(request, time.time())
        usage = await self._admitted(create.client, purchase)
        try:
            info = await self._registry.enqueue(
                request, to=target_in(self._options.router), idempotency_key=name, owner=create.owner
            )
        except BaseException:
            if usage is not None:
                usage.remove(purchase)
            raise
        if usage is not None:
            self._purchases[info.key] = usage, purchase
        return info

    def _purchase(self, request: VideoRequest, at: float) -> Purchase:
        tables = self._service.session.capabilities
        price = list_price(request, self._options.router.prices, tables)
        return Purchase(at=at, seconds=seconds_of(request, tables), price=price)

    async def _admitted(self, client: ApiClient | None, purchase: Purchase) -> ClientUsage | None:
        """Count a purchase, if the client's caps and rate allow it."""
        if client is None:
            return None
        usage = await self._usage(client)
        usage.check(purchase)
        self._spend_rate(client)
        usage.add(purchase)
        return usage

    def _spend_rate(self, client: ApiClient) -> None:
        if client.rate is None:
            return
        now, per_second = asyncio.get_running_loop().time(), client.rate / 60
        limit = self._rates.get(client.name)
        if limit is None:
            limit = RateLimit.of_rate(per_second, max(1, int(per_second * BURST_SECONDS)))
        if limit.opens_at() > now:
            said = f"this client may create {client.rate:g} videos per minute"
            raise LimitReached(said, retry_after=limit.opens_at() - now)
        self._rates[client.name] = limit.spend(now)

    async def _usage(self, client: ApiClient) -> ClientUsage:
        """Return what a client has bought; the first time it is summed up from the ledger."""
        async with self._locked(client.name, "usage"):
            if client.name not in self._usages:
                usage = ClientUsage(client.caps)
                if client.caps.any:
                    await self._load(client.name, usage)
                self._usages[client.name] = usage
            return self._usages[client.name]

    async def _load(self, owner: str, usage: ClientUsage) -> None:
        since, after = time.time() - CAPPED_SECONDS, None
        while True:
            page = await self._registry.page(after=after, limit=PAGE, states=frozenset(JobState), owner=owner)
            for info in page.items:
                if info.created_at > since and info.request is not None:
                    self._count(info, info.request, usage)
            if page.next is None or page.items[-1].created_at <= since:
                return
            after = page.next

    def _count(self, info: JobInfo, request: VideoRequest, usage: ClientUsage) -> None:
        if info.charged == "no" and info.state.ended:
            return
        purchase = self._purchase(request, info.created_at)
        usage.add(purchase)
        if not info.state.ended:
            self._purchases[info.key] = usage, purchase

    def _changed(self, tracked: TrackedJob) -> None:
        """Give back the share of a job that ended without being charged."""
        if tracked.key in self._purchases and tracked.over:
            info = self._registry.describe(tracked)
            if not info.state.ended:
                return
            usage, purchase = self._purchases.pop(tracked.key)
            if info.charged == "no":
                usage.remove(purchase)
