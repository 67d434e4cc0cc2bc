"""The spill file: ids that could not be written to the ledger.

A job that was bought cannot be downloaded if its id is lost. So if writing an id to the ledger fails, it is appended to
a plain file beside the ledger. The ids in this file are recorded when the ledger is opened the next time.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from aihubmix_video.storage.filesystem import open_private, sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["clear", "emergency", "emergency_path", "read"]


def emergency_path(ledger: Path) -> Path:
    """Return the path of the spill file."""
    return ledger.with_name(ledger.name + ".emergency")


def emergency(ledger: Path, key: str, video_id: str) -> bool:
    """Append an id to the spill file, and wait until it is durable. The call may block, and never raises.

    Args:
        ledger: The path of the ledger.
        key: The job's local key.
        video_id: The gateway's id of the job.

    Returns:
        Whether the id is on the disk.
    """
    line = json.dumps({"key": key, "video_id": video_id}) + "\n"
    path = emergency_path(ledger)
    try:
        descriptor = open_private(str(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            # A line break comes first, since the previous line may have been cut off by the same failure.
            whole = os.write(descriptor, f"\n{line}".encode()) == len(line) + 1
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(path.parent)
    except OSError:
        return False
    return whole


def read(ledger: Path) -> Sequence[tuple[str, str]]:
    """Return keys and ids in the order in which they were written; lines that were cut off are skipped.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        descriptor = open_private(str(emergency_path(ledger)), os.O_RDONLY)
    except FileNotFoundError:
        return ()
    with open(descriptor, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a descriptor, not a path
        return [pair for line in file if (pair := _pair(line)) is not None]


def _pair(line: str) -> tuple[str, str] | None:
    with contextlib.suppress(ValueError):
        match json.loads(line):
            case {"key": str(key), "video_id": str(video_id)} if video_id:
                return key, video_id
    return None


def clear(ledger: Path) -> None:
    """Delete the spill file; its ids are in the ledger by now."""
    with contextlib.suppress(FileNotFoundError):
        emergency_path(ledger).unlink()
        sync_folder(ledger.parent)
