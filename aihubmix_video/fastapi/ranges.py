"""Which bytes of a file a request asks for (RFC 9110, 13 and 14), decided without I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PartialRange", "Unchanged", "Unsatisfiable", "WholeFile", "wanted"]

RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)
TAG: Final = re.compile(r'(?:W/)?"[^"]*"')


@attrs.frozen
class WholeFile:
    """All of it (200)."""


@attrs.frozen
class PartialRange:
    """The bytes from *start* up to and without *stop* (206)."""

    start: int
    stop: int


@attrs.frozen
class Unchanged:
    """Nothing: the client has it (304)."""


@attrs.frozen
class Unsatisfiable:
    """Bytes that the file does not have (416)."""


def wanted(headers: Mapping[str, str], size: int, etag: str) -> WholeFile | PartialRange | Unchanged | Unsatisfiable:
    """Return what to answer with.

    Several ranges at once are answered with the whole file, which is always allowed; so is a range that cannot be read.

    Args:
        headers: The request's, by names in lower case.
        size: Of the file in bytes.
        etag: The file's, strong, with its quotes.
    """
    if _knows(headers.get("if-none-match", ""), etag):
        return Unchanged()
    if "range" not in headers or headers.get("if-range", etag) != etag:
        return WholeFile()
    found = RANGE.fullmatch(headers["range"])
    return WholeFile() if found is None else _part(*found.groups(), size=size)


def _knows(condition: str, etag: str) -> bool:
    """Whether a condition names the tag; compared weakly, as the standard has it for reading."""
    return condition.strip() == "*" or etag in {tag.removeprefix("W/") for tag in TAG.findall(condition)}


def _part(first: str, last: str, *, size: int) -> WholeFile | PartialRange | Unsatisfiable:
    if not first and not last:
        return WholeFile()
    if not first:  # so many bytes from the end
        return PartialRange(max(size - int(last), 0), size) if int(last) and size else Unsatisfiable()
    if last and int(last) < int(first):
        return WholeFile()
    if int(first) >= size:
        return Unsatisfiable()
    return PartialRange(int(first), min(int(last) + 1, size) if last else size)
