"""Every shape in which the gateway, its vendors and the boxes in between say that something is wrong.

Seen or documented (AIHubMix field observations, 2026):

    {"error": {"message", "type", "param", "code"}, "type": "error"}    the gateway, with or without `code`
    {"error": "text"}   {"error": [..]}   {"detail": [{"msg"}]}         vendors and frameworks
    {"code", "message", "data": null}                                   the task form
    any of these again, as JSON text inside a message                   a vendor's answer, relayed
    HTML, plain text, `null`, nothing at all                            content networks and proxies

All become one `ErrorBody`. Ids of requests stand in ``X-Request-Id``, or in the text as ``(tid: …)`` or ``Request id: …``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.headers import request_id
from aihubmix_video.protocol.json_reader import read_json
from aihubmix_video.protocol.sanitize import LINE, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aihubmix_video.protocol.response import Response

__all__ = ["ErrorBody", "describe", "read_envelope"]

_LEVELS = 5  # an envelope within a message within an envelope, and one to spare
_ITEMS = 4  # of a list of errors, only the first few are looked at
_TEXT = 32_768  # characters of one message that are looked at
_LABELS = ("type", "code", "param", "request_id")
_MESSAGES = ("error", "failure_reason", "fail_reason", "message", "msg", "detail", "errors", "reason")
_REQUEST = re.compile(r"\b(?:tid|request[ _-]?id)\b[\"']?\s*[:=]\s*[\"']?([0-9A-Za-z][\w-]{5,99})", re.IGNORECASE)
_NOTHING = {"", "none", "null", "undefined", "{}"}  # how languages print the absence of an error
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class ErrorBody:
    """What an answer says is wrong.

    Attributes:
        message: One readable line, printable and bounded; empty if nothing was said.
        type: The sender's class of error; the innermost one, where answers are nested.
        code: Likewise its code.
        param: The request's field that is at fault, where named.
        request_id: The gateway's id of the request.
        structured: Whether it was said in JSON. What stands on an HTML page was not said by the gateway.
    """

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    structured: bool = True

    @property
    def line(self) -> str:
        """The message with the code, for people; never empty."""
        said = self.message or "the gateway gave no reason"
        return said if not self.code or self.code in said else f"{said} ({self.code})"

    @property
    def words(self) -> str:
        """All that was said, for looking for words."""
        return " ".join(filter(None, (self.code, self.type, self.message)))


def read_envelope(response: Response) -> ErrorBody:
    """Read what *response* says is wrong; any bytes will do."""
    try:
        said = describe(read_json(response.body))
    except MalformedReply:
        said = attrs.evolve(describe(_prose(response.body)), structured=False)
    return attrs.evolve(said, request_id=request_id(response.headers) or said.request_id)


def describe(value: object) -> ErrorBody:
    """Read what a piece of JSON says is wrong: a whole answer, or the `error` of a failed job."""
    found = _tell(value, _LEVELS)
    message = found.get("message", "")
    if not found and (unknown := _pruned(value)):
        message = json.dumps(unknown, ensure_ascii=False)  # of no known shape, and better shown than hidden
    quoted = _REQUEST.search(message)
    return ErrorBody(
        message=plain(message),
        type=found.get("type"),
        code=found.get("code"),
        param=found.get("param"),
        request_id=quoted[1] if quoted else found.get("request_id"),
    )


def _tell(value: object, levels: int) -> dict[str, str]:
    """Collect the message and the labels of *value*, the innermost ones first."""
    if levels == 0:
        return {}
    if isinstance(value, str):
        return _tell_text(value[:_TEXT], levels)
    if isinstance(value, list):
        return _first_with_message(_tell(item, levels - 1) for item in value[:_ITEMS])
    if isinstance(value, dict):
        labels = {name: word for name in _LABELS if (word := _word(value.get(name)))}
        return labels | _first_with_message(_tell(value.get(name), levels - 1) for name in _MESSAGES)
    return {}


def _tell_text(text: str, levels: int) -> dict[str, str]:
    """Read a message; a JSON answer quoted in it is replaced by the message inside."""
    start, end = text.find("{"), text.rfind("}") + 1
    if 0 <= start < end:
        try:
            inner = _tell(read_json(text[start:end].encode("utf-8", "replace")), levels - 1)
        except MalformedReply:
            inner = {}
        if inner.get("message"):
            return inner | {"message": text[:start] + inner["message"] + text[end:]}
    return {} if text.strip().lower() in _NOTHING else {"message": text}


def _first_with_message(found: Iterable[dict[str, str]]) -> dict[str, str]:
    return next((told for told in found if told.get("message")), {})


def _pruned(value: object) -> object:
    """Leave out of *value* what says nothing."""
    if isinstance(value, dict):
        return {name: left for name, item in value.items() if (left := _pruned(item))}
    if isinstance(value, list):
        return [left for item in value[:_ITEMS] if (left := _pruned(item))]
    return None if isinstance(value, str) and value.strip().lower() in _NOTHING else value


def _word(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return plain(value, 100) or None if isinstance(value, str) else None


def _prose(body: bytes) -> str:
    """Say in a line what an answer that is no JSON shows: an HTML page by its title."""
    text = body[: LINE * 8].decode("utf-8", "replace").strip()
    if not text.startswith("<"):
        return text
    title = _TITLE.search(text)
    return f"an HTML page: {title[1]}" if title else "an HTML page without a title"
