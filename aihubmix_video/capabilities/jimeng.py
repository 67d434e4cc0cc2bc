"""ByteDance Jimeng AI. What is asked for by ratio or by label pixels comes back a few rows larger."""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.field_rules import Dialect, ImageRule, Mode, Seconds, Size
from aihubmix_video.capabilities.schema import PAGE

_BY_SIZE = "choose the frame by size, such as size='16:9'"

JIMENG_PRO = Capability(
    model="jimeng-3.0-pro",
    vendor="ByteDance",
    family="Jimeng AI",
    dialect=Dialect.JIMENG,
    description="Jimeng 3.0 Pro, 1080P",
    modes=(Mode.TEXT, Mode.IMAGE),
    seconds=Seconds((5, 10), default=5),
    sizes=(
        Size(1920, 1088, "1080P", "16:9", names=("16:9", "1920x1080")),
        Size(1088, 1920, "1080P", "9:16", names=("9:16", "1080x1920")),
        Size(1664, 1248, "1080P", "4:3", names=("4:3", "1664x1248")),
        Size(1248, 1664, "1080P", "3:4", names=("3:4", "1248x1664")),
        Size(1440, 1440, "1080P", "1:1", names=("1:1", "1440x1440")),
        Size(2176, 928, "1080P", "21:9", names=("21:9", "2176x928")),
    ),
    images=(ImageRule("input_reference"),),
    instead={"aspect_ratio": _BY_SIZE, "ratio": _BY_SIZE, "image": "use input_reference"},
    source=f"{PAGE}, section Jimeng AI",
)

JIMENG_1080P = JIMENG_PRO.but(model="jimeng-3.0-1080p", description="Jimeng 3.0, 1080P")

MODELS = (JIMENG_PRO, JIMENG_1080P)
