"""Alibaba Tongyi Wanxiang (Wan): for each version one model for text and one for images."""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.field_rules import Audio, Dialect, ImageRule, Mode, Seconds, Size, WholeNumber
from aihubmix_video.capabilities.schema import OBSERVED, PAGE

_480P = (
    Size(832, 480, "480P"),
    Size(480, 832, "480P"),
    Size(624, 624, "480P", "1:1"),
)
_720P = (
    Size(1280, 720, "720P", "16:9"),
    Size(720, 1280, "720P", "9:16"),
    Size(960, 960, "720P", "1:1"),
    Size(1088, 832, "720P", "4:3"),
    Size(832, 1088, "720P", "3:4"),
)
_1080P = (
    Size(1920, 1080, "1080P", "16:9"),
    Size(1080, 1920, "1080P", "9:16"),
    Size(1440, 1440, "1080P", "1:1"),
    Size(1632, 1248, "1080P", "4:3"),
    Size(1248, 1632, "1080P", "3:4"),
)
_BY_SIZE = "choose it by size, such as size='1280x720'"

WAN_2_6_T2V = Capability(
    model="wan2.6-t2v",
    vendor="Alibaba",
    family="Tongyi Wanxiang",
    dialect=Dialect.WAN,
    description="Latest Wan, with sound in step with the picture",
    modes=(Mode.TEXT,),
    seconds=Seconds(range(2, 16), default=5),
    sizes=(*_720P, *_1080P),
    default_size="1280x720",
    options={"seed": WholeNumber(note="is not on the official page; it is passed on to the vendor")},
    audio=Audio.ALWAYS,
    instead={
        "image": "use input_reference with an -i2v model",
        "aspect_ratio": _BY_SIZE,
        "ratio": _BY_SIZE,
        "resolution": _BY_SIZE,
    },
    counterpart="wan2.6-i2v",
    source=f"{PAGE}, section Tongyi Wanxiang",
    sources={"seed": OBSERVED},
)

WAN_2_6_I2V = WAN_2_6_T2V.but(
    model="wan2.6-i2v",
    description="Latest Wan from an image",
    modes=(Mode.IMAGE,),
    images=(ImageRule("input_reference", required=True),),
    counterpart="wan2.6-t2v",
)

WAN_2_5_T2V = WAN_2_6_T2V.but(
    model="wan2.5-t2v-preview",
    description="Wan 2.5, best with Chinese prompts",
    seconds=Seconds((5, 10), default=5),
    sizes=(*_480P, *_720P, *_1080P),
    counterpart="wan2.5-i2v-preview",
)

WAN_2_5_I2V = WAN_2_6_I2V.but(
    model="wan2.5-i2v-preview",
    description="Wan 2.5 from an image",
    seconds=Seconds((5, 10), default=5),
    sizes=(*_480P, *_720P, *_1080P),
    counterpart="wan2.5-t2v-preview",
)

WAN_2_2_T2V = WAN_2_5_T2V.but(
    model="wan2.2-t2v-plus",
    description="Wan 2.2, silent",
    seconds=Seconds((5,), default=5),
    sizes=(*_480P, *_1080P),
    default_size=None,  # the page's 1280x720 is not among this version's own sizes
    audio=Audio.NONE,
    counterpart="wan2.2-i2v-plus",
)

WAN_2_2_I2V = WAN_2_5_I2V.but(
    model="wan2.2-i2v-plus",
    description="Wan 2.2 from an image, silent",
    seconds=Seconds((5,), default=5),
    sizes=(*_480P, *_1080P),
    default_size=None,
    audio=Audio.NONE,
    counterpart="wan2.2-t2v-plus",
)

MODELS = (WAN_2_6_T2V, WAN_2_6_I2V, WAN_2_5_T2V, WAN_2_5_I2V, WAN_2_2_T2V, WAN_2_2_I2V)
