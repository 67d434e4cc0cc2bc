"""Kuaishou Kling: no ``size``; clarity by ``mode``, frame by ``aspect_ratio``; fields it does not map are errors.

AIHubMix video guide, updated 2026-06-01. ``extra_body`` is handed on to the vendor unread.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BadBase64
from typing import TYPE_CHECKING

from aihubmix_video.sandbox.error_bodies import RefusedRequest, task
from aihubmix_video.sandbox.ids import numeric_id
from aihubmix_video.sandbox.vendors.vendor import DAY, Order, Vendor, duration_of, prompt_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = frozenset(
    [
        "model",
        "prompt",
        "negative_prompt",
        "mode",
        "duration",
        "seconds",
        "aspect_ratio",
        "cfg_scale",
        "image",
        "image_tail",
        "image_list",
        "sound",
        "video_list",
        "extra_body",
    ]
)
OLD = frozenset({"kling-v1", "kling-v1-5", "kling-v1-6"})
OMNI = frozenset({"kling-v3-omni", "kling-video-o1"})
MULTI_IMAGE = "kling-v1-6"
SIDES = {"std": (1280, 720, 960), "pro": (1920, 1080, 1440), "4k": (3840, 2160, 2160)}


def read(body: Mapping[str, object]) -> Order:
    """Read a Kling request."""
    model = str(body["model"])
    for field in body:
        if field not in FIELDS:
            raise _invalid(field, "is not supported by Kling")
    seconds = duration_of(body, 5)
    if seconds not in ((5, 10) if model in OLD else range(3, 16)):
        raise _invalid("duration", f"{seconds} is not supported by {model}")
    long, short, square = SIDES[text_of(body, "mode", "std", SIDES)]
    frames = {"16:9": (long, short), "9:16": (short, long), "1:1": (square, square)}
    width, height = frames[text_of(body, "aspect_ratio", "16:9", frames)]
    _check_scale(model, body.get("cfg_scale"))
    has_image = _check_images(model, body)
    sound, has_video = _check_omni(model, body)
    prompt = prompt_of(body, may_be_empty=has_image or has_video)
    if not isinstance(body.get("negative_prompt", ""), str):
        raise _invalid("negative_prompt", "must be a string")
    return Order(model, prompt, seconds, width, height, audio=sound)


def _check_scale(model: str, scale: object) -> None:
    if scale is None:
        return
    if model.startswith("kling-v2"):
        raise _invalid("cfg_scale", f"is not supported by {model}")
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 <= scale <= 1:
        raise _invalid("cfg_scale", "must be a number from 0 to 1")


def _check_images(model: str, body: Mapping[str, object]) -> bool:
    """Check the image fields; say whether there is any image."""
    images = body.get("image_list")
    if body.get("image_tail") is not None and body.get("image") is None:
        raise _invalid("image_tail", "needs image")
    for field in ("image", "image_tail"):
        if body.get(field) is not None:
            _check_image(body[field], field)
    if images is None:
        return body.get("image") is not None
    if model != MULTI_IMAGE:
        raise _invalid("image_list", f"is supported by {MULTI_IMAGE} only")
    if not isinstance(images, list) or not 1 <= len(images) <= 4:
        raise _invalid("image_list", "must hold 1 to 4 images")
    for index, image in enumerate(images):
        _check_image(image, f"image_list[{index}]")
    return True


def _check_image(image: object, field: str) -> None:
    if not isinstance(image, str):
        raise _invalid(field, "must be a string: a URL or base64")
    if image.startswith("data:"):
        raise _invalid(field, "must be bare base64, without the data: prefix")
    if image.startswith(("http://", "https://")):
        return
    try:
        whole = bool(b64decode(image, validate=True))
    except (BadBase64, ValueError):
        whole = False
    if not whole:
        raise _invalid(field, "is neither a URL nor base64")


def _check_omni(model: str, body: Mapping[str, object]) -> tuple[bool, bool]:
    """Check the fields of the omni models; say whether sound is on and whether there is any video."""
    for field in ("sound", "video_list"):
        if body.get(field) is not None and model not in OMNI:
            raise _invalid(field, f"is supported by {' and '.join(sorted(OMNI))} only")
    sound = text_of(body, "sound", "off", ("on", "off")) == "on"
    videos = body.get("video_list")
    if videos is None:
        return sound, False
    if not isinstance(videos, list) or not videos:
        raise _invalid("video_list", "must be a non-empty array")
    for index, video in enumerate(videos):
        if not isinstance(video, dict) or not isinstance(video.get("video_url"), str):
            raise _invalid(f"video_list[{index}].video_url", "is missing")
        if video.get("refer_type", "feature") not in {"feature", "base"}:
            raise _invalid(f"video_list[{index}].refer_type", "must be feature or base")
    return sound, True


def _invalid(field: str, problem: str) -> RefusedRequest:
    return RefusedRequest(f"{field} {problem}", "1201", field)


VENDOR = Vendor(
    models={
        "kling-v1": 100.0,
        "kling-v1-5": 110.0,
        "kling-v1-6": 110.0,
        "kling-v2-1": 115.0,
        "kling-v2-5-turbo": 75.0,
        "kling-v2-6": 120.0,
        "kling-v3": 125.0,
        "kling-v3-omni": 135.0,
        "kling-video-o1": 130.0,
    },
    read=read,
    envelope=task,
    make_id=numeric_id,
    moderation=RefusedRequest("Failure to pass the risk control system", "1301"),
    failure={"message": "Failure to pass the risk control system", "type": "video_generation_error"},
    lifetime=30 * DAY,
    deletes=False,
    extra_body=True,
)
