"""What the world does to a session: bad lines, proxies, few descriptors, stopped processes, blocked loops."""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import VideoSession
from aihubmix_video.errors import ConnectionFailed, SubmitUncertain
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.proxy import Proxy, refusing
from tests.loopback.session.test_cancellation import others, posts, settled, until
from tests.loopback.session.test_rate import LAG, excess
from tests.loopback.sessions import AT_ONCE, WAN, descriptors, files, opened, seen

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALL: dict[str, Any] = AT_ONCE | {"content": 2_000}  # Any: the sandbox's options
CHILD = Path(__file__).parents[1] / "children" / "world_child.py"
CREATES = re.compile(rb'"prompt": ?"cat (\d+)"')


def creates(proxy: Proxy) -> Counter[bytes]:
    """Return the number of creates that were sent for each job, whether they arrived or not."""
    return Counter(CREATES.findall(bytes(proxy.sent)))


# Lines.


@pytest.mark.looptime
async def test_a_slow_sliced_and_breaking_line_loses_and_doubles_nothing(tmp_path: Path):
    """Each job ends with a complete file, or as possibly bought. No create is sent twice (N16)."""
    async with (
        Sandbox(**SMALL) as sandbox,
        Proxy(sandbox.port, delay=0.02, piece=7, resets=0.01, seed=1) as proxy,
        opened(sandbox, base_url=proxy.url, rate=100.0, burst=1) as session,
    ):
        videos = await asyncio.gather(
            *(session.generate(f"cat {number}", to=tmp_path / f"{number}.mp4", **WAN) for number in range(200)),
            return_exceptions=True,
        )
        whole = [video for video in videos if not isinstance(video, BaseException)]
        assert {SubmitUncertain} >= {type(video) for video in videos if isinstance(video, BaseException)}
        assert 3 <= proxy.resets_made
        assert {2_000} == set(files(tmp_path).values())
        assert len(whole) == len(files(tmp_path)) >= 180
        assert (200, 1) == (len(creates(proxy)), max(creates(proxy).values()))
        assert len(whole) <= sandbox.billed <= 200
        assert {} == excess(sandbox, 100.0, 1, LAG)


@pytest.mark.looptime
async def test_a_line_that_dies_silently_is_noticed_and_all_jobs_recover(tmp_path: Path):
    """A router that dies sends no FIN. Polls on its connections must end, and the next ones use new ones (N17)."""
    async with (
        Sandbox(**(SMALL | {"speed": 1, "generation": 60.0})) as sandbox,
        Proxy(sandbox.port) as proxy,
        opened(sandbox, base_url=proxy.url, rate=50.0) as session,
    ):
        jobs = await asyncio.gather(
            *(session.submit(f"cat {number}", to=tmp_path / f"{number}.mp4", **WAN) for number in range(50))
        )
        proxy.go_silent()
        await asyncio.sleep(40.0)
        assert 50 <= proxy.swallowed
        proxy.replace()
        videos = await asyncio.wait_for(asyncio.gather(*jobs), 300.0)
        assert all(video.verified for video in videos)
        assert 50 == sandbox.billed == creates(proxy).total()
        assert {2_000} == set(files(tmp_path).values())


@pytest.mark.looptime
async def test_a_proxy_that_strips_ranges_has_the_file_begun_again(tmp_path: Path):
    """A complete body appended to half a file would be a broken video (N19)."""

    def without_range(chunk: bytes) -> bytes:
        return re.sub(rb"(?i)\r\n(?:if-)?range: [^\r]*", b"", chunk)

    async with (
        Sandbox(**(AT_ONCE | {"content": 3_000_000})) as sandbox,
        Proxy(sandbox.port, edit=without_range) as proxy,
        opened(sandbox, base_url=proxy.url) as session,
    ):
        sandbox.faults.add(Fault.cut(2_000_000, route="content", ending="reset"))
        video = await session.generate("cat 1", to=tmp_path / "cat.mp4", **WAN)
        assert await sandbox.sha256(video.id) == video.sha256
        assert b"\r\nrange: bytes=" in proxy.sent.lower()
        assert 2 == seen(sandbox)["content"]


# Proxies.


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("answer", "status", "tries"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            "407",
            1,
        ),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nhello", "502", 4),
    ],
)
async def test_a_proxy_that_refuses_is_named_and_nothing_was_sent(
    answer: bytes, status: str, tries: int, monkeypatch: pytest.MonkeyPatch
):
    """The user must see that the proxy refused. Its password and the key are not shown (N19)."""
    async with refusing(answer) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret-word@127.0.0.1:{port}")
        monkeypatch.setenv("https_proxy", f"http://user:secret-word@127.0.0.1:{port}")
        for variable in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(variable, raising=False)
        async with VideoSession("sk-never-shown", base_url="https://gateway.test") as session:
            with pytest.raises(ConnectionFailed) as caught:
                await session.videos.create("a cat", **WAN)
    assert f"gateway.test:443: the proxy refused the connection (HTTP {status})." in str(caught.value)
    assert not caught.value.sent
    shown = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert not re.search("secret-word|never-shown", shown)
    assert tries == sum(heard.startswith(b"CONNECT gateway.test:443") for heard in asked)
    assert not any(b"never-shown" in heard or b"POST" in heard for heard in asked)


# Processes.


async def started(
    sandbox: Sandbox, folder: Path, options: Mapping[str, Any], *flags: str
) -> asyncio.subprocess.Process:  # Any: JSON
    """Start a process that runs a batch of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *flags,
        str(CHILD),
        sandbox.url,
        sandbox.api_key,
        str(folder),
        json.dumps(options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def told(child: asyncio.subprocess.Process) -> tuple[list[dict[str, Any]], str]:  # Any: JSON
    """Wait for its end; return the outcomes and its warnings."""
    out, err = await asyncio.wait_for(child.communicate(), 40.0)
    return [json.loads(line) for line in out.splitlines()], err.decode()


async def test_with_few_descriptors_it_slows_down_and_loses_nothing(tmp_path: Path):
    """A socket that cannot be opened sent no create. A file that cannot be opened is opened later (K9)."""
    async with Sandbox(**SMALL) as sandbox:
        sandbox.faults.add(Fault.wait(0.3, route="create", times=None))
        session = {"rate": 1000.0, "burst": 100, "poll_interval": 0.2}
        outcomes, err = await told(await started(sandbox, tmp_path, {"files": 64, "rows": 100, "session": session}))
        assert "" == err
        assert [None] * 100 == [outcome["error"] for outcome in outcomes]
        assert {1} == set(posts(sandbox).values())
        assert 100 == sandbox.billed == len(files(tmp_path))


@pytest.mark.parametrize("blocked_by", ["signal", "user"])
async def test_after_a_standstill_the_rate_still_holds_and_no_job_fails(blocked_by: str, tmp_path: Path):
    """Requests that became due meanwhile must not be sent at once, and a response that waited is not late (P5, T4)."""
    session = {"rate": 50.0, "burst": 1, "poll_interval": 0.5, "deadline": 20.0}
    options = {"rows": 40, "session": session} | ({"block_after": 1.0} if blocked_by == "user" else {})
    async with Sandbox(**(SMALL | {"speed": 1, "generation": 1.5})) as sandbox:
        child = await started(sandbox, tmp_path, options)
        if blocked_by == "signal":
            await until(lambda: len(sandbox.log) >= 30)
            child.send_signal(signal.SIGSTOP)
            await asyncio.sleep(3.0)
            child.send_signal(signal.SIGCONT)
        outcomes, err = await told(child)
        assert "" == err
        assert [None] * 40 == [outcome["error"] for outcome in outcomes]
        moments = sorted(logged.at for logged in sandbox.log)
        assert max(after - before for before, after in pairwise(moments)) > 2.0
        assert {} == excess(sandbox, 50.0, 1, LAG)
        assert 40 == sandbox.billed == seen(sandbox)["create"]


async def test_in_debug_mode_with_warnings_as_errors_nothing_is_said(tmp_path: Path):
    """On two event loops in turn, open resources and misuse of asyncio would be reported (P7)."""
    async with Sandbox(**SMALL) as sandbox:
        session = {"rate": 1000.0, "burst": 100, "poll_interval": 0.1}
        options = {"rows": 20, "runs": 2, "session": session}
        outcomes, err = await told(await started(sandbox, tmp_path, options, "-X", "dev", "-W", "error"))
        assert "" == err
        assert [None] * 40 == [outcome["error"] for outcome in outcomes]
        assert 20 == sandbox.billed


# Callers.


@pytest.mark.looptime
@pytest.mark.parametrize("seed", range(2))
async def test_random_timeouts_in_a_group_leave_nothing_and_buy_nothing_twice(tmp_path: Path, seed: int):
    """Two hundred callers with timeouts of all lengths, in a group that is itself cancelled in the end (Y3)."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    before, fds = asyncio.all_tasks(), descriptors()
    async with Sandbox(**(SMALL | {"speed": 1, "generation": 30.0}), seed=seed) as sandbox:
        async with opened(sandbox, rate=50.0) as session:
            base = asyncio.all_tasks()

            async def impatient(number: int) -> None:
                try:
                    async with asyncio.timeout(draw.uniform(0.0, 80.0)):
                        await session.generate(f"cat {number}", to=tmp_path / f"{number}.mp4", **WAN)
                except TimeoutError:
                    pass

            async def all_of_them() -> None:
                async with asyncio.timeout(40.0), asyncio.TaskGroup() as group:
                    for number in range(200):
                        group.create_task(impatient(number))

            with pytest.raises(TimeoutError):
                await all_of_them()
            await settled(session, base)
            assert () == session.jobs()
        assert 1 == max(posts(sandbox).values())
        assert 0 < sandbox.billed == posts(sandbox).total() == len(files(tmp_path))
    assert set() == others(before)
    assert fds == descriptors()
