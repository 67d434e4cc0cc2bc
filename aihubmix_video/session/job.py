"""The handle users hold of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Generator

    from aihubmix_video.session.loop_guard import Home
    from aihubmix_video.session.tracked_job import Record
    from aihubmix_video.types.events import JobEvent
    from aihubmix_video.types.request import VideoRequest
    from aihubmix_video.types.video import Status, Video

__all__ = ["Host", "Job"]


class Host(Protocol):
    """What a handle needs of the session it came from.

    Attributes:
        home: Where alone it may be used.
    """

    home: Home

    async def save(self, video_id: str, path: str | os.PathLike[str], *, overwrite: bool) -> Video:
        """Fetch a finished video."""

    async def discard(self, record: Record) -> None:
        """Delete a job at the gateway, and let go of it for good."""

    def release(self, record: Record) -> None:
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

    __slots__ = ("_host", "_record")

    def __init__(self, record: Record, host: Host) -> None:
        self._record = record
        self._host = host

    @property
    def id(self) -> str | None:
        """The gateway's id; None until it accepted the job."""
        return self._record.video_id

    @property
    def key(self) -> str:
        """The session's own key: short, unique, safe in file names."""
        return self._record.key

    @property
    def request(self) -> VideoRequest | None:
        """What was asked for; None for a job attached to by its id."""
        return self._record.request

    @property
    def status(self) -> Status:
        """Where it stands, as last heard."""
        return self._record.status

    @property
    def progress(self) -> float | None:
        """Percent, 0 to 100; None where the vendor reports none."""
        return self._record.progress

    @property
    def eta(self) -> float | None:
        """Seconds until it is expected to finish; None when it is not being generated."""
        return self._record.event().eta

    @property
    def eta_range(self) -> tuple[float, float] | None:
        """Seconds between which eight in ten such jobs finish; None when it is not being generated."""
        return self._record.event().eta_range

    def snapshot(self) -> JobEvent:
        """Describe the job as it stands now, its download included."""
        return self._record.event()

    def __await__(self) -> Generator[object, None, Video]:
        self._host.home.check()
        return self._record.ended().__await__()

    async def events(self) -> AsyncIterator[JobEvent]:
        """Iterate over the job's changes: its current state first, then each change, until it is over.

        A slow reader misses the oldest changes, never the last, and holds nobody up. Why a job failed is not in its events:
        await the job.
        """
        self._host.home.check()
        listener = self._record.listen()
        try:
            while True:
                while (event := listener.take()) is not None:
                    yield event
                if self._record.over:
                    return
                await listener.more()
        finally:
            self._record.forget(listener)

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
        await self._record.acceptance()
        self._host.home.check()
        await self._host.discard(self._record)

    def detach(self) -> None:
        """Stop following the job; it goes on at the gateway. Who awaits it gets `SessionClosed`."""
        self._host.home.check()
        self._host.release(self._record)

    def __repr__(self) -> str:
        record = self._record
        progress = f" {record.progress:g}%" if record.progress is not None else ""
        return f"<Job {record.key} {record.status}{progress}>"
