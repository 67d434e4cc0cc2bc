"""Caps: what a batch may still buy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.pricing.caps import Caps, CapUsage, check_retries

SECONDS = st.one_of(st.none(), st.integers(1, 60).map(float))
PRICES = st.one_of(st.none(), st.floats(0, 20, allow_nan=False))


@pytest.mark.parametrize("value", [-1, 1.5, math.inf, math.nan, True, "3", -0.01])
def test_a_cap_that_cannot_be_meant_is_refused(value: object):
    """A cap mistyped must not become no cap."""
    fields = ["max_videos"] if value == 1.5 else ["max_videos", "max_seconds", "max_spend"]
    with pytest.raises(InvalidRequest) as caught:
        Caps(**dict.fromkeys(fields, value))  # type: ignore[arg-type]  # that is what is tried
    assert fields == [problem.field for problem in caught.value.problems]


@pytest.mark.parametrize("value", [-1, 11, 1.0, True, None])
def test_a_number_of_retries_that_cannot_be_meant_is_refused(value: int):
    """Buying again without a bound is what no one wants."""
    with pytest.raises(InvalidRequest, match="moderation_retries"):
        check_retries(value)
    check_retries(0)
    check_retries(10)


def test_no_cap_refuses_nothing_and_zero_refuses_all():
    """None is not a limit, and 0 is one."""
    assert not Caps().any
    assert CapUsage(Caps()).refusal(None, None) is None
    for cap in ({"max_videos": 0}, {"max_seconds": 0}, {"max_spend": 0.0}):
        refused = CapUsage(Caps(**cap)).refusal(1.0, 0.01)  # type: ignore[arg-type]  # each has its own type
        assert refused is not None
        assert next(iter(cap)) == refused.field


@given(
    st.lists(st.tuples(SECONDS, PRICES), max_size=30),
    st.one_of(st.none(), st.integers(0, 10)),
    st.one_of(st.none(), st.floats(0, 200)),
    st.one_of(st.none(), st.floats(0, 50)),
)
def test_what_was_taken_never_exceeds_a_cap(
    videos: list[tuple[float | None, float | None]],
    max_videos: int | None,
    max_seconds: float | None,
    max_spend: float | None,
):
    """This is what a cap is for; and what may be bought is not refused (M6)."""
    budget = CapUsage(Caps(max_videos=max_videos, max_seconds=max_seconds, max_spend=max_spend))
    bought: list[tuple[float | None, float | None]] = []

    def fits(seconds: float | None, price: float | None) -> bool:
        lengths = [length for length, _ in bought] + [seconds]
        costs = [cost for _, cost in bought] + [price]
        within = max_videos is None or len(lengths) <= max_videos
        if max_seconds is not None:
            within &= seconds is not None and math.fsum(filter(None, lengths)) <= max_seconds
        if max_spend is not None:
            within &= price is not None and math.fsum(filter(None, costs)) <= max_spend + 1e-4
        return within

    for seconds, price in videos:
        if budget.refusal(seconds, price) is None:
            assert fits(seconds, price)
            budget.take(seconds, price)
            bought.append((seconds, price))
        elif max_spend is None:  # prices are rounded up to whole millionths
            assert not fits(seconds, price)


@given(st.lists(st.tuples(SECONDS, PRICES), max_size=20), SECONDS, PRICES)
def test_what_is_given_back_leaves_no_trace(
    videos: list[tuple[float | None, float | None]], seconds: float | None, price: float | None
):
    """A video that was not bought after all leaves exactly its own room to another."""
    caps = Caps(max_videos=len(videos), max_seconds=1e6, max_spend=1e6)
    used = CapUsage(caps)
    for each in videos:
        used.take(*each)
    full = used.refusal(seconds, price)
    assert full is not None
    for each in videos:
        used.give_back(*each)
    assert CapUsage(caps).refusal(seconds, price) == used.refusal(seconds, price)


def test_tenths_add_up_as_people_add_them():
    """Three times 0.1 is not 0.3 in binary; a cap of 0.3 buys three all the same."""
    budget = CapUsage(Caps(max_spend=0.3))
    for _ in range(3):
        assert budget.refusal(1.0, 0.1) is None
        budget.take(1.0, 0.1)
    refused = budget.refusal(1.0, 0.1)
    assert refused is not None
    assert "0.3 is used already" in refused.message


def test_what_cannot_be_counted_is_not_bought():
    """A cap that silently let the unknown through would be none."""
    refused = CapUsage(Caps(max_seconds=100)).refusal(None, 1.0)
    assert refused is not None
    assert "length of this video is not known" in refused.message
    refused = CapUsage(Caps(max_spend=100)).refusal(5.0, None)
    assert refused is not None
    assert "price" in refused.message
    for name, earlier in (("max_seconds", {"seconds": None}), ("max_spend", {"spent": None})):
        refused = CapUsage(Caps(**{name: 100}), **earlier).refusal(5.0, 1.0)  # type: ignore[arg-type]  # each has its own type
        assert refused is not None
        assert "the ledger has videos" in refused.message


def test_what_earlier_runs_bought_counts():
    """Caps hold across restarts."""
    budget = CapUsage(Caps(max_videos=3), videos=2)
    assert budget.refusal(None, None) is None
    budget.take(None, None)
    refused = budget.refusal(None, None)
    assert refused is not None
    assert "3 is used already" in refused.message
