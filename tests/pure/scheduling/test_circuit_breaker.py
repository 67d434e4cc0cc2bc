"""When a gateway that fails is left alone, and how soon it is found to be back."""

from __future__ import annotations

import pytest

from aihubmix_video.scheduling.circuit_breaker import CircuitBreaker, poll_pause


def test_failures_in_a_row_hold_requests_and_one_answer_lets_them_go():
    """The gateway is back when it answers, not when a timer says so."""
    breaker = CircuitBreaker()
    for now in (1.0, 2.0):
        breaker.failed(now, bears=3, pause=5.0)
    assert not breaker.open
    breaker.failed(3.0, bears=3, pause=5.0)
    assert breaker.open
    assert breaker.held_until == 8.0
    breaker.worked()
    assert not breaker.open
    assert breaker.held_until < 0


def test_an_answer_in_between_starts_the_count_anew():
    """A gateway that fails every second time is not down."""
    breaker = CircuitBreaker()
    for now in range(20):
        breaker.failed(float(now), bears=2, pause=5.0)
        breaker.worked()
    assert not breaker.open


def test_a_probe_that_hangs_holds_up_the_next_for_no_longer_than_the_pause():
    """Silence is a failure too, and half a minute of it must not double the outage."""
    breaker = CircuitBreaker()
    breaker.failed(0.0, bears=1, pause=5.0)
    breaker.probed(5.0)
    assert breaker.held_until == 10.0


def test_while_nothing_is_held_requests_leave_as_they_like():
    """A pause after each request would be a second rate."""
    breaker = CircuitBreaker()
    breaker.probed(5.0)
    assert breaker.held_until < 0


@pytest.mark.parametrize(("running", "pause"), [(0, 15.0), (1, 15.0), (2, 7.5), (50, 5.0)])
def test_probes_are_never_more_than_the_usual_polls(running: int, pause: float):
    """One job asked every 15 s is probed every 15 s; of many, three probes per interval are enough."""
    assert pause == poll_pause(running, 15.0)
