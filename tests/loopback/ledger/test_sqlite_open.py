"""Which files are opened, by which process, and what is in them."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import socket
import sqlite3
import stat
import traceback
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.errors import LedgerError, MalformedReply, SubmitUncertain
from aihubmix_video.ledger import sqlite_schema, transitions
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.ledger.media_store import MediaStore
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.types.request import VideoRequest
from tests.loopback.ledgers import entry, opened, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "sk-" + "canary" * 4
PICTURES = VideoRequest(model="kling-v2-6", image=b"first", image_tail=b"last", extra_body={"a": "x" * 3000})


@pytest.fixture
def no_mask() -> Iterator[None]:
    """Clear the umask, so that new files have the mode that they are created with."""
    before = os.umask(0)
    yield
    os.umask(before)


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file there is."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of every file and folder there is."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


async def refusal(path: Path) -> str:
    """Return the message with which a ledger is refused."""
    with pytest.raises(LedgerError) as caught:
        await SqliteLedger.open(path)
    return str(caught.value)


# Privacy.


@pytest.mark.usefixtures("no_mask")
async def test_only_the_owner_can_read_any_of_it(tmp_path: Path):
    """Prompts and pictures are private, and ids give access to videos."""
    async with opened(tmp_path / "run.db") as ledger:
        await ledger.intend([entry(request=PICTURES)])
        found = modes(tmp_path)

    assert {"run.db", "run.db-wal", "run.db-shm", "run.db.lock", "run.db.media"} <= found.keys()
    assert 0o700 == found.pop("run.db.media")
    assert {0o600} == set(found.values())
    assert 4 + 3 == len(found)  # and three media


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path):
    """It may have been copied there with an open mode."""
    await states(tmp_path / "run.db")
    (tmp_path / "run.db").chmod(0o644)

    await states(tmp_path / "run.db")

    assert 0o600 == stat.S_IMODE((tmp_path / "run.db").stat().st_mode)


async def test_the_key_is_in_no_file(tmp_path: Path):
    """Nor in what a gateway quoted of it; only its digest is, which distinguishes it from other keys."""
    quoting = MalformedReply(f"wrong key: {KEY}", body=f'{{"key": "{KEY}"}}'.encode())
    async with opened(tmp_path / "run.db") as ledger:
        await ledger.bind("https://aihubmix.com", KEY)
        await ledger.intend([entry()])
        await ledger.record("a", transitions.failed(quoting))
        while_open = files(tmp_path)

    for found in (while_open, files(tmp_path)):
        assert [] == [name for name, data in found.items() if KEY.encode() in data or b"canary" in data]
    assert b"wrong key" in b"".join(files(tmp_path).values())


async def test_a_ledger_of_another_account_is_refused(tmp_path: Path):
    """Its jobs would not be found there, and would seem lost. Both accounts are named, and the key is never shown."""
    path = tmp_path / "run.db"
    async with opened(path) as ledger:
        await ledger.bind("https://aihubmix.com", "sk-another-key")
        await ledger.intend([entry("a")])
        await ledger.record("a", transitions.sending())
    async with opened(path) as ledger:
        await ledger.bind("https://aihubmix.com", "sk-another-key")
        with pytest.raises(LedgerError, match=r"key #\w{8}, and this session uses https://aihubmix.com") as caught:
            await ledger.bind("https://aihubmix.com", KEY)
        with pytest.raises(LedgerError, match=r"holds jobs of https://aihubmix.com .* uses http://127.0.0.1"):
            await ledger.bind("http://127.0.0.1:80", "sk-another-key")
        with pytest.raises(LedgerError, match=r"uses http://127.0.0.1"):
            await ledger.bind("http://127.0.0.1:80", KEY, new_key=True)  # no key is right for another gateway
        await ledger.bind("https://aihubmix.com", KEY, new_key=True)
        await ledger.bind("https://aihubmix.com", KEY)

    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in told.stack if "ledger" in frame.filename and "tests" not in frame.filename]
    assert ours
    assert [] == [frame for frame in ours if "canary" in str(frame.locals)]


async def test_a_ledger_with_which_nothing_was_bought_takes_another_key(tmp_path: Path):
    """A first run with a mistyped key must not lock the right one out."""
    path = tmp_path / "run.db"
    async with opened(path) as ledger:
        await ledger.bind("https://aihubmix.com", "sk-mistyped")
        await ledger.intend([entry("a")])
        await ledger.record("a", transitions.sending())
        await ledger.record("a", transitions.unsent())
    async with opened(path) as ledger:
        await ledger.bind("https://aihubmix.com", KEY)
        await ledger.record("a", transitions.sending())
    async with opened(path) as ledger:
        with pytest.raises(LedgerError, match=r"key #"):
            await ledger.bind("https://aihubmix.com", "sk-mistyped")


# Locks.


async def test_a_ledger_is_opened_once(tmp_path: Path):
    """Also in one process, and whatever the spelling of its path."""
    (tmp_path / "link").symlink_to(tmp_path)
    async with opened(tmp_path / "run.db"):
        assert "in use by this process" in await refusal(tmp_path / "run.db")
        assert "in use by this process" in await refusal(tmp_path / "link" / "run.db")

    assert {} == await states(tmp_path / "run.db")


def _no_locks(*_: object) -> None:
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


def _locks_that_never_hold(*_: object) -> None:
    return


@pytest.mark.parametrize("flock", [_no_locks, _locks_that_never_hold])
async def test_where_locks_do_not_work_the_holder_is_still_respected(
    flock: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """Some network file systems have no locks, and some only report them; there a warning is logged."""
    monkeypatch.setattr(fcntl, "flock", flock)
    lock = tmp_path / "run.db.lock"

    async with opened(tmp_path / "run.db"):
        assert "file locks do not work" in caplog.text
        assert "in use by this process" in await refusal(tmp_path / "run.db")
    assert {} == await states(tmp_path / "run.db")

    gone = {"pid": 2**22 + 1, "host": socket.gethostname(), "born": "1"}  # above the largest process id
    lock.write_text(json.dumps(gone))
    assert {} == await states(tmp_path / "run.db")

    lock.write_text(json.dumps(gone | {"pid": os.getpid()}))  # the pid was assigned again
    assert {} == await states(tmp_path / "run.db")

    lock.write_text(json.dumps(gone | {"host": "elsewhere"}))
    said = await refusal(tmp_path / "run.db")
    assert "on elsewhere" in said
    assert f"delete {lock}" in said


# Files that are not ledgers of ours.


async def test_a_newer_ledger_is_refused(tmp_path: Path):
    """It may hold what this version does not understand. Both versions are named, and nothing is changed."""
    path = tmp_path / "run.db"
    await states(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()

    assert (
        f"has version 99, and this aihubmix_video reads up to version {len(sqlite_schema.MIGRATIONS)}"
        in await refusal(path)
    )
    assert before == path.read_bytes()


def test_an_older_ledger_is_brought_up_to_date_at_once_or_not_at_all(tmp_path: Path):
    """A migration that is interrupted leaves the old version, whole."""
    path = tmp_path / "run.db"
    connection = sqlite3.connect(path, isolation_level=None)
    sqlite_schema.migrate(connection, [["CREATE TABLE facts (name, value)"]])
    added = ["CREATE TABLE b (x)", "INSERT INTO b VALUES (1)"]

    with pytest.raises(sqlite3.OperationalError):
        sqlite_schema.migrate(connection, [[], [*added, "no SQL"]])
    assert (1,) == connection.execute("PRAGMA user_version").fetchone()
    assert [] == connection.execute("SELECT * FROM sqlite_master WHERE name = 'b'").fetchall()
    sqlite_schema.migrate(connection, [[], added, []])
    sqlite_schema.migrate(connection, [[], added, []])

    assert (3,) == connection.execute("PRAGMA user_version").fetchone()
    assert [(1,)] == connection.execute("SELECT * FROM b").fetchall()
    connection.close()


async def test_what_is_no_ledger_is_left_alone(tmp_path: Path):
    """A wrong path must not cost a user a file."""
    text, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("my notes, which are longer than the header of a database" * 20)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = text.read_bytes(), other.read_bytes(), text.stat().st_mode, other.stat().st_mode

    assert "is not a ledger" in await refusal(text)
    assert "the database of another program" in await refusal(other)
    assert before == (text.read_bytes(), other.read_bytes(), text.stat().st_mode, other.stat().st_mode)


@pytest.mark.parametrize(
    "content",
    [
        *(b"x", b"\0", b"sk-canary", b"my notes\n" * 20, b"{}", b"\0" * 4096, b"SQLite format 2\0" + b"\0" * 4080),
        *(b"SQLite format 3\0", b"SQLite format 3\0" + b"x" * 400, b"SQLite forma", b"x" * 511, b"x" * 512, b"x" * 513),
    ],
)
async def test_a_file_of_another_format_is_refused_and_not_changed(tmp_path: Path, content: bytes):
    """SQLite takes a file below its smallest page for an empty one, so a wrong path would cost the user that file."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    path.chmod(0o640)
    before = path.stat()

    said = await refusal(path)

    assert f"{path} is not a ledger" in said
    assert "does not begin as a SQLite database does" in said
    assert "Give the path of a ledger, or of a file that does not exist yet." in said
    assert "canary" not in said  # it may be the file with the key
    assert content == path.read_bytes()
    after = path.stat()
    assert (before.st_mode, before.st_mtime_ns, before.st_ino) == (after.st_mode, after.st_mtime_ns, after.st_ino)
    assert {"notes.txt", "notes.txt.lock"} == files(tmp_path).keys()


async def test_an_empty_file_becomes_a_ledger(tmp_path: Path):
    """`mktemp` makes such files, and so does a process that was killed before its first commit."""
    path = tmp_path / "run.db"
    path.touch()

    async with opened(path) as ledger:
        await ledger.intend([entry("a")])

    assert {"a": (LedgerState.INTENDED, None)} == await states(path)


async def test_a_first_commit_that_the_power_cut_is_undone(tmp_path: Path):
    """SQLite knows from its journal that the file was empty. The zeros are what a torn page leaves."""
    path, made = tmp_path / "run.db", tmp_path / "made.db"
    connection = sqlite3.connect(made, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("PRAGMA cache_size = 0")
    connection.execute("CREATE TABLE one (x)")
    connection.execute("INSERT INTO one VALUES (zeroblob(100000))")  # more than the cache holds, so it is spilled
    journal = (tmp_path / "made.db-journal").read_bytes()
    assert journal.strip(b"\0")
    (tmp_path / "run.db-journal").write_bytes(journal)
    path.write_bytes(bytes(4096))
    connection.close()

    async with opened(path) as ledger:
        await ledger.intend([entry("a")])

    assert {"a": (LedgerState.INTENDED, None)} == await states(path)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal", ".lock"])
async def test_a_link_is_not_followed(tmp_path: Path, suffix: str):
    """Anyone who may write to the folder could have another file overwritten."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    (tmp_path / f"run.db{suffix}").symlink_to(victim)

    assert "link" in await refusal(tmp_path / "run.db")
    assert b"" == victim.read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/run.db", "does not exist"),
        ("folder", "a folder"),
        ("n" * 300, "too long"),
        ("nul\0", "could not be opened"),
        ("file/run.db", "does not exist"),
    ],
)
async def test_a_path_that_cannot_be_is_named(tmp_path: Path, name: str, said: str):
    """The message says what to do about it; the system's own exceptions are not raised."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    assert said in await refusal(tmp_path / name)


async def test_a_damaged_ledger_is_told(tmp_path: Path):
    """At the call that meets the damage, as a `LedgerError`."""
    path = tmp_path / "run.db"
    async with opened(path) as ledger:
        await ledger.intend(
            [entry(f"{number}", request=VideoRequest(model="m", prompt="x" * 3000)) for number in range(50)]
        )
    data = bytearray(path.read_bytes())
    data[8192:-8192] = b"\xff" * (len(data) - 16384)
    path.write_bytes(data)

    with pytest.raises(LedgerError, match="damaged"):
        await states(path)


async def test_opening_reads_no_jobs_that_need_nothing(tmp_path: Path):
    """A ledger of a hundred thousand jobs opens as quickly as an empty one, with the same memory."""
    path = tmp_path / "run.db"
    async with opened(path) as ledger:
        await ledger.intend([entry(f"{number}") for number in range(5000)])
    tracemalloc.start()

    async with opened(path) as ledger:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        first = [each async for each in ledger.unfinished() if each.key == "0"]

    assert peak < 5000 * 40
    assert 1 == len(first)


async def test_values_that_cannot_be_written_are_refused(tmp_path: Path):
    """Text that is not valid Unicode, and numbers beyond 64 bits; the ledger stays usable."""
    async with opened(tmp_path / "run.db") as ledger:
        await ledger.intend([entry("a")])
        await ledger.record("a", transitions.sending())
        for call in (
            ledger.intend([entry("\ud800")]),
            ledger.intend([entry("b"), entry("c", index=2**70)]),
            ledger.record("a", transitions.bought("\ud800")),
            ledger.remember("big", bytes(2**20 + 1)),
        ):
            with pytest.raises(LedgerError):
                await call
        await ledger.record("a", transitions.bought("id"))

    assert {"a": (LedgerState.BOUGHT, "id")} == await states(tmp_path / "run.db")


# Reference media.


async def test_a_medium_is_kept_once_and_swept_when_nobody_needs_it(tmp_path: Path):
    """Sixty rows often share one picture, and disk space is limited."""
    folder = tmp_path / "run.db.media"
    async with opened(tmp_path / "run.db") as ledger:
        assert 0 == await ledger.sweep()
        await ledger.intend([entry("a", request=PICTURES), entry("b", request=PICTURES), entry("c")])
        await ledger.record("a", transitions.dropped())
        await ledger.record("c", transitions.dropped())
        (folder / "left.over.part").touch()
        assert 3 + 1 == len(files(folder))
        assert 1 == await ledger.sweep()
        assert 3 == len(files(folder))

        found = await ledger.entry("b")
        assert found is not None
        assert PICTURES == found.request
        await ledger.record("b", transitions.dropped())

        assert 3 == await ledger.sweep()
    assert {} == files(folder)


async def test_sweeping_takes_nothing_from_an_intent_under_way(tmp_path: Path):
    """Between writing a medium and committing the intent that needs it, no job seems to need it."""
    async with opened(tmp_path / "run.db") as ledger:
        for number in range(20):
            request = VideoRequest(model="m", image=f"picture {number}".encode())
            await asyncio.gather(ledger.sweep(), ledger.intend([entry(f"{number}", request=request)]), ledger.sweep())

        pictures = [each.request.image async for each in ledger.unfinished()]

    assert [f"picture {number}".encode() for number in range(20)] == pictures


def test_a_claimed_medium_is_not_swept(tmp_path: Path):
    """However many calls claim it, until the last has released it."""
    store = MediaStore(tmp_path / "run.db")
    store.claim(["a" * 64])
    store.claim(["a" * 64])
    store.keep({"a" * 64: b"picture"})

    assert 0 == store.sweep(frozenset())
    store.release(["a" * 64])
    assert 0 == store.sweep(frozenset())
    store.release(["a" * 64])
    assert 1 == store.sweep(frozenset())


async def test_a_medium_that_changed_is_not_used(tmp_path: Path):
    """It would buy something that was never requested. Reading its path finds no file."""
    async with opened(tmp_path / "run.db") as ledger:
        await ledger.intend([entry(request=VideoRequest(model="m", image=b"picture"))])
        (medium,) = (tmp_path / "run.db.media").iterdir()
        medium.write_bytes(b"another")

        found = await ledger.entry("a")
        again = await ledger.entry("a")

    assert found is not None
    assert again is not None
    assert medium == found.request.image == again.request.image
    assert not medium.exists()


async def test_a_link_in_place_of_the_media_is_refused(tmp_path: Path):
    """Pictures would be written to where the link leads. The job is not recorded."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run.db.media").symlink_to(tmp_path / "elsewhere")
    async with opened(tmp_path / "run.db") as ledger:
        with pytest.raises(LedgerError, match="not a folder"):
            await ledger.intend([entry(request=PICTURES)])

        assert [] == await ledger.page()
    assert {} == files(tmp_path / "elsewhere")


async def test_an_id_that_could_not_be_written_is_found_again(tmp_path: Path):
    """A job whose id is lost cannot be fetched, so if the ledger fails, the spill file beside it keeps the id."""
    path = tmp_path / "run.db"
    ledger = await SqliteLedger.open(path)
    await ledger.intend([entry("a")])
    await ledger.record("a", transitions.sending())
    await ledger.record("a", transitions.uncertain(SubmitUncertain("lost")))  # from here on, writing the id fails
    with pytest.raises(LedgerError) as caught:
        await ledger.record("a", transitions.bought("the id"))
    assert "the id" == caught.value.job_id
    await ledger.aclose()

    async with opened(path) as again:
        found = await again.entry("a")
        assert found is not None
        assert (LedgerState.BOUGHT, "the id") == (found.state, found.video_id)
