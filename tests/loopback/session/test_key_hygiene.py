"""The key does not leak: it is in nothing that a program prints, logs, pickles, stores, or sends to another server.

The failures here are those of real gateways. Everything that results is searched for the key, also the local variables
of every frame of a traceback, as error trackers collect them.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import ssl
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from aihubmix_video import VideoSession
from aihubmix_video.errors import AuthenticationError, ConfigurationError, SubmitUncertain, VideoError
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.settings import settings_from
from tests.loopback.cli.test_commands import PROGRAM, environment
from tests.loopback.scripted import FIN, ScriptedServer, head, whole
from tests.loopback.sessions import AT_ONCE, WAN, opened
from tests.loopback.tracing import needs_strace, traced

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Awaitable, Callable

    from aihubmix_video.sandbox.faults import Match
    from aihubmix_video.sandbox.routing import Route

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CANARY = "sk-canary0123456789-canary"
NEEDLE = "canary0123456789"
"""The part that is looked for: masked or quoted in part, the key would still be out."""


async def create(session: VideoSession, _video_id: str, _folder: Path) -> object:
    """Buy a video."""
    return await session.videos.create("a cat", **WAN)


async def retrieve(session: VideoSession, video_id: str, _folder: Path) -> object:
    """Poll a job once."""
    return await session.videos.retrieve(video_id)


async def follow(session: VideoSession, video_id: str, _folder: Path) -> object:
    """Wait for a job whose polls fail until the deadline."""
    return await session.job(video_id)


async def content(session: VideoSession, video_id: str, folder: Path) -> object:
    """Download a video."""
    return await session.videos.download_content(video_id, folder / "a.mp4")


async def delete(session: VideoSession, video_id: str, _folder: Path) -> object:
    """Delete a job."""
    await session.videos.delete(video_id)
    return None


CALLS: dict[str, tuple[Route, Any]] = {
    "create": ("create", create),
    "retrieve": ("retrieve", retrieve),
    "follow": ("retrieve", follow),
    "content": ("content", content),
    "delete": ("delete", delete),
}

ECHO = f'{{"error": {{"message": "Incorrect API key provided: {CANARY}", "code": "{CANARY}", "type": "{CANARY}"}}}}'
PAGE = f"<html><head><title>Bearer {CANARY}</title></head><body>Authorization: Bearer {CANARY}</body></html>"
AS_TITLE = {"Content-Type": "text/html", "X-Request-Id": CANARY}


def mishaps(route: Route) -> list[Fault]:
    """Return the faults to inject on one endpoint, each at every request."""
    always: Match = {"route": route, "times": None}
    return [
        Fault.reset(**always),
        Fault.close(**always),
        Fault.silence(**always),
        Fault.cut(10, **always),
        Fault.cut(10, ending="silence", **always),
        Fault.chunked("bad", **always),
        Fault.length("5, 6", **always),
        Fault.huge_header(**always),
        Fault.endless("headers", every=5.0, **always),
        Fault.redirect("https://user:word@elsewhere.example/", **always),
        Fault.status(200, ECHO, **always),
        Fault.status(401, ECHO, **always),
        Fault.status(404, ECHO, **always),
        Fault.status(501, ECHO, **always),
        Fault.status(503, PAGE, headers=AS_TITLE, **always),
    ]


def spill(error: BaseException) -> str:
    """Return all that an error reveals: its text, its values, its pickle, and every frame's locals."""
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    pickled = pickle.dumps(error).decode("latin-1") if isinstance(error, VideoError) else ""
    chained = "".join(spill(other) for other in (error.__cause__, error.__context__) if other is not None)
    return "\n".join([told, str(error), repr(error), repr(error.args), repr(error.__dict__), pickled, chained])


async def caught(calling: Awaitable[object]) -> BaseException | None:
    """Return what a call raised, cancellation included."""
    try:
        await calling
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it is, it is searched
        return error
    return None


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Collect what every logger says, at every level, with the arguments as they were given."""
    caplog.set_level(logging.DEBUG)

    def text() -> str:
        lines = []
        for record in caplog.records:
            lines += [record.getMessage(), repr(record.args), repr(record.__dict__)]
            if record.exc_info is not None and record.exc_info[1] is not None:
                lines.append(spill(record.exc_info[1]))
        return "\n".join(lines)

    return text


@pytest.mark.parametrize("name", CALLS)
async def test_no_error_holds_the_key(name: str, tmp_path: Path, logged: Callable[[], str]):
    """Errors end up in trackers, logs and chats. If a gateway quotes the key, the client must not spread it."""
    asyncio.get_running_loop().set_debug(True)  # asyncio describes its callbacks then
    route, call = CALLS[name]
    for fault in mishaps(route):
        async with (
            Sandbox(**AT_ONCE, api_key=CANARY) as sandbox,
            opened(sandbox, poll_interval=60.0, deadline=300.0) as session,
        ):
            video = await session.videos.create("a dog", **WAN)
            sandbox.faults.add(fault)
            error = await caught(call(session, video.id, tmp_path))
            if error is None:  # some cause no error, such as deleting a job that no longer exists
                assert name in {"delete", "content"}, fault.name
                continue
            assert isinstance(error, VideoError), fault.name
            assert NEEDLE not in spill(error), fault.name
    assert NEEDLE not in logged()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("begun", [False, True])
async def test_no_cancellation_holds_the_key(name: str, *, begun: bool, tmp_path: Path, logged: Callable[[], str]):
    """A cancelled request unwinds through the library's frames, which hold its headers."""
    asyncio.get_running_loop().set_debug(True)
    route, call = CALLS[name]
    always: Match = {"route": route, "times": None}
    fault = Fault.cut(10, ending="silence", **always) if begun else Fault.silence(**always)
    async with Sandbox(**AT_ONCE, api_key=CANARY) as sandbox, opened(sandbox) as session:
        video = await session.videos.create("a dog", **WAN)
        sandbox.faults.add(fault)
        calling = asyncio.create_task(call(session, video.id, tmp_path))
        await asyncio.sleep(1.0)
        assert fault.name in {seen.fault for seen in sandbox.log}
        requests = [task for kind in session._manager._scheduler_loop._tasks.values() for task in kind.values()]
        assert requests or name in {"retrieve", "delete"}, "jobs' requests are cancelled in their own tasks"
        for task in (calling, *requests):
            task.cancel("enough")
            error = await caught(task)
            assert error is None or NEEDLE not in spill(error)
    assert NEEDLE not in logged()


async def test_a_quoted_key_of_any_shape_is_masked():
    """Keys need not begin with sk-. A quoted key is masked because it is the key, not because it looks like one."""
    key = "canary0123456789.without+the/usual=prefix"
    async with Sandbox(**AT_ONCE, api_key=key) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(200, f"Bearer {key}, task_id task-0123456789", route="create"))
        error = await caught(session.videos.create("a cat", **WAN))
        assert isinstance(error, SubmitUncertain)
        assert b"Bearer sk-..., task_id task-0123456789" == error.body
        assert NEEDLE not in spill(error)


async def test_no_failed_connection_holds_the_key(tmp_path: Path, logged: Callable[[], str]):
    """The library attaches the request to what it raises, also when nothing was sent."""
    asyncio.get_running_loop().set_debug(True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with ScriptedServer([head(200, content_length=9) + b"{", FIN]) as cutting, Sandbox(ssl=context) as untrusted:
        plain = cutting.url.removesuffix("/video")
        urls = [untrusted.url, plain, plain.replace("http:", "https:"), "https://nowhere.invalid", "http://127.0.0.1:1"]
        for url in urls:
            async with VideoSession(CANARY, base_url=url, trust_env=False) as session:
                for call in (create, retrieve, content, delete):
                    error = await caught(call(session, "video_1", tmp_path))
                    assert isinstance(error, VideoError), url
                    assert NEEDLE not in spill(error), url
    assert NEEDLE not in logged()


async def test_nothing_that_is_shown_holds_the_key():
    """A repr in a notebook, a log line or an error tracker shows everything but the key."""
    async with Sandbox(**AT_ONCE, api_key=CANARY) as sandbox, opened(sandbox) as session:
        job = await session.submit("a cat", **WAN)
        shown = [session, job, await job, session.stats(), session.videos, sandbox, sandbox.log]
        shown += [session.__dict__, session._settings, session._settings.api_key]
        assert NEEDLE not in "".join(f"{each!r} {each!s}" for each in shown)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(session._settings)
    assert NEEDLE not in repr(session)


@pytest.mark.parametrize(
    "key",
    [f" {CANARY} x", f"Bearer {CANARY}", f'"{CANARY}"', f"{CANARY}\x00", f"{CANARY}é", f"${CANARY}", f"<{CANARY}>"],
)
async def test_a_key_that_cannot_be_used_is_not_quoted(key: str):
    """It is a real key with a typing error, and the message ends up in a screenshot."""
    error = await caught(_settle(key))
    assert isinstance(error, ConfigurationError)
    assert NEEDLE not in f"{error!s} {error!r} {error.args} {error.__dict__} {error.__context__!r}"
    assert NEEDLE.encode() not in pickle.dumps(error)


async def _settle(key: str) -> object:
    return settings_from(api_key=key, base_url=None, trust_env=False, environ={})


async def test_no_log_of_a_good_run_holds_the_key(tmp_path: Path, logged: Callable[[], str]):
    """DEBUG logs are sent to support; asyncio's own show callbacks and their arguments."""
    asyncio.get_running_loop().set_debug(True)
    asyncio.get_running_loop().slow_callback_duration = 0.0  # it reports every callback then
    async with Sandbox(**AT_ONCE, api_key=CANARY) as sandbox, opened(sandbox) as session:
        video = await session.generate("a cat", **WAN, to=tmp_path / "a.mp4")
        await session.videos.delete(video.id)
    text = logged()
    assert text
    assert NEEDLE not in text


@pytest.mark.looptime(False)  # the ledger's thread lives in real time
async def test_no_file_of_a_ledger_holds_the_key(tmp_path: Path):
    """Ledgers are copied, backed up and sent to support. They hold only a digest of the key, to compare accounts."""
    folder = tmp_path / "run"
    folder.mkdir()
    create_once: Match = {"route": "create"}
    async with Sandbox(**AT_ONCE, api_key=CANARY) as sandbox:
        async with opened(sandbox, ledger=folder / "jobs.ledger", poll_interval=0.05) as session:
            for fault in (Fault.status(200, PAGE, **create_once), Fault.status(400, ECHO, **create_once)):
                sandbox.faults.add(fault)
                assert await caught(session.submit("a cat", **WAN)) is not None
            await session.generate("a cat", **WAN, to=folder / "a.mp4")
            during = _bytes_in(folder)
        kept = _bytes_in(folder)
    assert kept
    assert NEEDLE.encode() not in during
    assert NEEDLE.encode() not in kept


def _bytes_in(folder: Path, *others: str) -> bytes:
    found = [*map(Path, others), *(path for path in sorted(folder.rglob("*")) if path.is_file())]
    read = b""
    for path in found:
        with suppress(OSError):  # files come and go while a program runs
            read += path.read_bytes() + b"\n"
    return read


async def test_content_at_another_origin_is_fetched_without_the_key(tmp_path: Path):
    """Vendors' storage does not belong to the gateway. Another port of the same host is also another origin."""
    film = b"\0\0\0\x10ftypisom\0\0\0\0"
    async with (
        ScriptedServer(whole(film)) as storage,
        Sandbox(**AT_ONCE, api_key=CANARY) as sandbox,
        opened(sandbox) as session,
    ):
        video = await session.videos.create("a cat", **WAN)
        sandbox.faults.add(Fault.redirect(storage.url, 307, route="content", times=None))
        assert None is await caught(content(session, video.id, tmp_path))
        assert 2 == len(storage.requests)  # it is not proved whole, so it is looked at twice
        for request in storage.requests:
            assert "authorization" not in request.headers
            assert "cookie" not in request.headers
            assert NEEDLE not in f"{request.path} {request.headers}"


async def test_a_redirect_with_credentials_is_refused_and_not_quoted(tmp_path: Path):
    """A Location may contain a secret of someone else; it is data, and must not be repeated."""
    async with Sandbox(**AT_ONCE, api_key=CANARY) as sandbox, opened(sandbox) as session:
        video = await session.videos.create("a cat", **WAN)
        location = f"http://user:{CANARY}@127.0.0.1:1/video"
        sandbox.faults.add(Fault.redirect(location, route="content", times=None))
        error = await caught(content(session, video.id, tmp_path))
        assert isinstance(error, VideoError)
        assert NEEDLE not in str(error)


async def test_the_search_finds_a_key_where_there_is_one():
    """A search that finds nothing anywhere proves nothing."""

    async def careless() -> None:
        headers = {"Authorization": f"Bearer {CANARY}"}
        raise AuthenticationError(f"{len(headers)} headers")

    error = await caught(careless())
    assert error is not None
    assert NEEDLE not in str(error)
    assert NEEDLE in spill(error)


# Through the program.


def _rows(folder: Path) -> None:
    lines = ("a fox", "koi", "lost", "refused", "a page", "the sea")
    (folder / "rows.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


async def _told(process: Process, folder: Path) -> tuple[bytes, bytes]:
    """Wait for its end; return what it printed, and all that was in the folder or the process list meanwhile."""
    ends = asyncio.ensure_future(process.communicate())
    seen = b""
    while not ends.done():
        seen += _bytes_in(folder, f"/proc/{process.pid}/cmdline")
        await asyncio.wait([ends], timeout=0.03)
    out, err = await ends
    assert out or err
    return out + err, seen + _bytes_in(folder)


@pytest.mark.looptime(False)  # processes live in real time
@pytest.mark.parametrize("trouble", [None, pytest.param("fdatasync:error=EIO:when=16+", marks=needs_strace)])
async def test_nothing_that_the_program_prints_or_keeps_holds_the_key(tmp_path: Path, trouble: str | None):
    """Output ends up in build logs, and folders (ledger, sidecars, spill file) are sent to others; `ps` is public."""
    _rows(tmp_path)
    (tmp_path / "key").write_text(CANARY, encoding="utf-8")
    arguments = ("batch", "rows.txt", "-o", "out", "-m", "wan2.6-t2v", "--rate", "50", "--poll-interval", "0.1")
    options = ("--sidecar", "--debug", "--json", "--api-key-file", "key")
    wrapped = () if trouble is None else traced("-e", "trace=fdatasync", "-e", f"inject={trouble}")
    async with Sandbox(**AT_ONCE, api_key=CANARY) as sandbox:
        if trouble is None:
            sandbox.faults.add(
                Fault.status(200, PAGE, headers=AS_TITLE, route="create"), Fault.status(400, ECHO, route="create")
            )
        sandbox.faults.add(
            Fault.status(503, PAGE, headers=AS_TITLE, route="retrieve", times=3),
            Fault.status(200, ECHO, route="content"),
            Fault.wait(0.7, route="create", times=None),  # so that all are sent before the first is answered
        )
        env = environment(sandbox)
        del env["AIHUBMIX_API_KEY"]
        process = await asyncio.create_subprocess_exec(
            *(*wrapped, *PROGRAM, *arguments, *options),
            cwd=tmp_path,
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, kept = await _told(process, tmp_path / "out")
    wanted = (b'"request":', b"ftyp") if trouble is None else (b'{"key": ', b'"video_id": ')
    assert [] == [each for each in (b"SQLite", b"aihubmix", *wanted) if each not in kept]
    assert (b"SubmitUncertain" if trouble is None else b"LedgerError") in printed
    assert NEEDLE.encode() not in printed
    assert NEEDLE.encode() not in kept
