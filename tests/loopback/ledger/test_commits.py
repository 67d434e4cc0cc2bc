"""What is acknowledged is durable, and many calls share one flush of the disk."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import threading
from typing import IO, TYPE_CHECKING

import pytest

from aihubmix_video.errors import LedgerError, SessionClosed
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.ledger.spill_file import emergency, emergency_path
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from tests.loopback.ledgers import can_mount, child, entry, opened, report, states

if TYPE_CHECKING:
    from pathlib import Path

ORDER = ("intended", "sending", "bought", "completed", "saved")
KILLS = 4


class Brake:
    """Blocks the writer's thread, as a slow flush of the disk would."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self._begun, self._go = threading.Event(), threading.Event()

    async def __aenter__(self) -> None:
        self._held = asyncio.ensure_future(self._ledger._writer.run(self._hold))
        await asyncio.to_thread(self._begun.wait)

    async def __aexit__(self, *_: object) -> None:
        self._go.set()
        await self._held

    def _hold(self, _connection: object) -> None:
        self._begun.set()
        self._go.wait()


async def test_all_that_waited_for_one_commit_share_the_next(tmp_path: Path):
    """A flush costs milliseconds, so one per call would take seconds for a thousand jobs."""
    async with opened(tmp_path / "run.db") as ledger:
        before = ledger.commits
        async with Brake(ledger):
            calls = [asyncio.ensure_future(ledger.intend([entry(f"{number}")])) for number in range(1000)]
            await asyncio.sleep(0)
        await asyncio.gather(*calls)

        assert 2 == ledger.commits - before
        assert 1000 == len(await ledger.page(limit=2000))


async def test_many_callers_take_far_fewer_transactions(tmp_path: Path):
    """Also if nothing delays them: each round of a hundred jobs takes a few flushes."""

    async def life(ledger: SqliteLedger, key: str) -> None:
        await ledger.intend([entry(key)])
        await ledger.record(key, transitions.sending())
        await ledger.record(key, transitions.bought("id"))
        await ledger.record(key, transitions.done())

    async with opened(tmp_path / "run.db") as ledger:
        before = ledger.commits
        await asyncio.gather(*(life(ledger, f"{number}") for number in range(250)))

        assert ledger.commits - before < 1000 / 10


async def test_one_illegal_call_does_not_harm_its_neighbours(tmp_path: Path):
    """They share a transaction, but not its errors."""
    async with opened(tmp_path / "run.db") as ledger:
        async with Brake(ledger):
            calls = [
                asyncio.ensure_future(call)
                for call in (
                    ledger.intend([entry("a")]),
                    ledger.record("a", transitions.completed(None)),
                    ledger.intend([entry("b"), entry("a")]),
                    ledger.record("a", transitions.sending()),
                    ledger.remember("n" * 10, b"value"),
                )
            ]
            await asyncio.sleep(0)
        results = await asyncio.gather(*calls, return_exceptions=True)

    assert [False, True, True, False, False] == [isinstance(result, LedgerError) for result in results]
    assert {"a": (LedgerState.UNCERTAIN, None)} == await states(tmp_path / "run.db")


async def test_an_intent_is_on_disk_when_the_call_returns(tmp_path: Path):
    """Before the first byte of a create is sent. The files are copied at that moment to show it."""
    (tmp_path / "copy").mkdir()
    async with opened(tmp_path / "run.db") as ledger:
        await ledger.intend([entry("a")])
        for name in ("run.db", "run.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "copy")

    assert {"a": (LedgerState.INTENDED, None)} == await states(tmp_path / "copy" / "run.db")


async def test_a_call_that_is_cancelled_is_carried_out(tmp_path: Path):
    """The next call for the same job must find it done, even if its caller has gone."""
    async with opened(tmp_path / "run.db") as ledger:
        await ledger.intend([entry("a")])
        async with Brake(ledger):
            call = asyncio.ensure_future(ledger.record("a", transitions.sending()))
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        await ledger.record("a", transitions.unsent())

        found = await ledger.entry("a")
        assert found is not None
        assert (LedgerState.INTENDED, 1) == (found.state, found.attempts)


async def test_closing_lets_finish_what_was_asked_for(tmp_path: Path):
    """Whichever task closes it, and however often."""
    ledger = await SqliteLedger.open(tmp_path / "run.db")
    async with Brake(ledger):
        calls = [asyncio.ensure_future(ledger.intend([entry(f"{number}")])) for number in range(3)]
        await asyncio.sleep(0)
        closes = [asyncio.ensure_future(ledger.aclose()) for _ in range(3)]
        await asyncio.sleep(0)
        closes[0].cancel()
        with pytest.raises(SessionClosed):
            await ledger.intend([entry("late")])
    await asyncio.gather(*calls, *closes[1:])

    assert 3 == len(await states(tmp_path / "run.db"))


def test_a_ledger_outlives_its_loop(tmp_path: Path):
    """`asyncio.run` twice with one ledger works, whatever still waited on the first loop."""

    async def begin() -> SqliteLedger:
        ledger = await SqliteLedger.open(tmp_path / "run.db")
        await ledger.intend([entry("a")])
        return ledger

    async def go_on(ledger: SqliteLedger) -> None:
        await ledger.record("a", transitions.sending())
        await ledger.aclose()

    ledger = asyncio.run(begin())
    asyncio.run(go_on(ledger))

    assert {"a": (LedgerState.UNCERTAIN, None)} == asyncio.run(states(tmp_path / "run.db"))


async def test_opening_that_is_cancelled_leaves_no_lock(tmp_path: Path):
    """The file can be opened as soon as the thread has noticed."""
    others = set(threading.enumerate())
    opening = asyncio.ensure_future(SqliteLedger.open(tmp_path / "run.db"))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    for thread in set(threading.enumerate()) - others:
        if thread.name == "aihubmix-ledger":
            await asyncio.to_thread(thread.join)

    async with opened(tmp_path / "run.db") as ledger:
        await ledger.intend([entry("a")])


def test_every_acknowledged_call_survives_kill_9(tmp_path: Path):
    """At any moment, with twenty jobs under way. What was recorded beyond that is at most one step ahead."""
    for path in (tmp_path / f"{kill}.db" for kill in range(KILLS)):
        with child("work", path) as (pid, printed):
            said = [printed.readline() for _ in range(random.randint(1, 1500))]  # noqa: S311 - where to kill
            said += _killed(pid, printed)
        acknowledged = dict(line.split() for line in said if line.endswith(b"\n"))

        found = asyncio.run(states(path))

        assert acknowledged
        assert [] == [key for key, state in acknowledged.items() if not _holds(found, key.decode(), state.decode())]


async def test_a_ledger_is_one_processs_until_that_ends(tmp_path: Path):
    """Two would buy the same jobs. The refusal names the holder, and kill -9 releases the lock at once."""
    path = tmp_path / "run.db"
    with child("hold", path) as (pid, printed):
        assert b"open\n" == await asyncio.to_thread(printed.readline)
        with pytest.raises(LedgerError, match=rf"in use by process {pid} on "):
            await SqliteLedger.open(path)
        _killed(pid, printed)

        assert {} == await states(path)


def test_a_forked_child_is_refused_and_harms_nobody(tmp_path: Path):
    """Its thread does not exist there, so a call would wait for ever. The child must not keep the lock either."""
    found = report("fork", tmp_path / "run.db")

    assert "after a fork" in found["refusal"]
    assert "uncertain" == found["state"]


def _killed(pid: int, printed: IO[bytes]) -> list[bytes]:
    """Kill the process, and return what it had printed until then."""
    os.kill(pid, signal.SIGKILL)
    return list(printed)


def _holds(found: dict[str, tuple[LedgerState, str | None]], key: str, acknowledged: str) -> bool:
    """Return whether a job is as far as was acknowledged; a create that was being sent has become uncertain."""
    state, video_id = found[key]
    reached = ORDER.index("sending" if state is LedgerState.UNCERTAIN else state.value)
    named = video_id == f"id of {key}" if reached >= ORDER.index("bought") else video_id is None
    return named and 0 <= reached - ORDER.index(acknowledged) <= 1


async def test_a_torn_log_loses_only_what_was_not_acknowledged(tmp_path: Path):
    """Power fails in the middle of a write: complete commits count, and half of one does not."""
    source, log = tmp_path / "run.db", tmp_path / "run.db-wal"
    async with opened(source) as ledger:
        ends = [log.stat().st_size]
        for number in range(4):
            await ledger.intend([entry(f"{number}")])
            ends.append(log.stat().st_size)
        database, whole = source.read_bytes(), log.read_bytes()

    for commits in range(5):
        for torn in (whole[: ends[commits]], whole[: ends[commits]] + b"\xa5" * 5000, whole[: ends[commits] + 1000]):
            copy = tmp_path / f"{commits}-{len(torn)}.db"
            copy.write_bytes(database)
            copy.with_name(copy.name + "-wal").write_bytes(torn)
            assert {f"{number}" for number in range(commits)} <= (await states(copy)).keys()
            assert commits + 1 > len(await states(copy)) or len(torn) == len(whole)


# Disks that refuse.


def _check_refusals(found: dict[str, object]) -> None:
    assert "make room" in str(found["refusal"]) or "is full" in str(found["refusal"])
    assert "first paid for yes" == found["lost"]
    assert found["acknowledged"] == found["found"] == found["readable"]
    assert "bought" == found["first"]


def test_a_full_disk_is_told_and_survived(tmp_path: Path):
    """The error has the id that could not be kept. What was acknowledged can be read, and with room it goes on."""
    if not can_mount(tmp_path):
        pytest.skip("no disks of our own can be made here")

    _check_refusals(report("full", tmp_path, alone=tmp_path))


def test_a_file_that_may_not_grow_is_told_and_survived(tmp_path: Path):
    """A limit on the file size is handled as a full disk is."""
    _check_refusals(report("limited", tmp_path / "run.db"))


def test_a_read_only_disk_is_named(tmp_path: Path):
    """Before anything is bought."""
    if not can_mount(tmp_path):
        pytest.skip("no disks of our own can be made here")

    assert "read-only" in report("readonly", tmp_path, alone=tmp_path)["refusal"]


# The spill file.


async def test_an_id_from_an_emergency_is_taken_in(tmp_path: Path):
    """A job whose id could not be written to the ledger was paid for. Opening the ledger again attaches the id."""
    path = tmp_path / "run.db"
    async with opened(path) as ledger:
        await ledger.intend([entry("a"), entry("b"), entry("c")])
        await ledger.record("a", transitions.sending())
        await ledger.record("b", transitions.sending())
    async with opened(path) as ledger:  # both are uncertain now
        await ledger.record("b", transitions.resubmit())
        await ledger.record("b", transitions.sending())

    assert emergency(path, "a", "id of a")
    assert emergency(path, "b", "id of b")
    emergency_path(path).write_bytes(emergency_path(path).read_bytes() + b'{"key": "c", "vid')
    assert emergency(path, "x", "id of nobody")

    wanted = {
        "a": (LedgerState.BOUGHT, "id of a"),
        "b": (LedgerState.BOUGHT, "id of b"),
        "c": (LedgerState.INTENDED, None),
    }
    assert wanted == await states(path)
    assert not emergency_path(path).exists()


def test_an_emergency_never_raises(tmp_path: Path):
    """It is called while another failure is being handled."""
    (tmp_path / "run.db.emergency").symlink_to(tmp_path / "elsewhere")

    assert not emergency(tmp_path / "run.db", "a", "id")
    assert not emergency(tmp_path / "missing" / "run.db", "a", "id")
    assert not (tmp_path / "elsewhere").exists()


def test_the_emergency_file_is_private(tmp_path: Path):
    """Ids give access to videos."""
    assert emergency(tmp_path / "run.db", "a", "id")

    assert 0o600 == emergency_path(tmp_path / "run.db").stat().st_mode & 0o777
