"""Google Veo. The frame is chosen by the orientation of a pixel size; an ``aspect_ratio`` makes requests fail."""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.field_rules import (
    Audio,
    Dialect,
    Flag,
    ImageRule,
    Mode,
    Option,
    Seconds,
    Size,
    Text,
    WholeNumber,
)
from aihubmix_video.capabilities.schema import OBSERVED, PAGE

_UNLISTED = "is not on the official page; it is passed on to the vendor"
_HD_ONLY = "the page lists it for all of Veo, but Veo 2 itself is known for 720p only"
_PORTRAIT_4K = (
    "the label 4k is landscape, and the gateway has been seen to read the short side of pixels as an unknown 2160p"
)
_FRAME = "choose the orientation by pixels, such as size='720x1280'"

# The first name of a size is the one sent: pixels where the gateway reads them well. It takes the short side for
# the resolution, so 3840x2160 would become an unknown "2160p" and goes by its label (field observations, 2026-04).
_HD = (
    Size(1280, 720, "720p", "16:9", names=("1280x720", "720p")),
    Size(720, 1280, "720p", "9:16"),
)
_FULL_HD = (
    Size(1920, 1080, "1080p", "16:9", names=("1920x1080", "1080p"), upstream_seconds=8),
    Size(1080, 1920, "1080p", "9:16", upstream_seconds=8),
)
_4K = (
    Size(3840, 2160, "4k", "16:9", names=("4k", "3840x2160"), upstream_seconds=8),
    Size(2160, 3840, "4k", "9:16", doubt=_PORTRAIT_4K, upstream_seconds=8),
)

_OPTIONS: dict[str, Option] = {
    "negative_prompt": Text(note=_UNLISTED),
    "seed": WholeNumber(note=_UNLISTED),
}
_SOUND: dict[str, Option] = {"generate_audio": Flag(note=_UNLISTED)}

VEO_3_1 = Capability(
    model="veo-3.1-generate-preview",
    vendor="Google",
    family="Veo",
    dialect=Dialect.VEO,
    description="Latest Veo 3.1, native sound, up to 4K",
    modes=(Mode.TEXT, Mode.IMAGE),
    seconds=Seconds((4, 6, 8), default=8),
    sizes=(*_HD, *_FULL_HD, *_4K),
    default_size="720p",
    options=_OPTIONS | _SOUND,
    images=(
        ImageRule(
            "input_reference",
            seconds=8,
            note="is on the official page, but the vendor has been seen to refuse images at create",
        ),
    ),
    audio=Audio.ALWAYS,
    instead={"aspect_ratio": _FRAME, "ratio": _FRAME, "resolution": "use size, such as size='1080p'"},
    source=f"{PAGE}, section Google Veo",
    sources=dict.fromkeys(("negative_prompt", "seed", "generate_audio"), OBSERVED),
)

VEO_3_1_FAST = VEO_3_1.but(model="veo-3.1-fast-generate-preview", description="Veo 3.1, made faster")

VEO_3_0 = VEO_3_1.but(
    model="veo-3.0-generate-preview",
    description="Veo 3.0, high fidelity",
    modes=(Mode.TEXT,),
    images=(),
    instead={**VEO_3_1.instead, "input_reference": "use veo-3.1-generate-preview for images"},
)

VEO_2_0 = VEO_3_0.but(
    model="veo-2.0-generate-001",
    description="Veo 2.0, stable",
    seconds=Seconds((5, 6, 7, 8), default=8),
    sizes=(
        *_HD,
        Size(1920, 1080, "1080p", "16:9", names=("1920x1080", "1080p"), doubt=_HD_ONLY),
        Size(1080, 1920, "1080p", "9:16", doubt=_HD_ONLY),
    ),
    options=_OPTIONS,
    audio=Audio.NONE,
)

MODELS = (VEO_3_1, VEO_3_1_FAST, VEO_3_0, VEO_2_0)
