"""Generate video from Python: an asyncio-native SDK for AIHubMix's unified video API.

Start with `VideoSession`.
"""

from __future__ import annotations

from aihubmix_video import (
    _requirements,  # noqa: F401 - first, as it says what is too old
    errors,
)
from aihubmix_video.capabilities import Capability, find_capability, list_capabilities
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
