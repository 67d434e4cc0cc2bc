"""Time limits that share a timer: they must do what `asyncio.timeout` does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.http.shared_timeouts import TimeLimits

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

pytest.importorskip("looptime")
pytestmark = pytest.mark.looptime


def now() -> float:
    """Read the loop's clock, to the millisecond."""
    return round(asyncio.get_running_loop().time(), 3)


async def work(limits: TimeLimits, seconds: float, limit: float) -> tuple[str, float]:
    """Work for so many seconds under a limit; tell how that ended and how long it took."""
    began, ending = now(), "done"
    try:
        with limits.within(limit):
            await asyncio.sleep(seconds)
    except TimeoutError:
        ending = "overdue"
    return ending, round(now() - began, 3)


async def test_work_ends_when_its_own_time_is_up():
    """One timer for all must not mean one time for all."""
    limits = TimeLimits()
    working = []
    for seconds, limit in ((100, 30), (5, 30), (100, 10), (29, 30), (100, 30), (9, 10)):
        working.append(asyncio.create_task(work(limits, seconds, limit)))
        await asyncio.sleep(1)
    expected = [("overdue", 30), ("done", 5), ("overdue", 10), ("done", 29), ("overdue", 30), ("done", 9)]
    assert expected == await asyncio.gather(*working)
    assert [("overdue", 30)] == await asyncio.gather(work(limits, 100, 30)), "it works again after a pause"


async def test_what_came_while_nothing_could_run_is_not_taken_for_late():
    """A suspended machine, a blocked loop: the answer lies in the socket, and is read in the next pass of the loop."""
    loop, limits = asyncio.get_running_loop(), TimeLimits()
    ring, answered = asyncio.Event(), loop.create_future()

    async def asking() -> str:
        with limits.within(30):
            return await answered

    async def never() -> None:
        with limits.within(30):
            await ring.wait()

    asked, hopeless = asyncio.create_task(asking()), asyncio.create_task(never())
    await asyncio.sleep(1)
    clock = loop.time
    loop.time = lambda: clock() + 3600.0  # type: ignore[method-assign]  # an hour passes between two passes of the loop
    try:
        loop.call_later(0.5, answered.set_result, "there it is")
        assert "there it is" == await asked
        with pytest.raises(TimeoutError):
            await hopeless
    finally:
        loop.time = clock  # type: ignore[method-assign]


async def test_a_cancellation_from_outside_stays_one():
    """Whoever cancels a request is not to be told that it was slow, and a slow one is not to look cancelled."""
    limits = TimeLimits()
    task = asyncio.create_task(work(limits, 100, 30))
    await asyncio.sleep(5)
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        await task


async def test_a_cancellation_in_the_same_moment_is_not_lost():
    """A session that closes as a request times out must not have its cancellation swallowed."""
    limits = TimeLimits()
    task = asyncio.create_task(work(limits, 100, 30))
    asyncio.get_running_loop().call_later(30, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 1 == task.cancelling()


async def test_an_error_of_the_works_own_comes_through():
    """The limit has no opinion on how work ends in time."""
    limits = TimeLimits()
    with pytest.raises(LookupError), limits.within(30):
        raise LookupError
    await asyncio.sleep(60)


async def test_closed_limits_leave_no_timer_behind():
    """A timer holds on to everything it leads to until it rings."""
    limits = TimeLimits()
    task = asyncio.create_task(work(limits, 50, 30))
    await asyncio.sleep(1)
    limits.close()
    assert ("done", 50) == await task


Ending = tuple[str, float, int]


async def _ended(within: Callable[[float], AbstractContextManager[None]], acts: tuple[float, float, float]) -> Ending:
    """Work under a limit while somebody cancels; tell how it ended, when, and what cancellations were left over."""
    seconds, limit, cancelled_after = acts
    seen: list[Ending] = []

    async def working() -> None:
        began, ending = now(), "done"
        task = asyncio.current_task()
        assert task is not None
        try:
            with within(limit):
                await asyncio.sleep(seconds)
        except (TimeoutError, asyncio.CancelledError) as error:
            ending = type(error).__name__
        seen.append((ending, round(now() - began, 3), task.cancelling()))

    task = asyncio.create_task(working())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(cancelled_after, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
    return seen[0]


class _AsTheLibraryDoes:
    """`asyncio.timeout` as a plain context, for a comparison: its asynchronous methods never wait."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)

    def __enter__(self) -> None:
        with suppress(StopIteration):
            self._timeout.__aenter__().send(None)

    def __exit__(self, *error: object) -> None:
        with suppress(StopIteration):
            self._timeout.__aexit__(*error).send(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("acts", list(permutations((1.0, 2.0, 3.0))))
async def test_it_ends_as_with_the_library_s_own_timeout(acts: tuple[float, float, float]):
    """Whichever of work, limit and cancellation comes first, second and third."""
    assert await _ended(_AsTheLibraryDoes, acts) == await _ended(TimeLimits().within, acts)
