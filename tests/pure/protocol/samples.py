"""Recorded-style answers, by name: `tests/samples/<name>.json` holds a status, headers and a body."""

from __future__ import annotations

import json
from pathlib import Path

from aihubmix_video.protocol.response import Response

FOLDER = Path(__file__).parents[2] / "samples"
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))


def sample(name: str) -> Response:
    """Load one sample as the transport would deliver it."""
    said = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    body = said["text"] if "text" in said else json.dumps(said["body"], ensure_ascii=False)
    return Response(status=said["status"], headers=said["headers"], body=body.encode())


def answer(body: object, status: int = 200, **headers: str) -> Response:
    """Make an answer of *body*: bytes as they are, anything else as JSON; ``_`` in header names is ``-``."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()}, body=raw)
