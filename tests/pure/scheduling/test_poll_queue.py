"""Polls that wait for the rate: the one that is worth most goes first, at a flat cost."""

from __future__ import annotations

import random
from math import inf

import pytest

from aihubmix_video.scheduling.poll_queue import VALUE_CLASS_RATIO, VALUE_CLASSES, PollQueue


class Waiting:
    """Jobs whose polls become worth more at a pace of their own: worth 1 at the start, doubled after so many seconds."""

    def __init__(self, paces: dict[int, float]) -> None:
        self.paces = paces
        self.asked = 0
        self.poll_queue = PollQueue(paces.__contains__, self.rises_at, unranked_seconds=0.1)

    def rises_at(self, job: int, rung: int, since: float) -> float:
        """Say when it is worth the next power of the ratio; worth grows in proportion to the time waited."""
        self.asked += 1
        return since + self.paces[job] * (VALUE_CLASS_RATIO ** (rung + 1) - VALUE_CLASS_RATIO**rung)

    def worth(self, job: int, now: float) -> float:
        """Say what its poll is worth, all having begun to wait at 0."""
        return 1 + now / self.paces[job]


def test_the_poll_that_is_worth_most_leaves_first():
    """Within one rung, that is: the ladder is a heap that knows time, not a sort of everything at every moment."""
    draw = random.Random(0)  # noqa: S311 - paces
    waiting = Waiting({job: draw.uniform(1.0, 50.0) for job in range(200)})
    for job in waiting.paces:
        waiting.poll_queue.put(0.0, job)
    now = 0.0
    while waiting.poll_queue:
        now += 0.25
        waiting.poll_queue.refresh(now)
        _, job = waiting.poll_queue.take()
        best = max(waiting.worth(other, now) for other in waiting.paces)
        assert waiting.worth(job, now) >= min(best / VALUE_CLASS_RATIO**1.01, VALUE_CLASS_RATIO ** (VALUE_CLASSES - 1))
        del waiting.paces[job]


def test_one_that_becomes_urgent_late_overtakes():
    """The order at the moment of joining is not kept: that is what a plain queue gets wrong."""
    waiting = Waiting({1: 100.0, 2: 1.0})
    waiting.poll_queue.put(0.0, 1)
    waiting.poll_queue.put(5.0, 2)
    waiting.poll_queue.refresh(50.0)
    assert waiting.poll_queue.take()[1] == 2


def test_each_poll_climbs_a_few_times_at_most():
    """However long it waits and however many wait with it: the cost per poll stays flat."""
    waiting = Waiting(dict.fromkeys(range(1000), 1.0))
    for job in range(1000):
        waiting.poll_queue.put(0.0, job)
    for now in range(1, 100_000, 50):
        waiting.poll_queue.refresh(float(now))
    assert waiting.asked <= 1000 * VALUE_CLASSES
    assert waiting.poll_queue.take()[0] == VALUE_CLASSES - 1


def test_where_there_is_room_for_all_nobody_is_asked_what_he_is_worth():
    """Most sessions never run short; their polls cost no more for the ladder."""
    waiting = Waiting({1: 1.0, 2: 1.0})
    waiting.poll_queue.put(0.05, 2)
    waiting.poll_queue.put(0.0, 1)
    waiting.poll_queue.refresh(0.09)
    assert [(0, 1), (0, 2)] == [waiting.poll_queue.take(), waiting.poll_queue.take()]
    assert waiting.asked == 0


def test_jobs_that_are_over_are_passed_over():
    """They are not searched for when they end."""
    waiting = Waiting({1: 1.0, 2: 1.0})
    waiting.poll_queue.put(0.0, 1)
    waiting.poll_queue.put(1.0, 2)
    del waiting.paces[1]
    assert waiting.poll_queue
    assert waiting.poll_queue.take()[1] == 2
    assert not waiting.poll_queue


def test_nothing_can_be_taken_from_an_empty_ladder():
    """A caller that takes without looking has a bug."""
    with pytest.raises(IndexError):
        PollQueue(lambda _job: True, lambda _job, _rung, _since: inf, unranked_seconds=1.0).take()
