# ruff: noqa: INP001 - a program, not a package
"""Write `reference/fields.md` from the tables and the encoder: ``python docs/fields_page.py``."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING
from zlib import compress, crc32

from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.capabilities.field_rules import Dialect
from aihubmix_video.protocol.encode_request import encode
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.capabilities import Capability

PAGE = Path(__file__).parent / "reference" / "fields.md"
URL = "https://example.com/a.png"


def _png() -> bytes:
    """Return a picture of one pixel."""
    parts = ((b"IHDR", pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), (b"IDAT", compress(b"\0\0")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data)) for kind, data in parts
    )


PICTURE = _png()

HEAD = """\
# Fields as they are sent

For each family and each field that a model of it takes: what a request holds, what its body then says beside `model` and `prompt`, and where the field is published.
Written by `docs/fields_page.py` from the tables and the encoder; do not edit it by hand.
A body that is sent in two places satisfies reports that contradict each other: see the encoder, `protocol/encode_request.py`.
"""

SAMPLES: dict[str, object] = {
    "input_reference": URL,
    "image": URL,
    "image_tail": URL,
    "image_list": [URL],
    "video_list": [{"video_url": "https://example.com/a.mp4", "refer_type": "feature"}],
    "content": [{"type": "image_url", "image_url": {"url": URL}, "role": "reference_image"}],
    "negative_prompt": "rain",
    "seed": 7,
    "cfg_scale": 0.5,
    "generate_audio": True,
    "watermark": False,
    "extra_body": {"camera_fixed": True},
}
BESIDE: dict[str, dict[str, object]] = {"image_tail": {"image": URL}}


def render() -> str:
    """Return the page as Markdown."""
    return "\n".join([HEAD, *(line for dialect in Dialect for line in _family(dialect))])


def _family(dialect: Dialect) -> Iterator[str]:
    tables = [table for table in BUILT_IN if table.dialect is dialect]
    yield from (f"## {tables[0].family}", "", "| field | a request | the body | published |", "|---|---|---|---|")
    fields = dict.fromkeys(field for table in tables for field in table.fields if field not in {"model", "prompt"})
    for field in fields:
        table = next(table for table in tables if field in table.fields)
        for value in _values(table, field):
            asked = {field: value, **BESIDE.get(field, {})}
            body = encode(VideoRequest(model=table.model, prompt="a", **asked), table)  # type: ignore[arg-type]  # fields by name
            told = {key: item for key, item in body.items() if key not in {"model", "prompt"}}
            yield f"| `{field}` | `{_shown(asked)}` | `{_shown(told)}` | {table.source_of(field)} |"
    yield ""


def _values(table: Capability, field: str) -> Iterator[object]:
    """Yield a value of a field, or two where the second is written in another way."""
    if field == "seconds":
        yield table.seconds.allowed[0]
    elif field == "size":
        yield from dict.fromkeys((table.size_names[0], table.size_names[-1]))
    elif field in table.options and table.options[field].allowed and field not in SAMPLES:
        yield table.options[field].allowed[-1]
    else:
        yield SAMPLES[field]
    if any(rule.field == field and rule.maximum is None for rule in table.images):
        yield PICTURE


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=lambda _: "bytes of a picture")
    return text.replace(b64encode(PICTURE).decode(), "…")


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
