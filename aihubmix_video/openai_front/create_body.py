"""Reading a create of an OpenAI client: JSON or a form, bounded, with only what may come over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from aihubmix_video.batch_file.json_values import read_json
from aihubmix_video.errors import ConfigurationError, InvalidRequest, Problem
from aihubmix_video.fastapi.http_errors import UnreadableBody, WrongMediaType
from aihubmix_video.fastapi.request_body import read_bounded
from aihubmix_video.openai_front.form_fields import form_fields
from aihubmix_video.types.request import FIELDS, VideoRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

__all__ = ["read_create", "request_of_fields"]

MOST_FILES: Final = 8
MOST_FIELDS: Final = 256
IGNORED: Final = frozenset({"user", "metadata", "safety_identifier"})
"""What OpenAI's clients may send along, and has no influence on the video."""
ONLY: Final = {"n": 1, "stream": False}
"""What may be sent along with this value alone."""


async def read_create(request: Request, limit: int) -> VideoRequest:
    """Read what a client wants.

    Raises:
        WrongMediaType: It is neither JSON nor a form.
        BodyTooLarge: It has more than *limit* bytes.
        UnreadableBody: It is not what it is declared as.
        InvalidRequest: A field is unknown, given twice or of no use; or there is no model.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return request_of_fields(form_fields(await _parts(request, await read_bounded(request, limit))))
    if media_type != "application/json":
        raise WrongMediaType("the body must be application/json or multipart/form-data")
    return request_of_fields(_object(await read_bounded(request, limit)))


def request_of_fields(fields: dict[str, object]) -> VideoRequest:
    """Return the request that these fields describe.

    Fields that a client packed into ``extra_body``, as the gateway's own page does for Seedance, are taken as if they stood outside.

    Raises:
        InvalidRequest: A field is unknown or has no use; or there is no model.
    """
    given = {name: value for name, value in fields.items() if name not in IGNORED}
    for name, only in ONLY.items():
        if given.pop(name, only) not in {only, str(only), str(only).lower()}:
            raise InvalidRequest.of(name, fields[name], f"must be {only}", allowed=(only,))
    packed = given.get("extra_body")
    if isinstance(packed, dict):
        known = {name: value for name, value in packed.items() if name in {*FIELDS, "duration"} - {"extra_body"}}
        if twice := [Problem.of(name, given[name], "is given twice") for name in known if name in given]:
            raise InvalidRequest(twice)
        left = {name: value for name, value in packed.items() if name not in known}
        given |= known | {"extra_body": left or None}
    return VideoRequest.from_mapping(given)


def _object(body: bytes) -> dict[str, object]:
    problems: list[Problem] = []
    try:
        document = read_json(body.decode(), problems)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnreadableBody("the body must be a JSON object")
    if problems:
        raise InvalidRequest(problems)
    return document


async def _parts(request: Request, body: bytes) -> list[tuple[str, str | bytes]]:
    async def stream() -> AsyncGenerator[bytes, None]:  # the parser wants one
        yield body

    try:
        parser = MultiPartParser(
            request.headers, stream(), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=len(body) + 1
        )
    except AssertionError:  # which is how Starlette says that the parser is not installed
        raise ConfigurationError("forms need their parser: pip install 'aihubmix-video[fastapi]'.") from None
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise UnreadableBody(f"the body is not a form: {getattr(error, 'message', 'it has no boundary')}") from None
    try:
        return [
            (name, await part.read() if isinstance(part, UploadFile) else part) for name, part in form.multi_items()
        ]
    finally:
        await form.close()
