"""What a user asks for: one flat value for every model family, its fields named as on the wire."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypedDict

import attrs

from aihubmix_video.errors import InvalidRequest, Problem, shown
from aihubmix_video.types.whole_number import whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Reference", "VideoParams", "VideoRequest"]

Reference = str | bytes | Path | IO[bytes] | dict[str, str]
"""A reference medium: an http(s) or data URL, bytes, a `pathlib.Path` or an open binary file (read once, when
submitted), ``{"mime_type": ..., "data": <base64>}``, or OpenAI's ``{"image_url": <URL>}``. A str is never opened as a file."""


def _cut(value: object) -> str:
    return "None" if value is None else shown(value)


@attrs.frozen(kw_only=True)
class VideoRequest:
    """One video to generate. Which fields a model takes is told by its `Capability`; None means the model's default.

    Attributes:
        model: The gateway's name of the model, such as ``"sora-2"``.
        prompt: What to show. May be empty only where an image or content stands for it.
        seconds: Length in seconds, a whole number or its digits; -1 lets Seedance choose.
        size: ``"1280x720"`` in pixels, a label (Veo ``"720p"``) or a ratio (Jimeng ``"16:9"``).
        input_reference: First-frame or reference image (Sora, Veo 3.1, Wan i2v, Jimeng).
        aspect_ratio: Kling's frame, such as ``"16:9"``.
        resolution: Seedance's ``"480p"`` or ``"720p"``.
        ratio: Seedance's frame, such as ``"adaptive"``.
        mode: Kling's clarity: ``"std"``, ``"pro"`` or ``"4k"``.
        negative_prompt: What to avoid (Veo, Kling).
        cfg_scale: How closely Kling keeps to the prompt, 0 to 1.
        sound: Kling omni's own sound, ``"on"`` or ``"off"``.
        generate_audio: Whether Seedance makes sound.
        watermark: Whether Seedance marks the video.
        seed: For repeatable results where the vendor supports it.
        image: Kling's first frame.
        image_tail: Kling's last frame.
        image_list: Kling v1-6's reference images, up to 4.
        video_list: Kling omni's reference videos: ``[{"video_url": ..., "refer_type": "feature" | "base"}]``.
        content: Seedance's references: ``[{"type": "image_url", "image_url": {"url": ...}, "role": ...}]``. The URL of a picture may
            be any `Reference`, a path or bytes as well; videos and sounds are http(s) URLs.
        extra_body: Further wire fields, passed through as they are.

    Raises:
        InvalidRequest: A field that does not exist, with the closest that does; or no model. Values are judged when the request
            is submitted.
    """

    model: str
    prompt: str = ""
    seconds: int | str | None = None
    size: str | None = None
    input_reference: Reference | None = attrs.field(default=None, repr=_cut)
    aspect_ratio: str | None = None
    resolution: str | None = None
    ratio: str | None = None
    mode: str | None = None
    negative_prompt: str | None = None
    cfg_scale: float | None = None
    sound: str | None = None
    generate_audio: bool | None = None
    watermark: bool | None = None
    seed: int | None = None
    image: Reference | None = attrs.field(default=None, repr=_cut)
    image_tail: Reference | None = attrs.field(default=None, repr=_cut)
    image_list: Sequence[Reference] | None = attrs.field(default=None, repr=_cut)
    video_list: Sequence[Mapping[str, str]] | None = attrs.field(default=None, repr=_cut)
    content: Sequence[Mapping[str, Any]] | None = attrs.field(
        default=None, repr=_cut
    )  # Any: JSON objects of the vendor's making
    extra_body: Mapping[str, Any] | None = attrs.field(default=None, repr=_cut)  # Any: see above

    if not TYPE_CHECKING:
        # Only to answer a misspelt field with the closest one; type checkers see the fields themselves.
        def __init__(self, **fields: object) -> None:
            problems = [_unknown(name, value) for name, value in fields.items() if name not in FIELDS]
            if "model" not in fields:
                problems.append(Problem.of("model", None, "is required; `aihubmix-video models` lists the models"))
            if problems:
                raise InvalidRequest(problems)
            self.__attrs_init__(**fields)

    @classmethod
    def from_mapping(cls, row: Mapping[str, object]) -> VideoRequest:
        """Read a request from a mapping, such as a row of a batch.

        Args:
            row: Field names to values. ``duration`` is an alias of ``seconds``; None leaves a field at its default.

        Raises:
            InvalidRequest: An unknown field (the closest is named), no model, or ``seconds`` and ``duration`` differ.
        """
        for name in row:
            if not isinstance(name, str):
                raise InvalidRequest.of("row", name, f"has a field that is not text but {type(name).__name__}")
        given = {name: value for name, value in row.items() if value is not None}
        if "duration" in given:
            duration = given.pop("duration")
            if _length(given.setdefault("seconds", duration)) != _length(duration):
                raise InvalidRequest.of(
                    "duration", duration, f"conflicts with seconds={shown(given['seconds'])}; give only seconds"
                )
        return cls(**given)  # type: ignore[arg-type]  # values of any type pass here; `capabilities.check` judges them


class VideoParams(TypedDict, total=False):
    """The fields of `VideoRequest` as keyword arguments beside the prompt and the model; ``duration`` is ``seconds``."""

    seconds: int | str | None
    duration: int | str | None
    size: str | None
    input_reference: Reference | None
    aspect_ratio: str | None
    resolution: str | None
    ratio: str | None
    mode: str | None
    negative_prompt: str | None
    cfg_scale: float | None
    sound: str | None
    generate_audio: bool | None
    watermark: bool | None
    seed: int | None
    image: Reference | None
    image_tail: Reference | None
    image_list: Sequence[Reference] | None
    video_list: Sequence[Mapping[str, str]] | None
    content: Sequence[Mapping[str, Any]] | None  # Any: JSON objects of the vendor's making
    extra_body: Mapping[str, Any] | None  # Any: see above


FIELDS: tuple[str, ...] = tuple(field.name for field in attrs.fields(VideoRequest))


def _length(value: object) -> str:
    whole = whole_number(value)
    return str(value if whole is None else whole)


def _unknown(name: str, value: object) -> Problem:
    nearest = "seconds" if name == "duration" else next(iter(get_close_matches(str(name), FIELDS, n=1)), None)
    wanted = f"did you mean {nearest}?" if nearest else f"the fields are {', '.join(FIELDS)}"
    return Problem.of(str(name), value, f"unknown parameter; {wanted}", allowed=FIELDS, nearest=nearest)
