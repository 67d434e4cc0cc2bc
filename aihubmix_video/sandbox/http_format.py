"""Answers as HTTP/1.1: heads, ranges and validators. Pure."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

import attrs

from aihubmix_video.sandbox.video.media import Media

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Quirk = Literal[
    "ignored", "unasked", "wrong_start", "wrong_total", "unknown_total", "no_range", "unsatisfiable", "multipart"
]
"""How a content answer may treat ranges wrongly: a full 200 to a Range; 206 with nothing asked; a Content-Range that starts
elsewhere, has another total, ``*`` as total, or is ``bytes */N``; 416 for a good range; 206 ``multipart/byteranges``."""

REASONS = {status.value: status.phrase for status in HTTPStatus}


@attrs.frozen
class RenderedResponse:
    """An answer ready to be sent: headers in order, without those of framing."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Media

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> RenderedResponse:
        """Add headers at the end."""
        return attrs.evolve(self, headers=(*self.headers, *headers))


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Write the status line and the headers, with the empty line that ends them."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def asked_range(value: str | None, total: int) -> tuple[int, int] | None:
    """Read a Range header: first and last byte. None for none, several or nonsense, which HTTP says to ignore.

    A range that begins behind the end comes back as ``(total, total)``.
    """
    unit, _, span = (value or "").partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip().lower() != "bytes" or not dash or not all(part.isascii() for part in (first, last)):
        return None
    if first.isdigit():
        if last and (not last.isdigit() or int(last) < int(first)):
            return None
        return (int(first), min(int(last or total), total - 1)) if int(first) < total else (total, total)
    if first or not last.isdigit():
        return None
    return (max(total - int(last), 0), total - 1) if int(last) else (total, total)


@attrs.frozen(kw_only=True)
class Validators:
    """What proves two answers to be of one file: a strong ETag and a date."""

    etag: str
    modified: float

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return them as headers, with the news that ranges are served."""
        when = formatdate(self.modified, usegmt=True)
        return (("ETag", self.etag), ("Last-Modified", when), ("Accept-Ranges", "bytes"))

    def allow(self, if_range: str | None) -> bool:
        """Return whether an If-Range header lets a range through."""
        return if_range is None or if_range.strip() in {self.etag, formatdate(self.modified, usegmt=True)}


def serve(
    media: Media,
    content_type: str,
    asked: Mapping[str, str],
    validators: Validators | None,
    quirk: Quirk | None = None,
) -> RenderedResponse:
    """Answer a request for *media*.

    Args:
        media: The whole film.
        content_type: What to call it.
        asked: The request's headers.
        validators: None where ranges are not served at all.
        quirk: A way to get ranges wrong.
    """
    total = media.length
    span = None
    if validators is not None and validators.allow(asked.get("If-Range")):
        span = asked_range(asked.get("Range"), total)
    if quirk == "ignored":
        span = None
    elif quirk is not None:
        span = span or (0, total - 1)
    headers = (("Content-Type", content_type), *(validators.headers() if validators else ()))
    if span is None:
        return RenderedResponse(200, headers, media)
    if span[0] >= total or quirk == "unsatisfiable":
        return RenderedResponse(416, (("Content-Range", f"bytes */{total}"), *headers[1:]), Media(()))
    return _partial(media, headers, span, quirk)


def _partial(
    media: Media, headers: tuple[tuple[str, str], ...], span: tuple[int, int], quirk: Quirk | None
) -> RenderedResponse:
    first, last = span
    total = media.length
    if quirk == "multipart":
        return _multipart(media, headers, span)
    if quirk == "wrong_start":
        # The bytes are those the header names, so only a client that reads the header notices.
        first = first - 1 if first else 1
    shown_total = {"wrong_total": str(total + 1), "unknown_total": "*"}.get(quirk or "", str(total))
    content_range = f"bytes */{total}" if quirk == "no_range" else f"bytes {first}-{last}/{shown_total}"
    return RenderedResponse(206, (("Content-Range", content_range), *headers), media.slice(first, last + 1))


def _multipart(media: Media, headers: tuple[tuple[str, str], ...], span: tuple[int, int]) -> RenderedResponse:
    first, last = span
    edge = "sandbox-part"
    opening = f"--{edge}\r\nContent-Type: video/mp4\r\nContent-Range: bytes {first}-{last}/{media.length}\r\n\r\n"
    part = media.slice(first, last + 1)
    body = Media((opening.encode(), *part.segments, f"\r\n--{edge}--\r\n".encode()))
    return RenderedResponse(206, (("Content-Type", f"multipart/byteranges; boundary={edge}"), *headers[1:]), body)
