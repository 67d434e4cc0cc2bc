"""Several real processes under one rate, judged by the log of the gateway that they all send to."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.redis_server import needs_redis, redis_server
from tests.loopback.session.test_rate import most_within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CHILD = Path(__file__).parents[1] / "children" / "rate_child.py"
RATE = 40.0
SLOW = {"generation": 3600.0, "render": False}
LAG = 0.3  # seconds for which a busy machine may hold up a process; unshared, four of them send four times the rate


@asynccontextmanager
async def processes(
    sandbox: Sandbox, count: int, seconds: float, **options: object
) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Start this many buyers at once; they must all end well."""
    command = (sys.executable, str(CHILD), sandbox.url, sandbox.api_key)
    rest = (str(seconds), json.dumps({"rate": RATE} | options))
    pipe = asyncio.subprocess.PIPE
    running = [
        await asyncio.create_subprocess_exec(*command, f"p{n}", *rest, stdin=pipe, stdout=pipe, stderr=pipe)
        for n in range(count)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert b"ready\n" == await process.stdout.readline()
        for process in running:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        yield running
        for process in running:
            _, complaint = await process.communicate()
            assert 0 == process.returncode, complaint.decode()
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def store(kind: str, folder: Path) -> AsyncIterator[str]:
    """Give the place of a shared rate."""
    if kind == "file":
        yield str(folder / "rate.db")
    else:
        async with redis_server(folder) as server:
            yield server.url


def moments(sandbox: Sandbox, keep: Callable[[float], bool] = bool) -> list[float]:
    """Return when requests arrived."""
    return [logged.at for logged in sandbox.log if keep(logged.at)]


def too_many(found: list[float], rate: float = RATE) -> dict[float, int]:
    """Return the windows in which more requests arrived than the rate allows, with their number."""
    most = {window: most_within(found, window) for window in (1.0, 3.0)}
    return {window: number for window, number in most.items() if number > rate * (window + LAG) + 1}


KINDS = ["file", pytest.param("redis", marks=needs_redis)]


@pytest.mark.parametrize("kind", KINDS)
async def test_four_processes_keep_to_one_rate_and_share_it_evenly(kind: str, tmp_path: Path):
    """Four times the rate is what they would send otherwise, and one that is quicker must not starve the others."""
    async with Sandbox(**SLOW) as sandbox, store(kind, tmp_path) as place:
        async with processes(sandbox, 4, 5.0, rate_limit=place):
            pass
        found = moments(sandbox)
        bought = Counter(logged.body["prompt"] for logged in sandbox.log if logged.body)

    assert {} == too_many(found)
    assert len(found) > 0.5 * RATE * 5.0
    assert all(abs(number - len(found) / 4) <= len(found) / 20 for number in bought.values()), bought


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refusal_of_one_process_pauses_the_others(kind: str, tmp_path: Path):
    """Only those that had their slot already may still send, one request each."""
    async with Sandbox(**SLOW) as sandbox, store(kind, tmp_path) as place:
        async with processes(sandbox, 4, 6.0, rate_limit=place):
            async with asyncio.timeout(10):
                while len(sandbox.log) < 30:  # noqa: ASYNC110 - of what arrives the log tells no event
                    await asyncio.sleep(0.02)
            sandbox.faults.add(Fault.busy(route="create", times=1, retry_after="2"))
        refused_at = next(logged.at for logged in sandbox.log if logged.status == 429)
        paused = moments(sandbox, lambda at: refused_at < at < refused_at + 1.9)
        after = moments(sandbox, lambda at: at > refused_at + 2.0)

    assert len(paused) <= 8
    assert all(at < refused_at + 0.5 for at in paused)
    assert len(after) > RATE / 2


@needs_redis
async def test_without_redis_each_process_goes_on_at_its_share_until_it_is_back(tmp_path: Path):
    """Not at nothing, not at the whole rate four times over, and as before once it is back."""
    async with Sandbox(**SLOW) as sandbox, redis_server(tmp_path) as server:
        clock = asyncio.get_running_loop().time
        async with processes(sandbox, 4, 9.0, rate_limit=server.url, fallback_share=0.1):
            await asyncio.sleep(2.0)
            await server.kill()
            killed_at = clock()
            await asyncio.sleep(3.5)
            await server.start()
            back_at = clock()
        alone = moments(sandbox, lambda at: killed_at + 0.5 < at < back_at)
        after = moments(sandbox, lambda at: at > back_at + 1.5)
        found = moments(sandbox)

    together = 4 * 0.1 * RATE
    assert 0.5 * together < len(alone) / (back_at - killed_at - 0.5) < 1.2 * together
    assert {} == too_many(after)
    assert {} == too_many(found, RATE * (1 + 3 * 0.1))  # one is back, and three do not know it yet
    assert most_within(after, 1.0) > 0.6 * RATE
