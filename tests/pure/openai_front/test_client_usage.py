"""What a client may buy in any 24 hours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.openai_front.client_usage import CAPPED_SECONDS, CapReached, ClientUsage, Purchase
from aihubmix_video.pricing.caps import Caps


def bought(at: float, seconds: float | None = 5, price: float | None = 0.5) -> Purchase:
    """Make a purchase."""
    return Purchase(at=at, seconds=seconds, price=price)


@pytest.mark.parametrize("caps", [Caps(max_videos=2), Caps(max_seconds=10), Caps(max_spend=1.0)])
def test_a_cap_is_reached_and_opens_after_a_day(caps: Caps):
    """A client is told when, so that it need not try."""
    usage = ClientUsage(caps)
    for at in (0.0, 100.0):
        usage.check(bought(at))
        usage.add(bought(at))

    with pytest.raises(CapReached) as refused:
        usage.check(bought(1000.0))
    assert CAPPED_SECONDS - 1000.0 == refused.value.retry_after
    usage.check(bought(CAPPED_SECONDS))


def test_what_was_not_charged_is_given_back():
    """A refusal of the vendor costs nothing, so it uses up nothing."""
    usage, first = ClientUsage(Caps(max_videos=1)), bought(0.0)
    usage.add(first)
    usage.remove(first)
    usage.remove(first)

    usage.check(bought(1.0))


def test_a_video_above_the_cap_never_has_room():
    """Then there is no moment to wait for."""
    with pytest.raises(CapReached) as refused:
        ClientUsage(Caps(max_seconds=4)).check(bought(0.0))
    assert refused.value.retry_after is None


@pytest.mark.parametrize(("caps", "wanted"), [(Caps(max_seconds=9), (None, 0.5)), (Caps(max_spend=9), (5, None))])
def test_what_cannot_be_counted_is_refused(caps: Caps, wanted: tuple[float | None, float | None]):
    """A cap that counts the unknown as nothing is not one."""
    with pytest.raises(CapReached, match="not known of this video"):
        ClientUsage(caps).check(bought(0.0, *wanted))


@given(st.lists(st.integers(0, int(3 * CAPPED_SECONDS)), max_size=40), st.integers(1, 5))
def test_no_day_holds_more_than_the_cap(moments: list[int], most: int):
    """However purchases come, in any 24 hours there are no more than the cap; this is what a calendar's day would not hold."""
    usage, allowed, waits = ClientUsage(Caps(max_videos=most)), [], []
    for at in sorted(moments):
        try:
            usage.check(bought(at))
        except CapReached as refused:
            waits.append(refused.retry_after)
            continue
        usage.add(bought(at))
        allowed.append(at)

    assert all(wait is not None and wait > 0 for wait in waits)
    assert all(sum(at - CAPPED_SECONDS < each <= at for each in allowed) <= most for at in allowed)
