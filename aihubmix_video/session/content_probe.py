"""Whether a video's content is there, asked where its status cannot say so: bytes are the truth, and asking is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import fail_after

from aihubmix_video.download.attempt_result import ContentCut
from aihubmix_video.errors import VideoError

if TYPE_CHECKING:
    from aihubmix_video.download.attempt_result import ContentSource

__all__ = ["has_content"]

PROBE_SECONDS = 30.0
HEAD_BYTES = 16
CONTENT_STATUSES = frozenset({200, 206})
LAST_CONTROL_BYTE = 8  # of those that no text holds; every container of video has one in its first bytes
GZIP = b"\x1f\x8b"  # an error that was compressed, rather than a video


async def has_content(source: ContentSource) -> bool:
    """Send one content request for a few bytes, and return whether they are of a video. Trouble of any kind means "not yet"."""
    try:
        with fail_after(PROBE_SECONDS):
            async with source({"range": f"bytes=0-{HEAD_BYTES - 1}"}) as response:
                if response.status not in CONTENT_STATUSES:
                    return False
                head = b""
                async for piece in response.chunks():
                    head += piece[:HEAD_BYTES]
                    if len(head) >= HEAD_BYTES:
                        break
                return _is_binary(head)
    except (VideoError, ContentCut, TimeoutError):
        return False


def _is_binary(head: bytes) -> bool:
    return len(head) >= HEAD_BYTES and not head.startswith(GZIP) and any(byte <= LAST_CONTROL_BYTE for byte in head)
