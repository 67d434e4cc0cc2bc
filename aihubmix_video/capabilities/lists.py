"""Rules for the fields that hold lists: Kling's ``image_list`` and ``video_list``, Seedance's ``content``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from aihubmix_video.capabilities.field_rules import closest, one_of
from aihubmix_video.errors import Problem
from aihubmix_video.references.inspect import is_unread, read_medium, read_url

if TYPE_CHECKING:
    from aihubmix_video.capabilities.field_rules import ContentRule, ImageRule


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def image_list_problems(rule: ImageRule, images: Sequence[object]) -> Iterator[Problem]:
    """Count the images; each one's form is judged for every model alike."""
    if _is_list(images) and not 1 <= len(images) <= (rule.maximum or 0):
        yield Problem.of(rule.field, f"<{len(images)} images>", f"takes 1 to {rule.maximum} images, got {len(images)}")


def video_problems(refer_types: tuple[str, ...], videos: Sequence[object]) -> Iterator[Problem]:
    """Judge ``[{"video_url": ..., "refer_type": ...}]``."""
    if not _is_list(videos):
        return
    if not videos:
        yield Problem.of("video_list", videos, "must not be empty; leave it out instead")
    for place, item in enumerate(videos):
        if isinstance(item, Mapping):
            yield from _video_problems(f"video_list[{place}]", item, refer_types)


def _video_problems(path: str, item: Mapping[str, object], refer_types: tuple[str, ...]) -> Iterator[Problem]:
    keys = ("video_url", "refer_type")
    for key in item:
        if key not in keys:
            yield Problem.of(f"{path}.{key}", item[key], "unknown key", allowed=keys, nearest=closest(key, keys))
    if isinstance(problem := read_url(f"{path}.video_url", item.get("video_url")), Problem):
        yield problem
    kind = item.get("refer_type")
    if "refer_type" in item and kind not in refer_types:
        message, nearest = f"must be {one_of(refer_types)}", closest(kind, refer_types)
        yield Problem.of(f"{path}.refer_type", kind, message, allowed=refer_types, nearest=nearest)


def content_problems(rules: tuple[ContentRule, ...], content: Sequence[object]) -> Iterator[Problem]:
    """Judge ``[{"type": "image_url", "image_url": {"url": ...}, "role": ...}]``."""
    if not _is_list(content):
        return
    if not content:
        yield Problem.of("content", content, "must not be empty; leave it out instead")
    for place, item in enumerate(content):
        if isinstance(item, Mapping):
            yield from _item_problems(f"content[{place}]", item, rules)
    for rule in rules:
        count = sum(1 for item in content if isinstance(item, Mapping) and item.get("type") == rule.type)
        if count > rule.maximum:
            message = f"holds {count} items of type {rule.type}; at most {rule.maximum} are taken"
            yield Problem.of("content", f"<{len(content)} items>", message)
    yield from _mixed(rules, content)


def _item_problems(path: str, item: Mapping[str, object], rules: tuple[ContentRule, ...]) -> Iterator[Problem]:
    types = tuple(rule.type for rule in rules)
    rule = next((rule for rule in rules if rule.type == item.get("type")), None)
    if rule is None:
        advice = "; write text into prompt" if item.get("type") == "text" else ""
        message, nearest = f"must be {one_of(types)}{advice}", closest(item.get("type"), types)
        yield Problem.of(f"{path}.type", item.get("type"), message, allowed=types, nearest=nearest)
        return
    if item.get("role") not in rule.roles:
        message, nearest = f"must be {one_of(rule.roles)}", closest(item.get("role"), rule.roles)
        yield Problem.of(f"{path}.role", item.get("role"), message, allowed=rule.roles, nearest=nearest)
    holder = item.get(rule.type)
    if not isinstance(holder, Mapping) or "url" not in holder:
        yield Problem.of(f"{path}.{rule.type}", holder, 'must be an object {"url": ...}')
        return
    place, url = f"{path}.{rule.type}.url", holder["url"]
    if (rule.type != "image_url" and isinstance(problem := read_url(place, url), Problem)) or (
        rule.type == "image_url" and not is_unread(url) and isinstance(problem := read_medium(place, url), Problem)
    ):
        yield problem


def _roles(content: Sequence[object]) -> list[object]:
    return [item.get("role") for item in content if isinstance(item, Mapping)]


def _mixed(rules: tuple[ContentRule, ...], content: Sequence[object]) -> Iterator[Problem]:
    frames = tuple(role for rule in rules for role in rule.frames)
    known = tuple(role for rule in rules for role in rule.roles)
    roles = [role for role in _roles(content) if role in known]
    given = [role for role in roles if role in frames]
    if given and len(given) < len(roles):
        yield Problem.of("content", f"<{len(content)} items>", f"cannot mix {one_of(frames)} with references")
    if twice := [frame for frame in frames if given.count(frame) > 1]:
        yield Problem.of("content", f"<{len(content)} items>", f"holds more than one {twice[0]}")
    elif given == ["last_frame"]:
        yield Problem.of("content", f"<{len(content)} items>", "needs a first_frame beside its last_frame")


def content_warnings(content: Sequence[object]) -> Iterator[str]:
    """Doubts about content that passes."""
    roles = _roles(content) if _is_list(content) else []
    if {"first_frame", "last_frame"} & set(filter(None, map(_hashable, roles))):
        yield "content: first_frame and last_frame are not on the official page, but have been seen to work"
    if roles and set(map(_hashable, roles)) == {"reference_audio"}:
        yield "content: the vendor is said to refuse audio without an image or video"


def _hashable(role: object) -> str:
    return role if isinstance(role, str) else ""
