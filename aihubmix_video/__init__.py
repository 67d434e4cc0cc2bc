"""Generate video from Python: an asyncio-native SDK for AIHubMix's unified video API.

Start with `VideoSession`.

Each name is loaded when it is first used, so that a program that shows its help, or only builds requests, does not wait for
the HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from aihubmix_video import _requirements  # noqa: F401 - first, as it says what is too old

if TYPE_CHECKING:
    from aihubmix_video import errors
    from aihubmix_video.capabilities import Capability, find_capability, list_capabilities
    from aihubmix_video.catalog import Catalog
    from aihubmix_video.session.job import Job
    from aihubmix_video.session.job_registry import JobRegistry
    from aihubmix_video.session.request_checks import VideoWarning
    from aihubmix_video.session.session import VideoSession
    from aihubmix_video.types.events import BatchItem, JobEvent, SessionStats
    from aihubmix_video.types.job_info import JobInfo, JobPage, JobState
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.types.video import Status, Video

__all__ = [
    "BatchItem",
    "Capability",
    "Catalog",
    "Job",
    "JobEvent",
    "JobInfo",
    "JobPage",
    "JobRegistry",
    "JobState",
    "SessionStats",
    "Status",
    "Video",
    "VideoRequest",
    "VideoSession",
    "VideoWarning",
    "errors",
    "find_capability",
    "list_capabilities",
]

_MODULE_OF = {
    "BatchItem": "types.events",
    "Capability": "capabilities",
    "Catalog": "catalog",
    "Job": "session.job",
    "JobEvent": "types.events",
    "JobInfo": "types.job_info",
    "JobPage": "types.job_info",
    "JobRegistry": "session.job_registry",
    "JobState": "types.job_info",
    "SessionStats": "types.events",
    "Status": "types.video",
    "Video": "types.video",
    "VideoRequest": "types.request",
    "VideoSession": "session.session",
    "VideoWarning": "session.request_checks",
    "find_capability": "capabilities",
    "list_capabilities": "capabilities",
}
_PUBLIC_MODULES = frozenset({"capabilities", "errors", "gallery", "sandbox"})
"""Those that ``import aihubmix_video`` alone makes available; the fronts need extras, and are imported by their full names."""


def __getattr__(name: str) -> object:
    """Load a public name, and keep it."""
    if name in _PUBLIC_MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names that are loaded, and those that would be."""
    return sorted({*globals(), *__all__, *_PUBLIC_MODULES})
