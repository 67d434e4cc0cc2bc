"""A create as ``multipart/form-data``, read as the JSON object that says the same. Pure."""

from __future__ import annotations

from base64 import b64encode
from email.message import Message
from email.parser import HeaderParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["boundary_of", "read_form"]

WORDS = {"true": True, "false": False}
MOST_PARTS = 100


def boundary_of(content_type: str | None) -> bytes | None:
    """Return what divides the parts of a form; None if a Content-Type is not that of a form."""
    header = Message()
    header["Content-Type"] = content_type or ""
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        return None
    return boundary.encode("utf-8", "surrogateescape")


def read_form(body: bytes, boundary: bytes) -> dict[str, object] | None:
    """Return a form as a JSON object: files as data URLs, ``a[b]`` as an object; None if it is not whole."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--") or len(pieces) > MOST_PARTS:
        return None
    form: dict[str, object] = {}
    for name, value in _parts(pieces[1:-1]):
        outer, bracket, inner = name.partition("[")
        if not bracket:
            form[name] = value
            continue
        nested = form.setdefault(outer, {})
        if isinstance(nested, dict):
            nested[inner.removesuffix("]")] = value
    return form


def _parts(pieces: list[bytes]) -> Iterator[tuple[str, object]]:
    for piece in pieces:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = HeaderParser().parsestr(head.decode("utf-8", "replace"))
        name = headers.get_param("name", header="Content-Disposition")
        if not isinstance(name, str):
            continue
        if headers.get_filename() is not None:
            kind = headers.get_content_type() if "Content-Type" in headers else "application/octet-stream"
            yield name, f"data:{kind};base64,{b64encode(content).decode()}"
        else:
            text = content.decode("utf-8", "replace")
            yield name, WORDS.get(text, text)
