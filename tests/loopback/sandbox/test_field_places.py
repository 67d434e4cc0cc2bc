"""One form for every report: the encoder's requests against gateways that read Seedance's options in different places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from aihubmix_video import VideoSession
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.sandbox.vendors.seedance import SeedanceReads
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    from aihubmix_video.sandbox.vendors.vendor import Order

MODEL = "doubao-seedance-2-0-260128"
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}, "role": "reference_image"}
FLAT = {"seconds": 11, "resolution": "480p", "ratio": "9:16", "generate_audio": False}
AS_ON_THE_PAGE = {"extra_body": {"duration": 11, "resolution": "480p", "ratio": "9:16", "generate_audio": False}}


async def ordered(reads: SeedanceReads, **fields: Any) -> Order:  # noqa: ANN401 - fields of a request
    """Buy one video of a gateway that reads so, and return what it understood."""
    async with Sandbox(**AT_ONCE, seedance_reads=reads) as sandbox:
        async with VideoSession(sandbox.api_key, base_url=sandbox.url, rate=1000, trust_env=False) as session:
            await session.submit("a cat", model=MODEL, **fields)
        (job,) = sandbox.jobs.values()
        return job.order


@pytest.mark.parametrize("reads", get_args(SeedanceReads))
@pytest.mark.parametrize("fields", [FLAT, AS_ON_THE_PAGE], ids=["flat", "as on the page"])
async def test_every_gateway_makes_what_was_ordered(reads: SeedanceReads, fields: dict[str, Any]):
    """A video that ignores its options is paid for, and nobody notices."""
    order = await ordered(reads, **fields)

    assert (11, 496, 864, False) == (order.seconds, order.width, order.height, order.audio)


@pytest.mark.parametrize("reads", get_args(SeedanceReads))
async def test_with_references_only_the_observed_gateway_chooses_its_resolution(reads: SeedanceReads):
    """It takes it from a size in pixels alone, which another one refuses beside references; the rest is as ordered."""
    order = await ordered(reads, content=[PICTURE], **FLAT)

    assert (11, False) == (order.seconds, order.audio)
    assert ((720, 1280) if reads == "observed" else (496, 864)) == (order.width, order.height)


def test_another_place_is_refused():
    """A switch that does nothing would prove nothing."""
    with pytest.raises(ConfigurationError, match="both, top, nested, observed"):
        Sandbox(seedance_reads="bottom")  # type: ignore[arg-type]
