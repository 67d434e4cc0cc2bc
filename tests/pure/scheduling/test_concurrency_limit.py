"""What each model's vendor bears at once, and creates that stand aside."""

from __future__ import annotations

from math import inf

import pytest

from aihubmix_video.scheduling.concurrency_limit import PROBE_SECONDS, ConcurrencyLimits, CreateQueue

MODELS = {1: "a", 2: "a", 3: "b", 4: "a", 5: "b"}


def crowded(model: str, jobs: int) -> ConcurrencyLimits:
    """A vendor who refused the last of so many jobs at time 0."""
    concurrency = ConcurrencyLimits()
    for _ in range(jobs):
        concurrency.began(model)
    concurrency.refused(model, 0.0)
    concurrency.left(model, ran=False)
    return concurrency


def test_one_vendors_ceiling_is_no_others():
    """Three jobs at a time at one vendor's say nothing about the next."""
    concurrency = crowded("a", 4)
    assert concurrency.room("a") == 0
    assert concurrency.room("b") == inf


def test_a_job_that_ends_makes_room_and_a_little_more():
    """The ceiling creeps up, so that a vendor who bears more later is found out."""
    concurrency = crowded("a", 4)
    concurrency.left("a", ran=True)
    assert 1 < concurrency.room("a") < 2


def test_a_refused_create_makes_no_room():
    """It was never there; to count it as an end would raise the ceiling with each refusal."""
    concurrency = crowded("a", 4)
    concurrency.began("a")
    before = concurrency.room("a")
    concurrency.left("a", ran=False)
    assert concurrency.room("a") == before + 1


def test_if_none_ends_one_more_is_tried_after_a_while():
    """Jobs of another program may have held the places."""
    concurrency = crowded("a", 4)
    assert concurrency.probe_at == PROBE_SECONDS
    concurrency.probe(PROBE_SECONDS)
    assert concurrency.room("a") == 1
    assert concurrency.probe_at == inf


def test_at_least_one_job_is_always_tried():
    """A vendor who refuses the first is full of others' jobs; waiting for our own to end would be waiting for ever."""
    concurrency = crowded("a", 1)
    assert concurrency.room("a") == 1


def test_creates_aside_come_forward_when_those_before_them_are_withdrawn():
    """There is room, and nobody else will make any: they would wait for ever."""
    alive, concurrency = set(range(1, 7)), ConcurrencyLimits()
    made = CreateQueue(alive.__contains__, lambda _: "a", concurrency)
    for job in range(1, 7):
        made.put(float(job), job)
    for _ in range(3):
        concurrency.began("a")
        made.take()
    concurrency.refused("a", 0.0)  # the third: two are borne
    concurrency.left("a", ran=False)
    assert not made
    for _ in range(2):
        concurrency.left("a", ran=True)
    made.refresh(1.0)  # jobs 4 and 5 may leave
    alive -= {4, 5}
    assert made
    assert made.take() == (6.0, 6)


def create_queue(concurrency: ConcurrencyLimits) -> CreateQueue:
    """Five creates of two models, in their order."""
    made = CreateQueue(MODELS.__contains__, MODELS.__getitem__, concurrency)
    for job in MODELS:
        made.put(float(job), job)
    return made


def passed(made: CreateQueue) -> list[int]:
    """Let all pass that may."""
    jobs = []
    while made:
        jobs.append(made.take()[1])
    return jobs


def test_creates_of_a_full_vendor_stand_aside_and_the_others_keep_their_order():
    """The first in the queue must not hold up a hundred behind it that could go elsewhere."""
    assert passed(create_queue(ConcurrencyLimits())) == [1, 2, 3, 4, 5]
    assert passed(create_queue(crowded("a", 4))) == [3, 5]


def test_those_aside_come_back_in_their_order_as_places_become_free():
    """And no more of them than there are places."""
    concurrency = crowded("a", 4)
    made = create_queue(concurrency)
    assert passed(made) == [3, 5]
    concurrency.left("a", ran=True)
    made.refresh(1.0)
    assert made
    assert made.take()[1] == 1
    concurrency.began("a")
    assert not made
    concurrency.left("a", ran=True)
    made.refresh(2.0)
    assert made.take()[1] == 2


def test_those_aside_come_back_when_it_is_time_to_try_one_more():
    """No job of ours may end for an hour."""
    made = create_queue(crowded("a", 4))
    passed(made)
    made.refresh(PROBE_SECONDS)
    assert made.take()[1] == 1


def test_nothing_is_kept_of_models_that_have_no_jobs_and_were_never_refused():
    """Users may invent a model name per job."""
    concurrency = ConcurrencyLimits()
    for number in range(100):
        concurrency.began(str(number))
        concurrency.left(str(number), ran=True)
    assert not concurrency._pools


def test_nothing_can_be_taken_when_no_create_may_leave():
    """A caller that takes without looking has a bug."""
    with pytest.raises(IndexError):
        CreateQueue(MODELS.__contains__, MODELS.__getitem__, ConcurrencyLimits()).take()
