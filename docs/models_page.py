# ruff: noqa: INP001 - a program, not a package
"""Write `reference/models.md` from the capability tables: ``python docs/models_page.py``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.capabilities import list_capabilities

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aihubmix_video.capabilities import Capability
    from aihubmix_video.capabilities.field_rules import Size

PAGE = Path(__file__).parent / "reference" / "models.md"
HOUR = 3600

HEAD = """\
# Models

What each model accepts and gives, as `find_capability(model)` tells it.
Written by `docs/models_page.py` from the tables in `aihubmix_video/capabilities`; do not edit it by hand.
**Bold** is the default.
A model that is not listed here is sent unchecked, with a warning, unless `validate="strict"`.
"""


def render() -> str:
    """Give the page as Markdown."""
    capabilities = list_capabilities()
    return "\n".join([HEAD, *_overview(capabilities), *(line for each in capabilities for line in _section(each))])


def _overview(capabilities: Iterable[Capability]) -> Iterator[str]:
    yield from _table(
        ("model", "vendor", "made from", "seconds", "sound", "delete", "link kept"),
        (
            (
                f"`{each.model}`",
                each.vendor,
                ", ".join(each.modes),
                _seconds(each),
                each.audio.value,
                "yes" if each.can_delete else "no",
                f"{each.link_lifetime // HOUR} h",
            )
            for each in capabilities
        ),
    )


def _section(capability: Capability) -> Iterator[str]:
    yield from (f"## {capability.model}", "", f"{capability.vendor} {capability.family}. {capability.description}.", "")
    yield from _table(("field", "what it may be"), _fields(capability))
    yield from _table(("asked for by", "clarity", "frame", "real pixels"), _sizes(capability))
    yield from (f"Source: {capability.source}.", "")


def _fields(capability: Capability) -> Iterator[tuple[str, str]]:
    yield "`seconds`", _seconds(capability)
    for field, option in capability.options.items():
        values = _values(map(str, option.allowed), str(option.default)) if option.allowed else option.words
        default = "" if option.default is None or option.allowed else f", **{option.default}**"
        yield f"`{field}`", "; ".join(filter(None, (values + default, option.note, *_doubts(option.doubtful))))
    for rule in capability.images:
        said = (
            "required" if rule.required else "",
            f"1 to {rule.maximum} images" if rule.maximum else "an image",
            f"`seconds` must be {rule.seconds}" if rule.seconds else "",
            "must have the size of the video" if rule.match_size else "",
            f"needs `{rule.needs}`" if rule.needs else "",
            rule.note,
        )
        yield f"`{rule.field}`", "; ".join(filter(None, said))
    if capability.refer_types:
        yield "`video_list`", f"reference videos; `refer_type` {_values(capability.refer_types)}"
    for item in capability.content:
        yield f"`content` item `{item.type}`", f"up to {item.maximum}; `role` {_values(item.roles)}"


def _doubts(doubtful: Mapping[str, str]) -> Iterator[str]:
    return (f"`{value}` with a warning: {reason}" for value, reason in doubtful.items())


def _sizes(capability: Capability) -> Iterator[tuple[str, str, str, str]]:
    for size in capability.sizes:
        yield _asked_by(capability, size), size.tier, size.ratio, f"{size.width}×{size.height}"


def _asked_by(capability: Capability, size: Size) -> str:
    by_fields = f"`{capability.tier_field}={size.tier}`, `{capability.ratio_field}={size.ratio}`"
    by_name = f"`size` {_values(size.names, capability.default_size)}{' with a warning' if size.doubt else ''}"
    if capability.tier_field is None:
        return by_name
    return f"{by_fields} or {by_name}" if size.names else by_fields


def _seconds(capability: Capability) -> str:
    lengths = capability.seconds
    words = lengths.words if len(lengths.allowed) > 4 else _values(map(str, lengths.allowed), str(lengths.default))
    default = f" (**{lengths.default}**)" if len(lengths.allowed) > 4 else ""
    doubt = f"; the vendor's own API: {_values(map(str, lengths.upstream))}" if lengths.upstream else ""
    return words + default + doubt


def _values(values: Iterable[str], default: str | None = None) -> str:
    return ", ".join(f"**`{value}`**" if value == default else f"`{value}`" for value in values)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
