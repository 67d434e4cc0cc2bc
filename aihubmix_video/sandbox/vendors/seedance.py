"""ByteDance Doubao Seedance: the fields may stand at the top or in ``extra_body``; the top wins.

AIHubMix video guide, updated 2026-06-01; frame roles, limits and real sizes: Ark's documentation as AIHubMix's media
adapters repeat it, 2026-06. Unknown fields are ignored, as observed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aihubmix_video.sandbox.error_bodies import RefusedRequest, ark
from aihubmix_video.sandbox.ids import seedance_id
from aihubmix_video.sandbox.vendors.vendor import (
    Order,
    Vendor,
    duration_of,
    flag_of,
    is_image,
    pixels_of,
    prompt_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

FAST = "doubao-seedance-2-0-fast-260128"
RATIOS = ("adaptive", "16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
LANDSCAPE = {
    "480p": {"16:9": (864, 496), "4:3": (752, 560), "1:1": (640, 640), "21:9": (992, 432)},
    "720p": {"16:9": (1280, 720), "4:3": (1120, 832), "1:1": (960, 960), "21:9": (1504, 640)},
    "1080p": {"16:9": (1920, 1080), "4:3": (1664, 1248), "1:1": (1440, 1440), "21:9": (2176, 928)},
}
SHORT_SIDES = {480: "480p", 496: "480p", 720: "720p", 1080: "1080p"}
ROLES = {
    "image_url": ("reference_image", "first_frame", "last_frame"),
    "video_url": ("reference_video",),
    "audio_url": ("reference_audio",),
}
LIMITS = {"image_url": 9, "video_url": 3, "audio_url": 3}
FRAMES = frozenset({"first_frame", "last_frame"})


SeedanceReads = Literal["both", "top", "nested", "observed"]
"""Where options are read: in both places, at the top alone, in ``extra_body`` alone as the page's example has them, or as a
client found it live: the length and a size in pixels at the top, everything else in ``extra_body``."""
NAMES = ("model", "prompt")


def merged(body: Mapping[str, object], extra: Mapping[str, object], reads: SeedanceReads) -> Mapping[str, object]:
    """Return the fields that count of a request; the content is nested in every report that tells of it."""
    top = {name: value for name, value in body.items() if name != "extra_body"}
    match reads:
        case "both":
            return {**extra, **top}
        case "top":
            return {**{name: extra[name] for name in ("content",) if name in extra}, **top}
        case "nested":
            return {**extra, **{name: top[name] for name in NAMES if name in top}}
        case "observed":
            read_nested = {name: value for name, value in extra.items() if name not in {"duration", "resolution"}}
            return {**read_nested, **{name: top[name] for name in (*NAMES, "seconds", "size") if name in top}}


def read(body: Mapping[str, object]) -> Order:
    """Read a Seedance request whose ``extra_body`` was merged beneath it."""
    content = body.get("content")
    roles = [] if content is None else _content(content)
    reference = body.get("input_reference")
    if reference is not None and not is_image(reference):
        raise _invalid("input_reference", "is neither a URL nor base64 data")
    seconds = duration_of(body, 5)
    if seconds != -1 and not 4 <= seconds <= 15:
        raise _invalid("duration", f"{seconds} is not valid: use 4 to 15, or -1")
    width, height = _frame(body)
    flag_of(body, "watermark", default=False)
    audio = flag_of(body, "generate_audio", default=True)
    prompt = prompt_of(body, may_be_empty=bool(roles))
    return Order(str(body["model"]), prompt, seconds, width, height, audio)


def _frame(body: Mapping[str, object]) -> tuple[int, int]:
    tiers = ("480p", "720p") if body["model"] == FAST else tuple(LANDSCAPE)
    tier, ratio = _size(body.get("size"))
    if body.get("resolution") is not None:
        tier = str(body["resolution"])
    if tier not in tiers:
        raise _invalid("resolution", f"{tier} is not valid for model {body['model']}")
    ratio = text_of(body, "ratio", ratio, RATIOS)
    # Without an image to adapt to, the vendor takes 16:9.
    ratio = "16:9" if ratio == "adaptive" else ratio
    frames = LANDSCAPE[tier]
    if ratio in frames:
        return frames[ratio]
    width, height = frames[":".join(reversed(ratio.split(":")))]
    return height, width


def _size(size: object) -> tuple[str, str]:
    """Read ``size`` as what it was seen to take: pixels, a ratio or a resolution."""
    if size is None:
        return "720p", "adaptive"
    if isinstance(size, str) and size in RATIOS:
        return "720p", size
    if isinstance(size, str) and size in LANDSCAPE:
        return size, "adaptive"
    pixels = pixels_of(size)
    if pixels is None or not 480 <= min(pixels) <= max(pixels) <= 2176:
        raise _invalid("size", f"{size!r} is not valid")
    for tier, frames in LANDSCAPE.items():
        for ratio, frame in frames.items():
            if pixels in {frame, frame[::-1]}:
                return tier, ratio if pixels == frame else ":".join(reversed(ratio.split(":")))
    tier = SHORT_SIDES.get(min(pixels), "720p" if min(pixels) > 640 else "480p")
    return tier, min(RATIOS[1:], key=lambda ratio: abs(_shape(ratio) - pixels[0] / pixels[1]))


def _shape(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return int(width) / int(height)


def _content(content: object) -> list[str]:
    if not isinstance(content, list) or not content:
        raise _invalid("content", "must be a non-empty array")
    roles = [role for index, item in enumerate(content) if (role := _item(item, f"content[{index}]")) is not None]
    kinds = [item["type"] for item in content]
    for kind, limit in LIMITS.items():
        if kinds.count(kind) > limit:
            raise _invalid("content", f"holds {kinds.count(kind)} of {kind}, at most {limit} are allowed")
    if FRAMES & set(roles) and set(roles) - FRAMES:
        raise _invalid("content", "mixes first or last frames with references")
    if roles and set(roles) == {"reference_audio"}:
        raise _invalid("content", "holds audio only; add an image or a video")
    return roles


def _item(item: object, where: str) -> str | None:
    """Check one item and give its role; None for text."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise _invalid(f"{where}.type", "is missing")
    kind = item["type"]
    if kind == "text":
        return None
    if kind not in ROLES:
        raise _invalid(f"{where}.type", f"{kind!r} is not valid")
    media = item.get(kind)
    if not isinstance(media, dict) or not isinstance(media.get("url"), str) or not media["url"]:
        raise _invalid(f"{where}.{kind}.url", "is missing")
    role = item.get("role", "first_frame" if kind == "image_url" else ROLES[kind][0])
    if role not in ROLES[kind]:
        raise _invalid(f"{where}.role", f"{role!r} is not valid for {kind}")
    return str(role)


def _invalid(field: str, problem: str) -> RefusedRequest:
    return RefusedRequest(f"the parameter {field} specified in the request {problem}", "InvalidParameter", field)


VENDOR = Vendor(
    models={"doubao-seedance-2-0-260128": 120.0, FAST: 60.0},
    read=read,
    envelope=ark,
    make_id=seedance_id,
    moderation=RefusedRequest(
        "The request failed because the input text may contain sensitive information.",
        "InputTextSensitiveContentDetected",
    ),
    failure={
        "code": "OutputVideoSensitiveContentDetected",
        "message": "The request failed because the output video may contain sensitive information.",
    },
    progress=True,
)
