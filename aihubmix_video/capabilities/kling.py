"""Kuaishou Kling: pictures by mode and aspect ratio, never by size."""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.field_rules import (
    Audio,
    Choice,
    Dialect,
    ExtraBody,
    ImageRule,
    Mode,
    Number,
    Option,
    Seconds,
    Size,
    Text,
)
from aihubmix_video.capabilities.schema import DAY, OBSERVED, PAGE

_OLD = Seconds((5, 10), default=5)  # v1, v1-5, v1-6
_NEW = Seconds(range(3, 16), default=5)  # v3, v3-omni, video-o1
_V2 = Seconds(range(3, 16), default=5, upstream=(5, 10))  # the page says 3 to 15, Kling's own API 5 or 10

_MODE = Choice(("std", "pro", "4k"), default="std")
_MODE_BEFORE_V3 = Choice(("std", "pro", "4k"), default="std", doubtful={"4k": "only the v3 family is known to make 4k"})
_CFG_SCALE: dict[str, Option] = {"cfg_scale": Number(minimum=0, maximum=1, default=0.5)}  # every version but v2.x
_OPTIONS: dict[str, Option] = {
    "mode": _MODE_BEFORE_V3,
    "aspect_ratio": Choice(("16:9", "9:16", "1:1"), default="16:9"),
    "negative_prompt": Text(),
}

_BY_MODE = "use mode (std, pro or 4k) and aspect_ratio"
_INSTEAD = {
    "size": _BY_MODE,
    "resolution": _BY_MODE,
    "ratio": "use aspect_ratio",
    "input_reference": "use image",
    "generate_audio": "only kling-v3-omni and kling-video-o1 make sound, by sound='on'",
    "sound": "only kling-v3-omni and kling-video-o1 take it",
    "video_list": "only kling-v3-omni and kling-video-o1 take it",
    "image_list": "only kling-v1-6 takes it",
    "cfg_scale": "kling-v2.x has none",
}

KLING_V1 = Capability(
    model="kling-v1",
    vendor="Kuaishou",
    family="Kling",
    dialect=Dialect.KLING,
    description="Kling 1.0, from text or an image",
    modes=(Mode.TEXT, Mode.IMAGE),
    seconds=_OLD,
    # No names: nothing of these is asked for by size. The pixels of 1:1 are not documented.
    sizes=(
        Size(1280, 720, "std", "16:9", names=()),
        Size(720, 1280, "std", "9:16", names=()),
        Size(1920, 1080, "pro", "16:9", names=()),
        Size(1080, 1920, "pro", "9:16", names=()),
        Size(3840, 2160, "4k", "16:9", names=()),
        Size(2160, 3840, "4k", "9:16", names=()),
    ),
    tier_field="mode",
    ratio_field="aspect_ratio",
    text_ratio="16:9",
    options=_OPTIONS | _CFG_SCALE,
    images=(ImageRule("image"), ImageRule("image_tail", needs="image")),
    prompt_optional_with=("image",),
    instead=_INSTEAD,
    seconds_key="duration",
    extra_body=ExtraBody.NESTED,
    can_delete=False,  # DELETE answers 501
    link_lifetime=30 * DAY,
    source=f"{PAGE}, section Kling",
    sources={"image": f"{PAGE}; as bare base64, {OBSERVED}"},
)

KLING_V1_5 = KLING_V1.but(model="kling-v1-5", description="Kling 1.5, from text or an image")

KLING_V1_6 = KLING_V1.but(
    model="kling-v1-6",
    description="Kling 1.6, from text, an image or up to 4 images",
    modes=(Mode.TEXT, Mode.IMAGE, Mode.MULTI_IMAGE),
    images=(*KLING_V1.images, ImageRule("image_list", maximum=4)),
    prompt_optional_with=("image", "image_list"),
)

KLING_V2_1 = KLING_V1.but(
    model="kling-v2-1",
    description="Kling 2.1, from text or an image",
    seconds=_V2,
    options=_OPTIONS,
)

KLING_V2_5_TURBO = KLING_V2_1.but(model="kling-v2-5-turbo", description="Kling 2.5 Turbo, from text or an image")

KLING_V2_6 = KLING_V2_1.but(model="kling-v2-6", description="Kling 2.6, from text or an image")

KLING_V3 = KLING_V1.but(
    model="kling-v3",
    description="Kling 3, from text or an image",
    seconds=_NEW,
    options={**_OPTIONS, **_CFG_SCALE, "mode": _MODE},
)

_OMNI_IMAGE = "the official page lists images for the base models only"

KLING_V3_OMNI = KLING_V3.but(
    model="kling-v3-omni",
    description="Kling 3 Omni: reference video, native sound, several shots",
    modes=(Mode.TEXT, Mode.OMNI),
    options={**KLING_V3.options, "sound": Choice(("on", "off"), default="off")},
    images=(ImageRule("image", note=_OMNI_IMAGE), ImageRule("image_tail", needs="image", note=_OMNI_IMAGE)),
    refer_types=("feature", "base"),
    audio=Audio.SWITCHED,
    prompt_optional_with=("image", "video_list"),
    instead={**_INSTEAD, "generate_audio": "use sound='on'"},
)

KLING_VIDEO_O1 = KLING_V3_OMNI.but(
    model="kling-video-o1",
    description="Kling Video O1: reference video, native sound, several shots",
    options={**KLING_V3_OMNI.options, "mode": _MODE_BEFORE_V3},
)

MODELS = (
    *(KLING_V1, KLING_V1_5, KLING_V1_6),
    *(KLING_V2_1, KLING_V2_5_TURBO, KLING_V2_6),
    *(KLING_V3, KLING_V3_OMNI, KLING_VIDEO_O1),
)
