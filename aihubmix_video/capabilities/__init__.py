"""What each model accepts and returns: frozen tables, and the checks that read them.

field_rules   the words of the tables: lengths, sizes, choices, reference rules
schema        ModelTable, the facts of one model
normal        forms that mean the same, made one
common        what is wrong whatever the model
check, lists  what is wrong for this model
capability    Capability, a table together with its checks
sora … kling  the tables, one file per family
registry      sets of tables, and the verdict on a request
table_file    files of tables: table_converter structures them, table_check finds what means nothing
"""

from __future__ import annotations

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.common import check_request
from aihubmix_video.capabilities.field_rules import Audio, Dialect, ExtraBody, Mode
from aihubmix_video.capabilities.registry import (
    BUILT_IN,
    CapabilitySet,
    Validate,
    Verdict,
    find_capability,
    list_capabilities,
)
from aihubmix_video.capabilities.table_file import dump, load, plain_models

__all__ = [
    "BUILT_IN",
    "Audio",
    "Capability",
    "CapabilitySet",
    "Dialect",
    "ExtraBody",
    "Mode",
    "Validate",
    "Verdict",
    "check_request",
    "dump",
    "find_capability",
    "list_capabilities",
    "load",
    "plain_models",
]
