"""What is wrong with a request whatever its model: types, text, references, and what JSON cannot hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

import attrs

from aihubmix_video.capabilities.field_rules import AUTO, is_number
from aihubmix_video.capabilities.normal import field_of, plain_size
from aihubmix_video.errors import Problem, shown
from aihubmix_video.references.inspect import is_unread, read_medium
from aihubmix_video.types.request import FIELDS, VideoRequest
from aihubmix_video.types.whole_number import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PROMPT = 100_000
"""Characters of a prompt, ours: three times the longest limit that any vendor publishes (OpenAI's 32,000)."""
MAX_DEPTH = 32
"""Levels of nested JSON, ours: far deeper than any vendor's body."""

IMAGE_FIELDS = ("input_reference", "image", "image_tail")
_TEXT_FIELDS = ("aspect_ratio", "resolution", "ratio", "mode", "negative_prompt", "sound")
_STANDS_FOR_PROMPT = (*IMAGE_FIELDS, "image_list", "video_list", "content", "extra_body")
_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2800\u3164\ufeff"
LONGEST_NUMBER = 63  # bits


def check_request(request: VideoRequest) -> tuple[Problem, ...]:
    """Find what is wrong with a request for any model, known or not; no file is looked at."""
    return in_order(problem for rule in _RULES for problem in rule(request))


def unsendable(request: VideoRequest) -> tuple[Problem, ...]:
    """Find only what cannot be written as JSON in UTF-8, or names no model."""
    return in_order(problem for rule in _SENDABLE for problem in rule(request))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems by the request's fields; of several with one field the first is kept."""
    kept: dict[str, Problem] = {}
    for problem in problems:
        kept.setdefault(problem.field, problem)
    return tuple(sorted(kept.values(), key=_place))


def _place(problem: Problem) -> int:
    field = re.split(r"[.\[]", problem.field, maxsplit=1)[0]
    return FIELDS.index(field) if field in FIELDS else len(FIELDS)


def is_blank(text: object) -> bool:
    """Return whether text shows nothing: empty, or only spaces and zero-width characters."""
    return text is None or (isinstance(text, str) and not text.strip().strip(_INVISIBLE).strip())


# -- model, prompt, seconds, size ---------------------------------------------------------------------------


def _model(request: VideoRequest) -> Iterator[Problem]:
    if not isinstance(request.model, str) or is_blank(request.model):
        yield Problem.of("model", request.model, "is required; `aihubmix-video models` lists the models")


def _prompt(request: VideoRequest) -> Iterator[Problem]:
    prompt: object = request.prompt  # of any type: nothing checks what users write
    if is_blank(prompt):
        if all(not getattr(request, field) for field in _STANDS_FOR_PROMPT):
            yield Problem.of("prompt", prompt, "must not be empty")
    elif not isinstance(prompt, str):
        return  # see `_shapes`
    elif len(prompt) > MAX_PROMPT:
        yield Problem.of("prompt", prompt, f"has {len(prompt)} characters; at most {MAX_PROMPT} are sent")
    elif control := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", prompt):
        yield Problem.of("prompt", prompt, f"has a control character at position {control.start()}")


def _seconds(request: VideoRequest) -> Iterator[Problem]:
    seconds = whole_number(request.seconds)
    if request.seconds is not None and (seconds is None or not (seconds > 0 or seconds == AUTO)):
        yield Problem.of("seconds", request.seconds, 'must be whole seconds, such as 8 or "8"')


def _size(request: VideoRequest) -> Iterator[Problem]:
    size = plain_size(request.size)
    if size is not None and (not isinstance(size, str) or not size.strip() or re.match(r"0+x|.*x0+$", size)):
        yield Problem.of("size", request.size, "must be text such as 1280x720")


# -- other fields -------------------------------------------------------------------------------------------


def _texts(request: VideoRequest) -> Iterator[Problem]:
    for field in _TEXT_FIELDS:
        value = getattr(request, field)
        if value is not None and not isinstance(value, str):
            yield Problem.of(field, value, f"must be str, got {type(value).__name__}")


def _numbers(request: VideoRequest) -> Iterator[Problem]:
    scale, seed = request.cfg_scale, request.seed
    if scale is not None and not is_number(scale):
        yield Problem.of("cfg_scale", scale, "must be a number")
    if seed is not None and whole_number(seed) is None:
        yield Problem.of("seed", seed, "must be a whole number")


def _flags(request: VideoRequest) -> Iterator[Problem]:
    for field in ("generate_audio", "watermark"):
        value = getattr(request, field)
        if value is not None and not isinstance(value, bool):
            yield Problem.of(field, value, "must be True or False, not a word", allowed=(True, False))


def _images(request: VideoRequest) -> Iterator[Problem]:
    for field in IMAGE_FIELDS:
        value = getattr(request, field)
        if value is not None:
            yield from _image(field, value)


def _image(field: str, value: object) -> Iterator[Problem]:
    if not is_unread(value) and isinstance(problem := read_medium(field, value), Problem):
        yield problem


def _lists(request: VideoRequest) -> Iterator[Problem]:
    for field in ("image_list", "video_list", "content"):
        items = getattr(request, field)
        if not _is_list(items):
            continue  # see `_shapes`
        if field == "image_list":
            for place, item in enumerate(items):
                yield from _image(f"image_list[{place}]", item)
        else:
            for place, item in enumerate(items):
                if not isinstance(item, Mapping):
                    yield Problem.of(f"{field}[{place}]", item, "must be an object")


def _is_list(items: object) -> TypeGuard[Sequence[object]]:
    return isinstance(items, Sequence) and not isinstance(items, (str, bytes))


def _shapes(request: VideoRequest) -> Iterator[Problem]:
    """What nothing can be made of."""
    prompt: object = request.prompt  # of any type: nothing checks what users write
    if prompt is not None and not isinstance(prompt, str):
        yield Problem.of("prompt", prompt, f"must be str, got {type(prompt).__name__}")
    for name in ("seconds", "seed"):
        number = getattr(request, name)
        if isinstance(number, int) and number.bit_length() > LONGEST_NUMBER:
            yield Problem.of(name, number, f"is far too large; at most {LONGEST_NUMBER} bits are sent")
    extra: object = request.extra_body
    if extra is not None and not isinstance(extra, Mapping):
        yield Problem.of("extra_body", extra, f"must be an object, got {type(extra).__name__}")
    for field in ("image_list", "video_list", "content"):
        items = getattr(request, field)
        if items is not None and not _is_list(items):
            yield Problem.of(field, items, f"must be a list, got {type(items).__name__}")


def _extra_body(request: VideoRequest) -> Iterator[Problem]:
    extra: object = request.extra_body
    if not isinstance(extra, Mapping):
        return
    for key, value in extra.items():
        field = field_of(key)
        given = getattr(request, field) if field else None
        if key in {"model", "prompt", "extra_body"}:
            yield Problem.of(f"extra_body.{key}", value, f"conflicts with the field; give only {key}")
        elif given is not None and _plain(field, given) != _plain(field, value):
            message = f"conflicts with {field}={shown(given)}; give only one of them"
            yield Problem.of(f"extra_body.{key}", value, message)


def _plain(field: str, value: object) -> object:
    """Bring a value into the form in which two can be compared."""
    if field == "seconds":
        return whole_number(value)
    return plain_size(value) if field == "size" else value


# -- what JSON cannot hold ----------------------------------------------------------------------------------


def _json(request: VideoRequest) -> Iterator[Problem]:
    for name in attrs.fields_dict(VideoRequest):
        value = getattr(request, name)
        media = name in IMAGE_FIELDS or name in {"image_list", "content"}
        if value is not None and not (name == "size" and isinstance(value, tuple)):
            yield from _not_json(name, value, (), media=media)


def _not_json(path: str, value: object, above: tuple[int, ...], *, media: bool) -> Iterator[Problem]:
    """Walk a value and name each place that JSON cannot hold.

    Args:
        path: Where *value* lies, such as ``extra_body.a[2]``.
        value: Anything.
        above: Identities of the containers around it; one among them is a cycle.
        media: Whether bytes, paths and files may stand here, to be replaced before sending.
    """
    match value:
        case None | bool() | int():
            return
        case str():
            yield from _not_text(path, value)
        case float():
            if not math.isfinite(value):
                yield Problem.of(path, value, "is not JSON-serialisable: not a finite number")
        case Mapping() | list() | tuple():
            if id(value) in above or len(above) >= MAX_DEPTH:
                yield Problem.of(path, type(value).__name__, f"holds itself, or more than {MAX_DEPTH} levels")
                return
            for inner, item in _items(path, value):
                yield from _not_json(inner, item, (*above, id(value)), media=media)
            yield from (_bad_key(path, key) for key in value if isinstance(value, Mapping) and not isinstance(key, str))
        case _:
            if not (media and (isinstance(value, (bytes, bytearray, memoryview)) or is_unread(value))):
                yield Problem.of(path, value, f"is not JSON-serialisable: {type(value).__name__}")


def _items(path: str, value: Mapping[object, object] | Sequence[object]) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        return ((f"{path}.{key}", item) for key, item in value.items())
    return ((f"{path}[{place}]", item) for place, item in enumerate(value))


def _bad_key(path: str, key: object) -> Problem:
    return Problem.of(path, key, f"has a key of type {type(key).__name__}; JSON keys are text")


def _not_text(path: str, text: str) -> Iterator[Problem]:
    if bad := re.search(r"[\x00\ud800-\udfff]", text):
        what = "holds NUL" if bad[0] == "\0" else "is not encodable as UTF-8: a lone surrogate"
        yield Problem.of(path, text, f"{what} at position {bad.start()}")


_SENDABLE: tuple[Callable[[VideoRequest], Iterator[Problem]], ...] = (_model, _shapes, _json)
# The first problem of a field is the one shown, so what says most of it comes first.
_RULES = (_model, _shapes, _prompt, _seconds, _size, _texts, _numbers, _flags, _images, _lists, _extra_body, _json)
