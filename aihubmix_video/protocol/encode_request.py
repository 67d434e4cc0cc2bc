"""The body of a create: one small function per dialect, for what its vendor wants written differently.

Lengths go as strings, as the official page says for every model; None is never sent. The check has judged the request
before. With validation off, the fields are sent as given, except the two fields that are known to break a
request (Veo's ``aspect_ratio``, Kling's ``size``).

Sources: AIHubMix video guide, updated 2026-06-01; AIHubMix field observations, 2026-01 to 2026-08.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

import attrs

from aihubmix_video.capabilities.field_rules import Dialect, ExtraBody
from aihubmix_video.capabilities.normal import normalised
from aihubmix_video.capabilities.schema import ADAPTIVE
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.protocol.json_writer import compact
from aihubmix_video.references.inspect import Medium, content_url, read_medium, with_content_url
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.types.whole_number import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.capabilities.capability import Capability

MAX_BODY = 32 * 1024 * 1024
"""Bytes of one body, ours: a 20 MiB picture as base64, and room for the rest."""

Body = dict[str, object]


def encode(request: VideoRequest, capability: Capability | None, *, lift: bool = True) -> Body:
    """Return a request as the JSON object its model's vendor understands.

    Args:
        request: Checked, its references loaded.
        capability: The model's, or None to pass on what was given for a model without a table.
        lift: Whether keys of ``extra_body`` that are fields may become these; otherwise ``extra_body`` stays as it is.

    Raises:
        InvalidRequest: A reference was not loaded, or is not a reference.
    """
    asked = normalised(capability, request, lift=lift)
    given = {name: getattr(asked, name) for name in attrs.fields_dict(VideoRequest) if name != "extra_body"}
    body: Body = {name: value for name, value in given.items() if value is not None and value != ""}
    if capability is None:
        return _below(_unknown(_with_seconds(body, "seconds")), asked.extra_body)
    body = _with_seconds(body, capability.seconds_key, as_number=capability.seconds_as == "number")
    body = _DIALECTS[capability.dialect](body, capability)
    if capability.extra_body is ExtraBody.MERGED:
        return _below(body, asked.extra_body)
    return _nested(body, asked.extra_body)


def to_json(body: Mapping[str, object]) -> bytes:
    """Return a body as compact JSON in UTF-8.

    Raises:
        InvalidRequest: JSON cannot hold it, or it is larger than `MAX_BODY`.
    """
    try:
        data = compact(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest.of("extra_body", type(error).__name__, f"cannot be written as JSON: {error}") from None
    if len(data) > MAX_BODY:
        field = max(body, key=lambda name: len(str(body[name])))
        message = f"makes a body of {len(data) / 2**20:.1f} MiB, over the limit of {MAX_BODY // 2**20} MiB"
        raise InvalidRequest.of(field, f"<{len(data)} bytes>", f"{message}; pass references as URLs")
    return data


# -- dialects -----------------------------------------------------------------------------------------------


def _sora(body: Body, _: Capability) -> Body:
    """OpenAI refuses a reference that is a string, and wants an object instead."""
    return _with_media(body, "input_reference", lambda medium: {"image_url": medium.as_url})


def _veo(body: Body, capability: Capability) -> Body:
    """The size by the name the gateway reads best; the frame follows from it, an ``aspect_ratio`` is refused."""
    body.pop("aspect_ratio", None)
    size = next((size for size in capability.sizes if body.get("size") in size.names), None)
    if size is not None:
        body["size"] = size.names[0]
    return _plain(body, capability)


def _plain(body: Body, _: Capability) -> Body:
    return _with_media(body, "input_reference", lambda medium: medium.as_url)


_SEEDANCE_TWICE = ("resolution", "ratio", "generate_audio", "watermark", "seed")


def _seedance(body: Body, capability: Capability) -> Body:
    """Every option in each place where a report says that the gateway reads it.

    The official page lists the fields flat, and its only example nests ``content``, ``ratio``, ``duration`` and ``watermark`` in
    ``extra_body``. A client that was tried live (2026) found the options in ``extra_body``, the length only as ``seconds`` at the top,
    and the resolution only as a ``size`` in pixels. No report refuses an option that is said twice. A size in pixels is left out
    beside references, where an adapter was seen to refuse it.
    """
    content = body.pop("content", None)
    nested: Body = {name: body[name] for name in _SEEDANCE_TWICE if name in body}
    if (seconds := whole_number(body.get("seconds"))) is not None:
        nested["duration"] = seconds
    if content is not None:
        items = [_content_item(place, item) for place, item in enumerate(content)] if _is_list(content) else content
        nested["content"] = _json_value(items)
    elif "input_reference" not in body and (pixels := _seedance_pixels(body, capability)) is not None:
        body["size"] = pixels
    return {**body, "extra_body": nested} if nested else body


def _seedance_pixels(body: Body, capability: Capability) -> str | None:
    """Return the pixels that resolution and ratio stand for; None if neither was asked for, or the pixels are not known."""
    if "size" in body or body.keys().isdisjoint(("resolution", "ratio")):
        return None
    tier = body.get("resolution", capability.options["resolution"].default)
    ratio = body.get("ratio", ADAPTIVE)
    wanted = (tier, capability.text_ratio if ratio == ADAPTIVE else ratio)
    return next((size.pixels for size in capability.sizes if (size.tier, size.ratio) == wanted), None)


def _content_item(place: int, item: object) -> object:
    """Return an item of Seedance's content with its picture as a URL, where it was given as bytes."""
    found = content_url(item)
    if found is None or not isinstance(item, Mapping) or isinstance(found[1], (str, Mapping)):
        return item
    return with_content_url(item, _medium(f"content[{place}].{found[0]}", found[1], lambda medium: medium.as_url))


def _is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return isinstance(value, (list, tuple))


def _kling(body: Body, _: Capability) -> Body:
    """Pictures as URLs or bare base64; a ``data:`` prefix is refused, and so is ``size``."""
    body.pop("size", None)
    for field in ("image", "image_tail", "image_list"):
        body = _with_media(body, field, _bare)
    return {name: _json_value(value) if name == "video_list" else value for name, value in body.items()}


def _unknown(body: Body) -> Body:
    """Return what was given, flat, with references as URLs."""
    for field in ("input_reference", "image", "image_tail", "image_list"):
        body = _with_media(body, field, lambda medium: medium.as_url)
    return {name: _json_value(value) for name, value in body.items()}


_DIALECTS: Mapping[Dialect, Callable[[Body, Capability], Body]] = {
    Dialect.SORA: _sora,
    Dialect.VEO: _veo,
    Dialect.WAN: _plain,
    Dialect.JIMENG: _plain,
    Dialect.SEEDANCE: _seedance,
    Dialect.KLING: _kling,
}


# -- parts --------------------------------------------------------------------------------------------------


def _with_seconds(body: Body, key: str, *, as_number: bool = False) -> Body:
    """Return *body* with the length under the dialect's own name and type, in its place."""
    if "seconds" not in body:
        return body
    seconds = body["seconds"] if as_number else str(body["seconds"])
    return {key if name == "seconds" else name: seconds if name == "seconds" else body[name] for name in body}


def _with_media(body: Body, field: str, write: Callable[[Medium], object]) -> Body:
    given = body.get(field)
    if given is None:
        return body
    if field == "image_list" and isinstance(given, Sequence):
        return {**body, field: [_medium(f"{field}[{place}]", item, write) for place, item in enumerate(given)]}
    return {**body, field: _medium(field, given, write)}


def _medium(field: str, value: object, write: Callable[[Medium], object]) -> object:
    medium = read_medium(field, value)
    if isinstance(medium, Medium):
        return write(medium)
    if isinstance(value, (str, Mapping)):
        return _json_value(value)  # only with validation off: the user's own word
    raise InvalidRequest([medium])


def _bare(medium: Medium) -> str | None:
    return medium.url if medium.url is not None else medium.base64


def _below(body: Body, extra: Mapping[str, object] | None) -> Body:
    """Return *body* with *extra* merged beneath its fields: a field that is set wins."""
    return {**body, **{key: _json_value(value) for key, value in (extra or {}).items() if key not in body}}


def _nested(body: Body, extra: Mapping[str, object] | None) -> Body:
    own = body.get("extra_body", {})
    given = _below({}, extra)  # what the user wrote there stays as it was written
    inner = {**(own if isinstance(own, dict) else {}), **given}
    return {**body, "extra_body": inner} if inner else body


def _json_value(value: object) -> object:
    """Return mappings and sequences of any type as those that `json` writes."""
    if isinstance(value, Mapping):
        return {key: _json_value(item) for key, item in value.items()}
    return [_json_value(item) for item in value] if isinstance(value, (list, tuple)) else value
