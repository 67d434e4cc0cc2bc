"""What every ledger records, call by call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from aihubmix_video.errors import (
    InsufficientBalance,
    JobExpired,
    JobFailed,
    LedgerError,
    SessionClosed,
    SubmitUncertain,
)
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import Destination, LedgerEntry, LedgerState, Spent
from aihubmix_video.ledger.memory_ledger import MemoryLedger
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.types.request import VideoRequest
from tests.loopback.ledgers import entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video.ledger.interface import Ledger

LOST = SubmitUncertain("the answer was lost", body=b"half an answ", status_code=502, request_id="r-1")
WHOLE = VideoRequest(
    model="kling-v2-6",
    prompt="a cat",
    seconds=5,
    image=b"picture",
    image_list=[b"1", b"2"],
    extra_body={"a": [1, None]},
)


@pytest.fixture(params=["disk", "memory"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    """Yield a new ledger of each kind."""
    opened: Ledger = await SqliteLedger.open(tmp_path / "run.db") if request.param == "disk" else MemoryLedger()
    yield opened
    await opened.aclose()


async def known(ledger: Ledger, key: str = "a") -> LedgerEntry:
    """Return a job that must exist."""
    found = await ledger.entry(key)
    assert found is not None
    return found


async def bought(ledger: Ledger, *keys: str) -> None:
    """Intend jobs, and record them as bought."""
    for key in keys:
        await ledger.record(key, transitions.sending())
        await ledger.record(key, transitions.bought(f"id of {key}"))


async def unfinished(ledger: Ledger) -> list[str]:
    """Return the keys of all unfinished jobs."""
    return [each.key async for each in ledger.unfinished()]


async def test_what_was_asked_for_comes_back_whole(ledger: Ledger):
    """Resuming must not need the original input."""
    target = Destination(text="/videos/{index}.mp4", template=True, index=7, row_key="cat", overwrite=True)
    asked = entry(client_key="mine", batch="run", index=7, occurrence=2, request=WHOLE, target=target, seconds=5.0)

    await ledger.intend([asked])
    found = await known(ledger)

    assert found.created_at == found.updated_at > 1.7e9
    assert asked == attrs.evolve(found, number=0, created_at=0.0, updated_at=0.0)


async def test_a_job_is_found_by_each_of_its_names(ledger: Ledger):
    """By its local key, by the user's key, and by the fingerprint and occurrence of its row."""
    await ledger.intend(
        [entry("a", client_key="mine", batch="run"), entry("b", batch="run", fingerprint="of a", occurrence=1)]
    )

    for found in (await ledger.entry("b"), await ledger.find("run", "of a", 1)):
        assert found is not None
        assert "b" == found.key
    assert "a" == attrs.asdict(await known(ledger))["key"]
    mine = await ledger.by_client_key("mine")
    assert mine is not None
    assert "a" == mine.key
    assert [None] * 4 == [
        await ledger.entry("c"),
        await ledger.by_client_key("yours"),
        await ledger.find("run", "of a", 2),
        await ledger.find("other", "of a", 0),
    ]


async def test_a_life_is_written_down_step_by_step(ledger: Ledger):
    """Each step leaves behind what the next process needs."""
    await ledger.intend([entry()])
    await ledger.record("a", transitions.sending())
    sending = await known(ledger)
    await ledger.record("a", transitions.bought("v-1", "v-2"))
    held = await known(ledger)
    await ledger.record("a", transitions.completed(99.5))
    complete = await known(ledger)
    await ledger.record("a", transitions.saved(Path("/videos/a.mp4"), bytes_written=5, sha256="00ff", verified=True))
    saved = await known(ledger)

    assert (LedgerState.SENDING, "unknown", 1) == (sending.state, sending.charged, sending.attempts)
    assert (LedgerState.BOUGHT, "yes", "v-1", "v-2") == (held.state, held.charged, held.video_id, held.also_id)
    assert (LedgerState.COMPLETED, 99.5) == (complete.state, complete.expires_at)
    assert (LedgerState.SAVED, Path("/videos/a.mp4"), 5, "00ff", True) == (
        *(saved.state, saved.path, saved.bytes_written),
        *(saved.sha256, saved.verified),
    )
    assert "v-1" == saved.video_id


async def test_a_file_may_have_any_name(ledger: Ledger):
    """File systems accept bytes that are not text."""
    await ledger.intend([entry()])
    await bought(ledger, "a")
    path = Path("/videos") / b"caf\xe9.mp4".decode("utf-8", "surrogateescape")

    await ledger.record("a", transitions.saved(path, bytes_written=1, sha256="00", verified=False))

    assert path == (await known(ledger)).path
    assert False is (await known(ledger)).verified


async def test_why_a_file_could_not_be_verified_is_kept(ledger: Ledger):
    """A later run says it again: the warning of the run that saved it is long gone."""
    await ledger.intend([entry()])
    await bought(ledger, "a")
    path, reason = Path("/videos/a.webm"), "is in another container than MP4"

    await ledger.record("a", transitions.saved(path, bytes_written=1, sha256="00", verified=False, unverified=reason))

    assert reason == (await known(ledger)).unverified


async def test_what_did_not_leave_is_intended_again(ledger: Ledger):
    """Whether it was marked as SENDING or not; no money was spent."""
    await ledger.intend([entry()])
    await ledger.record("a", transitions.unsent())
    await ledger.record("a", transitions.sending())
    await ledger.record("a", transitions.unsent())
    found = await known(ledger)

    assert (LedgerState.INTENDED, "no", 1) == (found.state, found.charged, found.attempts)


async def test_a_failure_is_kept_with_its_evidence(ledger: Ledger):
    """A user who looks later needs the reason, and what to quote to the gateway's support."""
    await ledger.intend([entry()])
    await ledger.record("a", transitions.sending())
    await ledger.record("a", transitions.failed(InsufficientBalance("no money", status_code=403, request_id="r-9")))
    found = await known(ledger)

    assert (LedgerState.FAILED, "InsufficientBalance", "no money", 403, "r-9", "no") == (
        *(found.state, found.error_type, found.error_message),
        *(found.status_code, found.request_id, found.charged),
    )


async def test_uncertainty_ends_by_the_users_word_alone(ledger: Ledger):
    """A job that may have been bought stays listed until the user has looked."""
    await ledger.intend([entry("a"), entry("b"), entry("c")])
    for key in "abc":
        await ledger.record(key, transitions.sending())
        await ledger.record(key, transitions.uncertain(LOST))
    uncertain = await known(ledger)
    assert ("unknown", "SubmitUncertain", b"half an answ") == (
        *(uncertain.charged, uncertain.error_type),
        uncertain.error_body,
    )

    await ledger.record("a", transitions.attach("found it"))
    await ledger.record("b", transitions.resubmit())
    await ledger.record("c", transitions.dropped())
    found = [await known(ledger, key) for key in "abc"]

    assert [LedgerState.BOUGHT, LedgerState.INTENDED, LedgerState.DROPPED] == [each.state for each in found]
    assert ["found it", None, None] == [each.video_id for each in found]
    assert ["yes", "no", "unknown"] == [each.charged for each in found]
    assert [None, None, "SubmitUncertain"] == [each.error_type for each in found]
    assert 1 == found[1].written_off


@pytest.mark.parametrize("end", ["saved", "done", "failed", "dropped", "uncertain"])
async def test_an_illegal_step_changes_nothing(ledger: Ledger, end: str):
    """It is a bug of ours, and must not turn a paid job into an unpaid one."""
    await ledger.intend([entry()])
    await (ledger.record("a", transitions.sending()) if end == "uncertain" else bought(ledger, "a"))
    match end:
        case "saved":
            await ledger.record("a", transitions.saved(Path("a"), bytes_written=1, sha256="00", verified=True))
        case "failed":
            await ledger.record("a", transitions.failed(JobFailed("no")))
        case "uncertain":
            await ledger.record("a", transitions.uncertain(LOST))
        case _:
            await ledger.record("a", getattr(transitions, end)())
    before = await known(ledger)

    with pytest.raises(LedgerError, match=f"job a is {end}") as caught:
        await ledger.record("a", transitions.bought("v-2"))

    assert ("a", "v-2") == (caught.value.job_key, caught.value.job_id)
    assert before == await known(ledger)


async def test_a_job_nobody_intended_is_refused(ledger: Ledger):
    """The error has the id: the job may have been paid for."""
    with pytest.raises(LedgerError, match="no job 'x'") as caught:
        await ledger.record("x", transitions.bought("v-1"))

    assert "v-1" == caught.value.job_id


@pytest.mark.parametrize(
    "twin",
    [
        entry("a"),
        entry("c", client_key="mine"),
        entry("c", batch="run", fingerprint="of a"),
    ],
    ids=["key", "client key", "row"],
)
async def test_a_job_cannot_be_intended_twice(ledger: Ledger, twin: LedgerEntry):
    """Two purchases would follow. Of several jobs that come together, all are recorded or none."""
    await ledger.intend([entry("a", client_key="mine", batch="run")])

    with pytest.raises(LedgerError, match=f"same as {twin.key}"):
        await ledger.intend([entry("b"), twin])
    with pytest.raises(LedgerError, match="same as b"):
        await ledger.intend([entry("b"), entry("b")])

    assert ["a"] == [each.key for each in await ledger.page()]
    await ledger.intend([entry("b")])


async def test_intended_duplicates_are_two_jobs(ledger: Ledger):
    """If a row is twice in a file, two videos are wanted."""
    await ledger.intend([entry("a", batch="run"), entry("b", batch="run", fingerprint="of a", occurrence=1)])
    await ledger.intend([entry("c", batch="other", fingerprint="of a")])

    assert 3 == len(await ledger.page())


async def test_the_unfinished_come_in_the_order_of_their_need(ledger: Ledger):
    """Links expire, so downloads come first. What may have been bought is reported before more is bought."""
    await ledger.intend([entry(key) for key in "abcdefgh"])
    await bought(ledger, "b", "c", "d", "e", "h")
    await ledger.record("b", transitions.completed(300.0))
    await ledger.record("d", transitions.completed(100.0))
    await ledger.record("e", transitions.completed(None))
    await ledger.record("f", transitions.sending())
    await ledger.record("g", transitions.sending())
    await ledger.record("g", transitions.uncertain(LOST))
    await ledger.record("h", transitions.done())

    assert ["d", "b", "c", "e", "f", "g", "a"] == await unfinished(ledger)


async def test_the_unfinished_are_those_of_the_moment(ledger: Ledger):
    """A resuming session must not resume what it submits meanwhile, nor what has finished."""
    await ledger.intend([entry("a"), entry("b"), entry("c")])
    seen = []
    async for each in ledger.unfinished():
        seen.append(each.key)
        if each.key == "a":
            await ledger.intend([entry("d")])

    assert ["a", "b", "c"] == seen
    assert 4 == len(await unfinished(ledger))


async def test_rows_come_by_their_place_in_the_batch(ledger: Ledger):
    """In whatever order they were intended, and whatever their state."""
    await ledger.intend([entry(f"{row}", batch="run", index=row) for row in (2, 0, 1)])
    await ledger.intend([entry("x", batch="other"), entry("y")])
    await ledger.record("1", transitions.dropped())

    assert ["0", "1", "2"] == [each.key async for each in ledger.rows_of("run")]
    assert [] == [each async for each in ledger.rows_of("none")]


async def test_pages_show_the_newest_first(ledger: Ledger):
    """A history that grows at its top must not shift its later pages."""
    await ledger.intend([entry(f"{number}") for number in range(7)])
    await ledger.record("3", transitions.dropped())

    first = await ledger.page(limit=3)
    await ledger.intend([entry("new")])
    second = await ledger.page(after=first[-1].number, limit=3)
    dropped = await ledger.page(states={LedgerState.DROPPED, LedgerState.FAILED})

    assert ["6", "5", "4"] == [each.key for each in first]
    assert ["3", "2", "1"] == [each.key for each in second]
    assert ["3"] == [each.key for each in dropped]
    assert [] == await ledger.page(after=1)


async def test_jobs_are_counted_by_state(ledger: Ledger):
    """Also the states in which there are none."""
    await ledger.intend([entry("a"), entry("b"), entry("c")])
    await ledger.record("b", transitions.sending())
    await ledger.record("c", transitions.dropped())

    assert (
        dict.fromkeys(LedgerState, 0) | {LedgerState.INTENDED: 1, LedgerState.SENDING: 1, LedgerState.DROPPED: 1}
        == await ledger.counts()
    )


async def test_what_may_have_been_bought_is_added_up(ledger: Ledger):
    """A cap on spending has to hold across restarts, so doubt counts as spent."""
    await ledger.intend([entry(key, seconds=8.0) for key in "abcdef"])
    await ledger.intend([entry("v", model="veo-2.0-generate-001"), entry("w", model="wan2.6-t2v")])
    await bought(ledger, "b", "c", "d", "v")
    await ledger.record("c", transitions.failed(JobFailed("vendor")))
    await ledger.record("d", transitions.completed(1.0))
    await ledger.record("d", transitions.failed(JobExpired("gone")))
    await ledger.record("e", transitions.sending())
    await ledger.record("f", transitions.sending())
    await ledger.record("f", transitions.uncertain(LOST))
    await ledger.record("f", transitions.resubmit())
    await bought(ledger, "f")

    assert {
        "sora-2": Spent(jobs=5, seconds=40.0),  # b, d, e, and f perhaps twice
        "veo-2.0-generate-001": Spent(jobs=1, unmeasured=1),
    } == await ledger.spent()


async def test_small_things_are_remembered(ledger: Ledger):
    """For example how long a model takes; the newest value counts."""
    await ledger.remember("pace", b"1")
    await ledger.remember("pace", b"\0\xff")

    assert b"\0\xff" == await ledger.recall("pace")
    assert None is await ledger.recall("other")


async def test_a_failed_job_can_be_wanted_again(ledger: Ledger):
    """A refused output may pass on another try, if the user wants one. The old id is not its id any more."""
    await ledger.intend([entry()])
    await bought(ledger, "a")
    await ledger.record("a", transitions.failed(JobFailed("no")))
    await ledger.record("a", transitions.resubmit())
    found = await known(ledger)

    assert (LedgerState.INTENDED, None, None, 0) == (found.state, found.video_id, found.error_type, found.written_off)
    await bought(ledger, "a")
    assert 2 == (await known(ledger)).attempts


async def test_media_are_there_while_it_may_be_sent(ledger: Ledger):
    """After that they would only take up space."""
    await ledger.intend([entry(request=WHOLE)])
    await ledger.record("a", transitions.sending())
    await ledger.record("a", transitions.uncertain(LOST))
    await ledger.record("a", transitions.resubmit())
    assert WHOLE == (await known(ledger)).request
    assert [WHOLE] == [each.request async for each in ledger.unfinished()]

    await bought(ledger, "a")
    await ledger.record("a", transitions.done())

    assert b"picture" != (await known(ledger)).request.image
    await ledger.sweep()
    assert "a cat" == (await known(ledger)).request.prompt


async def test_nothing_is_told_to_a_closed_ledger(ledger: Ledger):
    """Closing again is harmless, and every other call raises that it is closed."""
    await ledger.intend([entry()])
    await asyncio.gather(ledger.aclose(), ledger.aclose())
    await ledger.aclose()

    for call in (
        ledger.record("a", transitions.sending()),
        ledger.entry("a"),
        ledger.intend([entry("b")]),
        ledger.spent(),
        ledger.sweep(),
    ):
        with pytest.raises(SessionClosed):
            await call
    with pytest.raises(SessionClosed):
        await unfinished(ledger)
