"""Batches, from the rows to the files, with and without a ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import BatchItem, VideoRequest
from aihubmix_video.errors import (
    AuthenticationError,
    InsufficientBalance,
    InvalidRequest,
    JobFailed,
    LedgerError,
    PermissionDenied,
    SubmitUncertain,
)
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.session.batch import MAX_UNBOUGHT_ROWS
from tests.loopback.sessions import AT_ONCE, WAN, files, opened, seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from pathlib import Path

    from aihubmix_video import VideoSession

QUICK: dict[str, Any] = {"poll_interval": 0.02}  # Any: the session's options
TRIES = 200  # turns of the loop in which something that must not happen would happen
SMALL: dict[str, Any] = AT_ONCE | {"content": 5_000}  # Any: the sandbox's options


def wan(prompt: str = "a cat") -> VideoRequest:
    """Return a request for the cheapest video."""
    return VideoRequest(prompt=prompt, **WAN)


def cats(count: int) -> list[VideoRequest]:
    """Return several different requests."""
    return [wan(f"cat {number}") for number in range(count)]


async def all_of(items: AsyncIterator[BatchItem]) -> list[BatchItem]:
    """Take every item, and return them by row."""
    return sorted([item async for item in items], key=lambda item: item.index)


async def run(session: VideoSession, rows: Iterable[object], folder: Path, **options: Any) -> list[BatchItem]:  # noqa: ANN401 - the batch's options
    """Run a batch to its end, and return its items."""
    return await all_of(session.batch(rows, to=folder / "{index}.mp4", **options))  # type: ignore[arg-type]


def kinds(items: Sequence[BatchItem]) -> list[type[BaseException] | None]:
    """Return how each row ended."""
    return [None if item.error is None else type(item.error) for item in items]


async def turns(count: int = TRIES) -> None:
    """Let all other tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


# Drawing rows.


@pytest.mark.looptime
async def test_rows_are_drawn_only_as_they_are_bought_and_taken(tmp_path: Path):
    """A generator of any length must take no more memory than the window, however long the consumer waits (R4)."""
    drawn = 0

    def rows() -> Iterator[VideoRequest]:
        nonlocal drawn
        for number in range(100_000):
            drawn += 1
            yield wan(f"cat {number}")

    async with Sandbox(**SMALL) as sandbox, opened(sandbox, max_in_flight=4) as session:
        items = session.batch(rows(), to=tmp_path / "{index}.mp4")
        assert (await anext(items)).ok
        await asyncio.sleep(3600)
        assert drawn <= 1 + 4 + MAX_UNBOUGHT_ROWS + 1
        assert sandbox.billed <= drawn
        held = drawn
        assert (await anext(items)).ok
        await asyncio.sleep(60)
        assert held < drawn <= held + 2
        await items.aclose()


@pytest.mark.looptime
async def test_any_sort_of_iterable_will_do(tmp_path: Path):
    """Users stream rows from files, queries and queues."""

    async def asynchronous() -> AsyncIterator[VideoRequest]:
        for request in cats(3):
            await asyncio.sleep(1)
            yield request

    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        for number, rows in enumerate([cats(3), tuple(cats(3)), iter(cats(3)), asynchronous()]):
            items = await run(session, rows, tmp_path / str(number))
            assert [0, 1, 2] == [item.index for item in items]
            assert [tmp_path / str(number) / f"{row}.mp4" for row in range(3)] == [item.path for item in items]
            assert all(item.path is not None and 5_000 == item.path.stat().st_size for item in items)
        assert [] == await run(session, [], tmp_path)
        assert 12 == sandbox.billed


@pytest.mark.looptime
async def test_mappings_are_read_as_rows_of_a_file_are(tmp_path: Path):
    """Rows are often dictionaries, and some users call the length ``duration``."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        items = await run(session, [{**WAN, "prompt": "a cat", "duration": 10}], tmp_path)
        assert [None] == kinds(items)
        assert items[0].request is not None
        assert 10 == items[0].request.seconds
        assert sandbox.log[0].body is not None
        assert "10" == sandbox.log[0].body["seconds"]


@pytest.mark.looptime
async def test_bad_rows_and_failing_jobs_end_nothing_else(tmp_path: Path):
    """One failure must not affect the other rows, and each says whether it cost money (C3)."""
    rows = [
        wan(),
        {"prompt": "no model"},
        7,
        None,
        wan("[fail]"),
        {**WAN, "promt": "a cat"},
        wan("[refuse]"),
        VideoRequest(prompt="a cat", seconds=99, **WAN),
        wan("another"),
    ]
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        items = await run(session, rows, tmp_path)
        assert list(range(9)) == [item.index for item in items]
        assert [0, 8] == [item.index for item in items if item.ok]
        for index in (1, 2, 3, 5, 7):
            assert isinstance(items[index].error, InvalidRequest)
            assert "no" == items[index].charged
        assert [None] * 4 == [items[index].request for index in (1, 2, 3, 5)]
        assert isinstance(items[4].error, JobFailed)
        assert isinstance(items[6].error, JobFailed)
        assert "no" == items[6].charged
        assert 3 == sandbox.billed
        assert "prompt" in str(items[5].error)


@pytest.mark.looptime
async def test_what_the_rows_raise_is_raised_after_all_rows_were_told(tmp_path: Path):
    """A broken query must not hide what was bought before it broke."""

    def rows() -> Iterator[VideoRequest]:
        yield from cats(5)
        raise ZeroDivisionError("the query broke")

    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        told: list[BatchItem] = []

        async def consume() -> None:
            async for item in session.batch(rows(), to=tmp_path / "{index}.mp4"):
                told.append(item)  # noqa: PERF401 - the items before the error count

        with pytest.raises(ZeroDivisionError, match="the query broke"):
            await consume()
        assert [0, 1, 2, 3, 4] == sorted(item.index for item in told if item.ok)
        assert 5 == sandbox.billed


@pytest.mark.looptime
async def test_jobs_in_flight_stay_within_their_limit_and_go_on_while_the_consumer_is_busy(tmp_path: Path):
    """The limit counts jobs that are bought and not finished. A slow consumer delays nothing within the window."""
    async with Sandbox(**(SMALL | {"generation": 6000.0})) as sandbox, opened(sandbox, max_in_flight=3) as session:
        most = 0
        items = session.batch(cats(20), to=tmp_path / "{index}.mp4")
        async for _ in items:
            await asyncio.sleep(10_000)
            most = max(most, session.stats().in_flight)
            break
        assert 3 <= sandbox.billed
        running = 0
        bought, over = Counter[str](), Counter[str]()
        for logged in sandbox.log:
            if logged.billed:
                bought[logged.video_id or ""] += 1
            elif logged.route == "content":
                over[logged.video_id or ""] += 1
            running = max(running, len(bought) - len(over))
        assert 3 == running
        assert 20 == sandbox.billed == len(files(tmp_path))
        await items.aclose()


# Stopping.


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (AuthenticationError, Fault.status(401, {"error": {"message": "bad key"}}, route="create", skip=5, times=None)),
        (PermissionDenied, Fault.status(403, {"error": {"message": "no"}}, route="create", skip=5, times=None)),
        (InsufficientBalance, None),
    ],
)
async def test_where_no_create_can_succeed_buying_stops_and_what_was_bought_is_collected(
    tmp_path: Path, kind: type[Exception], fault: Fault | None
):
    """Every further create would fail too. The five jobs paid for must still arrive, and every row must be reported."""
    async with (
        Sandbox(**SMALL, balance=None if fault else 5) as sandbox,
        opened(sandbox, rate=10.0, burst=1) as session,
    ):
        if fault is not None:
            sandbox.faults.add(fault)
        items = await run(session, cats(300), tmp_path)
        assert list(range(300)) == [item.index for item in items]
        assert [None] * 5 + [kind] * 295 == kinds(items)
        assert {"no"} == {item.charged for item in items[5:]}
        assert 5 == sandbox.billed
        assert seen(sandbox)["create"] <= 8


@pytest.mark.looptime
async def test_leaving_the_loop_early_withdraws_what_was_not_sent(tmp_path: Path):
    """A caller that leaves wants nothing more to be bought. What was bought is fetched while the session is open."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, rate=10.0, burst=1) as session:
        items = session.batch(cats(200), to=tmp_path / "{index}.mp4")
        async for _ in items:
            break
        await items.aclose()
        await turns()
        billed = sandbox.billed
        assert billed < 200
        assert 0 == session.stats().queued
        await asyncio.sleep(3600)
        assert billed == sandbox.billed
        assert billed == len(files(tmp_path))
        assert () == session.jobs()


# Files.


@pytest.mark.looptime
async def test_rows_that_want_one_file_are_told_apart_before_anything_is_paid(tmp_path: Path):
    """Two jobs written to one path would cost one of the videos."""
    (tmp_path / "0.mp4").write_bytes(b"mine")
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        items = await run(session, cats(2), tmp_path)
        assert [InvalidRequest, None] == kinds(items)
        assert b"mine" == (tmp_path / "0.mp4").read_bytes()
        assert 1 == sandbox.billed
        items = await run(session, cats(2), tmp_path, overwrite=True)
        assert [None, None] == kinds(items)
        assert 5_000 == (tmp_path / "0.mp4").stat().st_size
        with pytest.raises(InvalidRequest, match="index"):
            session.batch(cats(2), to=tmp_path / "one.mp4")

        both = await asyncio.gather(*(run(session, cats(3), tmp_path / "x") for _ in range(2)))
        assert {(None, InvalidRequest)} == {
            tuple(sorted(kinds(pair), key=lambda kind: kind is not None)) for pair in zip(*both, strict=True)
        }
        assert 6 == sandbox.billed


@pytest.mark.looptime
async def test_names_are_made_of_the_jobs_own_id_and_key(tmp_path: Path):
    """Ids are long and come from the gateway. The items contain the names made of them."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox) as session:
        for template in ("{id}.mp4", "{key}.mp4", "{model}/{index:03d}-{slug}.mp4"):
            items = await all_of(session.batch(cats(3), to=tmp_path / template))
            assert [None] * 3 == kinds(items)
            assert 3 == len({item.path for item in items})
            for item in items:
                assert item.path is not None
                assert item.path.is_file()
        assert (tmp_path / "wan2.6-t2v" / "001-cat-1.mp4").is_file()
        assert 9 == sandbox.billed


# With a ledger.


async def test_running_a_batch_again_buys_nothing_and_tells_every_row_again(tmp_path: Path):
    """The promise of the ledger. Intended duplicates are distinguished by their count, and not bought only once."""
    rows = [*cats(3), wan("cat 1"), wan("[fail]"), wan("[refuse]")]
    async with Sandbox(**SMALL) as sandbox:
        told = []
        for _ in range(3):
            async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
                told.append(await run(session, rows, tmp_path))
            assert 5 == sandbox.billed
            assert 6 == seen(sandbox)["create"]
        for items in told:
            assert [None] * 4 + [told[0][4].error.__class__, told[0][5].error.__class__] == kinds(items)
            assert [item.path for item in told[0]] == [item.path for item in items]
            assert [item.key for item in told[0]] == [item.key for item in items]
            assert [item.charged for item in told[0]] == [item.charged for item in items]
        assert isinstance(told[0][4].error, JobFailed)
        assert isinstance(told[0][5].error, JobFailed)


async def test_rows_added_are_bought_and_the_others_are_not(tmp_path: Path):
    """A batch grows from day to day."""
    async with Sandbox(**SMALL) as sandbox:
        for count in (2, 5):
            async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
                assert [None] * count == kinds(await run(session, cats(count), tmp_path))
            assert count == sandbox.billed


async def test_a_session_closed_in_the_middle_is_taken_up_by_resume(tmp_path: Path):
    """What was bought is fetched, what was not sent is bought, and nothing twice."""
    async with Sandbox(**SMALL) as sandbox:
        async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db", max_in_flight=3) as session:
            items = session.batch(cats(40), to=tmp_path / "{index}.mp4")
            done = {(await anext(items)).index for _ in range(5)}
            await items.aclose()
        assert all(name.endswith(".mp4") for name in files(tmp_path))
        assert 5 <= sandbox.billed < 40
        async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
            resumed = await all_of(session.resume())
            assert all(item.ok for item in resumed)
            assert not done & {item.index for item in resumed}
            assert [] == await all_of(session.resume())
        async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
            assert [None] * 40 == kinds(await run(session, cats(40), tmp_path))
        assert 40 == sandbox.billed
        assert all(name.endswith(".mp4") for name in files(tmp_path))


async def test_a_create_whose_answer_was_lost_is_told_each_time_and_never_bought_again(tmp_path: Path):
    """It may have been bought: only the user can decide."""
    async with Sandbox(**SMALL) as sandbox:
        sandbox.faults.add(Fault.reset(route="create", skip=1))
        for again in range(3):
            async with opened(sandbox, **QUICK, rate=50.0, burst=1, ledger=tmp_path / "l.db") as session:
                items = await run(session, cats(3), tmp_path)
                assert [SubmitUncertain] == [kind for kind in kinds(items) if kind]
                assert ["unknown"] == [item.charged for item in items if not item.ok]
                if again:
                    resumed = await all_of(session.resume())
                    assert [SubmitUncertain] == kinds(resumed)
                    assert "unknown" == resumed[0].charged
        assert 3 == seen(sandbox)["create"] == sandbox.billed


async def test_what_could_not_be_bought_for_want_of_money_is_bought_when_there_is_some(tmp_path: Path):
    """A refusal that concerns the account is not about the job. With a ledger, the job waits for the next run."""
    for number, kind in enumerate([InsufficientBalance, AuthenticationError]):
        folder = tmp_path / str(number)
        folder.mkdir()
        fault = Fault.status(401, {"error": {"message": "bad key"}}, route="create", skip=2, times=None)
        async with Sandbox(**SMALL, balance=2 if kind is InsufficientBalance else None) as sandbox:
            if kind is AuthenticationError:
                sandbox.faults.add(fault)
            async with opened(sandbox, **QUICK, rate=100.0, burst=1, ledger=folder / "l.db") as session:
                items = await run(session, cats(6), folder)
                assert [None, None, *[kind] * 4] == kinds(items)
                assert {"no"} == {item.charged for item in items[2:]}
                port = sandbox.port
        async with Sandbox(**SMALL, port=port) as sandbox:
            async with opened(sandbox, **QUICK, ledger=folder / "l.db") as session:
                assert [None] * 6 == kinds(await run(session, cats(6), folder))
            assert 4 == sandbox.billed


async def test_a_second_session_on_the_same_ledger_is_refused(tmp_path: Path):
    """Two would buy the same rows."""
    async with Sandbox(**SMALL) as sandbox, opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
        with pytest.raises(LedgerError, match=r"l\.db"):
            async with opened(sandbox, ledger=tmp_path / "l.db"):
                raise AssertionError
        assert [None] == kinds(await run(session, cats(1), tmp_path))


async def test_one_job_is_taken_up_once_however_often_it_is_asked_for(tmp_path: Path):
    """The same batch and its resume run at once in one session: nothing is bought twice, and every row is reported."""
    async with Sandbox(**SMALL) as sandbox:
        async with opened(sandbox, **QUICK, rate=5.0, burst=1, ledger=tmp_path / "l.db") as session:
            items = session.batch(cats(8), to=tmp_path / "{index}-{id}.mp4")
            await anext(items)
            await items.aclose()
        async with opened(sandbox, **QUICK, rate=100.0, burst=1, ledger=tmp_path / "l.db") as session:
            everything = await asyncio.gather(
                all_of(session.resume()),
                all_of(session.batch(cats(8), to=tmp_path / "{index}-{id}.mp4")),
                all_of(session.batch(cats(8), to=tmp_path / "{index}-{id}.mp4")),
                all_of(session.resume()),
            )
        assert 8 == sandbox.billed
        assert 8 == len(files(tmp_path))
        assert [None] * 8 == kinds(everything[1])
        assert [None] * 8 == kinds(everything[2])
        for items_of_resume in (everything[0], everything[3]):
            assert {None} >= set(kinds(items_of_resume))


async def test_a_job_whose_file_another_is_to_be_saved_to_stops_no_resumption(tmp_path: Path):
    """A job that cannot be resumed now is reported as paid for, and the others go on."""
    async with Sandbox(**SMALL) as sandbox:
        # Not finished as far as the session knows, or it might save them while it closes.
        sandbox.faults.add(Fault.edit({"status": "queued"}, route="create", times=2))
        async with opened(sandbox, ledger=tmp_path / "l.db") as session:
            jobs = [await session.submit("a cat", **WAN, to=tmp_path / name) for name in ("one.mp4", "two.mp4")]
        sandbox.faults.add(Fault.silence(route="content", times=1))
        async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
            video = await session.videos.retrieve(jobs[1].id or "")
            other = asyncio.create_task(video.save(tmp_path / "one.mp4"))
            while "content" not in seen(sandbox):  # noqa: ASYNC110 - it happens at the sandbox
                await asyncio.sleep(0.01)
            told = {item.key: item for item in await asyncio.wait_for(all_of(session.resume()), 10)}
            other.cancel()
            assert [InvalidRequest, None] == kinds([told[job.key] for job in jobs])
            assert ["yes", "yes"] == [item.charged for item in told.values()]
        async with opened(sandbox, **QUICK, ledger=tmp_path / "l.db") as session:
            assert [None] == kinds(await all_of(session.resume()))
        assert {"one.mp4", "two.mp4"} == set(files(tmp_path))
        assert 2 == sandbox.billed


async def test_a_batch_that_was_left_is_taken_up_in_the_same_session(tmp_path: Path):
    """Its bought jobs are still followed, and a second call reports them."""
    async with (
        Sandbox(**(SMALL | {"generation": 12.0})) as sandbox,
        opened(sandbox, **QUICK, ledger=tmp_path / "l.db", max_in_flight=2) as session,
    ):
        items = session.batch(cats(6), to=tmp_path / "{index}.mp4")
        await anext(items)
        await items.aclose()
        assert [None] * 6 == kinds(await run(session, cats(6), tmp_path))
        assert 6 == sandbox.billed


# An empty account, in any words.

EMPTY = [
    (400, {"error": {"message": "il credito non basta", "code": "K-17"}}),
    (402, {"error": {"message": "pay first", "type": "billing"}}),
    (422, {"detail": "no units left on the plan"}),
    (200, {"ok": False, "why": "nothing in the purse"}),
]


@pytest.mark.parametrize(("status", "body"), EMPTY, ids=["foreign", "402", "detail", "unreadable 200"])
@pytest.mark.parametrize("durable", [False, True], ids=["memory", "ledger"])
async def test_of_thirty_rows_on_an_empty_account_at_most_three_creates_leave(
    tmp_path: Path,
    status: int,
    body: dict[str, Any],
    durable: bool,  # noqa: FBT001 - the case
):
    """Whatever the wording: a list of phrases is never complete, and each create may be one too many."""
    async with Sandbox(**SMALL) as sandbox:
        sandbox.faults.add(Fault.status(status, body, route="create", times=None, after_processing=False))
        ledger = tmp_path / "run.db" if durable else None
        async with opened(sandbox, **QUICK, ledger=ledger) as session:
            items = await run(session, cats(30), tmp_path)
        assert 30 == len(items)
        assert all(not item.ok for item in items)
        assert 3 >= seen(sandbox)["create"]
        told = [item.error for item in items if "buying stopped" in str(item.error)]
        assert 27 == len(told) or all(isinstance(item.error, InsufficientBalance) for item in items)
        if durable and told:  # and the next run goes on, once creates are accepted again
            sandbox.faults.clear()
            async with opened(sandbox, **QUICK, ledger=ledger) as session:
                again = await run(session, cats(30), tmp_path)
            assert 27 == sum(item.ok for item in again)


async def test_told_to_keep_buying_a_batch_does(tmp_path: Path):
    """The user may know that the refusals are not about the account."""
    async with Sandbox(**SMALL) as sandbox:
        sandbox.faults.add(Fault.status(400, {"error": {"message": "no"}}, route="create", times=6))
        async with opened(sandbox, **QUICK) as session:
            items = await run(session, cats(10), tmp_path, keep_buying=True)
        assert 4 == sum(item.ok for item in items)
