"""What each model accepts and returns: frozen tables, and the checks that read them.

field_rules   the words of the tables: lengths, sizes, choices, reference rules
schema        ModelTable, the facts of one model
normal        forms that mean the same, made one
common        what is wrong whatever the model
check, lists  what is wrong for this model
capability    Capability, a table together with its checks
sora … kling  the tables, one file per family
registry      all tables, and the verdict on a request
"""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.common import check_request
from aihubmix_video.capabilities.field_rules import Audio, Dialect, ExtraBody, Mode
from aihubmix_video.capabilities.registry import Validate, Verdict, find_capability, find_problems, list_capabilities

__all__ = [
    "Audio",
    "Capability",
    "Dialect",
    "ExtraBody",
    "Mode",
    "Validate",
    "Verdict",
    "check_request",
    "find_capability",
    "find_problems",
    "list_capabilities",
]
