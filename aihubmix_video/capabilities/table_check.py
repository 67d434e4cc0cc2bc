"""Whether a table means something: rules that no single value breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities.field_rules import Choice, Number, closest, one_of
from aihubmix_video.errors import shown
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aihubmix_video.capabilities.capability import Capability

__all__ = ["table_mistakes"]

FIELDS = tuple(attrs.fields_dict(VideoRequest))
MODEL_CHARACTERS = 200

Found = tuple[str, str]
"""A place in the table, such as ``seconds.default``, and what is wrong there."""


def table_mistakes(table: Capability) -> Iterator[Found]:
    """Yield what is wrong with a table whose values are each of the right type."""
    for rule in _RULES:
        yield from rule(table)


def _names(table: Capability) -> Iterator[Found]:
    for field in ("model", "vendor", "family"):
        value = getattr(table, field)
        if not value.strip() or value != value.strip() or len(value) > MODEL_CHARACTERS or not value.isprintable():
            yield field, f"{shown(value)}: give a name without spaces around it, up to {MODEL_CHARACTERS} characters"


def _lengths(table: Capability) -> Iterator[Found]:
    seconds = table.seconds
    if not seconds.allowed:
        yield "seconds.values", "must hold at least one length"
    for place, length in enumerate(seconds.allowed):
        if length < 1:
            yield f"seconds.values[{place}]", f"{length}: a length is 1 second or more"
        elif place and length <= seconds.allowed[place - 1]:
            yield f"seconds.values[{place}]", f"{length}: lengths stand in ascending order"
    if seconds.allowed and seconds.default not in seconds.allowed:
        yield "seconds.default", f"{seconds.default} is not among the values; give {one_of(seconds.allowed)}"


def _sizes(table: Capability) -> Iterator[Found]:
    names: set[str] = set()
    for place, size in enumerate(table.sizes):
        if min(size.width, size.height) < 1:
            yield f"sizes[{place}]", f"{size.pixels}: width and height are 1 pixel or more"
        if twice := names.intersection(size.names):
            yield f"sizes[{place}].names", f"{shown(min(twice))} stands for two sizes"
        names.update(size.names)
    if table.default_size is not None and table.default_size not in names:
        hint = closest(table.default_size, tuple(names))
        yield (
            "default_size",
            f"{shown(table.default_size)} is not the name of a size" + (f"; did you mean {hint}?" if hint else ""),
        )


def _fields(table: Capability) -> Iterator[Found]:
    images = [(f"images[{place}].field", rule.field) for place, rule in enumerate(table.images)]
    options = [(f"options.{name}", name) for name in table.options]
    advised = [(f"instead.{name}", name) for name in table.instead]
    optional = [(f"prompt_optional_with[{place}]", name) for place, name in enumerate(table.prompt_optional_with)]
    for place, name in (*images, *options, *advised, *optional):
        if name not in FIELDS:
            hint = closest(name, FIELDS)
            yield place, f"{shown(name)} is not a field of a request" + (f"; did you mean {hint}?" if hint else "")
    for field in ("tier_field", "ratio_field"):
        name = getattr(table, field)
        if name is not None and name not in table.options:
            yield field, f"{shown(name)} is not among the options"


def _options(table: Capability) -> Iterator[Found]:
    for name, option in table.options.items():
        if isinstance(option, Choice) and not option.allowed:
            yield f"options.{name}.values", "must hold at least one word"
        if isinstance(option, Number) and not option.minimum <= option.maximum:
            yield f"options.{name}.maximum", f"{option.maximum:g} is below the minimum, {option.minimum:g}"
        elif option.default is not None and not option.accepts(option.default):
            yield f"options.{name}.default", f"{shown(option.default)} is not allowed; it takes {option.words}"


def _limits(table: Capability) -> Iterator[Found]:
    counts: Iterable[tuple[str, int | None]] = (
        ("prompt_limit", table.prompt_limit),
        ("link_lifetime", table.link_lifetime),
        *((f"images[{place}].maximum", rule.maximum) for place, rule in enumerate(table.images)),
        *((f"images[{place}].seconds", rule.seconds) for place, rule in enumerate(table.images)),
        *((f"content[{place}].maximum", rule.maximum) for place, rule in enumerate(table.content)),
    )
    for place, count in counts:
        if count is not None and count < 1:
            yield place, f"{count}: give a number above 0"


_RULES: tuple[Callable[[Capability], Iterator[Found]], ...] = (_names, _lengths, _sizes, _fields, _options, _limits)
