"""What was exchanged with a gateway in a contract run: the evidence, scrubbed, as a value that can be kept and judged again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

import attrs
import cattrs

from aihubmix_video.errors import ConfigurationError, MalformedReply
from aihubmix_video.protocol.json_reader import read_json
from aihubmix_video.protocol.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.protocol.response import Response

__all__ = ["Exchange", "SavedVideo", "Transcript", "exchange_of", "from_json", "to_json"]

Kind = Literal[
    "create",
    "poll",
    "early content",
    "content",
    "content without key",
    "delete",
    "after delete",
    "model list",
    "model ids",
    "unknown id",
    "unknown id without key",
]

HEADERS = (
    "content-type",
    "content-length",
    "content-range",
    "accept-ranges",
    "etag",
    "x-request-id",
    "retry-after",
    "date",
)
TEXT = 2000
"""Characters kept of one string."""
_URL_QUERY = re.compile(r"(https?://[^\s?\"]{1,400})\?[^\s\"]+")
MOST_ITEMS = 40


@attrs.frozen(kw_only=True)
class Exchange:
    """One request and its answer.

    Attributes:
        kind: What was asked for.
        model: The model of the job that it was about; empty for none.
        status: The HTTP status.
        headers: Those of the answer's headers that a claim reads.
        sent: The request's body.
        answer: The answer's body where it is JSON, scrubbed.
        form: What the answer's body is: ``json``, ``mp4``, ``page``, ``empty`` or ``other``.
    """

    kind: Kind
    model: str = ""
    status: int
    headers: dict[str, str] = attrs.field(factory=dict)
    sent: object = None
    answer: object = None
    form: str = "other"


@attrs.frozen(kw_only=True)
class SavedVideo:
    """A video that was brought home, beside what was ordered."""

    model: str
    verified: bool
    size: int
    asked_seconds: float | None = None
    seconds: float | None = None
    asked_pixels: tuple[int, int] | None = None
    pixels: tuple[int, int] | None = None
    price: float | None = None


@attrs.frozen(kw_only=True)
class Transcript:
    """A whole contract run.

    Attributes:
        gateway: The base URL.
        began: Unix seconds.
        exchanges: In the order of the answers.
        saved: The videos that were brought home.
        billed: USD by the balance before and after; None where it was not told.
    """

    gateway: str
    began: float
    exchanges: tuple[Exchange, ...] = ()
    saved: tuple[SavedVideo, ...] = ()
    billed: float | None = None


def exchange_of(
    kind: Kind, response: Response, *, model: str = "", sent: bytes | None = None, cut: bool = False
) -> Exchange:
    """Return the scrubbed record of an answer.

    Args:
        kind: What was asked for.
        response: The answer.
        model: The model of the job.
        sent: The request's body.
        cut: Whether only the beginning of the body was read.
    """
    answer = None if cut else _json(response.body)
    headers = {name: plain(response.headers[name], 200) for name in HEADERS if name in response.headers}
    return Exchange(
        kind=kind,
        model=model,
        status=response.status,
        headers=headers,
        sent=None if sent is None else _scrubbed(_json(sent)),
        answer=_scrubbed(answer),
        form=_form(response.body, answer),
    )


def _json(body: bytes) -> object:
    try:
        return read_json(body)
    except MalformedReply:
        return None


def _form(body: bytes, answer: object) -> str:
    if not body.strip():
        return "empty"
    if answer is not None or body.lstrip()[:1] in {b"{", b"["}:
        return "json"
    if body[4:8] == b"ftyp":
        return "mp4"
    return "page" if body.lstrip()[:1] == b"<" else "other"


def _scrubbed(value: object, name: str = "") -> object:
    """Return JSON without ids and signatures: an id keeps its length and kind of characters, a URL loses its query."""
    if isinstance(value, dict):
        return {plain(str(key), 100): _scrubbed(item, str(key)) for key, item in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, list):
        return [_scrubbed(item) for item in value[:MOST_ITEMS]]
    if not isinstance(value, str):
        return value
    if name in {"id", "task_id", "video_id"}:
        return "".join("x" if each.isalnum() and each.isascii() else "-" for each in value[:600])
    if value.startswith("data:"):
        return "data:…"
    return plain(_URL_QUERY.sub(r"\1?…", value), TEXT)


def to_json(transcript: Transcript) -> str:
    """Return a transcript as text for a file."""
    return json.dumps(attrs.asdict(transcript), ensure_ascii=False, indent=1) + "\n"


def from_json(text: bytes) -> Transcript:
    """Return the transcript that a file's text is.

    Raises:
        ConfigurationError: It is not one.
    """
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    try:
        return converter.structure(json.loads(text), Transcript)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, cattrs.BaseValidationError):
        fault = "it is not a transcript that `doctor --live --samples` wrote"
    raise ConfigurationError(f"--replay: {fault}.")


def fields(answer: object) -> Mapping[str, object]:
    """Return the fields of an answer; none of what is not an object."""
    return answer if isinstance(answer, dict) else {}
