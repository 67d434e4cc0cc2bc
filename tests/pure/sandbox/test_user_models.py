"""Models of a user's own at the sandbox: judged by plain data, read as the model that they are like."""

from __future__ import annotations

import pytest

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.sandbox.error_bodies import RefusedRequest
from aihubmix_video.sandbox.vendors import BY_MODEL
from aihubmix_video.sandbox.vendors.user_models import with_user_models
from aihubmix_video.sandbox.vendors.vendor import Order

KLING = {
    "model": "kling-v4",
    "dialect": "kling",
    "seconds": {"values": "3-20", "default": 6},
    "tier_field": "mode",
    "ratio_field": "aspect_ratio",
    "options": {"mode": {"values": ["std", "8k"], "default": "std"}, "aspect_ratio": {"values": ["16:9"], "default": "16:9"}},
    "sizes": [
        {"width": 1280, "height": 720, "tier": "std", "ratio": "16:9"},
        {"width": 7680, "height": 4320, "tier": "8k", "ratio": "16:9"},
    ],
}  # fmt: skip
WAN = {"model": "wan3-t2v", "like": "wan2.6-t2v", "sizes": ["1280x720", "2560x1440"], "default_size": "1280x720"}


def order(plain: dict[str, object], **fields: object) -> Order:
    """Read a request for a model of the user's own."""
    name = str(plain["model"])
    return with_user_models(BY_MODEL, [plain])[name].read({"model": name, "prompt": "a", **fields})


def test_its_own_lengths_sizes_and_choices_count():
    """The defaults of the data too."""
    assert Order("kling-v4", "a", 6, 1280, 720, audio=False) == order(KLING)
    assert Order("kling-v4", "a", 20, 7680, 4320, audio=False) == order(KLING, duration="20", mode="8k")
    assert (2560, 1440) == (found := order(WAN, size="2560x1440"), (found.width, found.height))[1]


@pytest.mark.parametrize(
    ("plain", "fields"),
    [
        (KLING, {"duration": 21}),
        (KLING, {"mode": "pro"}),
        (KLING, {"size": "1280x720"}),  # its vendor's rule
        (KLING, {"image": "data:image/png;base64,aaaa"}),
        (WAN, {"size": "1920x1080"}),
        (WAN, {"input_reference": "https://a.example/b.png"}),
    ],
)
def test_what_the_data_or_the_vendor_refuses_is_refused(plain: dict[str, object], fields: dict[str, object]):
    """A table that says more than the gateway takes is found out here."""
    with pytest.raises(RefusedRequest):
        order(plain, **fields)


@pytest.mark.parametrize("plain", [{}, {"model": "a"}, {"model": "a", "like": "b"}, {"model": "a", "dialect": "c"}])
def test_a_model_that_is_like_none_is_refused(plain: dict[str, object]):
    """It could not be answered."""
    with pytest.raises(ConfigurationError, match=r"models\[0\]"):
        with_user_models(BY_MODEL, [plain])
