"""OpenAI's video object, made of what the session knows of a job. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.errors import ContentRefused, JobNotFound, SubmitUncertain
from aihubmix_video.fastapi.problem_details import told
from aihubmix_video.types.job_info import JobState
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.errors import VideoError
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.types.request import VideoRequest

__all__ = ["error_code", "key_of", "poll_after", "video_id", "video_object"]

PREFIX: Final = "video_"
ID: Final = re.compile(r"video_([0-9A-Za-z-]{1,64})")
SOONEST, LATEST = 1.0, 15.0  # seconds between two questions of a client that asks how long to wait

STATUS: Final[Mapping[JobState, str]] = {
    JobState.WAITING: "queued",
    JobState.RUNNING: "in_progress",
    JobState.SAVING: "in_progress",  # until the file can be fetched from here
    JobState.SAVED: "completed",
    JobState.DONE: "completed",
    JobState.FAILED: "failed",
    JobState.UNCERTAIN: "failed",
    JobState.DROPPED: "failed",
}
UNCERTAIN: Final = (
    "This video may have been bought, and the gateway's answer was lost. Do not create it again: the operator of this server has to "
    "look it up and decide. The same request is answered with this video until then."
)


def video_id(key: str) -> str:
    """Return the id under which clients know a job."""
    return f"{PREFIX}{key}"


def key_of(given: str) -> str:
    """Return the key of the job with this id.

    Raises:
        JobNotFound: It is not an id of this server.
    """
    found = ID.fullmatch(given)
    if found is None:
        raise JobNotFound("there is no such video")
    return found[1]


def video_object(info: JobInfo, capabilities: CapabilitySet = BUILT_IN) -> dict[str, Any]:  # Any: a JSON object
    """Describe a job as OpenAI describes a video.

    Args:
        info: What is known of it.
        capabilities: The session's tables.
    """
    completed = info.state in {JobState.SAVED, JobState.DONE}
    status = STATUS[info.state]
    if info.state is JobState.RUNNING and info.status is Status.QUEUED:
        status = "queued"
    return {
        "id": video_id(info.key),
        "object": "video",
        "created_at": int(info.created_at),
        "completed_at": int(info.updated_at) if completed else None,
        "expires_at": None,  # a saved file stays
        "status": status,
        "progress": 100 if completed else int(min(info.progress or 0.0, 99.0)),
        **_ordered(info.request, capabilities),
        "remixed_from_video_id": None,
        "error": _error(info) if status == "failed" else None,
    }


def _ordered(request: VideoRequest | None, capabilities: CapabilitySet) -> dict[str, Any]:
    if request is None:
        return dict.fromkeys(("model", "prompt", "seconds", "size"))
    capability = capabilities.find(request.model)
    seconds = request.seconds if capability is None else capability.seconds_of(request)
    pixels = None if capability is None else capability.pixels(request)
    return {
        "model": request.model,
        "prompt": request.prompt,
        "seconds": None if seconds is None else str(seconds),
        "size": request.size if pixels is None else f"{pixels[0]}x{pixels[1]}",
    }


def _error(info: JobInfo) -> dict[str, str]:
    if info.state is JobState.UNCERTAIN:
        return {"code": error_code(SubmitUncertain), "message": UNCERTAIN}
    if info.error is None:
        return {"code": "video_generation_failed", "message": "The video was not made."}
    return {"code": error_code(type(info.error)), "message": told(info.error)}


def error_code(kind: type[VideoError]) -> str:
    """Return the code of an error: OpenAI's own where it has one, else the error's name as it writes codes."""
    if issubclass(kind, ContentRefused):
        return "moderation_blocked"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def poll_after(info: JobInfo) -> float | None:
    """Return after how many seconds it is worth asking again; None if nothing more will happen."""
    if info.state.ended:
        return None
    left = SOONEST if info.state is JobState.SAVING else info.eta if info.eta is not None else LATEST / 3
    return min(max(left, SOONEST), LATEST)
