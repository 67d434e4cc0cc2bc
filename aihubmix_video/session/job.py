"""The handle users hold of a job."""

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
    """What a handle needs of the session it came from.

    Attributes:
        loop_guard: Where alone it may be used.
    """

    loop_guard: LoopGuard

    async def save(self, video_id: str, path: str | os.PathLike[str], *, overwrite: bool) -> Video:
        """Fetch a finished video."""

    async def delete_job(self, tracked: TrackedJob) -> None:
        """Delete a job at the gateway, and let go of it for good."""

    def detach(self, tracked: TrackedJob) -> None:
        """Stop following a job."""


class Job:
    """One video job. Awaiting it gives the finished `Video`; any number of tasks may await it.

    Dropping the handle, or cancelling who awaits it, never stops the job.

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
        """The gateway's id; None until it accepted the job."""
        return self._tracked.video_id

    @property
    def key(self) -> str:
        """The session's own key: short, unique, safe in file names."""
        return self._tracked.key

    @property
    def request(self) -> VideoRequest | None:
        """What was asked for; None for a job attached to by its id."""
        return self._tracked.request

    @property
    def status(self) -> Status:
        """Where it stands, as last heard."""
        return self._tracked.status

    @property
    def progress(self) -> float | None:
        """Percent, 0 to 100; None where the vendor reports none."""
        return self._tracked.progress

    @property
    def eta(self) -> float | None:
        """Seconds until it is expected to finish; None when it is not being generated."""
        return self._tracked.event().eta

    @property
    def eta_range(self) -> tuple[float, float] | None:
        """Seconds between which eight in ten such jobs finish; None when it is not being generated."""
        return self._tracked.event().eta_range

    def snapshot(self) -> JobEvent:
        """Describe the job as it stands now, its download included."""
        return self._tracked.event()

    def __await__(self) -> Generator[object, None, Video]:
        self._host.loop_guard.check()
        return self._tracked.ended().__await__()

    async def events(self) -> AsyncIterator[JobEvent]:
        """Iterate over the job's changes: its current state first, then each change, until it is over.

        A slow reader misses the oldest changes, never the last, and holds nobody up. Why a job failed is not in its events:
        await the job.
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
        """Wait for the video and fetch it to *path*, anew if it was submitted with a file of its own.

        Raises what awaiting the job raises, and what `Video.save` does.
        """
        video = await self
        return await self._host.save(video.id, path, overwrite=overwrite)

    async def delete(self) -> None:
        """Delete the job at the gateway once that accepted it, and stop following it.

        One that is gone already counts as deleted. Who awaits the job gets `SessionClosed`.

        Raises:
            RequestRefused: The vendor cannot delete, as Kling (501).
        """
        await self._tracked.acceptance()
        self._host.loop_guard.check()
        await self._host.delete_job(self._tracked)

    def detach(self) -> None:
        """Stop following the job; it goes on at the gateway. Who awaits it gets `SessionClosed`."""
        self._host.loop_guard.check()
        self._host.detach(self._tracked)

    def __repr__(self) -> str:
        tracked = self._tracked
        progress = f" {tracked.progress:g}%" if tracked.progress is not None else ""
        return f"<Job {tracked.key} {tracked.status}{progress}>"
