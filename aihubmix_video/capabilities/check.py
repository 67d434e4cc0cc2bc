"""What is wrong with a request for one model: small rules, each reading the model's table.

Every rule takes a capability and a request in its one form (see `normal`) and yields problems or warnings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities.common import check_request, in_order, is_blank
from aihubmix_video.capabilities.field_rules import closest, one_of
from aihubmix_video.capabilities.lists import content_problems, content_warnings, image_list_problems, video_problems
from aihubmix_video.capabilities.normal import as_meant
from aihubmix_video.errors import Problem
from aihubmix_video.references.inspect import is_unread, read_medium
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aihubmix_video.capabilities.field_rules import ImageRule, Size
    from aihubmix_video.capabilities.schema import ModelTable


def judge(capability: ModelTable, request: VideoRequest) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Judge *request* once it is brought into its one form.

    Returns:
        Everything wrong with it, by its model's rules and by those of any model; and what the vendor may refuse or ignore
        though it passes.
    """
    asked = as_meant(capability, request)
    # The model's own rules come first: of a field with two problems they say what is allowed.
    found = [problem for rule in _RULES for problem in rule(capability, asked)]
    doubts = tuple(warning for doubt in _DOUBTS for warning in doubt(capability, asked))
    return in_order((*found, *check_request(asked))), doubts


# -- rules --------------------------------------------------------------------------------------------------


def _not_taken(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    for field in attrs.fields_dict(VideoRequest):
        value = getattr(request, field)
        if value is not None and field not in capability.fields:
            yield Problem.of(field, value, f"is not supported by {capability.model}; {_advice(capability, field)}")


def _advice(capability: ModelTable, field: str) -> str:
    if field == "input_reference" and capability.counterpart is not None:
        return f"use {capability.counterpart} for images"
    taken = one_of(name for name in capability.fields if name not in {"model", "extra_body"})
    return capability.instead.get(field, f"it takes {taken}")


def _prompt(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    prompt, limit = request.prompt, capability.prompt_limit
    if is_blank(prompt) and all(not getattr(request, field) for field in capability.prompt_optional_with):
        other = f" without {one_of(capability.prompt_optional_with)}" if capability.prompt_optional_with else ""
        yield Problem.of("prompt", prompt, f"must not be empty{other}")
    elif limit is not None and isinstance(prompt, str) and len(prompt) > limit:
        yield Problem.of("prompt", prompt, f"has {len(prompt)} characters; {capability.model} takes {limit}")


def _seconds(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    asked, lengths = request.seconds, capability.seconds
    fixed = capability.fixed_seconds(request)
    if asked is None:
        return
    if fixed is not None and asked != fixed:
        message = f"must be {fixed} with a reference image"
        yield Problem.of("seconds", asked, message, allowed=(fixed,), nearest=fixed)
    elif isinstance(asked, bool) or not isinstance(asked, int) or asked not in lengths.legal:
        message = f"{capability.model} makes {lengths.words} seconds"
        yield Problem.of("seconds", asked, message, allowed=lengths.legal, nearest=lengths.nearest(asked))


def _size(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    size, names = request.size, capability.size_names
    if size is None or not names:
        return
    ratios = capability.options[capability.ratio_field].allowed if capability.ratio_field else ()
    if size in ratios:
        message = f"conflicts with {capability.ratio_field}; give only {capability.ratio_field}"
        yield Problem.of("size", size, message)
    elif size not in names:
        legal = tuple(map(str, (*ratios, *names)))
        nearest = _nearest_size(capability, size) or closest(size, legal)
        yield Problem.of("size", size, f"{capability.model} takes {one_of(legal)}", allowed=legal, nearest=nearest)
    else:
        yield from _size_conflicts(capability, request)


def _nearest_size(capability: ModelTable, asked: object) -> str | None:
    """Find the size of the closest shape, and of these the closest area, if *asked* is in pixels."""
    sides = re.fullmatch(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})", str(asked).lower().replace(" ", ""))
    if sides is None:
        return None
    width, height = int(sides[1]), int(sides[2])

    def distance(size: Size) -> tuple[float, int]:
        shape = abs(math.log(width * size.height / (height * size.width)))
        return round(shape, 2), abs(size.width * size.height - width * height)

    return min((size for size in capability.sizes if size.names), key=distance).names[0]


def _size_conflicts(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    size = next(size for size in capability.sizes if request.size in size.names)
    for field, meant in ((capability.tier_field, size.tier), (capability.ratio_field, size.ratio)):
        given = getattr(request, field) if field else None
        if given not in (None, meant):
            yield Problem.of("size", request.size, f"conflicts with {field}={given!r}; give only one of them")
            return


def _options(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    for field, option in capability.options.items():
        value = getattr(request, field)
        if value is not None and not option.accepts(value):
            message = f"{capability.model} takes {option.words}"
            yield Problem.of(field, value, message, allowed=option.allowed, nearest=option.nearest(value))


def _images(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    for rule in capability.images:
        value = getattr(request, rule.field)
        if value is None:
            if rule.required:
                other = f"; {capability.counterpart} needs none" if capability.counterpart else ""
                message = f"is required: {capability.model} makes videos from an image{other}"
                yield Problem.of(rule.field, None, message, nearest=capability.counterpart)
        elif rule.needs is not None and getattr(request, rule.needs) is None:
            yield Problem.of(rule.field, value, f"needs {rule.needs} too")
        elif rule.maximum is not None:
            yield from image_list_problems(rule, value)
        elif rule.match_size:
            yield from _matching(capability, request, rule)


def _matching(capability: ModelTable, request: VideoRequest, rule: ImageRule) -> Iterator[Problem]:
    """The vendor refuses an image of another size than the video's; only pictures at hand can be measured."""
    value, size = getattr(request, rule.field), capability.size_of(request)
    medium = None if is_unread(value) else read_medium(rule.field, value)
    if size is None or medium is None or isinstance(medium, Problem) or medium.width is None:
        return
    if (medium.width, medium.height) != (size.width, size.height):
        own = f"{medium.width}x{medium.height}"
        hint = f"; or ask for size={own!r}" if own in capability.size_names else ""
        yield Problem.of(rule.field, own, f"the image is {own} and must match the video's {size.pixels}{hint}")


def _videos(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    if capability.refer_types and request.video_list is not None:
        yield from video_problems(capability.refer_types, request.video_list)


def _content(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    if capability.content and request.content is not None:
        yield from content_problems(capability.content, request.content)


def _duration(capability: ModelTable, request: VideoRequest) -> Iterator[Problem]:
    extra = request.extra_body
    if not capability.duration_alias and isinstance(extra, Mapping) and "duration" in extra:
        yield Problem.of(
            "extra_body.duration",
            extra["duration"],
            f"is not taken by {capability.model}; use seconds",
            nearest="seconds",
        )


_RULES: tuple[Callable[[ModelTable, VideoRequest], Iterator[Problem]], ...] = (
    *(_not_taken, _prompt, _seconds, _size, _options, _images, _videos, _content, _duration),
)


# -- doubts -------------------------------------------------------------------------------------------------


def _doubtful_seconds(capability: ModelTable, request: VideoRequest) -> Iterator[str]:
    asked, upstream = request.seconds, capability.seconds.upstream
    if asked in capability.seconds.allowed and upstream and asked not in upstream:
        yield f"seconds={asked}: the vendor's own API is known to make only {one_of(upstream)} seconds"


def _doubtful_size(capability: ModelTable, request: VideoRequest) -> Iterator[str]:
    size = capability.size_of(request)
    if size is None or request.size is None:
        return
    if size.doubt:
        yield f"size={request.size}: {size.doubt}"
    if size.upstream_seconds not in {None, capability.seconds_of(request)}:
        yield f"size={request.size}: the vendor's own API is known to need {size.upstream_seconds} seconds at this size"


def _doubtful_options(capability: ModelTable, request: VideoRequest) -> Iterator[str]:
    for field, option in capability.options.items():
        value = getattr(request, field)
        if value is not None and option.accepts(value) and (doubt := option.doubt(value)):
            yield f"{field}={value}: {doubt}"


def _doubtful_images(capability: ModelTable, request: VideoRequest) -> Iterator[str]:
    for rule in capability.images:
        if rule.note and getattr(request, rule.field) is not None:
            yield f"{rule.field}: {rule.note}"


def _doubtful_content(capability: ModelTable, request: VideoRequest) -> Iterator[str]:
    if capability.content and request.content is not None:
        yield from content_warnings(request.content)


_DOUBTS: tuple[Callable[[ModelTable, VideoRequest], Iterator[str]], ...] = (
    *(_doubtful_seconds, _doubtful_size, _doubtful_options, _doubtful_images, _doubtful_content),
)
