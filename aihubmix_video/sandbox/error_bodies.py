"""The shapes in which errors come, as the gateway and its vendors write them.

The gateway has one envelope of its own; a vendor's refusal is passed on in the vendor's form, sometimes as JSON text inside
the message. Every message ends in a ``tid``, the 31 digits that are also the ``X-Request-Id``. (AIHubMix field observations,
2026-01 to 2026-06.)
"""

from __future__ import annotations

from json import dumps

import attrs

Envelope = dict[str, object]


@attrs.frozen
class RefusedRequest(Exception):  # a vendor's verdict that travels as an exception, not a fault of the program
    """A request that a vendor does not take.

    Attributes:
        message: The vendor's words.
        code: The vendor's name for it.
        param: The field it is about.
        status: The HTTP status.
    """

    message: str
    code: str = "invalid_parameter"
    param: str = ""
    status: int = 400


def gateway(refusal: RefusedRequest, tid: str) -> Envelope:
    """Use the gateway's own envelope, the only one with a ``type`` beside the error."""
    error: Envelope = {"message": f"{refusal.message} (tid: {tid})", "type": "Aihubmix_api_error"}
    if refusal.code:
        error["code"] = refusal.code
    return {"error": error, "type": "error"}


def openai(refusal: RefusedRequest, tid: str) -> Envelope:
    """Use OpenAI's form, passed through."""
    error = {"message": f"{refusal.message} (tid: {tid})", "type": "invalid_request_error"}
    return {"error": {**error, "param": refusal.param or None, "code": refusal.code}}


def google(refusal: RefusedRequest, tid: str) -> Envelope:
    """Use Google's JSON as text inside the message."""
    inner: Envelope = {"error": {"code": refusal.status, "message": refusal.message, "status": "INVALID_ARGUMENT"}}
    return _quoted(inner, tid)


def ark(refusal: RefusedRequest, tid: str) -> Envelope:
    """Use Ark's JSON as text inside the message."""
    inner: Envelope = {
        "error": {"code": refusal.code, "message": refusal.message, "param": refusal.param, "type": "BadRequest"}
    }
    return _quoted(inner, tid)


def dashscope(refusal: RefusedRequest, tid: str) -> Envelope:
    """Use the passthrough envelope with its fields left empty."""
    message = f"{refusal.code}: {refusal.message} (tid: {tid})"
    return {"error": {"message": message, "type": "", "param": "", "code": None}}


def task(refusal: RefusedRequest, tid: str) -> Envelope:
    """Use the form of the gateway's task code: no ``error`` at all."""
    return {"code": refusal.code, "message": f"{refusal.message} (tid: {tid})", "data": None}


def _quoted(inner: Envelope, tid: str) -> Envelope:
    return {"error": {"message": f"{dumps(inner)} (tid: {tid})", "type": "", "param": "", "code": None}}
