"""Reference media: what a URL, a data URL, bytes or a ``{"mime_type", "data"}`` object holds, judged without I/O.

Pictures are recognised by their first bytes and measured by their headers; nothing is ever decoded, so a
picture of 30,000 by 30,000 pixels costs no more than its bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from aihubmix_video.errors import Problem
from aihubmix_video.references.orientation import exif_of_jpeg_segment, exif_of_png, exif_of_webp, is_turned

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 20 * 1024 * 1024
"""Bytes that one reference may have. openai-python's limit for a data URL; AIHubMix publishes none."""
MAX_PIXELS = 50_000_000
"""Pixels that one reference may have. Our own limit: more than any camera makes, less than decoders fail on."""
MAX_URL = 2048
"""Characters that a reference URL may have. Our own limit: what browsers and proxies commonly accept."""
MAX_SEGMENTS = 1000
"""JPEG segments that are read to find the picture's size."""

JPEG, PNG, WEBP = PICTURES = ("image/jpeg", "image/png", "image/webp")
_ALIASES = {"image/jpg": JPEG}
_SCHEMES = ("http", "https", "data")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")  # of one letter it is a drive
_BASE64_SPACE = re.compile(r"[ \t\r\n]+")
_FORMS = (
    'must be an http(s) or data URL, bytes, a pathlib.Path, an open binary file or {"mime_type": ..., "data": <base64>}'
)
_NOT_A_PATH = (
    "a string must be an http(s) or data URL; pass pathlib.Path to read a file, or name it by the command's option"
)


@attrs.frozen(kw_only=True)
class Medium:
    """One reference medium, known to be well formed: either a URL, or a picture's bytes.

    Attributes:
        url: An http(s) URL, or None for a picture given as bytes.
        mime: The picture's MIME type by its content, such as ``image/png``; None for a URL.
        data: The picture's bytes; None for a URL.
        width: Pixels of the picture as it is shown, turned by its orientation tag; None for a URL.
        height: As `width`.
    """

    url: str | None = None
    mime: str | None = None
    data: bytes | None = attrs.field(default=None, repr=False)
    width: int | None = None
    height: int | None = None

    @property
    def base64(self) -> str | None:
        """The picture as base64 without a prefix; None for a URL."""
        return None if self.data is None else base64.b64encode(self.data).decode("ascii")

    @property
    def as_url(self) -> str:
        """The URL, or a data URL that holds the picture."""
        return self.url if self.url is not None else f"data:{self.mime};base64,{self.base64}"


def is_unread(value: object) -> bool:
    """Return whether a reference has still to be read: a path or a file object, which only `storage.reference_files` reads."""
    return isinstance(value, Path) or callable(getattr(value, "read", None))


def may_be_path(text: str) -> bool:
    """Return whether text can only be the path of a file: it is neither a URL of any scheme nor a picture as base64."""
    scheme, colon, _ = text.partition(":")
    return not (colon and _SCHEME.fullmatch(scheme.lower())) and bool(text.strip()) and _bare_base64(text) is None


def read_medium(field: str, value: object) -> Medium | Problem:
    """Return what one reference is, or what is wrong with it.

    Args:
        field: The request field it came from, for the problem.
        value: A string, bytes or a mapping, as the user gave it.
    """
    match value:
        case str():
            return _from_text(field, value)
        case bytes() | bytearray() | memoryview():
            return _from_bytes(field, value, bytes(value), declared=None)
        case Mapping():
            return _from_object(field, value)
        case _:
            return Problem.of(field, value, _FORMS)


def content_url(item: object) -> tuple[str, object] | None:
    """Return where an item of Seedance's ``content`` holds its medium, as ``image_url.url``, and the medium.

    None if it is not an object ``{"type": NAME, NAME: {"url": ...}}``; what is wrong with it is the check's to say.
    """
    if not isinstance(item, Mapping) or not isinstance(name := item.get("type"), str):
        return None
    holder = item.get(name)
    return (f"{name}.url", holder["url"]) if isinstance(holder, Mapping) and "url" in holder else None


def with_content_url(item: Mapping[str, object], url: object) -> dict[str, object]:
    """Return an item of Seedance's ``content`` with another medium in its place; `content_url` found it."""
    name = str(item["type"])
    holder = item[name]
    return {**item, name: {**(holder if isinstance(holder, Mapping) else {}), "url": url}}


def read_url(field: str, value: object) -> Medium | Problem:
    """Return what a reference is that may only be an http(s) URL, such as a reference video, or what is wrong with it."""
    if isinstance(value, str) and value.partition(":")[0].lower() in {"http", "https"}:
        return _from_url(field, value)
    return Problem.of(field, value, "must be an http(s) URL", allowed=("http", "https"))


def _from_text(field: str, text: str) -> Medium | Problem:
    scheme, colon, _ = text.partition(":")
    match scheme.lower() if colon else "":
        case "http" | "https":
            return _from_url(field, text)
        case "data":
            return _from_data_url(field, text)
        case known if _SCHEME.fullmatch(known) and known != "file":
            return Problem.of(
                field, text, f"{known}: URLs are not supported; use http, https or data", allowed=_SCHEMES
            )
        case _:
            return _bare_base64(text) or Problem.of(field, text, _NOT_A_PATH)


def _bare_base64(text: str) -> Medium | None:
    """Read Kling's own form of a picture. A path is never mistaken for it, since it must decode to a whole picture."""
    if len(text) < 40 or isinstance(data := _unbase64(text), str):
        return None
    medium = _from_bytes("", "", data, declared=None)
    return medium if isinstance(medium, Medium) else None


# -- URLs ---------------------------------------------------------------------------------------------------


def _from_url(field: str, url: str) -> Medium | Problem:
    if len(url) > MAX_URL:
        return Problem.of(field, url, f"has {len(url)} characters; a URL may have {MAX_URL}")
    if bad := re.search(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029\ud800-\udfff]", url):
        return Problem.of(field, url, f"has a space, backslash or control character at position {bad.start()}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return Problem.of(field, url, f"is not a valid URL ({error})")
    if parts.username is not None or parts.password is not None:
        masked = parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]).geturl()
        return Problem.of(field, masked, "must not hold a user name or password: requests are recorded")
    if not host:
        return Problem.of(field, url, "does not name a host")
    if not host.isascii():
        return Problem.of(field, url, "must name its host in ASCII (xn--...), so that look-alike letters show")
    return Medium(url=url)


def _from_data_url(field: str, url: str) -> Medium | Problem:
    head, comma, text = url.partition(",")
    mime, *parameters = head[len("data:") :].lower().split(";")
    declared = _ALIASES.get(mime, mime)
    if declared not in PICTURES:
        return Problem.of(field, url, f"declares {mime[:40] or 'no MIME type'!r}", allowed=PICTURES)
    if not comma or parameters[-1:] != ["base64"]:
        return Problem.of(field, url, "must be written data:<mime>;base64,<data>")
    data = _unbase64(text)
    if isinstance(data, str):
        return Problem.of(field, url, data)
    return _from_bytes(field, url, data, declared=declared)


# -- objects and bytes --------------------------------------------------------------------------------------


def _from_object(field: str, given: Mapping[object, object]) -> Medium | Problem:
    keys = f"<object with {', '.join(map(str, given)) or 'no keys'}>"
    if set(given) == {"image_url"}:
        return _from_image_url(f"{field}.image_url", given["image_url"])
    if extra := [key for key in given if key not in {"mime_type", "data"}]:
        return Problem.of(f"{field}.{extra[0]}", keys, "unknown key", allowed=("mime_type", "data"))
    if missing := [key for key in ("mime_type", "data") if not isinstance(given.get(key), str)]:
        return Problem.of(f"{field}.{missing[0]}", keys, "is required, as a string")
    declared = _ALIASES.get(str(given["mime_type"]).lower(), str(given["mime_type"]).lower())
    if declared not in PICTURES:
        return Problem.of(f"{field}.mime_type", given["mime_type"], "is not a supported picture type", allowed=PICTURES)
    text = str(given["data"])
    if text.lstrip()[:5].lower() == "data:":
        return _declared(f"{field}.data", keys, _from_data_url(f"{field}.data", text.lstrip()), declared)
    data = _unbase64(text)
    if isinstance(data, str):
        return Problem.of(f"{field}.data", keys, data)
    return _from_bytes(f"{field}.data", keys, data, declared=declared)


def _from_image_url(field: str, value: object) -> Medium | Problem:
    """Read OpenAI's form, ``{"image_url": URL}``, and the one that its chat API has, ``{"image_url": {"url": URL}}``."""
    if isinstance(value, Mapping) and set(value) == {"url"}:
        field, value = f"{field}.url", value["url"]
    if not isinstance(value, str):
        return Problem.of(field, value, "must be an http(s) or data URL, as a string")
    return _from_text(field, value)


def _declared(field: str, value: object, medium: Medium | Problem, declared: str) -> Medium | Problem:
    """Return a picture that was declared twice, which must be in the same words."""
    if isinstance(medium, Medium) and medium.mime != declared:
        return Problem.of(
            field, value, f"is declared {declared}, but its content is {medium.mime}", nearest=medium.mime
        )
    return medium


def _unbase64(text: str) -> bytes | str:
    """Return the bytes that base64 stands for, or what is wrong with it."""
    text = _BASE64_SPACE.sub("", text)  # programs that write it for mail break its lines
    if len(text) * 3 // 4 > MAX_BYTES + 3:
        return f"holds more than {MAX_BYTES // 2**20} MiB; pass a URL instead"
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        bad = re.search(r"[^A-Za-z0-9+/]", text.rstrip("="))
        return f"is not base64: bad character at position {bad.start()}" if bad else "is not base64: wrong padding"


def _from_bytes(field: str, value: object, data: bytes, *, declared: str | None) -> Medium | Problem:
    if len(data) > MAX_BYTES:
        return Problem.of(field, value, f"has {len(data)} bytes; at most {MAX_BYTES} are allowed; pass a URL instead")
    mime = _mime(data)
    if mime is None:
        return Problem.of(field, value, f"its content {_looks_like(data)}", allowed=PICTURES)
    if declared not in {None, mime}:
        return Problem.of(field, value, f"is declared {declared}, but its content is {mime}", nearest=mime)
    size = _MEASURES[mime](data)
    if size is None:
        return Problem.of(field, value, f"its content begins as {mime}, but is truncated or damaged", allowed=PICTURES)
    width, height = size
    if not 0 < width * height <= MAX_PIXELS:
        return Problem.of(field, value, f"is a picture of {width}x{height}; at most {MAX_PIXELS} pixels are allowed")
    return Medium(mime=mime, data=data, width=width, height=height)


# -- magic bytes and headers --------------------------------------------------------------------------------


def _mime(data: bytes) -> str | None:
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    return WEBP if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


_OTHERS = (
    (b"GIF8", "GIF"),
    (b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
    (b"%pdf", "PDF"),
    (b"bm", "BMP"),
    (b"ii*\0", "TIFF"),
    (b"mm\0*", "TIFF"),
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML or SVG"),
    (b"{", "JSON"),
)


def _looks_like(data: bytes) -> str:
    if not data:
        return "is empty"
    if data[4:8] == b"ftyp":
        return f"looks like {'AVIF or HEIC' if data[8:12] in {b'avif', b'heic', b'mif1'} else 'MP4'}"
    start = data[:256].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    known = (name for magic, name in _OTHERS if start.startswith(magic.lower()))
    name = next(known, None)
    return f"looks like {name}" if name else "is not a JPEG, PNG or WebP image"


def _as_shown(width: int, height: int, exif: bytes | None) -> tuple[int, int]:
    return (height, width) if is_turned(exif) else (width, height)


def _png_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or data.rfind(b"IEND\xaeB`\x82") < 33:
        return None
    return _as_shown(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), exif_of_png(data))


_APP1 = 0xE1
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at, exif = 2, None
    for _ in range(MAX_SEGMENTS):
        if len(data) < at + 9 or data[at] != 0xFF:
            return None
        if data[at + 1] in _START_OF_FRAME:
            if data.rfind(b"\xff\xd9") <= at:
                return None  # cut
            return _as_shown(int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7]), exif)
        # A fill byte (0xFF) is one byte long, every other segment as long as it says.
        length = 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] == _APP1 and exif is None:
            exif = exif_of_jpeg_segment(data[at + 4 : at + length])
        at += length
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 30 or len(data) < 8 + int.from_bytes(data[4:8], "little"):
        return None
    match data[12:16]:
        case b"VP8X":
            sides = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
            return _as_shown(*sides, exif_of_webp(data))
        case b"VP8L" if data[20] == 0x2F:
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            sides = int.from_bytes(data[26:28], "little"), int.from_bytes(data[28:30], "little")
            return sides[0] & 0x3FFF, sides[1] & 0x3FFF
        case _:
            return None


_MEASURES: dict[str, Callable[[bytes], tuple[int, int] | None]] = {JPEG: _jpeg_size, PNG: _png_size, WEBP: _webp_size}
