"""From an answer about a job to a `Video`: both of the gateway's dialects, and any mix of them.

The OpenAI dialect has `created_at`, `seconds`, `size` and `progress`; the other (Wan, Veo, Jimeng) `created`,
`duration`, `width` and `height`. Either may leave out anything but the id and the status, and some answers wrap the job in
`data`, `output`, `video` or `task`, or call the status `state` or `task_status` (AIHubMix video guide, updated 2026-06-01; field
observations, 2026). `url` is not fetched: it is null, foreign or stale often enough, and content is always fetched by id.

A create is read strictly: without a usable id there is no job to follow. A poll is read tolerantly: the id was asked about,
so that whatever JSON comes back says at least that the job is still running.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol import json_fields
from aihubmix_video.protocol.error_body import describe, is_success_code
from aihubmix_video.protocol.json_places import (
    ID_NAMES,
    as_object,
    compact_name,
    is_nothing,
    job_places,
    told_fields,
)
from aihubmix_video.protocol.status_words import is_known_word, is_unspecific_success, status_of
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aihubmix_video.protocol.json_places import Place

__all__ = ["UNEXPLAINED", "has_status", "may_be_complete", "other_id", "read_video", "status_word"]

UNEXPLAINED = "the vendor gave no reason"
"""What a failed job without a reason says."""

_STATUS_NAMES = (
    *("taskstatus", "status", "state", "jobstatus", "videostatus", "generationstatus", "taskstate", "jobstate"),
)
_REASONS = frozenset({"error", "message", "msg", "detail", "details", "reason", "code", "errorcode", "baseresp"})
_REASON_ENDINGS = ("msg", "message", "reason", "error")
_FINISH_TIMES = ("completedat", "finishtime", "finishedat", "endtime", "completiontime", "completetime")
_URL_NAMES = frozenset(
    {
        *("url", "urls", "videourl", "videourls", "contenturl", "downloadurl", "resulturl", "outputurl", "fileurl"),
        *("mp4url", "video", "videos", "output", "outputs", "result", "results", "content", "taskresult", "metadata"),
        *("data", "task", "job", "response", "generations", "assets", "file", "files", "answer"),
    }
)
"""Names under which the link to a finished video stands, or what it stands in. Pictures, input and callbacks are not among them."""
_LINK = re.compile(r"https?://\S", re.IGNORECASE)
_DATE = re.compile(r"\s*20\d\d\D?\d\d", re.ASCII)
_VALUES = 200  # of one answer that are looked through for a link


@attrs.frozen(kw_only=True)
class _Answer:
    """The fields of both dialects that mean something to us, as read by `json_fields`."""

    model: str | None = None
    progress: float | None = None
    taskprogress: float | None = None
    percent: float | None = None
    percentage: float | None = None
    seconds: float | None = None
    duration: float | None = None
    size: tuple[int, int] | None = None
    width: int | None = None
    height: int | None = None
    createdat: float | None = None
    created: float | None = None
    completedat: float | None = None
    finishedat: float | None = None
    finishtime: float | None = None
    expiresat: float | None = None


_structure = make_dict_structure_fn(
    _Answer,
    Converter(),
    _cattrs_detailed_validation=False,  # no field can fail
    model=override(struct_hook=json_fields.name),
    progress=override(struct_hook=json_fields.percent),
    taskprogress=override(struct_hook=json_fields.percent),
    percent=override(struct_hook=json_fields.percent),
    percentage=override(struct_hook=json_fields.percent),
    seconds=override(struct_hook=json_fields.length),
    duration=override(struct_hook=json_fields.length),
    size=override(struct_hook=json_fields.size),
    width=override(struct_hook=json_fields.pixels),
    height=override(struct_hook=json_fields.pixels),
    createdat=override(struct_hook=json_fields.moment),
    created=override(struct_hook=json_fields.moment),
    completedat=override(struct_hook=json_fields.moment),
    finishedat=override(struct_hook=json_fields.moment),
    finishtime=override(struct_hook=json_fields.moment),
    expiresat=override(struct_hook=json_fields.moment),
)


def read_video(value: object, *, job_id: str | None = None) -> Video:
    """Read the job that *value*, the JSON of an answer, describes.

    Args:
        value: The whole answer. It becomes the video's `raw`; if it is not an object, `raw` holds it as ``answer``.
        job_id: The id that was asked about, if one was. It stays the video's id whatever the answer says, and with it nothing
            is raised.

    Raises:
        MalformedReply: No id was asked about, and the answer has none, or only one that is neither a usable string nor an
            integer.
    """
    body = as_object(value)
    places = job_places(body, job_id=job_id)
    if job_id is not None:
        return _video(job_id, body, places)
    ids, fault = _ids(places)
    if not ids:
        raise fault or MalformedReply("the answer has no id")
    return _video(ids[0], body, places)


def other_id(body: Mapping[str, object], used: str) -> str | None:
    """Return a second id in *body* beside the one *used*, if the answer names the job twice and differently."""
    ids, _ = _ids(job_places(body))
    return next((other for other in ids if other != used), None)


def has_status(value: object) -> bool:
    """Whether *value*, any JSON, says where a job stands, in whatever words."""
    if isinstance(value, dict) and isinstance(value.get("status"), str) and value["status"].strip():
        return True  # nearly every answer; the rest is looked through
    places = job_places(as_object(value))
    return _word(places) is not None or told_fields(places).get("done") is True


def status_word(video: Video) -> str:
    """Return the gateway's own word for where the job stands; empty if it has none."""
    return _word(job_places(video.raw, job_id=video.id)) or ""


def may_be_complete(video: Video) -> bool:
    """Whether a job that counts as running may be finished, so that its content is worth asking for.

    True where the gateway's word is unknown or missing, and a progress of 100, a completion time or a link to the video
    stands beside it, or where one of two words says that the job is finished.
    """
    if video.status.terminal:
        return False
    places = job_places(video.raw, job_id=video.id)
    finished = [word for word in _words(places[:1]) if not is_unspecific_success(word)]
    finished += _words(places[1:])
    if any(status_of(word) is Status.COMPLETED for word in finished):
        return True
    if any(is_known_word(word) for word in _words(places)):
        return False
    told = told_fields(places)
    return video.progress == 100 or any(_is_time(told.get(name)) for name in _FINISH_TIMES) or _has_link(video.raw)


def _video(video_id: str, body: Mapping[str, object], places: Sequence[Place]) -> Video:
    told = told_fields(places)
    answer = _structure(told, _Answer)
    status = _status(places)
    width, height = answer.size or (None, None)
    created_at = answer.createdat or answer.created
    expires_at = answer.expiresat
    if expires_at is not None and created_at is not None and expires_at <= created_at:
        expires_at = None  # a default or a zero gone wrong; believing it would give up a paid video
    progresses = (answer.progress, answer.taskprogress, answer.percent, answer.percentage)
    return Video(
        id=video_id,
        model=answer.model,
        status=status,
        seconds=answer.seconds or answer.duration,
        width=answer.width or width,
        height=answer.height or height,
        progress=next((each for each in progresses if each is not None), None),
        created_at=created_at,
        completed_at=answer.completedat or answer.finishedat or answer.finishtime,
        expires_at=expires_at,
        error=_reason(places) if status is Status.FAILED else None,
        raw=body,
    )


# Ids.


def _ids(places: Sequence[Place]) -> tuple[list[str], MalformedReply | None]:
    """Find the usable ids, strings before integers: an integer beside a string is a row number of the gateway's."""
    strings: list[str] = []
    digits: list[str] = []
    fault = None
    for value in (place.get(name) for place in places for name in ID_NAMES):
        try:
            found = json_fields.identifier(value)
        except MalformedReply as error:
            fault = fault or error
        else:
            if found is not None:
                (strings if isinstance(value, str) else digits).append(found)
    return list(dict.fromkeys(strings + digits)), fault


# Statuses.


def _words(places: Sequence[Place]) -> Iterator[str]:
    """Yield every word for where the job stands, outermost first."""
    for place in places:
        for name in _STATUS_NAMES:
            word = _plain_word(place.get(name))
            if isinstance(word, str) and word.strip():
                yield word


def _plain_word(status: object) -> object:
    """Return the word of a status; some write it as an object, such as `{"state": "done"}`."""
    if not isinstance(status, dict):
        return status
    return next(
        (status[name] for name in ("state", "status", "name", "value", "code") if isinstance(status.get(name), str)),
        None,
    )


def _word(places: Sequence[Place]) -> str | None:
    """Return the word that counts.

    A known word goes before an unknown one, and the outermost before those within. An envelope's own "success", and any word
    of an envelope that has no id while the job within it has a status, is about the question and not about the job.
    """
    known = [word for word in _words(places) if is_known_word(word)]
    if not known:
        return next(_words(places), None)
    within = [word for word in _words(places[1:]) if is_known_word(word)]
    names_job = any(not is_nothing(places[0].get(name)) for name in ID_NAMES)
    if within and (not names_job or is_unspecific_success(known[0])):
        return within[0]
    return known[0]


def _status(places: Sequence[Place]) -> Status:
    word = _word(places)
    if word is not None:
        return status_of(word)
    # Google's long-running operations have no word, but `done`, and an `error` or a `response` beside it.
    told = told_fields(places)
    if told.get("done") is not True:
        return Status.IN_PROGRESS
    return Status.FAILED if told.get("error") else Status.COMPLETED


def _reason(places: Sequence[Place]) -> str:
    """Return in the vendor's words why a job failed; never empty.

    The object that holds the failing word is asked first, then those within it, then those around it.
    """
    own = next((at for at, place in enumerate(places) if _failing(place)), 0)
    order = (*places[own:], *reversed(places[:own]))
    said = [describe({name: place[name] for name in place if _is_reason(name, place[name])}) for place in order]
    found = next((each for each in said if each.message), None) or next((each for each in said if each.code), None)
    return found.line if found is not None else UNEXPLAINED


def _failing(place: Place) -> bool:
    return any(status_of(word) is Status.FAILED for word in _words([place]))


def _is_reason(name: str, value: object) -> bool:
    return (name in _REASONS or name.endswith(_REASON_ENDINGS)) and not is_success_code(value)


# Signs of a finished video.


def _is_time(value: object) -> bool:
    return json_fields.moment(value) is not None or (isinstance(value, str) and _DATE.match(value) is not None)


def _has_link(body: Mapping[str, object]) -> bool:
    """Whether a link to the video stands in *body*."""
    left: list[object] = [body]
    seen = 0
    while left and seen < _VALUES:
        each = left.pop()
        seen += 1
        if isinstance(each, str):
            if _LINK.match(each.strip()):
                return True
        elif isinstance(each, dict):
            left += [item for name, item in islice(each.items(), _VALUES) if compact_name(name) in _URL_NAMES]
        elif isinstance(each, list):
            left += each[:_VALUES]
    return False
