"""The form that orders a video, described as JSON: from each model's table, only what that model takes.

What the form sends is: ``model``, ``prompt``, ``seconds``, the fields of the picture chosen, options that differ from their
default, and references. So whatever can be chosen passes `Capability.check`; a test tries it all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aihubmix_video.capabilities import CapabilitySet
from aihubmix_video.capabilities.common import MAX_PROMPT
from aihubmix_video.capabilities.field_rules import Audio, Choice, Flag, Number, Option, Text, WholeNumber
from aihubmix_video.pricing.list_prices import list_price
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aihubmix_video.capabilities import Capability
    from aihubmix_video.capabilities.field_rules import ImageRule, Size

__all__ = ["model_form"]

LABELS = {
    "negative_prompt": "Leave out",
    "cfg_scale": "Closeness to the prompt",
    "sound": "Sound",
    "generate_audio": "Sound",
    "watermark": "Watermark",
    "seed": "Seed",
    "input_reference": "Image",
    "image": "First frame",
    "image_tail": "Last frame",
    "image_list": "Reference images",
}
SOUND = {Audio.NONE: "Silent", Audio.ALWAYS: "With sound", Audio.SWITCHED: "Sound if wanted"}
SHAPES = ((16, 9), (9, 16), (1, 1), (4, 3), (3, 4), (21, 9))
PREFERRED = ("16:9", "adaptive")

Json = dict[str, object]


def model_form(capability: Capability, prices: Mapping[str, float] | None = None) -> Json:
    """Describe the form for one model.

    Args:
        capability: The model's table.
        prices: The user's own USD per second, by model.
    """
    pictures = list(_pictures(capability, prices))
    return {
        "model": capability.model,
        "vendor": capability.vendor,
        "family": capability.family,
        "description": capability.description,
        "modes": [str(mode) for mode in capability.modes],
        "audio": SOUND[capability.audio],
        "prompt": {
            "limit": capability.prompt_limit or MAX_PROMPT,
            "optional_with": list(capability.prompt_optional_with),
        },
        "seconds": _seconds(capability),
        "pictures": pictures,
        "picture": _default(capability, pictures),
        "options": [
            _option(name, option) for name, option in capability.options.items() if name not in _chosen_by(capability)
        ],
        "references": [_reference(rule) for rule in capability.images],
        "videos": list(capability.refer_types),
        "content": [
            {"type": rule.type, "roles": list(rule.roles), "frames": list(rule.frames), "maximum": rule.maximum}
            for rule in capability.content
        ],
    }


def _seconds(capability: Capability) -> Json:
    lengths = capability.seconds
    odd = [each for each in lengths.allowed if lengths.upstream and each not in lengths.upstream]
    note = f"The vendor itself is known to make {' or '.join(map(str, lengths.upstream))} seconds." if odd else ""
    return {"values": list(lengths.allowed), "default": lengths.default, "auto": lengths.auto, "note": note}


# -- pictures -----------------------------------------------------------------------------------------------


def _chosen_by(capability: Capability) -> set[str | None]:
    """Name the options that choose a picture."""
    return {capability.tier_field, capability.ratio_field}


def _pictures(capability: Capability, prices: Mapping[str, float] | None) -> Iterator[Json]:
    for frame, tier, fields, size in _choices(capability):
        usd = _per_second(capability, fields, prices)
        doubt = _doubt(capability, tier, size)
        yield {
            "frame": frame,
            "shape": _shape(frame),
            "tier": tier,
            "fields": fields,
            "size": None if size is None else size.pixels,
            "seconds": None if size is None else size.upstream_seconds,
            "usd": usd,
            "note": doubt,
        }


def _choices(capability: Capability) -> Iterator[tuple[str, str, Json, Size | None]]:
    """Yield every picture there is: its frame, its clarity, the fields that ask for it, and its size where that is known."""
    tier_field, ratio_field = capability.tier_field, capability.ratio_field
    if tier_field is None or ratio_field is None:
        for size in capability.sizes:
            yield size.ratio or _nearest(size), size.tier, {"size": size.names[0]}, size
        return
    known = {(size.tier, size.ratio): size for size in capability.sizes}
    for frame in map(str, capability.options[ratio_field].allowed):
        for tier in map(str, capability.options[tier_field].allowed):
            yield frame, tier, {tier_field: tier, ratio_field: frame}, known.get((tier, frame))


def _nearest(size: Size) -> str:
    """Name the common shape that a size without a ratio of its own comes closest to."""
    return "{}:{}".format(
        *min(SHAPES, key=lambda shape: abs(math.log(size.width * shape[1] / (size.height * shape[0]))))
    )


def _shape(frame: str) -> list[int] | None:
    sides = frame.split(":")
    return [int(side) for side in sides] if len(sides) == 2 else None


def _doubt(capability: Capability, tier: str, size: Size | None) -> str:
    """Return why a picture may be refused; that a size has a second, unlisted name does not matter here."""
    if capability.tier_field is not None:
        return _sentence(capability.options[capability.tier_field].doubtful.get(tier, ""))
    return _sentence(size.doubt) if size is not None else ""


def _per_second(capability: Capability, fields: Json, prices: Mapping[str, float] | None) -> float | None:
    """Return USD per second at a picture, by list."""
    request = VideoRequest.from_mapping({"model": capability.model, "seconds": capability.seconds.default, **fields})
    price = list_price(request, prices, CapabilitySet((capability,)))
    return None if price is None else round(price / capability.seconds.default, 6)


def _default(capability: Capability, pictures: list[Json]) -> int:
    """Choose the picture that is offered first: the model's own default, or else a wide one."""
    defaults: list[Json] = [
        {"size": size.names[0]} for size in capability.sizes if capability.default_size in size.names
    ]
    if capability.tier_field is not None and capability.ratio_field is not None:
        by = (capability.tier_field, capability.ratio_field)
        defaults = [{field: capability.options[field].default for field in by}]
    own = (place for place, each in enumerate(pictures) if each["fields"] in defaults)
    wide = (place for place, each in enumerate(pictures) if each["frame"] in PREFERRED)
    return next(own, next(wide, 0))


# -- everything else ----------------------------------------------------------------------------------------


def _option(name: str, option: Option) -> Json:
    kind, more = _kind(option)
    described = {
        "name": name,
        "label": LABELS.get(name, name),
        "kind": kind,
        "default": option.default,
        "note": _sentence(option.note),
    }
    return {**described, **more}


def _kind(option: Option) -> tuple[str, Json]:
    match option:
        case Choice():
            return "choice", {"values": list(option.allowed), "doubtful": dict(option.doubtful)}
        case Flag():
            return "flag", {}
        case Number():
            return "number", {"minimum": option.minimum, "maximum": option.maximum}
        case WholeNumber():
            return "whole", {"minimum": 0}
        case Text():
            return "text", {}
        case _:
            raise TypeError(f"no field for options of type {type(option).__name__}")


def _reference(rule: ImageRule) -> Json:
    return {
        "field": rule.field,
        "label": LABELS.get(rule.field, rule.field),
        "required": rule.required,
        "maximum": rule.maximum,
        "needs": rule.needs,
        "seconds": rule.seconds,
        "note": " ".join(_sentences(rule)),
    }


def _sentences(rule: ImageRule) -> Iterable[str]:
    if rule.match_size:
        yield "It must have the very size of the video."
    if rule.seconds is not None:
        yield f"The video then lasts {rule.seconds} seconds."
    if rule.note:
        yield _sentence(rule.note)


def _sentence(note: str) -> str:
    """Make a clause of a table a sentence of its own."""
    whole = f"It {note}" if note.startswith("is ") else note
    return f"{whole[:1].upper()}{whole[1:]}." if whole else ""
