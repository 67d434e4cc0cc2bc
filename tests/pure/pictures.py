"""The smallest pictures of each kind that have a header, and an end."""

from __future__ import annotations

import base64


def png(width: int = 1280, height: int = 720) -> bytes:
    """A PNG of these sides."""
    sides = width.to_bytes(4) + height.to_bytes(4)
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + sides + b"\x08\x02\x00\x00\x00crc!"
    return head + b"\x00\x00\x00\x00IEND\xaeB`\x82"


def jpeg(width: int = 1280, height: int = 720) -> bytes:
    """A JPEG of these sides, with a comment before its frame."""
    note = b"\xff\xfe\x00\x0ba comment"
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x03" + bytes(9)
    return b"\xff\xd8" + note + b"\xff" + frame + b"\xff\xda\x00\x02scan\xff\xd9"


def webp(width: int = 1280, height: int = 720, *, kind: bytes = b"VP8 ") -> bytes:
    """A WebP of these sides, in one of its three forms."""
    chunks = {
        b"VP8 ": b"\x30\x01\x00\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little"),
        b"VP8L": b"\x2f" + ((height - 1) << 14 | (width - 1)).to_bytes(4, "little") + bytes(5),
        b"VP8X": bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
    }
    body = b"WEBP" + kind + len(chunks[kind]).to_bytes(4, "little") + chunks[kind]
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def data_url(data: bytes, mime: str = "image/png") -> str:
    """The data URL of a picture."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def as_object(data: bytes, mime: str = "image/png") -> dict[str, str]:
    """The object form of a picture."""
    return {"mime_type": mime, "data": base64.b64encode(data).decode()}
