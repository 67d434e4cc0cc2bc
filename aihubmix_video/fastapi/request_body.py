"""Reading a create's body: bounded, strict, and only what may come over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aihubmix_video.batch_file.json_values import read_json
from aihubmix_video.errors import InvalidRequest, Problem
from aihubmix_video.fastapi.http_errors import BodyTooLarge, UnreadableBody, WrongMediaType
from aihubmix_video.types.request import FIELDS, VideoRequest

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["REQUEST_BODY", "read_body", "read_bounded", "request_of"]

REFERENCE: Final = {
    "description": 'An http(s) or data URL, or {"mime_type": ..., "data": <base64>}.',
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "required": ["mime_type", "data"],
            "properties": {"mime_type": {"type": "string"}, "data": {"type": "string"}},
        },
    ],
}
WHOLE_OR_TEXT: Final = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
OBJECTS: Final = {"type": "array", "items": {"type": "object"}}
TYPES: Final[dict[str, dict[str, Any]]] = {
    "seconds": WHOLE_OR_TEXT,
    "duration": {"description": "An alias of seconds.", **WHOLE_OR_TEXT},
    "input_reference": REFERENCE,
    "cfg_scale": {"type": "number"},
    "generate_audio": {"type": "boolean"},
    "watermark": {"type": "boolean"},
    "seed": {"type": "integer"},
    "image": REFERENCE,
    "image_tail": REFERENCE,
    "image_list": {"type": "array", "items": REFERENCE},
    "video_list": OBJECTS,
    "content": OBJECTS,
    "extra_body": {"type": "object"},
}
"""The JSON schemas of fields that are more than text."""

REQUEST_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "examples": {
                    "text": {"value": {"model": "wan2.6-t2v", "prompt": "a cat plays jazz piano", "seconds": 5}},
                    "image": {
                        "value": {
                            "model": "wan2.6-i2v",
                            "prompt": "she turns and smiles",
                            "seconds": 5,
                            "input_reference": "https://cdn.example.com/portrait.png",
                        }
                    },
                },
                "schema": {
                    "title": "VideoRequest",
                    "type": "object",
                    "description": "Which fields a model takes, and with which values, depends on the model.",
                    "required": ["model"],
                    "additionalProperties": False,
                    "properties": {name: TYPES.get(name, {"type": "string"}) for name in (*FIELDS, "duration")},
                },
            }
        },
    }
}
"""How the body is described in OpenAPI; it is read here, and not by FastAPI."""


async def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body.

    Raises:
        WrongMediaType: It is not declared as JSON.
        BodyTooLarge: It has, or would have, more than *limit* bytes.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise WrongMediaType("the body must be application/json")
    return await read_bounded(request, limit)


async def read_bounded(request: Request, limit: int) -> bytes:
    """Read the whole body, whatever it is declared as.

    Raises:
        BodyTooLarge: It has, or would have, more than *limit* bytes.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise BodyTooLarge(f"the body may have {limit} bytes; pass large media as URLs")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise BodyTooLarge(f"the body may have {limit} bytes; pass large media as URLs")
    return bytes(body)


def request_of(body: bytes) -> VideoRequest:
    """Read a request from its JSON. A path can never come of it: JSON knows none, and text is never opened as a file.

    Raises:
        UnreadableBody: It is not a JSON object.
        InvalidRequest: A field is unknown, given twice, or no value that JSON can hold; or there is no model.
    """
    problems: list[Problem] = []
    try:
        document = read_json(body.decode(), problems)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnreadableBody("the body must be a JSON object")
    if problems:
        raise InvalidRequest(problems)
    return VideoRequest.from_mapping(document)
