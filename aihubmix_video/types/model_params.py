"""The models and what each family takes, as types: written by `docs/model_params_module.py` from the tables, not by hand.

`ModelName` lets an editor complete the names of models. A dictionary of a family's type lets a type checker name a misspelt model,
a value or a field that the family does not take, before anything runs::

    shot: SoraParams = {"model": "sora-2", "seconds": 8, "size": "1280x720"}
    video = await session.generate("a cat", **shot)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003  # tools read the annotations at run time
from typing import Any, Literal, Required, TypeAlias, TypedDict

from aihubmix_video.types.request import Reference  # noqa: TC001  # as above

__all__ = ["JimengParams", "KlingParams", "ModelName", "SeedanceParams", "SoraParams", "VeoParams", "WanParams"]


ModelName: TypeAlias = Literal[
    "sora-2",
    "sora-2-pro",
    "veo-3.1-generate-preview",
    "veo-3.1-fast-generate-preview",
    "veo-3.0-generate-preview",
    "veo-2.0-generate-001",
    "wan2.6-t2v",
    "wan2.6-i2v",
    "wan2.5-t2v-preview",
    "wan2.5-i2v-preview",
    "wan2.2-t2v-plus",
    "wan2.2-i2v-plus",
    "jimeng-3.0-pro",
    "jimeng-3.0-1080p",
    "doubao-seedance-2-0-260128",
    "doubao-seedance-2-0-fast-260128",
    "kling-v1",
    "kling-v1-5",
    "kling-v1-6",
    "kling-v2-1",
    "kling-v2-5-turbo",
    "kling-v2-6",
    "kling-v3",
    "kling-v3-omni",
    "kling-video-o1",
]


class SoraParams(TypedDict, total=False):
    """What models of OpenAI Sora take; which of them takes what is in the tables."""

    model: Required[Literal["sora-2", "sora-2-pro"]]
    seconds: Literal[4, 8, 12, "4", "8", "12"]
    size: Literal["720x1280", "1280x720", "1024x1792", "1792x1024"]
    input_reference: Reference
    extra_body: Mapping[str, Any]


class VeoParams(TypedDict, total=False):
    """What models of Google Veo take; which of them takes what is in the tables."""

    model: Required[
        Literal[
            "veo-3.1-generate-preview",
            "veo-3.1-fast-generate-preview",
            "veo-3.0-generate-preview",
            "veo-2.0-generate-001",
        ]
    ]
    seconds: Literal[4, 5, 6, 7, 8, "4", "5", "6", "7", "8"]
    size: Literal["1280x720", "720p", "720x1280", "1920x1080", "1080p", "1080x1920", "4k", "3840x2160", "2160x3840"]
    negative_prompt: str
    seed: int
    generate_audio: bool
    input_reference: Reference
    extra_body: Mapping[str, Any]


class WanParams(TypedDict, total=False):
    """What models of Alibaba Tongyi Wanxiang take; which of them takes what is in the tables."""

    model: Required[
        Literal[
            "wan2.6-t2v", "wan2.6-i2v", "wan2.5-t2v-preview", "wan2.5-i2v-preview", "wan2.2-t2v-plus", "wan2.2-i2v-plus"
        ]
    ]
    seconds: Literal[
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "10",
        "11",
        "12",
        "13",
        "14",
        "15",
    ]
    size: Literal[
        "1280x720",
        "720x1280",
        "960x960",
        "1088x832",
        "832x1088",
        "1920x1080",
        "1080x1920",
        "1440x1440",
        "1632x1248",
        "1248x1632",
        "832x480",
        "480x832",
        "624x624",
    ]
    seed: int
    extra_body: Mapping[str, Any]
    input_reference: Reference


class JimengParams(TypedDict, total=False):
    """What models of ByteDance Jimeng AI take; which of them takes what is in the tables."""

    model: Required[Literal["jimeng-3.0-pro", "jimeng-3.0-1080p"]]
    seconds: Literal[5, 10, "5", "10"]
    size: Literal[
        "16:9",
        "1920x1080",
        "9:16",
        "1080x1920",
        "4:3",
        "1664x1248",
        "3:4",
        "1248x1664",
        "1:1",
        "1440x1440",
        "21:9",
        "2176x928",
    ]
    input_reference: Reference
    extra_body: Mapping[str, Any]


class SeedanceParams(TypedDict, total=False):
    """What models of ByteDance Doubao Seedance take; which of them takes what is in the tables."""

    model: Required[Literal["doubao-seedance-2-0-260128", "doubao-seedance-2-0-fast-260128"]]
    seconds: Literal[
        -1,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        "-1",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "10",
        "11",
        "12",
        "13",
        "14",
        "15",
    ]
    size: Literal["864x496", "496x864", "1280x720", "720x1280", "960x960", "1120x832", "832x1120", "1504x640"]
    resolution: Literal["480p", "720p", "1080p"]
    ratio: Literal["adaptive", "16:9", "9:16", "1:1", "4:3", "3:4", "21:9"]
    generate_audio: bool
    watermark: bool
    seed: int
    content: Sequence[Mapping[str, Any]]
    extra_body: Mapping[str, Any]


class KlingParams(TypedDict, total=False):
    """What models of Kuaishou Kling take; which of them takes what is in the tables."""

    model: Required[
        Literal[
            "kling-v1",
            "kling-v1-5",
            "kling-v1-6",
            "kling-v2-1",
            "kling-v2-5-turbo",
            "kling-v2-6",
            "kling-v3",
            "kling-v3-omni",
            "kling-video-o1",
        ]
    ]
    seconds: Literal[
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "10",
        "11",
        "12",
        "13",
        "14",
        "15",
    ]
    mode: Literal["std", "pro", "4k"]
    aspect_ratio: Literal["16:9", "9:16", "1:1"]
    negative_prompt: str
    cfg_scale: float
    image: Reference
    image_tail: Reference
    extra_body: Mapping[str, Any]
    image_list: Sequence[Reference]
    sound: Literal["on", "off"]
    video_list: Sequence[Mapping[str, str]]
