"""The handle through which users follow a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Generator

    from aihubmix_video.session.loop_guard import LoopGuard
    from aihubmix_video.session.tracked_job import TrackedJob
    from aihubmix_video.types.events import JobEvent
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.types.video import Status, Video

__all__ = ["Host", "Job"]


class Host(Protocol):
    """What a handle needs from the session that it belongs to.

    Attributes:
        loop_guard: Restricts it to the event loop and process of the session.
    """

    loop_guard: LoopGuard

    async def save(self, video_id: str, path: str | os.PathLike[str], *, overwrite: bool) -> Video:
        """Download a finished video."""

    async def delete_job(self, tracked: TrackedJob) -> None:
        """Delete a job at the gateway, and stop following it for good."""

    def detach(self, tracked: TrackedJob) -> None:
        """Stop following a job."""


class Job:
    """One video job. Awaiting it gives the finished `Video`; any number of tasks may await it.

    Dropping the handle, or cancelling a task that awaits it, never stops the job.

    Example:
        ```python
        job = await session.submit("koi pond at dusk", model="sora-2")
        video = await job
        ```
    """

    __slots__ = ("_host", "_tracked")

    def __init__(self, tracked: TrackedJob, host: Host) -> None:
        self._tracked = tracked
        self._host = host

    @property
    def id(self) -> str | None:
        """The gateway's id; None until the gateway accepted the job."""
        return self._tracked.video_id

    @property
    def key(self) -> str:
        """The local key: short, unique and safe in file names."""
        return self._tracked.key

    @property
    def request(self) -> VideoRequest | None:
        """The request; None for a job attached by its id."""
        return self._tracked.request

    @property
    def status(self) -> Status:
        """The status that was received last."""
        return self._tracked.status

    @property
    def progress(self) -> float | None:
        """The progress in percent, 0 to 100; None if the vendor reports none."""
        return self._tracked.progress

    @property
    def eta(self) -> float | None:
        """Seconds until it is expected to finish; None if it is not being generated."""
        return self._tracked.event().eta

    @property
    def eta_range(self) -> tuple[float, float] | None:
        """Seconds between which eight in ten such jobs finish; None if it is not being generated."""
        return self._tracked.event().eta_range

    def snapshot(self) -> JobEvent:
        """Return the current state of the job, including its download."""
        return self._tracked.event()

    def __await__(self) -> Generator[object, None, Video]:
        self._host.loop_guard.check()
        return self._tracked.ended().__await__()

    async def events(self) -> AsyncIterator[JobEvent]:
        """Iterate over the job's events: its current state first, then each change, until the job is finished.

        A slow subscriber misses the oldest events, never the last, and delays no one. The events do not contain why a
        job failed: await the job for that.
        """
        self._host.loop_guard.check()
        subscription = self._tracked.listen()
        try:
            while True:
                while (event := subscription.take()) is not None:
                    yield event
                if self._tracked.over:
                    return
                await subscription.more()
        finally:
            self._tracked.forget(subscription)

    async def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Video:
        """Wait for the video and download it to *path*, again if it was submitted with a file of its own.

        It raises what awaiting the job raises, and what `Video.save` raises.
        """
        video = await self
        return await self._host.save(video.id, path, overwrite=overwrite)

    async def delete(self) -> None:
        """Delete the job at the gateway once the gateway accepted it, and stop following it.

        A job that no longer exists counts as deleted. Tasks that await the job get `SessionClosed`.

        Raises:
            RequestRefused: The vendor does not support deleting, such as Kling (501).
        """
        await self._tracked.acceptance()
        self._host.loop_guard.check()
        await self._host.delete_job(self._tracked)

    def detach(self) -> None:
        """Stop following the job; it goes on at the gateway. Tasks that await it get `SessionClosed`."""
        self._host.loop_guard.check()
        self._host.detach(self._tracked)

    def __repr__(self) -> str:
        tracked = self._tracked
        progress = f" {tracked.progress:g}%" if tracked.progress is not None else ""
        return f"<Job {tracked.key} {tracked.status}{progress}>"
