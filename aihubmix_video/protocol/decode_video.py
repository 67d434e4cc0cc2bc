"""From an answer about a job to a `Video`: both of the gateway's dialects, and any mix of them.

The OpenAI dialect has `created_at`, `seconds`, `size` and `progress`; the other (Wan, Veo, Jimeng) `created`,
`duration`, `width` and `height`. Either may leave out anything but the id and the status, and some answers wrap the job in
`data` (AIHubMix video guide, updated 2026-06-01; field observations, 2026). `url` is ignored: it is null, foreign or
stale often enough, and content is always fetched by id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol import json_fields
from aihubmix_video.protocol.error_body import describe
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["UNEXPLAINED", "other_id", "read_video", "unwrapped"]

_ID_NAMES = ("id", "video_id", "task_id")
_REASONS = ("error", "failure_reason", "fail_reason", "message", "code")
UNEXPLAINED = "the vendor gave no reason"
"""What a failed job without a reason says."""


@attrs.frozen(kw_only=True)
class _Answer:
    """The fields of both dialects that mean something to us, as read by `fields`."""

    id: str | None = None
    video_id: object = None  # read only where there is no id, so that an odd one beside it does no harm
    task_id: object = None
    model: str | None = None
    status: Status = Status.IN_PROGRESS
    progress: float | None = None
    seconds: float | None = None
    duration: float | None = None
    size: tuple[int, int] | None = None
    width: int | None = None
    height: int | None = None
    created_at: float | None = None
    created: float | None = None
    completed_at: float | None = None
    expires_at: float | None = None


_structure = make_dict_structure_fn(
    _Answer,
    Converter(),
    _cattrs_detailed_validation=False,  # no field but the id can fail, and it says so itself
    id=override(struct_hook=json_fields.identifier),
    video_id=override(struct_hook=json_fields.anything),
    task_id=override(struct_hook=json_fields.anything),
    model=override(struct_hook=json_fields.name),
    status=override(struct_hook=json_fields.state),
    progress=override(struct_hook=json_fields.percent),
    seconds=override(struct_hook=json_fields.length),
    duration=override(struct_hook=json_fields.length),
    size=override(struct_hook=json_fields.size),
    width=override(struct_hook=json_fields.pixels),
    height=override(struct_hook=json_fields.pixels),
    created_at=override(struct_hook=json_fields.moment),
    created=override(struct_hook=json_fields.moment),
    completed_at=override(struct_hook=json_fields.moment),
    expires_at=override(struct_hook=json_fields.moment),
)


def read_video(body: Mapping[str, object], *, job_id: str | None = None) -> Video:
    """Read the job that *body* describes.

    Args:
        body: The whole answer; it becomes the video's `raw`.
        job_id: The id that was asked about, if one was. It stays the video's id whatever the answer says.

    Raises:
        MalformedReply: There is no id, or one that is no usable string; or nothing at all about a job.
    """
    told = unwrapped(body)
    answer = _structure(told, _Answer)
    own_id = answer.id or json_fields.identifier(answer.video_id) or json_fields.identifier(answer.task_id)
    video_id = job_id or own_id
    if video_id is None:
        raise MalformedReply("the answer has no id")
    if own_id is None and not isinstance(told.get("status"), str):
        raise MalformedReply("the answer says nothing about a job")
    width, height = answer.size or (None, None)
    created_at = answer.created_at or answer.created
    expires_at = answer.expires_at
    if expires_at is not None and created_at is not None and expires_at <= created_at:
        expires_at = None  # a default or a zero gone wrong; believing it would give up a paid video
    return Video(
        id=video_id,
        model=answer.model,
        status=answer.status,
        seconds=answer.seconds or answer.duration,
        width=answer.width or width,
        height=answer.height or height,
        progress=answer.progress,
        created_at=created_at,
        completed_at=answer.completed_at,
        expires_at=expires_at,
        error=_reason(told) if answer.status is Status.FAILED else None,
        raw=body,
    )


def other_id(body: Mapping[str, object], used: str) -> str | None:
    """Find a second id in *body* beside the one *used*, if the answer names the job twice and differently."""
    data = body.get("data")
    places = (body, data) if isinstance(data, dict) else (body,)
    named = (place.get(key) for place in places for key in _ID_NAMES)
    return next((text for text in named if isinstance(text, str) and text not in {"", used}), None)


def unwrapped(body: Mapping[str, object]) -> Mapping[str, object]:
    """Lay the fields of *body* over those of the `data` it may wrap the job in."""
    data = body.get("data")
    if not isinstance(data, dict):
        return body
    return {**data, **{key: value for key, value in body.items() if value is not None}}


def _reason(told: Mapping[str, object]) -> str:
    """Say in the vendor's words why a job failed; never empty."""
    said = describe({key: told[key] for key in _REASONS if told.get(key)})
    return said.line if said.message or said.code else UNEXPLAINED
