"""Where the command line puts videos: a file, or a folder, which is a name without an extension."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.errors import ConfigurationError, InvalidRequest, shown
from aihubmix_video.output.template import slug
from aihubmix_video.types.object_url import split_root

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["file_of", "files_of", "is_object", "key_of", "make_folder"]


def key_of(video_id: str) -> str:
    """Return a short name of an id, of its own; ids share their beginnings, and their ends too."""
    return sha256(video_id.encode(errors="surrogatepass")).hexdigest()[:10]


def files_of(ids: Sequence[str], output: Path | None) -> list[tuple[str, Path]]:
    """Return where each id's video goes: the one file named, or a file in the folder named, which is made.

    Raises:
        InvalidRequest: An id is given twice.
        ConfigurationError: The folder cannot be made.
    """
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice is not None:
        raise InvalidRequest.of("video_id", twice, "is given twice")
    if output is not None and len(ids) == 1 and _is_file(output):
        return [(ids[0], output)]
    folder = output if output is not None else Path()
    if output is not None:
        make_folder(output)
    return [(each, folder / f"video-{key_of(each)}.mp4") for each in ids]


def file_of(prompt: str, output: Path | None) -> Path:
    """Return where the video of one prompt goes; a name without an extension is a folder, which is made.

    Raises:
        ConfigurationError: The folder cannot be made.
    """
    name = f"{slug(prompt)}.mp4"
    if output is None:
        return Path(name)
    if _is_file(output):
        return output
    make_folder(output)
    return output / name


def _is_file(output: Path) -> bool:
    return bool(output.suffix) and not output.is_dir()


def is_object(place: Path) -> bool:
    """Return whether it lies in an object store, such as ``s3://bucket/run``."""
    return split_root(f"{place}/video") is not None


def make_folder(folder: Path) -> None:
    """Make a folder for videos, if it does not exist; an object store has none.

    Raises:
        ConfigurationError: It cannot be made.
    """
    if is_object(folder):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{shown(str(folder))} cannot be made a folder: {error.strerror}.") from None
