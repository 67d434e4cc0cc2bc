"""Style, scripts and templates of the pages, read from the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["assets"]


@cache
def assets() -> Mapping[str, str]:
    """Return the text of every asset, by file name."""
    folder = files("aihubmix_video.web") / "assets"
    return {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.is_file()}
