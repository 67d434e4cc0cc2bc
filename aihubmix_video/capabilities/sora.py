"""OpenAI Sora."""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.field_rules import Audio, Dialect, ImageRule, Mode, Seconds, Size
from aihubmix_video.capabilities.schema import OBSERVED, PAGE

SORA_2 = Capability(
    model="sora-2",
    vendor="OpenAI",
    family="Sora",
    dialect=Dialect.SORA,
    description="Standard, with sound in step with the picture",
    modes=(Mode.TEXT, Mode.IMAGE),
    seconds=Seconds((4, 8, 12), default=4),
    sizes=(
        Size(720, 1280, ratio="9:16"),
        Size(1280, 720, ratio="16:9"),
        Size(1024, 1792, ratio="4:7"),
        Size(1792, 1024, ratio="7:4"),
    ),
    default_size="720x1280",
    images=(ImageRule("input_reference", match_size=True),),  # OpenAI refuses an image of another size
    audio=Audio.ALWAYS,
    prompt_limit=32_000,  # characters; OpenAI API reference, POST /v1/videos
    instead={
        "aspect_ratio": "choose the frame by size, such as size='1280x720'",
        "ratio": "choose the frame by size, such as size='1280x720'",
        "resolution": "choose it by size, such as size='1280x720'",
        "negative_prompt": "say in the prompt what to avoid",
    },
    duration_alias=False,
    source=f"{PAGE}, section OpenAI Sora",
    sources={
        "prompt_limit": "OpenAI API reference, POST /v1/videos, 2026-08",
        "input_reference": f"{PAGE}; as an object, {OBSERVED}",
    },
)

SORA_2_PRO = SORA_2.but(model="sora-2-pro", description="High quality, more refined and stable")

MODELS = (SORA_2, SORA_2_PRO)
