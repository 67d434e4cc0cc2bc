"""List prices, and what a batch takes of its caps by them."""

from __future__ import annotations

import math

import pytest

from aihubmix_video import VideoRequest, find_capability
from aihubmix_video.errors import BudgetExceeded, InvalidRequest
from aihubmix_video.ledger.entry import Spent
from aihubmix_video.pricing.caps import Caps
from aihubmix_video.pricing.list_prices import LIST_PRICES, check_prices, highest_price, list_price, seconds_of
from aihubmix_video.session.batch_budget import BatchBudget


def test_every_listed_model_has_a_table_and_a_source():
    """A price of a model that nobody knows the lengths of would never be used, and one without a source not be trusted."""
    for model, listed in LIST_PRICES.items():
        capability = find_capability(model)
        assert capability is not None, model
        assert (True, True) == (bool(listed.source), bool(listed.seen))
        assert 0 < listed.usd < 5
        assert max(listed.sizes.values(), default=listed.usd) == highest_price(model)


@pytest.mark.parametrize(
    ("fields", "usd"),
    [
        ({"model": "sora-2", "seconds": 8}, 0.80),
        ({"model": "sora-2"}, 0.40),  # 4 s, when nothing is said
        ({"model": "sora-2-pro", "seconds": 4, "size": "1280x720"}, 1.20),
        ({"model": "sora-2-pro", "seconds": 4, "size": "1024x1792"}, 2.00),
        ({"model": "veo-3.1-generate-preview", "seconds": 8, "size": "1280x720"}, 3.20),
        ({"model": "veo-3.1-generate-preview", "seconds": 8, "size": "4k"}, 4.80),
        ({"model": "wan2.6-t2v", "seconds": 5}, None),
        ({"model": "somebody-elses"}, None),
    ],
)
def test_a_video_costs_its_seconds_at_its_size(fields: dict[str, object], usd: float | None):
    """As the vendors bill, by their lists."""
    price = list_price(VideoRequest.from_mapping({"prompt": "a cat", **fields}))
    assert (None if usd is None else pytest.approx(usd)) == price


def test_the_users_own_prices_take_the_lists_place():
    """Accounts have discounts, and lists grow old; at every size, as the user gave one number."""
    request = VideoRequest(model="sora-2-pro", prompt="a cat", seconds=4, size="1024x1792")
    assert 4 * 0.2 == list_price(request, {"sora-2-pro": 0.2})
    assert 0.2 == highest_price("sora-2-pro", {"sora-2-pro": 0.2})
    wan = VideoRequest(model="wan2.6-t2v", prompt="a cat", seconds=5)
    assert 0.5 == list_price(wan, {"wan2.6-t2v": 0.1})
    assert 5 == seconds_of(wan)


@pytest.mark.parametrize("usd", [-0.1, math.nan, math.inf, True, "0.1", None])
def test_a_price_that_cannot_be_meant_is_refused(usd: float):
    """All of them at once."""
    with pytest.raises(InvalidRequest) as caught:
        check_prices({"a": usd, "b": 0.1, "c": usd})
    assert ["prices[a]", "prices[c]"] == [problem.field for problem in caught.value.problems]


def sora(seconds: int = 4) -> VideoRequest:
    """Ask for a video of a known price: 0.10 USD per second."""
    return VideoRequest(model="sora-2", prompt="a cat", seconds=seconds)


def test_an_allowance_takes_and_gives_back():
    """A video that was not charged leaves its place to another."""
    allowance = BatchBudget(Caps(max_videos=2, max_seconds=12, max_spend=1.2))
    share = allowance.ask(sora(8))
    with pytest.raises(BudgetExceeded) as caught:
        allowance.ask(sora(8))
    assert "max_seconds" == caught.value.field
    allowance.ask(sora(4))
    with pytest.raises(BudgetExceeded) as caught:
        allowance.ask(sora(4))
    assert "max_videos" == caught.value.field
    allowance.give_back(share)
    allowance.ask(sora(4))


def test_earlier_purchases_count_at_their_dearest():
    """Of these only model and length are known, and a cap errs on the side of the purse."""
    allowance = BatchBudget(Caps(max_spend=10.0))
    allowance.begin({"sora-2-pro": Spent(jobs=3, seconds=19.0)})  # 0.50 per second at the largest size
    assert 0.4 == pytest.approx(allowance.ask(sora(4)).price)
    with pytest.raises(BudgetExceeded):
        allowance.ask(sora(4))


def test_earlier_purchases_of_unknown_length_count_at_the_longest():
    """Seedance chooses its own length when asked to."""
    longest = 15
    allowance = BatchBudget(Caps(max_seconds=2 * longest + 4))
    allowance.begin({"doubao-seedance-2-0-260128": Spent(jobs=2, unmeasured=2)})
    allowance.ask(sora(4))
    with pytest.raises(BudgetExceeded):
        allowance.ask(sora(4))


def test_a_ledger_with_jobs_of_unknown_price_keeps_no_money_cap():
    """Rather nothing than more than was allowed."""
    allowance = BatchBudget(Caps(max_spend=1e6))
    allowance.begin({"somebody-elses": Spent(jobs=1, unmeasured=1)})
    with pytest.raises(BudgetExceeded, match="ledger"):
        allowance.ask(sora())
    counted = BatchBudget(Caps(max_spend=1e6), {"wan2.6-t2v": 0.1})
    counted.begin({"wan2.6-t2v": Spent(jobs=1, seconds=5.0)})
    counted.ask(sora())


def test_caps_and_prices_survive_being_written_down():
    """`resume` keeps to the caps of the batch that it goes on with."""
    caps, prices = Caps(max_videos=3, max_seconds=7.5, max_spend=0.25), {"sora-2": 0.01}
    again = BatchBudget.restored(BatchBudget(caps, prices).packed())
    assert again.capped
    assert 0.04 == again.ask(sora(4)).price
    with pytest.raises(BudgetExceeded, match=r"7\.5"):
        again.ask(sora(4))
    assert not BatchBudget.restored(BatchBudget().packed()).capped
