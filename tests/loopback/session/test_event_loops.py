"""The same sessions on asyncio's own event loop and on uvloop, in real time; and the program without the extra `speed`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import VideoSession, errors
from aihubmix_video.cli.signals import loop_factory
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.session.test_rate import LAG, excess
from tests.loopback.sessions import AT_ONCE, WAN, files, opened, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from aihubmix_video import Job

Run = "Callable[[Coroutine[Any, Any, None]], None]"  # Any: a coroutine is sent, and yields, what its loop likes

SOON: dict[str, Any] = AT_ONCE | {"generation": 0.5}
"""Options of a sandbox whose jobs are asked about a few times before they are done."""


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on a new event loop of one kind."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    def running(main: Coroutine[Any, Any, None]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(45.0):
                await main

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(bounded())

    return running


async def finished(job: Job) -> object:
    """Wait for a job, as a separate task."""
    return await job


def test_jobs_are_bought_followed_and_saved_within_the_rate(run: Run, tmp_path: Path):
    """Timers that are coarser, or early, must neither exceed the rate nor make a caller wait for ever."""

    async def main() -> None:
        async with Sandbox(**SOON) as sandbox, opened(sandbox, rate=200.0, burst=1, poll_interval=0.2) as session:
            jobs = [session.generate("a cat", to=tmp_path / f"{number}.mp4", **WAN) for number in range(60)]
            videos = await asyncio.gather(*jobs)
            assert all(video.verified for video in videos)
            assert 60 == sandbox.billed == len(files(tmp_path))
            assert {} == excess(sandbox, 200.0, 1, LAG)

    run(main())


def test_polls_that_go_wrong_are_asked_again(run: Run):
    """Each loop reports a broken connection in its own way."""

    async def main() -> None:
        async with Sandbox(**SOON) as sandbox, opened(sandbox, poll_interval=0.2) as session:
            sandbox.faults.add(
                Fault.reset(route="retrieve", times=5),
                Fault.close(route="retrieve", times=5),
                Fault.cut(10, route="retrieve", times=5),
                Fault.chunked("bad", route="retrieve", times=5),
                Fault.status(502, route="retrieve", times=5),
            )
            videos = await asyncio.gather(*(session.generate("a cat", **WAN) for _ in range(20)))
            assert 20 == sandbox.billed == len({video.id for video in videos})
            assert 20 + 25 <= seen(sandbox)["retrieve"]

    run(main())


@pytest.mark.parametrize("fault", [Fault.reset, Fault.close])
def test_a_create_whose_answer_is_lost_is_not_sent_again(run: Run, fault: Callable[..., Fault]):
    """The hook that marks a create as sent belongs to the HTTP library, which runs on the loop."""

    async def main() -> None:
        async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
            sandbox.faults.add(fault(route="create", times=None))
            with pytest.raises(errors.SubmitUncertain):
                await session.generate("a cat", **WAN)
            assert (1, 1) == (sandbox.billed, seen(sandbox)["create"])

    run(main())


def test_a_connection_that_is_refused_was_not_charged(run: Run):
    """Nothing was sent, and the error says so."""

    async def main() -> None:
        async with VideoSession("sk-canary0123456789", base_url="http://127.0.0.1:1", trust_env=False) as session:
            with pytest.raises(errors.ConnectionFailed) as caught:
                await session.videos.retrieve("video_1")
            assert not caught.value.sent
            told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
            assert "canary0123456789" not in told

    run(main())


def test_a_session_closes_while_its_jobs_are_followed(run: Run):
    """Requests under way are cancelled, and nothing is left running."""

    async def main() -> None:
        async with Sandbox(**AT_ONCE | {"generation": 600.0, "speed": 1}) as sandbox:
            async with opened(sandbox, poll_interval=0.1) as session:
                jobs = [await session.submit("a cat", **WAN) for _ in range(10)]
                sandbox.faults.add(Fault.silence(route="retrieve", times=None))
                waiting = [asyncio.create_task(finished(job)) for job in jobs]
                await asyncio.sleep(0.5)
            for each in await asyncio.gather(*waiting, return_exceptions=True):
                assert isinstance(each, errors.SessionClosed)
        assert {asyncio.current_task()} == asyncio.all_tasks()

    run(main())


WITHOUT = "import sys\nfor name in ('uvloop', 'orjson'): sys.modules[name] = None\n"
MAKE_TWO = "from aihubmix_video.cli import main\nsys.argv[1:] = ['batch', 'rows.jsonl', '-o', 'out', '--sandbox', '--speed', '600']\nmain()\n"


@pytest.mark.parametrize("before", ["import sys\n", WITHOUT], ids=["as it is installed", "without the extra"])
def test_the_program_does_the_same_without_the_extra(before: str, tmp_path: Path):
    """The extra only makes it faster."""
    (tmp_path / "rows.jsonl").write_text('{"model": "wan2.6-t2v", "prompt": "猫"}\n' * 2, "utf-8")
    done = subprocess.run([sys.executable, "-c", before + MAKE_TWO], cwd=tmp_path, capture_output=True, check=False)  # noqa: S603 - our own program
    assert (0, 2) == (done.returncode, len(list((tmp_path / "out").glob("*.mp4")))), done.stderr.decode()


def test_the_program_runs_on_uvloop_where_there_is_one():
    """An extra that is installed and not used would be worth nothing."""
    uvloop = pytest.importorskip("uvloop")
    assert uvloop.new_event_loop is loop_factory()
    said = "from aihubmix_video.cli.signals import loop_factory\nprint(loop_factory())"
    done = subprocess.run([sys.executable, "-c", WITHOUT + said], check=True, capture_output=True)  # noqa: S603 - our own program
    assert b"None" == done.stdout.strip()
