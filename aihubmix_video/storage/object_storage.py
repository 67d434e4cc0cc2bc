"""The port behind which object stores lie: what a session needs of one in order to save videos there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aihubmix_video.types.object_url import ObjectUrl
    from aihubmix_video.types.request import VideoRequest

__all__ = ["ObjectFacts", "ObjectStorage"]


@attrs.frozen(kw_only=True)
class ObjectFacts:
    """What is kept beside an object's bytes.

    Attributes:
        sha256: Hex digest of the bytes.
        size: Their number.
        job: The job's local key.
        video: The gateway's id.
        request: What was asked for, where it is known.
    """

    sha256: str
    size: int
    job: str
    video: str
    request: VideoRequest | None = None


class ObjectStorage(Protocol):
    """Stores whole files as objects; whatever it raises is a `DiskRefused` or a `ConfigurationError`."""

    def spool_path(self, url: ObjectUrl, /) -> Path:
        """Return the local path beside which the unfinished file of *url* lies; its folder exists. It blocks."""

    async def problem(self, url: ObjectUrl, /, *, overwrite: bool) -> str | None:
        """Return what is wrong with *url* as a target, as a clause, before anything is paid for; None if nothing is."""

    async def root_problem(self, root: str, /) -> str | None:
        """Return what is wrong with a whole store, as `problem` does."""

    async def put(self, file: Path, url: ObjectUrl, /, *, overwrite: bool, facts: ObjectFacts) -> None:
        """Store the whole *file* at once. One with the same bytes that is there already is taken for it."""

    async def remove(self, url: ObjectUrl, /) -> None:
        """Delete the object, if it is there."""

    def read(self, url: ObjectUrl, start: int, stop: int, /) -> AsyncIterator[bytes]:
        """Yield the bytes from *start* up to and without *stop*."""
