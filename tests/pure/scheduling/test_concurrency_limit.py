"""What each model's vendor bears at once, and creates that stand aside."""

from __future__ import annotations

from math import inf

import pytest

from aihubmix_video.scheduling.concurrency_limit import PROBE, Admission, Turnstile

MODELS = {1: "a", 2: "a", 3: "b", 4: "a", 5: "b"}


def crowded(model: str, jobs: int) -> Admission:
    """A vendor who refused the last of so many jobs at time 0."""
    admission = Admission()
    for _ in range(jobs):
        admission.began(model)
    admission.refused(model, 0.0)
    admission.left(model, ran=False)
    return admission


def test_one_vendors_ceiling_is_no_others():
    """Three jobs at a time at one vendor's say nothing about the next."""
    admission = crowded("a", 4)
    assert admission.room("a") == 0
    assert admission.room("b") == inf


def test_a_job_that_ends_makes_room_and_a_little_more():
    """The ceiling creeps up, so that a vendor who bears more later is found out."""
    admission = crowded("a", 4)
    admission.left("a", ran=True)
    assert 1 < admission.room("a") < 2


def test_a_refused_create_makes_no_room():
    """It was never there; to count it as an end would raise the ceiling with each refusal."""
    admission = crowded("a", 4)
    admission.began("a")
    before = admission.room("a")
    admission.left("a", ran=False)
    assert admission.room("a") == before + 1


def test_if_none_ends_one_more_is_tried_after_a_while():
    """Jobs of another program may have held the places."""
    admission = crowded("a", 4)
    assert admission.probe_at == PROBE
    admission.probe(PROBE)
    assert admission.room("a") == 1
    assert admission.probe_at == inf


def test_at_least_one_job_is_always_tried():
    """A vendor who refuses the first is full of others' jobs; waiting for our own to end would be waiting for ever."""
    admission = crowded("a", 1)
    assert admission.room("a") == 1


def test_creates_aside_come_forward_when_those_before_them_are_withdrawn():
    """There is room, and nobody else will make any: they would wait for ever."""
    alive, admission = set(range(1, 7)), Admission()
    made = Turnstile(alive.__contains__, lambda _: "a", admission)
    for job in range(1, 7):
        made.put(float(job), job)
    for _ in range(3):
        admission.began("a")
        made.take()
    admission.refused("a", 0.0)  # the third: two are borne
    admission.left("a", ran=False)
    assert not made
    for _ in range(2):
        admission.left("a", ran=True)
    made.refresh(1.0)  # jobs 4 and 5 may leave
    alive -= {4, 5}
    assert made
    assert made.take() == (6.0, 6)


def turnstile(admission: Admission) -> Turnstile:
    """Five creates of two models, in their order."""
    made = Turnstile(MODELS.__contains__, MODELS.__getitem__, admission)
    for job in MODELS:
        made.put(float(job), job)
    return made


def passed(made: Turnstile) -> list[int]:
    """Let all pass that may."""
    jobs = []
    while made:
        jobs.append(made.take()[1])
    return jobs


def test_creates_of_a_full_vendor_stand_aside_and_the_others_keep_their_order():
    """The first in the queue must not hold up a hundred behind it that could go elsewhere."""
    assert passed(turnstile(Admission())) == [1, 2, 3, 4, 5]
    assert passed(turnstile(crowded("a", 4))) == [3, 5]


def test_those_aside_come_back_in_their_order_as_places_become_free():
    """And no more of them than there are places."""
    admission = crowded("a", 4)
    made = turnstile(admission)
    assert passed(made) == [3, 5]
    admission.left("a", ran=True)
    made.refresh(1.0)
    assert made
    assert made.take()[1] == 1
    admission.began("a")
    assert not made
    admission.left("a", ran=True)
    made.refresh(2.0)
    assert made.take()[1] == 2


def test_those_aside_come_back_when_it_is_time_to_try_one_more():
    """No job of ours may end for an hour."""
    made = turnstile(crowded("a", 4))
    passed(made)
    made.refresh(PROBE)
    assert made.take()[1] == 1


def test_nothing_is_kept_of_models_that_have_no_jobs_and_were_never_refused():
    """Users may invent a model name per job."""
    admission = Admission()
    for number in range(100):
        admission.began(str(number))
        admission.left(str(number), ran=True)
    assert not admission._pools


def test_nothing_can_be_taken_when_no_create_may_leave():
    """A caller that takes without looking has a bug."""
    with pytest.raises(IndexError):
        Turnstile(MODELS.__contains__, MODELS.__getitem__, Admission()).take()
