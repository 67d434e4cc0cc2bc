"""The errors of object stores, to which a gateway may send a download: a few named elements of a small XML document.

    <Error><Code>AccessDenied</Code><Message>Request has expired</Message><RequestId>…</RequestId></Error>

S3, OSS, COS, GCS and Azure write this form. The elements are found by patterns within a bounded length. An XML parser
would have to be kept from resolving entities and declarations; here none is looked at.
"""

from __future__ import annotations

import html
import re

__all__ = ["xml_error"]

_LOOKED_AT = 8192  # characters
_NAMES = {"code": "code", "message": "message", "requestid": "request_id"}
_START = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--[^>]{0,500}-->\s*)?<(?:\w{1,20}:)?(?:Error|ErrorResponse|Errors)\b",
    re.IGNORECASE,
)
_ELEMENT = re.compile(
    r"<(?:\w{1,20}:)?(Code|Message|RequestId)(?:\s[^>]{0,100})?>"
    r"(?:\s*<!\[CDATA\[(?P<data>[^\]]{0,1000})\]\]>\s*|(?P<text>[^<]{0,1000}))</",
    re.IGNORECASE,
)


def xml_error(text: str) -> dict[str, str] | None:
    """Return the code, message and request id of an object store's error; None if *text* is not one."""
    text = text[:_LOOKED_AT]
    if not _START.match(text):
        return None
    found: dict[str, str] = {}
    for element in _ELEMENT.finditer(text):
        said = element["data"] if element["data"] is not None else html.unescape(element["text"] or "")
        if said.strip():
            found.setdefault(_NAMES[element[1].lower()], said.strip())
    return found if "code" in found or "message" in found else None
