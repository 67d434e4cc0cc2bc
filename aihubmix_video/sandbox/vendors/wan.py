"""Alibaba Tongyi Wanxiang: clarity tiers per version, separate models for images.

AIHubMix video guide, updated 2026-06-01. The guide's default size is not a size of wan2.2, whose default here is 1920x1080.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.sandbox.error_bodies import RefusedRequest, dashscope
from aihubmix_video.sandbox.ids import wan_id
from aihubmix_video.sandbox.vendors.vendor import Order, Vendor, duration_of, is_image, pixels_of, prompt_of

if TYPE_CHECKING:
    from collections.abc import Mapping

P480 = frozenset({(832, 480), (480, 832), (624, 624)})
P720 = frozenset({(1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)})
P1080 = frozenset({(1920, 1080), (1080, 1920), (1440, 1440), (1632, 1248), (1248, 1632)})
SIZES = {"wan2.6": P720 | P1080, "wan2.5": P480 | P720 | P1080, "wan2.2": P480 | P1080}
SECONDS = {"wan2.6": range(2, 16), "wan2.5": (5, 10), "wan2.2": (5,)}
DEFAULT_SIZE = {"wan2.6": (1280, 720), "wan2.5": (1280, 720), "wan2.2": (1920, 1080)}


def read(body: Mapping[str, object]) -> Order:
    """Read a Wan request."""
    model = str(body["model"])
    version = model.partition("-")[0]
    seconds = duration_of(body, 5)
    if seconds not in SECONDS[version]:
        raise RefusedRequest(f"duration {seconds} is not supported by {model}", "InvalidParameter", "duration")
    size = body.get("size")
    pixels = DEFAULT_SIZE[version] if size is None else pixels_of(size, "x*")
    if pixels is None or pixels not in SIZES[version]:
        raise RefusedRequest(f"size {size!r} is not supported by {model}", "InvalidParameter", "size")
    _check_reference(model, body.get("input_reference"))
    return Order(model, prompt_of(body), seconds, *pixels, audio=version != "wan2.2")


def _check_reference(model: str, reference: object) -> None:
    takes_image = "-i2v" in model
    if takes_image and reference is None:
        raise RefusedRequest(f"{model} needs an image: img_url must be set", "InvalidParameter", "img_url")
    if not takes_image and reference is not None:
        raise RefusedRequest(f"{model} takes no image: img_url must not be set", "InvalidParameter", "img_url")
    if takes_image and not is_image(reference):
        raise RefusedRequest("img_url is neither a URL nor base64 data", "InvalidParameter.DataInspection", "img_url")


VENDOR = Vendor(
    models={
        "wan2.6-t2v": 140.0,
        "wan2.6-i2v": 140.0,
        "wan2.5-t2v-preview": 130.0,
        "wan2.5-i2v-preview": 130.0,
        "wan2.2-t2v-plus": 85.0,
        "wan2.2-i2v-plus": 85.0,
    },
    read=read,
    envelope=dashscope,
    make_id=wan_id,
    moderation=RefusedRequest("Input data may contain inappropriate content.", "DataInspectionFailed"),
    failure={"message": "Output data may contain inappropriate content.", "type": "video_generation_error"},
)
