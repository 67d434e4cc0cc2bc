"""From the text that a user gives as `rate_limit` to the store it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.shared_rate.redis_slots import RedisSlots
from aihubmix_video.shared_rate.sqlite_slots import SqliteSlots

if TYPE_CHECKING:
    from aihubmix_video.shared_rate.slot_store import SlotStore

__all__ = ["open_shared"]


def open_shared(place: str, account: str) -> SlotStore:
    """Return the store that *place* names; nothing is contacted yet.

    Args:
        place: A Redis URL or the path of a file.
        account: Whose rate it is, in a form that may be shown.

    Raises:
        ConfigurationError: It is another kind of URL, its extra is missing, or its folder does not exist.
    """
    if place.startswith(("redis://", "rediss://")):
        return RedisSlots(place, account)
    if "://" in place:
        scheme = place.partition("://")[0]
        raise ConfigurationError(
            f"rate_limit: {shown(scheme)} URLs cannot be used; give a number, a file or redis://host:6379/0."
        )
    path = Path(place)
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigurationError(f"rate_limit={shown(place)}: give the path of a file in a folder that exists.")
    return SqliteSlots(path, account)
