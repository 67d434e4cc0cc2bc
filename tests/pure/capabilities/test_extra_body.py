"""What `extra_body` says of fields counts as if the field said it: for checks, lengths and prices."""

from __future__ import annotations

import pytest

from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.pricing.list_prices import list_price, seconds_of
from aihubmix_video.types.request import VideoRequest


@pytest.mark.parametrize(
    ("model", "extra", "seconds"),
    [
        ("wan2.6-t2v", {"seconds": "15"}, 15),
        ("kling-v1", {"duration": "10"}, 10),
        ("sora-2-pro", {"seconds": "12"}, 12),
    ],
)
def test_a_length_in_extra_body_is_counted(model: str, extra: dict[str, object], seconds: int):
    """Caps that look at the fields alone would let three times as much be bought as was allowed."""
    assert seconds == seconds_of(VideoRequest(model=model, prompt="a", extra_body=extra))


def test_a_size_in_extra_body_has_its_price():
    """The dearest size is not to be had at the price of the default one."""
    dear = VideoRequest(model="sora-2-pro", prompt="a", extra_body={"size": "1792x1024", "seconds": "4"})
    assert list_price(dear) == list_price(VideoRequest(model="sora-2-pro", prompt="a", size="1792x1024", seconds=4))


@pytest.mark.parametrize(
    ("model", "extra", "field"),
    [
        ("wan2.6-t2v", {"seconds": "99"}, "seconds"),
        ("wan2.6-t2v", {"size": "1x1"}, "size"),
        ("kling-v1", {"mode": "hd"}, "mode"),
        ("sora-2", {"duration": 8}, "extra_body.duration"),
    ],
)
def test_what_a_model_does_not_take_is_refused_in_extra_body_too(model: str, extra: dict[str, object], field: str):
    """It would be refused by the gateway, or taken and billed as something else."""
    request = VideoRequest(model=model, prompt="a", extra_body=extra)
    assert [field] == [problem.field for problem in BUILT_IN.judge(request).problems]


def test_a_reference_in_extra_body_is_one():
    """A model that needs one has it."""
    request = VideoRequest(model="wan2.6-i2v", prompt="a", extra_body={"input_reference": "https://example.com/a.png"})
    assert () == BUILT_IN.judge(request).problems
