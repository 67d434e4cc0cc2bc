"""One request for a finished video's bytes: what the transport gives, and what can come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

from aihubmix_video.protocol.error_body import read_envelope
from aihubmix_video.protocol.error_mapping import not_ready
from aihubmix_video.protocol.error_phrases import says_not_ready

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from aihubmix_video.protocol.response import Response

__all__ = [
    "Broken",
    "ContentCut",
    "ContentResponse",
    "ContentSource",
    "Cut",
    "Declined",
    "DiskTrouble",
    "NotReady",
    "Outcome",
    "Publisher",
    "Saved",
    "judge_answer",
]


class ContentCut(Exception):
    """The body ended in any way but the proper one; its text completes "the download …"."""


class ContentResponse(Protocol):
    """An answer to a content request whose body has not been read yet."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Values by lower-case name."""

    @property
    def elsewhere(self) -> bool:
        """Whether another origin answered, to which the gateway had redirected."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, in pieces of any size, without an encoding that the answer declares.

        Raises:
            ContentCut: The connection broke, or the body's framing did.
        """


class ContentSource(Protocol):
    """Sends one content request; leaving the context closes or frees the connection."""

    def __call__(self, headers: Mapping[str, str], /) -> AbstractAsyncContextManager[ContentResponse]:
        """Send it with these headers (``range``, ``if-range``) beside the usual ones."""


@attrs.frozen(kw_only=True)
class Saved:
    """The file is at its path, whole and on the disk.

    Attributes:
        path: Absolute; None for an object.
        bytes_written: The file's size.
        sha256: Its hex digest.
        verified: Whether it is proved whole; False where neither a length nor its shape could prove it.
        unverified: Why not, completing "the file …"; None when it is.
        object_url: Where the object lies; None for a file.
    """

    path: Path | None
    bytes_written: int
    sha256: str
    verified: bool
    unverified: str | None = None
    object_url: str | None = None


class Publisher(Protocol):
    """Puts a whole file where it belongs, if that is not beside its part file."""

    async def __call__(self, part: Path, whole: Saved, /) -> Saved:
        """Store the file at *part*, and return where it is now. If cancelled, it is there whole, or not at all.

        Raises:
            DiskRefused: It could not be stored.
        """


@attrs.frozen(kw_only=True)
class NotReady:
    """It was asked for too early."""

    response: Response


@attrs.frozen(kw_only=True)
class Declined:
    """Any other answer that is not content: `error_mapping.refusal` says which error it is."""

    response: Response
    elsewhere: bool = False  # another origin answered, to which the gateway had redirected


@attrs.frozen(kw_only=True)
class Cut:
    """The transfer ended early; the next attempt resumes, or starts again, by itself.

    Attributes:
        received: Bytes that need not be fetched again.
        reason: Completes "the download …".
    """

    received: int
    reason: str


@attrs.frozen(kw_only=True)
class Broken:
    """What came is not the video; the next attempt starts again.

    Attributes:
        reason: Completes "the file …".
        retry: Whether another attempt may bring something else.
    """

    reason: str
    retry: bool = True


@attrs.frozen(kw_only=True)
class DiskTrouble:
    """The disk refused.

    Attributes:
        reason: Completes "the file …".
        retry: Whether it may go away by itself, as a full disk does.
        kept: Where the whole, verified video lies when only its name could not be given to it.
    """

    reason: str
    retry: bool
    kept: Path | None = None


Outcome = Saved | NotReady | Declined | Cut | Broken | DiskTrouble
"""What one content request can come to."""


def judge_answer(response: Response, *, elsewhere: bool = False) -> NotReady | Declined | Broken:
    """Return what an answer means that is not a video: an error's status, or a 200 with something else in it.

    Gateways have sent their error, "not ready" included, as a 200 (AIHubMix field observations, 2026).
    """
    if not response.ok:
        if not elsewhere and not_ready(response):
            return NotReady(response=response)
        return Declined(response=response, elsewhere=elsewhere)
    said = read_envelope(response)
    if said.structured and says_not_ready(said.words):
        return NotReady(response=response)
    if said.structured and said.message:
        return Declined(response=response)
    return Broken(reason=f"is not a video: {said.message}" if said.message else "is not a video")
