"""The gate alone, on virtual time: who passes when."""

from __future__ import annotations

import asyncio

import pytest

from aihubmix_video.http.rate_gate import RateGate
from aihubmix_video.scheduling.rate_limit import RateLimit

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def passing(gate: RateGate, name: str, passed: list[tuple[str, float]]) -> None:
    """Pass, and note who did and when."""
    await gate.passed()
    passed.append((name, round(asyncio.get_running_loop().time(), 3)))


async def test_what_comes_late_does_not_overtake_what_waits():
    """Else a request could wait for ever while younger ones, that happen to find the gate open, go first."""
    gate, passed = RateGate(RateLimit.of_rate(1.0)), []
    start = asyncio.get_running_loop().time()
    waiting = [asyncio.create_task(passing(gate, name, passed)) for name in "abc"]
    await asyncio.sleep(2.0)  # the gate opens for the third at this very moment, and it has not woken up yet
    await passing(gate, "late", passed)
    await asyncio.gather(*waiting)
    assert [("a", 0.0), ("b", 1.0), ("c", 2.0), ("late", 3.0)] == [(name, round(at - start, 3)) for name, at in passed]


async def test_one_that_is_given_up_while_it_waits_holds_nobody_up():
    """Cancelled requests would otherwise leave the gate locked, or closed to those who find it open."""
    gate, passed = RateGate(RateLimit.of_rate(1.0)), []
    start = asyncio.get_running_loop().time()
    first, second, third = (asyncio.create_task(passing(gate, name, passed)) for name in "abc")
    await asyncio.sleep(0.5)
    second.cancel()
    await asyncio.gather(first, third)
    await asyncio.sleep(10.0)
    await passing(gate, "later", passed)
    assert [("a", 0.0), ("c", 1.0), ("later", 11.0)] == [(name, round(at - start, 3)) for name, at in passed]


async def test_an_open_gate_lets_a_burst_through_and_no_more():
    """The way that does not wait counts like the other."""
    gate, passed = RateGate(RateLimit.of_rate(2.0, burst=3)), []
    start = asyncio.get_running_loop().time()
    await asyncio.gather(*(passing(gate, name, passed) for name in "abcde"))
    assert [0.0, 0.0, 0.0, 0.5, 1.0] == [round(at - start, 3) for _, at in passed]
