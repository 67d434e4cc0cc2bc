"""What one process does with the slots that it is given."""

from __future__ import annotations

import pytest

from aihubmix_video.errors import RateLimited
from aihubmix_video.polling.adaptive import AdaptivePollPolicy
from aihubmix_video.scheduling.messages import (
    AddJob,
    AskPermit,
    GrantPermit,
    RequestFailed,
    RequestsSpent,
    SchedulerLimits,
    SendCreate,
)
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.scheduling.scheduler import Scheduler
from aihubmix_video.shared_rate.shared_controller import SharedRateController
from aihubmix_video.shared_rate.slots import SlotReply

RATE = RateLimit.of_rate(10.0)
FREE = SlotReply(0.0, 1.0, 0.0, 0.0)


def shared(fallback_share: float = 0.1) -> tuple[Scheduler, SharedRateController, list[None]]:
    """Give a scheduler under a shared rate, and what it was asked for."""
    asked: list[None] = []
    control = SharedRateController(RATE, fallback_share, lambda: asked.append(None))
    policy = AdaptivePollPolicy(15.0)
    scheduler = Scheduler(rate_limit=RATE, limits=SchedulerLimits(), policy=policy, draw=lambda: 0.5, control=control)
    return scheduler, control, asked


def grant(control: SharedRateController, now: float, reply: SlotReply = FREE) -> int:
    """Let the store answer, and return how many slots it was asked for."""
    ask = control.take_request(now)
    control.granted(ask, reply, now)
    return ask.slots


def test_a_slot_is_asked_for_only_when_something_could_leave():
    """An idle process must not take the others' slots."""
    scheduler, control, asked = shared()
    assert ([], None) == (scheduler.actions(0.0), scheduler.wakes_at())
    assert (0, False) == (len(asked), control.has_news)

    scheduler.receive(AddJob(1, (), wants_file=False), 1.0)
    assert [] == scheduler.actions(1.0)
    assert [] == scheduler.actions(1.1)
    assert (1, True) == (len(asked), control.has_news)


def test_the_request_that_leaves_is_the_one_whose_turn_it_is_when_the_slot_comes():
    """Not the one for which the slot was asked: a permit that came later is served first, as without sharing."""
    scheduler, control, _ = shared()
    scheduler.receive(AddJob(1, (), wants_file=False), 0.0)
    assert [] == scheduler.actions(0.0)
    assert 1 == grant(control, 0.0, SlotReply(2.0, 1.0, 0.0, 0.0))
    scheduler.receive(AskPermit(2), 1.0)

    assert ([], 2.0) == (scheduler.actions(1.0), scheduler.wakes_at())
    assert [GrantPermit(2)] == scheduler.actions(2.0)
    assert 1 == grant(control, 2.0)
    assert [SendCreate(1)] == scheduler.actions(2.0)


def test_a_slot_that_nothing_leaves_in_lapses():
    """Used later it would be one too many in some window."""
    scheduler, control, _ = shared()
    scheduler.receive(AddJob(1, (), wants_file=False), 0.0)
    scheduler.actions(0.0)
    grant(control, 0.0)

    late = RATE.interval * 1.5
    assert [] == scheduler.actions(late)
    assert control.has_news
    assert 1 == grant(control, late)
    assert [SendCreate(1)] == scheduler.actions(late)


def test_a_pause_that_another_process_was_told_holds_this_one():
    """The slot is there, and no create leaves in it; the end of the pause wakes the scheduler."""
    scheduler, control, _ = shared()
    scheduler.receive(AddJob(1, (), wants_file=False), 0.0)
    scheduler.actions(0.0)
    grant(control, 0.0, SlotReply(0.0, 0.7, 5.0, 0.0))

    assert ([], 5.0) == (scheduler.actions(0.0), scheduler.wakes_at())
    assert ["creates"] == [hold.requests for hold in scheduler.holds(0.0)]
    assert 7.0 == pytest.approx(scheduler.rate_limit.rate_at(0.0))


def test_a_refusal_is_told_at_once_with_its_pause():
    """The others are about to send, too."""
    scheduler, control, _ = shared()
    scheduler.receive(AddJob(1, (), wants_file=False), 0.0)
    scheduler.actions(0.0)
    grant(control, 0.0)
    scheduler.actions(0.0)
    scheduler.receive(RequestFailed(1, RateLimited("too fast", retry_after=9.0, limit="rate")), 1.0)

    assert control.has_news
    ask = control.take_request(1.0)
    assert (0, 9.0, 0.0) == (ask.slots, ask.creates, ask.followed)


def test_requests_without_a_slot_are_told_with_the_next_exchange():
    """A redirect leaves when it must, and is made up for."""
    scheduler, control, _ = shared()
    scheduler.receive(RequestsSpent(2), 0.0)

    assert (2, 0) == (control.take_request(0.0).spent, control.take_request(0.0).spent)


def test_without_the_store_a_process_keeps_to_its_share():
    """Never none, and never more than stated."""
    scheduler, control, _ = shared(fallback_share=0.2)
    left = []
    for number in range(20):
        scheduler.receive(AddJob(number, (), wants_file=False), 0.0)
    now = 0.0
    while len(left) < 20:
        if scheduler.actions(now):
            left.append(now)
        control.grant_alone(now)
        now = max(now, scheduler.wakes_at() or now)

    assert 19 / (0.2 * 10.0) == pytest.approx(left[-1] - left[0])
