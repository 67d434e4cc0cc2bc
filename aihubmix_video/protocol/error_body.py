"""Every shape in which the gateway, its vendors and the boxes in between say that something is wrong.

Seen or documented (AIHubMix field observations, 2026):

    {"error": {"message", "type", "param", "code"}, "type": "error"}    the gateway, with or without `code`
    {"error": "text"}   {"error": [..]}   {"detail": [{"msg"}]}         vendors and frameworks
    {"code", "message", "data": null}   {"success": false, "message"}   the task form, and its kin
    {"base_resp": {"status_code", "status_msg"}}                        MiniMax
    {"ResponseMetadata": {"Error": {"Code", "Message"}}}                Volcano Engine
    any of these again, as JSON text inside a message                   a vendor's answer, relayed
    <Error><Code>…</Code><Message>…</Message></Error>                   object stores
    HTML, plain text, `null`, nothing at all                            content networks and proxies

All become one `ErrorBody`. Names are compared without case and separators. A code or message that says "success" is left out.
Ids of requests stand in ``X-Request-Id``, or in the text as ``(tid: …)`` or ``Request id: …``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

import attrs

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.headers import request_id
from aihubmix_video.protocol.json_places import fields_of
from aihubmix_video.protocol.json_reader import read_json
from aihubmix_video.protocol.sanitize import LINE, plain
from aihubmix_video.protocol.stated_wait import wait_in_fields, wait_in_text
from aihubmix_video.protocol.xml_error import xml_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aihubmix_video.protocol.response import Response

__all__ = ["ErrorBody", "describe", "is_success_code", "read_envelope"]

_LEVELS = 7  # an envelope within a message within an envelope, and one to spare
_ITEMS = 4  # of a list of errors, only the first few are looked at
_TEXT = 32_768  # characters of one message that are looked at
_LABELS = {
    "type": ("type", "errortype"),
    "code": ("code", "errorcode", "errcode", "statuscode"),
    "param": ("param",),
    "request_id": ("requestid",),
}
_MESSAGES = (
    *("error", "failurereason", "failreason", "failedreason", "message", "msg", "errormessage", "errormsg"),
    *("errmsg", "errmessage", "statusmsg", "statusmessage", "taskstatusmsg", "detail", "details", "errors", "reason"),
)
_LAST = ("baseresp", "responsemetadata", "response", "description", "title", "data", "result", "output")
"""Names that hold a message where no better one does."""
_MESSAGE_ENDINGS = ("msg", "message", "reason", "error")
_CODE = re.compile(r"[A-Za-z][\w.-]{1,60}", re.ASCII)
_GRPC = re.compile(r"[A-Z]+(?:_[A-Z]+)+", re.ASCII)  # Google's `status` beside a message, such as RESOURCE_EXHAUSTED
_REQUEST = re.compile(r"\b(?:tid|request[ _-]?id)\b[\"']?\s*[:=]\s*[\"']?([0-9A-Za-z][\w-]{5,99})", re.IGNORECASE)
_NOTHING = {"", "none", "null", "undefined", "{}"}  # how languages print the absence of an error
_SUCCESS = {
    *("success", "succeed", "succeeded", "ok", "okay", "true", "0", "200", "00000", "000000"),
    *("成功", "操作成功", "请求成功", "请求处理成功", "处理成功", "查询成功"),
}
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_EDGE_TEXT = re.compile(
    r"error code: 1\d{3}\b", re.IGNORECASE | re.ASCII
)  # Cloudflare's page for clients that are not browsers

Form = Literal["json", "text", "page", "xml"]


@attrs.frozen(kw_only=True)
class ErrorBody:
    """What an answer says is wrong.

    Attributes:
        message: One readable line, printable and bounded; empty if nothing was said.
        type: The sender's class of error; the innermost one, where answers are nested.
        code: Its code, of the innermost one too.
        param: The request's field that is at fault, where named.
        request_id: The gateway's id of the request.
        wait: Seconds that the body asks to wait, or None.
        form: How it was said. Only JSON is the gateway's own word. A page is a content network's, XML an object store's.
    """

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    wait: float | None = None
    form: Form = "json"

    @property
    def structured(self) -> bool:
        """Whether it was said in JSON."""
        return self.form == "json"

    @property
    def foreign(self) -> bool:
        """Whether something other than the gateway and its vendors said it: a content network, a proxy, an object store."""
        return self.form in {"page", "xml"}

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
        said = _read_prose(response)
    return attrs.evolve(said, request_id=request_id(response.headers) or said.request_id)


def describe(value: object) -> ErrorBody:
    """Read what a piece of JSON says is wrong: a whole answer, or the `error` of a failed job."""
    found = _tell(value, _LEVELS)
    message = found.get("message", "")
    if not message and "code" not in found and (unknown := _pruned(value)):
        message = json.dumps(unknown, ensure_ascii=False)  # of no known shape, and better shown than hidden
    quoted = _REQUEST.search(message)
    wait = wait_in_fields(value)
    stated = float(found["wait"]) if "wait" in found else None
    return ErrorBody(
        message=plain(message),
        type=found.get("type"),
        code=found.get("code"),
        param=found.get("param"),
        request_id=quoted[1] if quoted else found.get("request_id"),
        wait=next((each for each in (wait, stated, wait_in_text(message)) if each is not None), None),
    )


def is_success_code(value: object) -> bool:
    """Whether *value* is a code or a message that says that all is well."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value == 0 or 200 <= value < 300
    return isinstance(value, str) and value.strip().rstrip("!.。\uff01").lower() in _SUCCESS


def _tell(value: object, levels: int) -> dict[str, str]:
    """Collect the message and the labels of *value*, the innermost ones first."""
    if levels == 0:
        return {}
    if isinstance(value, str):
        return _tell_text(value[:_TEXT], levels)
    if isinstance(value, list):
        return _first_with_message(_tell(item, levels - 1) for item in value[:_ITEMS])
    if isinstance(value, dict):
        fields = fields_of(value)
        known = (*_MESSAGES, *(name for name in fields if name.endswith(_MESSAGE_ENDINGS)), *_LAST)
        told = (_tell(fields.get(name), levels - 1) for name in known if name not in _bare_code(fields))
        return _labels(fields) | _first_with_message(told)
    return {}


def _bare_code(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Return ``error`` where that is a code, as in `{"error": "quota_exceeded", "message": "…"}`."""
    error = fields.get("error")
    is_code = (
        isinstance(error, str)
        and _CODE.fullmatch(error)
        and any(_is_text(fields.get(name)) for name in ("message", "msg"))
    )
    return ("error",) if is_code else ()


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not is_success_code(value)


def _labels(fields: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for label, names in _LABELS.items():
        said = (word for name in names if (word := _word(fields.get(name))) and not is_success_code(word))
        if word := next(said, None):
            found[label] = word
    if _bare_code(fields):
        found.setdefault("code", str(fields["error"]))
    status = fields.get("status")
    if "type" not in found and isinstance(status, str) and len(status) <= 40 and _GRPC.fullmatch(status):
        found["type"] = status
    return found


def _tell_text(text: str, levels: int) -> dict[str, str]:
    """Read a message; a JSON answer quoted in it is replaced by the message inside."""
    start, end = text.find("{"), text.rfind("}") + 1
    if 0 <= start < end:
        try:
            quoted = read_json(text[start:end].encode("utf-8", "replace"))
        except MalformedReply:
            quoted = None
        inner = _tell(quoted, levels - 1)
        if inner.get("message"):
            wait = wait_in_fields(quoted)
            stated = {} if wait is None else {"wait": str(wait)}
            return stated | inner | {"message": text[:start] + inner["message"] + text[end:]}
    return {} if text.strip().lower() in _NOTHING or is_success_code(text) else {"message": text}


def _first_with_message(found: Iterable[dict[str, str]]) -> dict[str, str]:
    """Return the first that has a message, else the first that says anything."""
    labelled: dict[str, str] = {}
    for told in found:
        if told.get("message"):
            return told
        labelled = labelled or told
    return labelled


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


def _read_prose(response: Response) -> ErrorBody:
    """Read an answer that is not JSON: an HTML page by its title, an object store's XML by its elements, else the text."""
    text = response.body[: LINE * 16].decode("utf-8", "replace").lstrip("\ufeff").strip()
    if (found := xml_error(text)) is not None:
        told = ErrorBody(message=plain(found.get("message", "")), code=plain(found.get("code", ""), 100) or None)
        return attrs.evolve(told, request_id=plain(found.get("request_id", ""), 128) or None, form="xml")
    if text.startswith("<"):
        title = _TITLE.search(text)
        shown = describe(f"an HTML page: {title[1].strip()}" if title else "an HTML page without a title")
        return attrs.evolve(shown, wait=None, form="page")
    is_page = bool(text) and ("html" in response.headers.get("content-type", "").lower() or _EDGE_TEXT.match(text))
    return attrs.evolve(describe(text[: LINE * 8]), form="page" if is_page else "text")
