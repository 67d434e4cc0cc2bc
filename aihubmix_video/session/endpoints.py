"""One coroutine per endpoint, within the session's shared rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from aihubmix_video.session.request_checks import build_request

if TYPE_CHECKING:
    import os

    from aihubmix_video.session.job_manager import JobManager
    from aihubmix_video.types.model_params import ModelName
    from aihubmix_video.types.request import VideoParams, VideoRequest
    from aihubmix_video.types.video import Video

__all__ = ["Videos"]


class Videos:
    """The four endpoints, named as in OpenAI's client. Available as ``session.videos``."""

    def __init__(self, manager: JobManager) -> None:
        self._manager = manager

    async def create(
        self, prompt: str | VideoRequest = "", *, model: ModelName | str | None = None, **params: Unpack[VideoParams]
    ) -> Video:
        """Buy a job and return it as accepted, without following it; raises what `VideoSession.submit` raises."""
        return await self._manager.create(build_request(prompt, model, params, self._manager.settings.capabilities))

    async def retrieve(self, video_id: str) -> Video:
        """Return the current state of a job; transient failures are retried, with three attempts in all.

        Raises:
            JobNotFound: The gateway does not know the id.
            VideoError: The last failure.
        """
        return self._manager.bound(await self._manager.direct_calls.retrieve(video_id))

    async def download_content(self, video_id: str, to: str | os.PathLike[str], *, overwrite: bool = False) -> Video:
        """Download a finished video to the file *to*, and verify it; raises what `Video.save` raises."""
        return await self._manager.save(video_id, to, overwrite=overwrite)

    async def delete(self, video_id: str) -> None:
        """Delete a job; one that no longer exists counts as deleted.

        Raises:
            RequestRefused: The vendor does not support deleting, such as Kling (501).
        """
        await self._manager.direct_calls.delete(video_id)
