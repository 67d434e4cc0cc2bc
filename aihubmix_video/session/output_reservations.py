"""Output files that jobs of this session are to be saved to: writable before anything is paid for, and wanted once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.output.template import collision_key
from aihubmix_video.session.request_checks import make_folder
from aihubmix_video.storage.filesystem import check_target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aihubmix_video.session.tracked_job import Record, Target
    from aihubmix_video.storage.disk import Disk

__all__ = ["Claims"]


class Claims:
    """Who is to write which file, told apart as file systems that ignore case and Unicode forms do."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._owners: dict[str, Record] = {}

    async def take(self, record: Record) -> None:
        """Claim the job's file; a template that waits for the job's id claims nothing, as ids are unique.

        Raises:
            InvalidRequest: Another job is to be saved there, or the file could not be written.
        """
        target = record.target
        if target is None:
            return
        path = target.place(record)
        if path is not None:
            owner = self._owners.setdefault(collision_key(path), record)
            if owner is not record:
                raise InvalidRequest.of("to", str(path), f"job {owner.key} is to be saved there already")
        try:
            await self._check(target, record, path)
        except BaseException:
            self.release(record)
            raise

    @asynccontextmanager
    async def claimed(self, record: Record) -> AsyncIterator[None]:
        """Claim the job's file, as `take` does, and give it back if what is done meanwhile fails."""
        await self.take(record)
        try:
            yield
        except BaseException:
            self.release(record)
            raise

    async def _check(self, target: Target, record: Record, path: Path | None) -> None:
        if target.make_folder and (folder := target.folder(record)) is not None:
            await self._disk.run(make_folder, folder)
        taken_up = record.in_ledger and record.video_id is not None
        if path is None or taken_up:
            return  # what an earlier run bought is fetched in any case, and never replaces anything unasked
        problem = await self._disk.run(check_target, path, target.overwrite)
        if problem is not None:
            raise InvalidRequest.of("to", str(path), problem)

    def release(self, record: Record) -> None:
        """Let others have the job's file."""
        path = record.target.place(record) if record.target is not None else None
        if path is not None and self._owners.get(claim := collision_key(path)) is record:
            del self._owners[claim]
