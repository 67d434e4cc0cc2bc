"""Reservations of output files: each is checked to be writable before anything is paid for, and belongs to one job."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.output.template import collision_key
from aihubmix_video.session.request_checks import make_folder
from aihubmix_video.storage.filesystem import check_target
from aihubmix_video.types.object_url import ObjectUrl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video.session.tracked_job import OutputTarget, TrackedJob
    from aihubmix_video.storage.disk import Disk

__all__ = ["OutputReservations"]


class OutputReservations:
    """Which job is to write which file. Paths are compared as file systems do that ignore case and Unicode forms."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._owners: dict[str, TrackedJob] = {}

    async def take(self, tracked: TrackedJob) -> None:
        """Reserve the job's file. A template that contains the job's id reserves nothing, since ids are unique.

        Raises:
            InvalidRequest: Another job has reserved the file, or it could not be written.
        """
        target = tracked.target
        if target is None:
            return
        path = target.place(tracked)
        if path is not None:
            owner = self._owners.setdefault(collision_key(str(path)), tracked)
            if owner is not tracked:
                raise InvalidRequest.of("to", str(path), f"job {owner.key} is to be saved there already")
        try:
            await self._check(target, tracked, path)
        except BaseException:
            self.release(tracked)
            raise

    @asynccontextmanager
    async def claimed(self, tracked: TrackedJob) -> AsyncIterator[None]:
        """Reserve the job's file, as `take` does, and release it if the body of the context fails."""
        await self.take(tracked)
        try:
            yield
        except BaseException:
            self.release(tracked)
            raise

    async def _check(self, target: OutputTarget, tracked: TrackedJob, path: Path | ObjectUrl | None) -> None:
        if target.make_folder and (folder := target.folder(tracked)) is not None:
            await self._disk.run(make_folder, folder)
        resumed = tracked.in_ledger and tracked.video_id is not None
        if not resumed and (root := target.root()) is not None:
            objects = self._disk.objects
            found = await (
                objects.problem(path, overwrite=target.overwrite)
                if isinstance(path, ObjectUrl)
                else objects.root_problem(root)  # the job's id is in its name, so nothing can be there
            )
            if found is not None:
                raise InvalidRequest.of("to", str(path or root), found)
        if not isinstance(path, Path) or resumed:
            return  # what an earlier run bought is always downloaded, and never overwrites a file unless asked to
        problem = await self._disk.run(check_target, path, target.overwrite)
        if problem is not None:
            raise InvalidRequest.of("to", str(path), problem)

    def release(self, tracked: TrackedJob) -> None:
        """Release the job's file, so that another job can reserve it."""
        path = tracked.target.place(tracked) if tracked.target is not None else None
        if path is not None and self._owners.get(claim := collision_key(str(path))) is tracked:
            del self._owners[claim]
