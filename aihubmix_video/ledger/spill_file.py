"""The last resort: an id that the ledger itself could not take.

A job that was bought, and whose id is lost, cannot be fetched. So when writing it to the ledger fails, it is appended to a
plain file beside it, which is taken in when the ledger is opened the next time.
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
    """Say where the ids lie."""
    return ledger.with_name(ledger.name + ".emergency")


def emergency(ledger: Path, key: str, video_id: str) -> bool:
    """Append an id, and wait until it is on the disk. It may block, and never raises.

    Args:
        ledger: The path of the ledger.
        key: The job's.
        video_id: The gateway's id of it.

    Returns:
        Whether it is there.
    """
    line = json.dumps({"key": key, "video_id": video_id}) + "\n"
    path = emergency_path(ledger)
    try:
        descriptor = open_private(str(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            # A line break first, too: what went before may have been cut short by the same trouble.
            whole = os.write(descriptor, f"\n{line}".encode()) == len(line) + 1
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(path.parent)
    except OSError:
        return False
    return whole


def read(ledger: Path) -> Sequence[tuple[str, str]]:
    """Give keys and ids in the order in which they were written; lines that were cut are passed over.

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
    """Delete the file: what it says is in the ledger."""
    with contextlib.suppress(FileNotFoundError):
        emergency_path(ledger).unlink()
        sync_folder(ledger.parent)
