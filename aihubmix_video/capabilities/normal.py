"""Forms of a request that mean the same, made one; used alike by the check and by the encoder.

Only what cannot be misread is changed: ``"8"`` and ``8.0`` are 8 seconds; ``1280X720``, ``1280×720``, ``1280*720`` and
``(1280, 720)`` are ``1280x720``. Everything else stays as it is, for the check to judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import attrs

from aihubmix_video.capabilities.field_rules import ExtraBody
from aihubmix_video.types.request import FIELDS
from aihubmix_video.types.whole_number import whole_number

if TYPE_CHECKING:
    from aihubmix_video.capabilities.field_rules import Option
    from aihubmix_video.types.request import VideoRequest

_PIXELS = re.compile(r"([1-9][0-9]{0,5})[xX×*]([1-9][0-9]{0,5})")


class NormalRules(Protocol):
    """What of a model's table decides the one form of a request; `ModelTable` has it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all request fields that the model takes."""

    @property
    def size_names(self) -> tuple[str, ...]:
        """Every value that ``size`` may have."""

    @property
    def options(self) -> Mapping[str, Option]:
        """Fields beside prompt, seconds, size and references."""

    @property
    def ratio_field(self) -> str | None:
        """The option that chooses a size's ratio."""

    @property
    def duration_alias(self) -> bool:
        """Whether the gateway also accepts ``duration``."""

    @property
    def extra_body(self) -> ExtraBody:
        """Where the keys of ``extra_body`` go."""


def plain_size(value: object) -> object:
    """Return a size in pixels as ``1280x720``, and everything else as it is."""
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(type(side) is int for side in value):
        value = f"{value[0]}x{value[1]}"
    pixels = _PIXELS.fullmatch(value) if isinstance(value, str) else None
    return f"{pixels[1]}x{pixels[2]}" if pixels else value


def field_of(key: object) -> str:
    """Return the request field that a wire key stands for; the empty string when there is none."""
    return "seconds" if key == "duration" else key if isinstance(key, str) and key in FIELDS else ""


def normalised(capability: NormalRules | None, request: VideoRequest, *, lift: bool = True) -> VideoRequest:
    """Return a request in its one form.

    Args:
        capability: The model's, or None for a model without a table.
        request: As the user made it; anything may be in its fields.
        lift: Whether keys of ``extra_body`` that are fields may become these; otherwise ``extra_body`` stays as it is.
    """
    if lift and capability is not None and capability.extra_body is ExtraBody.LIFTED:
        request = _lifted(capability, request)
    spelt = {
        field: value for field in ("seconds", "seed") if isinstance(value := getattr(request, field), (str, float))
    }
    numbers = {field: number for field, value in spelt.items() if (number := whole_number(value)) is not None}
    request = _with(request, **numbers, size=plain_size(request.size))
    if capability is not None and capability.ratio_field is not None and capability.size_names:
        request = _ratio_by_its_name(capability.ratio_field, capability, request)
    return request


def as_meant(capability: NormalRules, request: VideoRequest) -> VideoRequest:
    """Return a request in the form in which it is judged: keys of ``extra_body`` that are fields count as these."""
    return normalised(capability, _lifted(capability, request))


def _with(request: VideoRequest, **values: object) -> VideoRequest:
    changes = {field: value for field, value in values.items() if value is not getattr(request, field)}
    return attrs.evolve(request, **changes) if changes else request  # type: ignore[arg-type]  # judged by the check


def _ratio_by_its_name(field: str, capability: NormalRules, request: VideoRequest) -> VideoRequest:
    """Seedance's ratio may be given as ``size`` too; its own field is where it has effect."""
    if getattr(request, field) is None and capability.options[field].accepts(request.size):
        return _with(request, **{"size": None, field: request.size})
    return request


def _lifted(capability: NormalRules, request: VideoRequest) -> VideoRequest:
    """Move keys of ``extra_body`` that are the model's own fields to where they have effect."""
    extra = request.extra_body
    if not isinstance(extra, Mapping):
        return request
    fields = {key: field_of(key) for key in extra if key != "duration" or capability.duration_alias}
    moved = {key: field for key, field in fields.items() if field in capability.fields and _is_unset(request, field)}
    rest = {key: value for key, value in extra.items() if key not in moved}
    return _with(request, **{field: extra[key] for key, field in moved.items()}, extra_body=rest or None)


def _is_unset(request: VideoRequest, field: str) -> bool:
    return field not in {"model", "prompt", "extra_body"} and getattr(request, field) is None
