"""A ledger that is slow or fails while jobs are bought: nothing is bought without a record, and no id is lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import VideoRequest, VideoSession
from aihubmix_video.errors import InvalidRequest, LedgerError, SessionClosed, VideoError
from aihubmix_video.ledger.entry import LedgerEntry, LedgerState
from aihubmix_video.ledger.memory_ledger import MemoryLedger
from aihubmix_video.ledger.transitions import Move, Transition
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sessions import WAN, seen
from tests.pure.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video.ledger.interface import Ledger

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SLOW: dict[str, Any] = {"speed": 1, "generation": 60.0, "content": 2_000, "render": False}  # Any: of many types
LATER = 1.0  # seconds; a step that waits for nothing is done long before


class Told(VideoSession):
    """A session that uses the ledger passed to it."""

    def __init__(self, ledger: Ledger, **options: Any) -> None:  # noqa: ANN401 - the session's options
        super().__init__(**options)
        self._given = ledger

    async def _open_ledger(self) -> Ledger:
        return self._given


@asynccontextmanager
async def told(sandbox: Sandbox, ledger: Ledger, **options: Any) -> AsyncIterator[VideoSession]:  # noqa: ANN401 - as above
    """Open a session with this ledger."""
    usual = {"api_key": sandbox.api_key, "base_url": sandbox.url, "rate": 100.0, "burst": 10, "trust_env": False}
    async with Told(ledger, **(usual | options)) as session:
        yield session


class Refusing(MemoryLedger):
    """Fails to record the first id."""

    refused = forgetful = False

    async def remember(self, name: str, value: bytes) -> None:
        """Fail while the disk is full, or store the value."""
        if self.forgetful:
            raise LedgerError("the disk is full")
        await super().remember(name, value)

    async def record(self, key: str, transition: Transition) -> None:
        """Fail, or record the transition."""
        if transition.move is Move.BOUGHT and not self.refused:
            self.refused = True
            raise LedgerError("the disk is full", job_key=key, job_id=str(transition.values["video_id"]))
        await super().record(key, transition)


class Slow(MemoryLedger):
    """Delays each kind of call by the seconds given for it.

    Attributes:
        left: Its entries at the time when it was closed.
    """

    def __init__(self, **seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.left: list[LedgerEntry] = []

    async def aclose(self) -> None:
        """Keep the entries for the test, and close."""
        self.left = list(await self.page())
        await super().aclose()

    async def intend(self, entries: Any) -> None:  # noqa: ANN401 - as in the protocol
        """Wait, and record the intents."""
        await asyncio.sleep(self.seconds.get("intend", 0.0))
        await super().intend(entries)

    async def record(self, key: str, transition: Transition) -> None:
        """Wait, and record the transition."""
        await asyncio.sleep(self.seconds.get(transition.move.name.lower(), 0.0))
        await super().record(key, transition)


class SlowAndRefusing(Refusing, Slow):
    """Delays each call, and fails to record the first id."""


def entries(count: int) -> list[LedgerEntry]:
    """Return jobs that an earlier session intended."""
    return [LedgerEntry(key=f"k{n}", request=VideoRequest(prompt=f"cat {n}", **WAN)) for n in range(count)]


async def test_once_an_id_could_not_be_kept_what_the_ledger_holds_is_not_bought_either():
    """What cannot be recorded may be bought twice, whichever caller submits it, also when it is resumed."""
    ledger = Refusing()
    await ledger.intend(entries(160))  # more than are queued at once
    async with Sandbox(**SLOW) as sandbox, told(sandbox, ledger, rate=5.0, burst=1) as session:
        errors = [item.error async for item in session.resume()]
        assert sandbox.billed <= 2
        assert [LedgerError] * (160 - sandbox.billed) == [type(error) for error in errors if error is not None]


async def test_buying_goes_on_a_while_after_the_ledger_could_be_written_again():
    """A backup that locked it for a moment must not stop a server from buying until it is restarted."""
    ledger = Refusing()
    async with Sandbox(**SLOW) as sandbox, told(sandbox, ledger) as session:
        await session.submit("a cat", **WAN)
        with pytest.raises(LedgerError):
            await session.submit("a dog", **WAN)
        ledger.forgetful = True
        await asyncio.sleep(120)
        with pytest.raises(LedgerError):
            await session.submit("a dog", **WAN)
        ledger.forgetful = False
        await asyncio.sleep(120)
        await session.submit("a dog", **WAN)
        assert sandbox.billed == 2


async def test_a_job_that_is_being_written_down_when_the_ledger_fails_is_not_bought():
    """Between the check of the ledger's health and the queue lies the commit, which takes as long as the disk does."""
    async with Sandbox(**SLOW) as sandbox, told(sandbox, SlowAndRefusing(intend=1.0)) as session:
        first = asyncio.create_task(session.submit("a cat", **WAN))
        await asyncio.sleep(0.5)
        second = asyncio.create_task(session.submit("a dog", **WAN))
        with pytest.raises(LedgerError) as caught:
            await second
        await first
        assert ("no", 1, 1) == (caught.value.charged, sandbox.billed, seen(sandbox)["create"])


async def test_an_id_is_written_down_to_the_end_while_the_session_closes():
    """It is paid for: a session that is closing must not lose the only record of it."""
    ledger = Slow(bought=20.0)
    async with Sandbox(**SLOW) as sandbox:
        async with told(sandbox, ledger) as session:
            submitting = asyncio.create_task(session.submit("a cat", **WAN))
            await asyncio.sleep(LATER)
            assert sandbox.billed == 1
        job = await submitting
        (kept,) = ledger.left
        assert (LedgerState.BOUGHT, job.id) == (kept.state, kept.video_id)


async def test_creates_that_have_not_left_when_the_session_closes_do_not_leave_any_more():
    """Their responses would come too late to be read: the jobs would be bought, and abandoned."""
    async with Sandbox(**SLOW) as sandbox:
        sandbox.faults.add(Fault.wait(10.0, route="create", times=None))
        async with told(sandbox, Slow(sending=2.0)) as session:
            submitting = [asyncio.create_task(session.submit("a cat", **WAN)) for _ in range(5)]
            await asyncio.sleep(LATER)
        outcomes = await asyncio.gather(*submitting, return_exceptions=True)
        assert [(SessionClosed, "no")] * 5 == [(type(error), getattr(error, "charged", None)) for error in outcomes]
        assert sandbox.billed == 0


async def test_a_create_that_is_slow_to_be_answered_holds_up_nobody_elses_order():
    """The ledger is read under a lock, but a cancelled create is waited for outside of it."""
    async with Sandbox(**SLOW) as sandbox, told(sandbox, MemoryLedger()) as session:
        sandbox.faults.add(Fault.wait(60.0, route="create"))
        given_up = asyncio.create_task(session.submit("a cat", **WAN))
        await asyncio.sleep(LATER)
        given_up.cancel()
        resumption = asyncio.create_task(anext(session.resume()))
        await asyncio.sleep(LATER)
        began = asyncio.get_running_loop().time()
        await session.submit("a dog", idempotency_key="dog", **WAN)
        assert asyncio.get_running_loop().time() - began < 10.0
        resumption.cancel()
        await asyncio.gather(given_up, resumption, return_exceptions=True)


async def test_a_job_deleted_at_the_gateway_is_not_followed_again():
    """Otherwise each resume would poll it, and report each time that it was paid for and no longer exists."""
    ledger = MemoryLedger()
    async with Sandbox(**SLOW) as sandbox, told(sandbox, ledger) as session:
        job = await session.submit("a cat", **WAN)
        await job.delete()
        with pytest.raises(SessionClosed):
            await job
        assert [LedgerState.DROPPED] == [entry.state for entry in await ledger.page()]
        assert [] == [item async for item in session.resume()]


async def test_a_request_that_cannot_be_written_is_refused_and_disturbs_no_other():
    """Also if requests are not validated, a value that is not JSON is found before anything is recorded."""
    async with Sandbox(**SLOW) as sandbox, told(sandbox, MemoryLedger(), validate="off") as session:
        wrong: Any = {"extra_body": [1]}
        with pytest.raises(InvalidRequest, match="extra_body"):
            await session.submit("a cat", **WAN, **wrong)
        assert (await session.submit("a cat", **WAN)).id


async def test_an_error_of_ours_before_a_create_left_leaves_nothing_uncertain():
    """A bug must not look like a purchase, nor end the buying of everything else."""

    class Broken(MemoryLedger):
        async def entry(self, key: str) -> LedgerEntry | None:
            raise ZeroDivisionError(key)

    async with Sandbox(**SLOW) as sandbox, told(sandbox, Broken()) as session:
        with pytest.raises(VideoError, match="internal error") as caught:
            await session.submit("a cat", model="wan2.6-i2v", input_reference=png(640, 640))
        assert (VideoError, "no", 0) == (type(caught.value), caught.value.charged, sandbox.billed)
        assert (await session.submit("a dog", **WAN)).id
