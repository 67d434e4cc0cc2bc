"""Google Veo: sizes as labels or pixels, lengths as strings or numbers.

AIHubMix video guide, updated 2026-06-01. The resolution is taken from the shorter side, and only pixels choose the
orientation (AIHubMix field observations, 2026-03 to 2026-06).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.sandbox.error_bodies import RefusedRequest, google
from aihubmix_video.sandbox.ids import veo_id
from aihubmix_video.sandbox.vendors.vendor import Order, Vendor, duration_of, flag_of, is_image, pixels_of, prompt_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
SHORT_SIDES = {720: "720p", 1080: "1080p", 2160: "4k"}
SECONDS = {"veo-2.0-generate-001": (5, 6, 7, 8)}
SECONDS_3 = (4, 6, 8)
REFERENCES = frozenset({"veo-3.1-generate-preview", "veo-3.1-fast-generate-preview"})
VEO_2 = "veo-2.0-generate-001"


def read(body: Mapping[str, object]) -> Order:
    """Read a Veo request."""
    model = str(body["model"])
    seconds = duration_of(body, 8)
    if seconds not in SECONDS.get(model, SECONDS_3):
        raise RefusedRequest(
            f"durationSeconds out of bound: {seconds} is not supported by {model}", param="durationSeconds"
        )
    for field in ("aspect_ratio", "ratio"):
        if body.get(field) is not None:
            raise RefusedRequest(
                f'Invalid JSON payload received. Unknown name "{field}": Cannot find field.', param=field
            )
    _check_reference(model, body.get("input_reference"), seconds)
    width, height = _size(model, body.get("size", "720p"))
    audio = flag_of(body, "generate_audio", default=True) and model != VEO_2
    return Order(model, prompt_of(body), seconds, width, height, audio)


def _size(model: str, size: object) -> tuple[int, int]:
    pixels = LABELS.get(size) if isinstance(size, str) else None
    pixels = pixels or pixels_of(size)
    if pixels is None:
        raise RefusedRequest(f"The resolution {size!r} is not supported", param="resolution")
    label = SHORT_SIDES.get(min(pixels))
    if label is None or (label == "4k" and model == VEO_2):
        raise RefusedRequest(
            f"{label or f'{min(pixels)}p'} is not a supported resolution for {model}", param="resolution"
        )
    if max(pixels) * 9 != min(pixels) * 16:
        raise RefusedRequest(
            f"{pixels[0]}:{pixels[1]} is not a supported aspect ratio; use 16:9 or 9:16", param="aspectRatio"
        )
    return pixels


def _check_reference(model: str, reference: object, seconds: int) -> None:
    if reference is None:
        return
    if model not in REFERENCES:
        raise RefusedRequest("`inlineData` isn't supported by this model.", param="inlineData")
    if not is_image(reference):
        raise RefusedRequest("Unable to process input image.", param="inlineData")
    if seconds != 8:
        raise RefusedRequest("durationSeconds out of bound: must be 8 when an image is given", param="durationSeconds")


VENDOR = Vendor(
    models={
        "veo-3.1-generate-preview": 95.0,
        "veo-3.1-fast-generate-preview": 60.0,
        "veo-3.0-generate-preview": 100.0,
        VEO_2: 80.0,
    },
    read=read,
    envelope=google,
    make_id=veo_id,
    moderation=RefusedRequest(
        "The prompt could not be submitted. It contains words that violate the usage guidelines."
    ),
    failure={"message": "Video generation failed due to content policy violation", "type": "video_generation_error"},
    content_type="application/json; charset=UTF-8",  # over an MP4 body, as the gateway was seen to do for Veo
)
