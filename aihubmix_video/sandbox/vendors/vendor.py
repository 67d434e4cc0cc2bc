"""The values every vendor's module fills in, and how fields of any vendor's request are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from aihubmix_video.sandbox.error_bodies import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from aihubmix_video.sandbox.error_bodies import Envelope

DAY = 86_400.0


@attrs.frozen
class Order:
    """A request the vendor has accepted, with all its defaults filled in.

    Attributes:
        model: The model's name.
        prompt: The text; may be empty where an image stands for it.
        seconds: Length in seconds; -1 until the model has chosen it.
        width: Real pixels; also `height`.
        audio: Whether the video has sound.
    """

    model: str
    prompt: str
    seconds: int
    width: int
    height: int
    audio: bool


@attrs.frozen(kw_only=True)
class Vendor:
    """One vendor behind the gateway.

    Attributes:
        models: Its models, and the median time each takes for five seconds of 720p, in seconds.
        read: Makes an order of a request's JSON object, or raises `RefusedRequest`.
        envelope: Its form of errors.
        make_id: Its own job ids, from the model, random bits and unix time.
        moderation: Its answer to a prompt it does not like.
        failure: Its ``error`` object in a job whose finished video it does not like.
        dialect: ``"openai"`` (``created_at``, ``seconds``, ``size``) or ``"flat"`` (``created``, ``duration``, ``width``).
        queues: Whether its jobs always start ``queued``.
        progress: Whether it reports progress.
        lifetime: Seconds from creation until the video is removed.
        deletes: Whether jobs can be deleted.
        content_type: What the gateway says of its videos, right or wrong.
        extra_body: Whether ``extra_body`` is handed on unread; otherwise it is merged beneath the other fields.
    """

    models: Mapping[str, float]
    read: Callable[[Mapping[str, object]], Order]
    envelope: Callable[[RefusedRequest, str], Envelope]
    make_id: Callable[[str, int, int], str]
    moderation: RefusedRequest
    failure: Mapping[str, str]
    dialect: Literal["openai", "flat"] = "flat"
    queues: bool = False
    progress: bool = False
    lifetime: float = DAY
    deletes: bool = True
    content_type: str = "video/mp4"
    extra_body: bool = False


def prompt_of(body: Mapping[str, object], *, may_be_empty: bool = False, longest: int = 32_000) -> str:
    """Read the prompt."""
    prompt = body.get("prompt")
    if prompt is None or (isinstance(prompt, str) and not prompt.strip()):
        if may_be_empty:
            return ""
        raise RefusedRequest("prompt is required", "prompt_missing", "prompt")
    if not isinstance(prompt, str):
        raise RefusedRequest("prompt must be a string", "prompt_missing", "prompt")
    if len(prompt) > longest:
        raise RefusedRequest(f"prompt is longer than {longest} characters", "prompt_too_long", "prompt")
    return prompt


def whole_number(value: object, field: str) -> int:
    """Read a length that may be an int or a digit string; nothing else counts, not ``8.0``, ``True`` or ``"8s"``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 10:
        return int(value)
    raise RefusedRequest(f"{field} must be an integer number of seconds, got {value!r}", "invalid_parameter", field)


def duration_of(body: Mapping[str, object], default: int) -> int:
    """Read ``seconds``, or its synonym ``duration``; ``seconds`` wins where both are given."""
    field = "seconds" if body.get("seconds") is not None else "duration"
    value = body.get(field)
    return default if value is None else whole_number(value, field)


def text_of(body: Mapping[str, object], field: str, default: str, allowed: Collection[str]) -> str:
    """Read a field that takes one of a few words."""
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, str) or value not in allowed:
        raise RefusedRequest(
            f"{field} {value!r} is not supported; use one of {', '.join(allowed)}", "invalid_parameter", field
        )
    return value


def flag_of(body: Mapping[str, object], field: str, *, default: bool) -> bool:
    """Read a field that is true or false."""
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise RefusedRequest(f"{field} must be a boolean, got {value!r}", "invalid_parameter", field)
    return value


def pixels_of(size: object, separators: str = "x") -> tuple[int, int] | None:
    """Read ``"1280x720"``; None when it is not of that form."""
    if not isinstance(size, str) or not size.isascii():
        return None
    for separator in separators:
        width, found, height = size.partition(separator)
        if found and width.isdigit() and height.isdigit() and len(size) < 12:
            return int(width), int(height)
    return None


def is_image(value: object) -> bool:
    """Return whether *value* is one of the documented forms of an image: URL, data URL, or mime type and base64."""
    if isinstance(value, str):
        return value.startswith(("http://", "https://", "data:image/"))
    return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("mime_type", "data"))
