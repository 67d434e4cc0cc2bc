"""The facts of one model as data, and what they say of a request: lengths and sizes. The checks read them."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # cattrs reads the annotations
from typing import TYPE_CHECKING, Literal, Self

import attrs

from aihubmix_video.capabilities.field_rules import (
    AUTO,
    Audio,
    ContentRule,
    Dialect,
    ExtraBody,
    ImageRule,
    Mode,
    Option,
    Seconds,
    Size,
)
from aihubmix_video.capabilities.normal import as_meant

if TYPE_CHECKING:
    from aihubmix_video.types.request import VideoRequest

HOUR = 3600
DAY = 24 * HOUR
ADAPTIVE = "adaptive"
PAGE = "AIHubMix video guide, updated 2026-06-01"
OBSERVED = "AIHubMix field observations, 2026-01 to 2026-08"


@attrs.frozen(kw_only=True)
class ModelTable:
    """What one model accepts and returns.

    Attributes:
        model: The gateway's name of the model.
        vendor: The company that makes the model.
        family: The heading under which the official page describes it.
        dialect: How its requests are written on the wire.
        description: The page's features in a few words.
        modes: What it makes videos from.
        seconds: Lengths.
        sizes: Picture sizes with their real pixels; those not documented are missing.
        default_size: The name of the size when none is asked for; None when it is not documented.
        tier_field: The option that chooses a size's `tier`, in families without ``size``; also `ratio_field`.
        text_ratio: The frame of a video made from text alone when its ratio is left open.
        options: Fields beside prompt, seconds, size and references, and what each may be.
        images: Fields that take reference images.
        refer_types: What a reference video in ``video_list`` may be used for; empty when there is no such field.
        content: Types of item that ``content`` may hold; empty when there is no such field.
        audio: Whether videos have sound.
        prompt_limit: Characters a prompt may have, where a limit is published.
        prompt_optional_with: Fields of which any one stands for a missing prompt.
        instead: Advice for fields that this model does not take.
        counterpart: The model of the same version for the other mode, where text and image need different models.
        seconds_key: The wire's name of the length.
        seconds_as: The wire's type of it. The page says string; replace with `attrs.evolve` if your channel differs.
        duration_alias: Whether the gateway also accepts ``duration``.
        extra_body: Where the keys of ``extra_body`` go.
        can_delete: Whether the gateway can delete its jobs.
        link_lifetime: Seconds for which a finished video can be fetched.
        source: Where these facts are published, and when.
        sources: The same of single fields that another place publishes, by the field's name.
    """

    model: str
    vendor: str
    family: str
    dialect: Dialect
    description: str
    modes: tuple[Mode, ...]
    seconds: Seconds
    sizes: tuple[Size, ...]
    default_size: str | None = None
    tier_field: str | None = None
    ratio_field: str | None = None
    text_ratio: str | None = None
    options: Mapping[str, Option] = attrs.field(factory=dict, hash=False)
    images: tuple[ImageRule, ...] = ()
    refer_types: tuple[str, ...] = ()
    content: tuple[ContentRule, ...] = ()
    audio: Audio = Audio.NONE
    prompt_limit: int | None = None
    prompt_optional_with: tuple[str, ...] = ()
    instead: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    counterpart: str | None = None
    seconds_key: Literal["seconds", "duration"] = "seconds"
    seconds_as: Literal["string", "number"] = "string"
    duration_alias: bool = True
    extra_body: ExtraBody = ExtraBody.MERGED
    can_delete: bool = True
    link_lifetime: int = DAY
    source: str = PAGE
    sources: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    @property
    def size_names(self) -> tuple[str, ...]:
        """Every value that ``size`` may have; empty when the model takes no ``size``."""
        return tuple(name for size in self.sizes for name in size.names)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all request fields that this model takes."""
        return (
            *("model", "prompt", "seconds"),
            *(("size",) if self.size_names else ()),
            *self.options,
            *(rule.field for rule in self.images),
            *(("video_list",) if self.refer_types else ()),
            *(("content",) if self.content else ()),
            "extra_body",
        )

    def source_of(self, field: str) -> str:
        """Return where what is known of a field is published, and when."""
        return self.sources.get(field, self.source)

    def but(self, **changes: object) -> Self:
        """Return the table of a model that differs in a few fields only."""
        return attrs.evolve(self, **changes)  # type: ignore[arg-type]  # attrs refuses unknown names itself

    def seconds_of(self, request: VideoRequest) -> int | None:
        """Return how many seconds the video will last; None when the model chooses or the value is not valid."""
        asked = as_meant(self, request).seconds
        if asked is None:
            return self.fixed_seconds(request) or self.seconds.default
        return asked if isinstance(asked, int) and asked != AUTO else None

    def fixed_seconds(self, request: VideoRequest) -> int | None:
        """Return the length that the request's references prescribe, if they do."""
        given = (rule.seconds for rule in self.images if getattr(request, rule.field) is not None)
        return next((seconds for seconds in given if seconds is not None), None)

    def pixels(self, request: VideoRequest) -> tuple[int, int] | None:
        """Return the width and height that the file will really have; None when they are not known."""
        size = self.size_of(request)
        return None if size is None else (size.width, size.height)

    def size_of(self, request: VideoRequest) -> Size | None:
        """Return the size that a request asks for, by name or by clarity and frame; None when it is not known."""
        asked = as_meant(self, request)
        name = asked.size if asked.size is not None else self.default_size
        if name is not None or self.ratio_field is None or self.tier_field is None:
            return next((size for size in self.sizes if name in size.names), None)
        ratio = getattr(asked, self.ratio_field)
        if ratio in (None, ADAPTIVE):
            # Left open, the frame follows the reference, which is not known here.
            ratio = None if any(getattr(asked, field) is not None for field in MEDIA) else self.text_ratio
        wanted = (self._chosen(asked, self.tier_field), ratio)
        return next((size for size in self.sizes if (size.tier, size.ratio) == wanted), None)

    def _chosen(self, request: VideoRequest, field: str) -> object:
        given = getattr(request, field)
        return self.options[field].default if given is None else given


MEDIA = ("input_reference", "image", "image_tail", "image_list", "video_list", "content")
