"""The rule by which slots are given, with plain numbers."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.scheduling.rate_limit import DROP_FACTOR, RECOVERY_SECONDS
from aihubmix_video.shared_rate.slots import MAX_COOL_SECONDS, MAX_STEPS_AHEAD, SlotRequest, SlotState, exchange

NOW = 1.7e9
ASK = SlotRequest(interval=0.1)


@given(
    burst=st.integers(1, 5),
    gaps=st.lists(st.floats(0, 0.5), min_size=2, max_size=40),
    window=st.integers(1, 20),
)
def test_no_window_holds_more_slots_than_the_rate_allows(burst: int, gaps: list[float], window: int):
    """Whoever asks, whenever: the law is about all of them together."""
    state, now, slots = SlotState(), NOW, []
    for gap in gaps:
        now += gap
        state, reply = exchange(state, attrs.evolve(ASK, burst=burst), now)
        slots.append(now + reply.wait)

    seconds = window * ASK.interval
    most = max(sum(first <= slot < first + seconds - 1e-6 for slot in slots) for first in slots)
    assert most <= window + burst


def test_processes_that_all_have_work_take_turns():
    """One that asks sooner or more often than the others must not take their share."""
    state, waits = SlotState(), []
    for _ in range(4):
        state, reply = exchange(state, ASK, NOW)
        waits.append(reply.wait)

    assert [0.0, 0.1, 0.2, 0.3] == pytest.approx(waits, abs=1e-6)


def test_a_refusal_slows_all_and_pauses_its_kind():
    """The next process to ask learns of it, whatever it was about to send."""
    state, _ = exchange(SlotState(), attrs.evolve(ASK, slots=0, refused=0.0, creates=5.0), NOW)
    _, reply = exchange(state, ASK, NOW + 1.0)

    assert (DROP_FACTOR, 4.0, 0.0) == pytest.approx((reply.share, reply.creates, max(reply.followed, 0.0)))


def test_refusals_of_requests_that_left_before_the_last_one_was_known_count_once():
    """Eight processes that are refused at once would else lower the rate eight times."""
    state, _ = exchange(SlotState(), attrs.evolve(ASK, refused=0.2), NOW)
    _, reply = exchange(state, attrs.evolve(ASK, refused=0.2), NOW + 0.1)

    assert DROP_FACTOR == pytest.approx(reply.share, abs=0.01)


def test_a_lowered_rate_recovers_with_time_and_with_good_answers():
    """Wherever those came from."""
    state, _ = exchange(SlotState(), attrs.evolve(ASK, refused=0.0), NOW)
    _, reply = exchange(state, attrs.evolve(ASK, worked=6), NOW + 6.0)

    assert DROP_FACTOR + 12 / RECOVERY_SECONDS == pytest.approx(reply.share)


def test_requests_that_left_without_a_slot_are_made_up_for():
    """Redirects count, as in a rate of one process."""
    state, _ = exchange(SlotState(), ASK, NOW)
    _, reply = exchange(state, attrs.evolve(ASK, spent=3), NOW)

    assert 0.4 == pytest.approx(reply.wait)


def test_a_store_whose_clock_was_set_back_does_not_stop_anybody():
    """Moments of a future that will not come are cut."""
    ahead = NOW + 1e7
    state, reply = exchange(SlotState(ahead, 0.5, ahead, ahead, ahead, ahead), ASK, NOW)

    assert reply.wait <= MAX_STEPS_AHEAD * ASK.interval / 0.5
    assert max(reply.creates, reply.followed) <= MAX_COOL_SECONDS
    assert state.refused_at <= NOW
