"""May a partial file be continued, and what does the answer to a content request bring?

A partial is continued only where the server proves that the rest belongs to the same version of the file: it named the
version with a strong ``ETag`` (or, having none, with a ``Last-Modified`` older than its answer), was asked for the rest
of that version only (``If-Range``), and answered 206 with the same name, the exact start and the same total. Everything
else starts again at byte 0: fetching a few megabytes twice is cheap, a spliced video is worthless.

Source: RFC 9110, sections 8.8 (validators), 13.1.5 (If-Range) and 14 (ranges). Nothing is known of how AIHubMix's content
endpoint answers ranges.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_FRUITLESS",
    "Fresh",
    "Meaning",
    "Other",
    "Partial",
    "Resumed",
    "TooLarge",
    "Useless",
    "Validator",
    "range_headers",
    "read_content_reply",
    "validator_of",
]

MAX_FRUITLESS = 3
"""How often a continuation may be asked for in vain before the rest of the file's attempts do without."""

_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_LENGTH = re.compile(r"\d{1,19}", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII | re.IGNORECASE)


@attrs.frozen
class Validator:
    """A name for one version of the file that is the same for no other."""

    header: Literal["etag", "last-modified"]
    value: str


@attrs.frozen(kw_only=True)
class Partial:
    """What is there of one version of the file.

    Attributes:
        size: Bytes on disk, from the first one without a gap.
        total: Length of the whole, where the server said it.
        validator: The version's name.
    """

    size: int
    total: int | None
    validator: Validator


@attrs.frozen(kw_only=True)
class Fresh:
    """The body is the file from byte 0.

    Attributes:
        total: Its length, where stated.
        validator: By which it may be continued, if at all.
    """

    total: int | None
    validator: Validator | None


@attrs.frozen(kw_only=True)
class Resumed:
    """The body goes on where the partial ends.

    Attributes:
        total: Length of the whole file.
        length: Length of this body.
    """

    total: int
    length: int


@attrs.frozen(kw_only=True)
class Useless:
    """The body is of no use: the next request starts again, without a range.

    Attributes:
        reason: Completes "the download …".
    """

    reason: str


@attrs.frozen(kw_only=True)
class TooLarge:
    """The server states a length that no video has, or none that can be read.

    Attributes:
        stated: As the server wrote it.
    """

    stated: str


@attrs.frozen
class Other:
    """No content: an error, or nothing."""


Meaning = Fresh | Resumed | Useless | TooLarge | Other


def validator_of(headers: Mapping[str, str]) -> Validator | None:
    """Find by what name this version may be asked for again; None where no name is strong enough.

    A weak ETag forbids the date as well: the server itself says that equal names do not mean equal bytes.
    """
    etag = headers.get("etag")
    if etag is not None:
        return Validator("etag", etag.strip()) if _STRONG_ETAG.fullmatch(etag.strip()) else None
    modified = headers.get("last-modified", "").strip()
    changed, served = _moment(modified), _moment(headers.get("date", ""))
    # Dates count in seconds: within the same one the file may have changed after it was sent.
    if changed is None or served is None or (served - changed).total_seconds() < 1:
        return None
    return Validator("last-modified", modified)


def range_headers(partial: Partial | None) -> dict[str, str]:
    """Make the headers that ask for the rest of *partial*, or for everything."""
    if partial is None:
        return {}
    return {"range": f"bytes={partial.size}-", "if-range": partial.validator.value}


def read_content_reply(status: int, headers: Mapping[str, str], partial: Partial | None, *, max_bytes: int) -> Meaning:
    """Return what the answer to a content request brings.

    Args:
        status: The HTTP status.
        headers: Values by lower-case name.
        partial: What was asked to be continued; None when everything was asked for.
        max_bytes: Larger than any video.
    """
    if status not in {200, 203, 206, 416}:
        return Other()
    if status == 416:
        return Useless(reason="could not be continued: the server has no such range")
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        return Useless(reason="came encoded, though that was not asked for")
    # A body in chunks has no other length (RFC 9112, section 6.3).
    stated = None if "transfer-encoding" in headers else headers.get("content-length")
    if stated is not None and not (_LENGTH.fullmatch(stated) and int(stated) <= max_bytes):
        return TooLarge(stated=stated)
    length = None if stated is None else int(stated)
    if status == 206:
        return _part(headers, length, partial, max_bytes)
    if "content-range" in headers:
        return Useless(reason="came as the whole and as a part of it at once")
    return Fresh(total=length, validator=validator_of(headers))


def _part(headers: Mapping[str, str], length: int | None, partial: Partial | None, max_bytes: int) -> Meaning:
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if found is None:
        return Useless(reason="could not be continued: the server sent a part without saying which")
    first, last, total = map(int, found.groups())
    if total > max_bytes:
        return TooLarge(stated=found[3])
    if not first <= last < total or length not in {None, last - first + 1}:
        return Useless(reason="could not be continued: the server sent an impossible range")
    if (first, last) == (0, total - 1):
        return Fresh(total=total, validator=validator_of(headers))
    if partial is None:
        return Useless(reason="brought a part, though the whole was asked for")
    if first != partial.size:
        return Useless(reason=f"could not be continued: it went on at byte {first} instead of {partial.size}")
    if headers.get(partial.validator.header, "").strip() != partial.validator.value:
        return Useless(reason="could not be continued: the file has changed meanwhile")
    if partial.total not in {None, total}:
        return Useless(reason="could not be continued: the file's length has changed meanwhile")
    return Resumed(total=total, length=last - first + 1)


def _moment(text: str) -> datetime | None:
    try:
        then = parsedate_to_datetime(text[:64])
    except (ValueError, OverflowError, TypeError, IndexError):  # what the standard parser raises on strange text
        return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)
