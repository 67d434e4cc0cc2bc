from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import json
import os
import sys
import threading
import tracemalloc
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import pytest

from aihubmix_video.download.attempt_result import Cut, DiskTrouble, Saved
from aihubmix_video.download.download import Disk, Download, check_target
from aihubmix_video.download.write_buffer import DownloadLimits
from aihubmix_video.storage import filesystem
from tests.loopback.scripted import FIN, ScriptedServer, head, part, whole
from tests.loopback.sources import source
from tests.pure.films import FTYP, box, film, index

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator

    from aihubmix_video.download.attempt_result import ContentSource
    from tests.loopback.scripted import Script

T = TypeVar("T")

FILM = film(bytes(range(256)) * 256)
OTHER = film(bytes(reversed(range(256))) * 256)
HALF = len(FILM) // 2
CUT = [head(content_length=len(FILM), etag='"a"') + FILM[:HALF], 0.02, FIN]
REST = part(FILM, HALF, etag='"a"')


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    """Threads that end with the test."""
    disk = Disk()
    yield disk
    await disk.aclose()


@asynccontextmanager
async def serving(*scripts: Script) -> AsyncIterator[tuple[ScriptedServer, ContentSource]]:
    """Serve the scripts, one per request."""
    async with ScriptedServer(*scripts) as server, aiohttp.ClientSession() as session:
        yield server, source(session, server.url)


def saved(target: Path, body: bytes = FILM) -> Saved:
    """Say what a download of *body* comes to."""
    return Saved(path=target, bytes_written=len(body), sha256=hashlib.sha256(body).hexdigest(), verified=True)


def listing(folder: Path) -> list[Path]:
    """What lies in *folder*."""
    return sorted(folder.iterdir())


class FailingDisk(Disk):
    """Fails one kind of work with an error of the system, as often as said."""

    def __init__(self, work: Callable[..., object], number: int, times: int = 1) -> None:
        super().__init__()
        self._failing, self._number, self._times = work, number, times

    async def call(self, work: Callable[..., T], *args: object) -> T:
        """Do it, or fail."""
        if work is self._failing and self._times:
            self._times -= 1
            raise OSError(self._number, os.strerror(self._number))
        return await super().call(work, *args)


# Absent or complete.


@contextlib.contextmanager
def watched(path: Path) -> Iterator[list[bytes]]:
    """Read *path* over and over on a thread; gives every different content that was there."""
    seen: list[bytes] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.0005):
            with contextlib.suppress(FileNotFoundError):
                found = path.read_bytes()
                if found not in seen:
                    seen.append(found)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


DRIPPING = [
    head(content_length=len(FILM)),
    *(step for at in range(0, len(FILM), 5000) for step in (FILM[at : at + 5000], 0.005)),
]


async def test_the_path_is_absent_or_complete_at_every_instant(tmp_path: Path, disk: Disk):
    """D1: who sees the file may use it, at whatever moment he looks."""
    target = tmp_path / "film.mp4"

    with watched(target) as seen:
        async with serving(DRIPPING) as (_, content):
            outcome = await Download(target, disk=disk).attempt(content)
        await asyncio.sleep(0.05)

    assert saved(target) == outcome
    assert [FILM] == seen


async def test_a_file_that_is_replaced_is_the_old_one_or_the_new_one(tmp_path: Path, disk: Disk):
    """D1 with overwrite: there is no instant without a whole file."""
    target = tmp_path / "film.mp4"
    target.write_bytes(OTHER)

    with watched(target) as seen:
        async with serving(DRIPPING) as (_, content):
            outcome = await Download(target, disk=disk, overwrite=True).attempt(content)
        await asyncio.sleep(0.05)

    assert saved(target) == outcome
    assert [OTHER, FILM] == seen
    assert [target] == listing(tmp_path)


async def test_the_file_has_the_mode_that_the_users_files_have(tmp_path: Path, disk: Disk):
    """Unfinished it is the owner's alone; finished it is like any file he makes."""
    target, like = tmp_path / "film.mp4", tmp_path / "like"
    like.touch()
    download = Download(target, disk=disk)

    async with serving(CUT, REST) as (_, content):
        await download.attempt(content)
        assert download.part is not None
        unfinished = download.part.stat().st_mode & 0o777
        await download.attempt(content)

    assert 0o600 == unfinished
    assert like.stat().st_mode == target.stat().st_mode


# No clobber.


async def test_a_file_that_appears_meanwhile_is_kept_and_so_is_the_video(tmp_path: Path, disk: Disk):
    """D4: the user's file is not ours to replace, and the video was paid for; once the name is free it gets it."""
    target = tmp_path / "film.mp4"
    download = Download(target, disk=disk)

    async with serving(CUT, REST) as (server, content):
        await download.attempt(content)
        target.write_bytes(OTHER)
        outcome = await download.attempt(content)
        await download.discard()

        assert isinstance(outcome, DiskTrouble)
        assert (False, download.part) == (outcome.retry, outcome.kept)
        assert outcome.kept is not None
        assert (OTHER, FILM) == (target.read_bytes(), outcome.kept.read_bytes())

        target.unlink()
        assert saved(target) == await download.attempt(content)

    assert 2 == len(server.requests)
    assert FILM == target.read_bytes()
    assert [target] == listing(tmp_path)


async def test_a_file_with_the_same_bytes_is_the_video(tmp_path: Path, disk: Disk):
    """A process killed between naming its file and recording that finds it there, and must be able to finish."""
    target = tmp_path / "film.mp4"
    target.write_bytes(FILM)
    before = target.stat().st_ino

    async with serving(whole(FILM)) as (_, content):
        outcome = await Download(target, disk=disk).attempt(content)

    assert saved(target) == outcome
    assert before == target.stat().st_ino
    assert [target] == listing(tmp_path)


@pytest.mark.parametrize("body", [OTHER, FILM[:-1], FILM + b"\0", b""])
async def test_a_file_with_other_bytes_is_not_the_video(body: bytes, tmp_path: Path, disk: Disk):
    """Neither its size alone nor its name makes it so."""
    target = tmp_path / "film.mp4"
    target.write_bytes(body)

    async with serving(whole(FILM)) as (_, content):
        outcome = await Download(target, disk=disk).attempt(content)

    assert isinstance(outcome, DiskTrouble)
    assert body == target.read_bytes()


@pytest.mark.parametrize("overwrite", [True, False])
async def test_a_link_at_the_path_is_never_followed(overwrite: bool, tmp_path: Path, disk: Disk):  # noqa: FBT001  # a parameter
    """What it leads to stays as it is, even with the same bytes; only the link may be replaced, when asked."""
    target, elsewhere = tmp_path / "film.mp4", tmp_path / "elsewhere"
    elsewhere.write_bytes(FILM)
    target.symlink_to(elsewhere)
    before = elsewhere.stat().st_ino

    async with serving(whole(FILM)) as (_, content):
        outcome = await Download(target, disk=disk, overwrite=overwrite).attempt(content)

    assert overwrite == isinstance(outcome, Saved)
    assert overwrite != target.is_symlink()
    assert (before, FILM) == (elsewhere.stat().st_ino, elsewhere.read_bytes())


@pytest.mark.parametrize("overwrite", [True, False])
async def test_a_folder_at_the_path_is_told_and_the_video_kept(overwrite: bool, tmp_path: Path, disk: Disk):  # noqa: FBT001  # a parameter
    """K4: it appeared after the check; nothing is lost."""
    target = tmp_path / "film.mp4"
    target.mkdir()

    async with serving(whole(FILM)) as (_, content):
        outcome = await Download(target, disk=disk, overwrite=overwrite).attempt(content)

    assert isinstance(outcome, DiskTrouble)
    assert outcome.kept is not None
    assert FILM == outcome.kept.read_bytes()


@pytest.mark.parametrize("name", ["v" * 251 + ".mp4", "é" * 125 + "x.mp4", "視" * 83 + "xy.mp4"])
async def test_names_of_255_bytes_can_be_saved(name: str, tmp_path: Path, disk: Disk):
    """D4: the unfinished file's own name must not be longer than the system allows."""
    target = tmp_path / name
    assert 255 == len(os.fsencode(name))
    assert None is check_target(target, False)

    async with serving(CUT, REST) as (_, content):
        download = Download(target, disk=disk)
        outcomes = [await download.attempt(content) for _ in range(2)]

    assert saved(target) == outcomes[-1]
    assert FILM == target.read_bytes()


async def test_a_longer_name_is_refused_beforehand(tmp_path: Path):
    """D4: bytes count, not characters."""
    assert "its name has more than 255 bytes" == check_target(tmp_path / ("é" * 126 + ".mp4"), False)


# The disk refuses.


async def test_a_file_that_may_not_grow_is_continued_when_it_may(tmp_path: Path):
    """K1: the system takes what fits and refuses the rest (EFBIG, like ENOSPC); what it took is used."""
    body, have, limit, target = film(bytes(3 << 20)), 1_000_000, 1_500_000, tmp_path / "film.mp4"
    cut = [head(content_length=len(body), etag='"a"') + body[:have], 0.05, FIN]

    async with serving(cut, part(body, have, etag='"a"')) as (server, _):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.loopback.children.download_child", server.url, str(target), str(limit)),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await child.communicate()

    assert [["Cut", False, True], ["DiskTrouble", False, True], ["Saved", True, False]] == json.loads(printed)
    assert [None, *["bytes=1000000-"] * 2] == [request.headers.get("range") for request in server.requests]
    assert body == target.read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize(
    "work", [filesystem.append, filesystem.make_durable, filesystem.publish, filesystem.sync_folder, filesystem.go_on]
)
async def test_a_refusal_costs_an_attempt_and_never_the_file(work: Callable[..., object], number: int, tmp_path: Path):
    """K1, K2, K4: whatever fails, the path is absent or complete, and the next attempt finishes."""
    target, disk = tmp_path / "film.mp4", FailingDisk(work, number)
    download = Download(target, disk=disk)

    async with serving(whole(FILM, etag='"a"')) as (_, content):
        first = await download.attempt(content)
        assert isinstance(first, DiskTrouble)
        assert first.retry
        assert os.strerror(number) in first.reason
        assert not target.exists() or FILM == target.read_bytes()
        assert saved(target) == await download.attempt(content)
    await disk.aclose()

    assert FILM == target.read_bytes()
    assert [target] == listing(tmp_path)


async def test_after_a_failed_fsync_nothing_of_the_file_is_used(tmp_path: Path):
    """K2: the kernel may have dropped the bytes, and a second fsync would claim success."""
    disk = FailingDisk(filesystem.make_durable, errno.EIO)
    download = Download(tmp_path / "film.mp4", disk=disk)

    async with serving(CUT, REST, whole(FILM, etag='"a"')) as (server, content):
        await download.attempt(content)
        assert isinstance(await download.attempt(content), DiskTrouble)
        assert [] == listing(tmp_path)
        assert isinstance(await download.attempt(content), Saved)
    await disk.aclose()

    assert "range" not in server.requests[2].headers


class SmallDisk(Disk):
    """Says that little is free."""

    async def free_bytes(self, folder: Path) -> int | None:  # noqa: ARG002  # any folder
        """Room for half a film."""
        return HALF


async def test_a_film_that_does_not_fit_is_not_begun(tmp_path: Path):
    """S17: its length says so, before a full disk harms everybody else on it."""
    disk = SmallDisk()

    async with serving(whole(FILM)) as (_, content):
        outcome = await Download(tmp_path / "film.mp4", disk=disk, limits=DownloadLimits(reserve=0)).attempt(content)
    await disk.aclose()

    assert isinstance(outcome, DiskTrouble)
    assert outcome.retry
    assert [] == listing(tmp_path)


async def test_a_film_of_unknown_length_ends_before_the_disk_is_full(tmp_path: Path):
    """S17 without a length: the bytes are counted as they come."""
    disk = SmallDisk()

    async with serving([head(connection="close") + FILM, FIN]) as (_, content):
        outcome = await Download(tmp_path / "film.mp4", disk=disk, limits=DownloadLimits(reserve=0)).attempt(content)
    await disk.aclose()

    assert isinstance(outcome, DiskTrouble)
    assert [] == listing(tmp_path)


async def test_a_folder_that_is_gone_is_told(tmp_path: Path, disk: Disk):
    """K5: it was there when it was checked."""
    folder = tmp_path / "films"
    folder.mkdir()
    download = Download(folder / "film.mp4", disk=disk)

    async with serving(CUT, whole(FILM)) as (_, content):
        await download.attempt(content)
        assert download.part is not None
        download.part.unlink()
        folder.rmdir()
        outcome = await download.attempt(content)

        assert isinstance(outcome, DiskTrouble)
        folder.mkdir()
        assert isinstance(await download.attempt(content), Cut | Saved)


@pytest.mark.parametrize("change", ["gone", "shorter", "another"])
async def test_an_unfinished_file_that_somebody_changed_is_not_continued(change: str, tmp_path: Path, disk: Disk):
    """D3: what is known of its bytes holds only for the file that we wrote."""
    target = tmp_path / "film.mp4"
    download = Download(target, disk=disk)

    async with serving(CUT, REST, whole(FILM, etag='"a"')) as (_, content):
        await download.attempt(content)
        assert download.part is not None
        if change == "shorter":
            os.truncate(download.part, 10)
        else:
            download.part.rename(tmp_path / "moved")
        if change == "another":
            download.part.write_bytes(OTHER[:HALF])
        second = await download.attempt(content)
        third = await download.attempt(content)

    assert isinstance(second, Cut)
    assert 0 == second.received
    assert saved(target) == third
    assert FILM == target.read_bytes()


# Cancelled.


class Cancelling:
    """Awaits *work* and cancels the task at one of its awaits, counted from 1."""

    def __init__(self, work: Coroutine[Any, Any, T], at: int) -> None:
        self._work = work
        self._at = at
        self.awaits = 0

    def __await__(self) -> Generator[Any, Any, object]:
        advance: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                waited = advance()
            except StopIteration as end:
                return end.value
            self.awaits += 1
            if self.awaits == self._at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield waited
            except BaseException as error:  # noqa: BLE001  # all of it belongs to the work
                advance = partial(self._work.throw, error)
            else:
                advance = partial(self._work.send, None)


async def cancelled(work: Coroutine[Any, Any, T], at: int) -> bool:
    """Run *work* in a task that is cancelled at its await number *at*; gives whether that took effect."""

    async def run() -> None:
        await Cancelling(work, at)

    (result,) = await asyncio.gather(asyncio.create_task(run()), return_exceptions=True)
    if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
        raise result
    return result is not None


class CountedThreads(ThreadPoolExecutor):
    """Remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(2)
        self.given: list[Future[Any]] = []

    def submit(self, work: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:  # noqa: ANN401  # anything
        """Take work."""
        future = super().submit(work, *args, **options)
        self.given.append(future)
        return future


def open_files(folder: Path) -> list[str]:
    """Which files of *folder* this process holds open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(link.readlink()))
    return [name for name in found if name.startswith(str(folder))]


LONG = film(bytes(range(256)) * (9 << 10))
MIDDLE = len(LONG) // 2
STEPS = {
    "fresh": [whole(LONG, etag='"a"')],
    "unnamed": [whole(LONG)],
    "continued": [
        [head(content_length=len(LONG), etag='"a"') + LONG[:MIDDLE], 0.01, FIN],
        part(LONG, MIDDLE, etag='"a"'),
    ],
    "begun anew": [[head(content_length=len(LONG), etag='"a"') + LONG[:MIDDLE], 0.01, FIN], whole(LONG, etag='"b"')],
    "no video": [whole(b"<html>" * 100)],
    "broken": [whole(FTYP + box(b"mdat", bytes(3000)), etag='"a"')],
    "cut": [[head(content_length=len(LONG)) + LONG[:MIDDLE], FIN]],
}


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("steps", STEPS)
async def test_a_cancellation_at_any_await_leaves_nothing_but_what_can_be_continued(
    steps: str,
    overwrite: bool,  # noqa: FBT001  # a parameter
    tmp_path: Path,
):
    """No file stays open, no thread goes on, no other file lies about; and the same download finishes afterwards."""
    disk = Disk()
    disk._threads.shutdown()
    disk._threads = threads = CountedThreads()
    *before, script = STEPS[steps]
    at, stopped = 0, True
    while stopped:
        at += 1
        target = tmp_path / f"{at}.mp4"
        download = Download(target, disk=disk, overwrite=overwrite)
        async with serving(*before, script, whole(LONG, etag='"c"')) as (_, content):
            for _ in before:
                await download.attempt(content)
            stopped = await cancelled(download.attempt(content), at)

            assert [] == open_files(tmp_path)
            assert all(future.done() for future in threads.given)
            left = set(listing(tmp_path)) - set(download.parts)
            assert left <= {target}
            assert not left or LONG == target.read_bytes()
            assert download.part is None or download.part.exists()

            outcomes = [await download.attempt(content) for _ in range(3)]
        assert saved(target, LONG) == outcomes[-1]
        assert LONG == target.read_bytes()
        assert [target] == listing(tmp_path)
        target.unlink()
    assert at > 5  # so many awaits there are at least
    await disk.aclose()


# Memory.


async def test_a_large_film_passes_through_little_memory(tmp_path: Path, disk: Disk):
    """S4: many downloads run at once, and a film may be of any size."""
    size, target = 64 << 20, tmp_path / "film.mp4"
    begin = FTYP + index() + box(b"mdat", size=8 + size)
    piece = bytes(1 << 16)
    script = [head(content_length=len(begin) + size) + begin, *[piece] * (size // len(piece))]

    async with serving(script) as (_, content):
        tracemalloc.start()
        try:
            outcome = await Download(target, disk=disk).attempt(content)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert isinstance(outcome, Saved)
    assert len(begin) + size == target.stat().st_size
    assert peak < 8 << 20
