"""The job resource: what callers read of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.errors import Charged  # noqa: TC001 - the schema is made of it
from aihubmix_video.fastapi.problem_details import told
from aihubmix_video.pricing.list_prices import list_price
from aihubmix_video.types.job_info import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.errors import VideoError
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.types.request import VideoRequest

__all__ = ["ErrorSchema", "JobList", "JobResource", "StateTold", "resource_of"]


StateTold = Literal["waiting", "running", "saving", "saved", "done", "failed", "uncertain"]
"""Every `JobState` but that of deleted jobs, which are not told."""


class ErrorSchema(TypedDict):
    """Why a job failed, or was given up on for now."""

    type: str
    message: str


class JobResource(TypedDict):
    """One job; see ``docs/fastapi.md``."""

    key: str
    id: str | None
    status: Literal["pending", "queued", "in_progress", "completed", "failed", "uncertain"]
    state: StateTold
    progress: float | None
    eta: float | None
    model: str | None
    prompt: str | None
    seconds: float | None
    size: str | None
    created_at: float
    updated_at: float
    expires_at: float | None
    bytes_done: int
    bytes_total: int | None
    error: ErrorSchema | None
    note: str | None
    charged: Charged
    price: float | None
    content: str | None


class JobList(TypedDict):
    """Some jobs, the newest first, and the cursor of the page that follows."""

    items: list[JobResource]
    next: str | None


def resource_of(
    info: JobInfo, base: str, prices: Mapping[str, float] | None = None, capabilities: CapabilitySet = BUILT_IN
) -> dict[str, Any]:
    """Describe a job to callers.

    Args:
        info: What is known of it.
        base: The path under which the router answers, without a slash at its end.
        prices: USD per second by model, in place of the list prices.
        capabilities: The session's tables.
    """
    return {
        "key": info.key,
        "id": info.id,
        "status": info.status.value,
        "state": info.state.value,
        "progress": info.progress,
        "eta": info.eta,
        **_ordered(info.request, prices, capabilities),
        "created_at": round(info.created_at, 3),
        "updated_at": round(info.updated_at, 3),
        "expires_at": None if info.expires_at is None else round(info.expires_at, 3),
        "bytes_done": info.bytes_done,
        "bytes_total": info.bytes_total,
        "error": None if info.error is None else _told(info.error),
        "note": info.note,
        "charged": info.charged,
        "content": f"{base}/{info.key}/content" if info.state is JobState.SAVED else None,
    }


def _told(error: VideoError) -> dict[str, str]:
    return {"type": type(error).__name__, "message": told(error)}


def _ordered(
    request: VideoRequest | None, prices: Mapping[str, float] | None, capabilities: CapabilitySet
) -> dict[str, Any]:
    """Return what was ordered, resolved by the model's table where there is one."""
    if request is None:
        return dict.fromkeys(("model", "prompt", "seconds", "size", "price"))
    capability = capabilities.find(request.model)
    pixels = None if capability is None else capability.pixels(request)
    return {
        "model": request.model,
        "prompt": request.prompt,
        "seconds": None if capability is None else capability.seconds_of(request),
        "size": None if pixels is None else f"{pixels[0]}x{pixels[1]}",
        "price": list_price(request, prices, capabilities),
    }
