"""ByteDance Jimeng: ratios, or pixels that stand for them; the real frame differs from the one asked for.

AIHubMix video guide, updated 2026-06-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.sandbox.error_bodies import RefusedRequest, task
from aihubmix_video.sandbox.ids import numeric_id
from aihubmix_video.sandbox.vendors.vendor import Order, Vendor, duration_of, is_image, prompt_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

REAL_SIZES = {
    "16:9": (1920, 1088),
    "1920x1080": (1920, 1088),
    "9:16": (1088, 1920),
    "1080x1920": (1088, 1920),
    "4:3": (1664, 1248),
    "1664x1248": (1664, 1248),
    "3:4": (1248, 1664),
    "1248x1664": (1248, 1664),
    "1:1": (1440, 1440),
    "1440x1440": (1440, 1440),
    "21:9": (2176, 928),
    "2176x928": (2176, 928),
}


def read(body: Mapping[str, object]) -> Order:
    """Read a Jimeng request."""
    seconds = duration_of(body, 5)
    if seconds not in {5, 10}:
        raise RefusedRequest(f"Invalid parameter: seconds {seconds}; use 5 or 10", "50215", "seconds")
    width, height = REAL_SIZES[text_of(body, "size", "16:9", REAL_SIZES)]
    reference = body.get("input_reference")
    if reference is not None and not is_image(reference):
        raise RefusedRequest("Invalid parameter: image_urls", "50215", "image_urls")
    return Order(str(body["model"]), prompt_of(body), seconds, width, height, audio=False)


VENDOR = Vendor(
    models={"jimeng-3.0-pro": 110.0, "jimeng-3.0-1080p": 100.0},
    read=read,
    envelope=task,
    make_id=numeric_id,
    moderation=RefusedRequest("Text Risk Not Pass", "50412"),
    failure={"message": "Post Video Risk Not Pass", "type": "video_generation_error"},
)
