"""Lanes: who waits where, and who goes next."""

from __future__ import annotations

from math import inf

from aihubmix_video.scheduling.due_queue import DueQueue
from aihubmix_video.scheduling.fair_queue import FairQueue, RequestClass
from aihubmix_video.scheduling.messages import SendDownload, SendPoll
from aihubmix_video.scheduling.rate_control import Cooldown


def always(_job: int) -> bool:
    """All jobs count."""
    return True


def request_class(*, limit: int = 1, share: int = 1) -> RequestClass:
    """Build a lane in which the highest number goes first."""
    return RequestClass(limit, SendPoll, lambda job, _due: -job, DueQueue(always), Cooldown(), share=share)


def test_a_lane_sorts_what_is_due_by_rank():
    """Downloads that are due go by the moment their link expires, not by the moment they became due."""
    one = request_class()
    queue = FairQueue(one, alive=always, class_of=lambda _job: one)
    for job, due in enumerate((0.0, 1.0, 9.0), 1):
        queue.later.put(due, job)
    queue.mature(5.0)
    assert [queue.take(5.0), queue.take(5.0), queue.take(5.0)] == [(one, -2, 2), (one, -1, 1), None]
    assert queue.wakes_at(0.0) == 9.0


def test_a_lane_is_open_while_a_job_is_ready_and_a_place_is_free():
    """Both are needed."""
    one = request_class(limit=1)
    assert not one.open()
    one.join(inf, 7)
    assert one.open()
    one.busy = 1
    assert not one.open()


def test_lanes_that_have_work_take_turns_by_their_shares():
    """A lane of share 3 gets three turns for each of the other's, and an idle one saves nothing up."""
    often, seldom = request_class(limit=100, share=3), request_class(limit=100)
    queue = FairQueue(often, seldom, alive=always, class_of=lambda job: often if job < 100 else seldom)
    for job in (*range(6), *range(100, 102)):
        queue.later.put(0.0, job)
    queue.mature(0.0)
    taken = [queue.take(0.0) for _ in range(8)]
    assert [turn[0] for turn in taken if turn].count(seldom) == 2
    assert [turn[0] for turn in taken[:4] if turn].count(seldom) == 1


def test_a_lane_joined_later_is_found():
    """The lanes with nobody in them are passed over, until somebody comes."""
    first, second = request_class(), request_class()
    second.action = SendDownload
    queue = FairQueue(first, second, alive=always, class_of=lambda job: first if job == 1 else second)
    queue.later.put(0.0, 1)
    queue.mature(0.0)
    assert queue.take(0.0) == (first, -1, 1)
    queue.later.put(1.0, 2)
    assert queue.wakes_at(0.0) == 1.0
    assert queue.take(1.0) is None
    queue.mature(1.0)
    assert queue.wakes_at(3.0) == 3.0
    assert queue.take(3.0) == (second, -2, 2)
