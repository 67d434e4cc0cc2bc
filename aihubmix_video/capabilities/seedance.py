"""ByteDance Doubao Seedance 2.0: pictures by resolution and ratio, references in ``content``."""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.field_rules import (
    Audio,
    Choice,
    ContentRule,
    Dialect,
    ExtraBody,
    Flag,
    Mode,
    Option,
    Seconds,
    Size,
    WholeNumber,
)
from aihubmix_video.capabilities.schema import OBSERVED, PAGE

_PIXELS = "a size in pixels is not on the official page, but has been seen to work; resolution and ratio are"

_OPTIONS: dict[str, Option] = {
    "resolution": Choice(("480p", "720p"), default="720p"),
    "ratio": Choice(("adaptive", "16:9", "9:16", "1:1", "4:3", "3:4", "21:9"), default="adaptive"),
    "generate_audio": Flag(default=True),
    "watermark": Flag(default=False),
    "seed": WholeNumber(note="is not on the official page; it is passed on to the vendor"),
}

SEEDANCE_2 = Capability(
    model="doubao-seedance-2-0-260128",
    vendor="ByteDance",
    family="Doubao Seedance",
    dialect=Dialect.SEEDANCE,
    description="Seedance 2.0, from text, images, video and audio",
    modes=(Mode.TEXT, Mode.IMAGE, Mode.MULTI_IMAGE, Mode.OMNI),
    seconds=Seconds(range(4, 16), default=5, auto=True),
    # Real pixels: the vendor's figures for 2.0, field observations of 2026; those of 480p in other frames are unknown.
    sizes=(
        Size(864, 496, "480p", "16:9", doubt=_PIXELS),
        Size(496, 864, "480p", "9:16", doubt=_PIXELS),
        Size(1280, 720, "720p", "16:9", doubt=_PIXELS),
        Size(720, 1280, "720p", "9:16", doubt=_PIXELS),
        Size(960, 960, "720p", "1:1", doubt=_PIXELS),
        Size(1120, 832, "720p", "4:3", doubt=_PIXELS),
        Size(832, 1120, "720p", "3:4", doubt=_PIXELS),
        Size(1504, 640, "720p", "21:9", doubt=_PIXELS),
    ),
    tier_field="resolution",
    ratio_field="ratio",
    text_ratio="16:9",
    options={
        **_OPTIONS,
        "resolution": Choice(
            ("480p", "720p"),
            default="720p",
            doubtful={"1080p": "the official page lists 480p and 720p only; 1080p has been seen to work"},
        ),
    },
    content=(
        # Counts are the vendor's; the frame roles too, the page lists references only.
        ContentRule(
            "image_url",
            roles=("reference_image", "first_frame", "last_frame"),
            frames=("first_frame", "last_frame"),
            maximum=9,
        ),
        ContentRule("video_url", roles=("reference_video",), maximum=3),
        ContentRule("audio_url", roles=("reference_audio",), maximum=3),
    ),
    audio=Audio.SWITCHED,
    prompt_optional_with=("content",),
    instead={
        "aspect_ratio": "use ratio",
        "input_reference": "pass images in content",
        "image": "pass images in content",
        "image_list": "pass images in content",
        "video_list": "pass videos in content",
        "sound": "use generate_audio",
    },
    extra_body=ExtraBody.LIFTED,
    source=f"{PAGE}, section Doubao Seedance",
    sources={"seed": OBSERVED, "size": OBSERVED, "content": f"{PAGE}; its counts and frame roles, {OBSERVED}"},
)

SEEDANCE_2_FAST = SEEDANCE_2.but(
    model="doubao-seedance-2-0-fast-260128",
    description="Seedance 2.0, made faster",
    options=_OPTIONS,  # 1080p is known not to work on it
)

MODELS = (SEEDANCE_2, SEEDANCE_2_FAST)
