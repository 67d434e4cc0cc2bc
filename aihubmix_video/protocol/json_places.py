"""Where in an answer a job is described: at the top, or within one of the wrappers that gateways put around it.

Gateways of one family differ in spelling (`task_id`, `taskId`, `TaskId`) and in nesting (`data`, `output`, `data.data`, a list of
one). Names are therefore compared without case and separators, and the wrappers are opened to a fixed depth.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Place = Mapping[str, object]

__all__ = ["ANSWER", "ID_NAMES", "as_object", "compact_name", "fields_of", "is_nothing", "job_places", "told_fields"]

ANSWER = "answer"
"""The name under which an answer that is not a JSON object is kept in a `Video.raw`."""
ID_NAMES = ("id", "videoid", "taskid", "jobid", "generationid")

_WRAPPERS = ("data", "output", "video", "task", "result", "job", "response", ANSWER)
_PLACES = 16
_LEVELS = 4
_FIELDS = 500  # of one object that are looked at; an answer about a job has dozens
_LONGEST_NAME = 64  # characters; longer names are not known ones, and would only fill the cache


def compact_name(name: str) -> str:
    """Return *name* without case and separators, so that `TaskId`, `task_id` and `task-id` are the same."""
    return _compact(name) if len(name) <= _LONGEST_NAME else name


@lru_cache(maxsize=1024)
def _compact(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def fields_of(value: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of *value* by their compact names; of two that become one, the first that says something."""
    found: dict[str, object] = {}
    for name, item in islice(value.items(), _FIELDS):
        compact = compact_name(name)
        if compact not in found or is_nothing(found[compact]):
            found[compact] = item
    return found


def is_nothing(value: object) -> bool:
    """Whether *value* is how JSON writers leave a field empty."""
    return value is None or value in ("", [], {})


def as_object(value: object) -> Mapping[str, object]:
    """Return *value* if it is an object, else an object that holds it as `ANSWER`."""
    return value if isinstance(value, dict) else {ANSWER: value}


def job_places(body: Mapping[str, object], *, job_id: str | None = None) -> list[Place]:
    """Return the objects of *body* that may describe the job, outermost first, with compact names.

    Args:
        body: The whole answer.
        job_id: The id that was asked about. In a list of several jobs only that one is looked at.
    """
    places: list[Place] = []
    level: list[Mapping[str, object]] = [body]
    for _ in range(_LEVELS):
        opened = [fields_of(each) for each in level[:_PLACES]]
        places += opened
        level = [
            inner for place in opened for name in _WRAPPERS if name in place for inner in _objects(place[name], job_id)
        ]
        if not level:
            break
    return places[:_PLACES]


def told_fields(places: Iterable[Place]) -> dict[str, object]:
    """Return each field as the outermost of *places* that says something tells it."""
    told: dict[str, object] = {}
    for place in places:
        for name, value in place.items():
            if is_nothing(told.get(name)):
                told[name] = value
    return told


def _objects(value: object, job_id: str | None) -> Iterator[Mapping[str, object]]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        items = [item for item in value if isinstance(item, dict)]
        if len(items) > 1:
            items = [item for item in items if job_id is not None and _names(item, job_id)]
        yield from items[:1]


def _names(item: Mapping[str, object], job_id: str) -> bool:
    fields = fields_of(item)
    return any(_is_id(fields.get(name), job_id) for name in ID_NAMES)


def _is_id(value: object, job_id: str) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value in (job_id, _number(job_id))


def _number(job_id: str) -> int | None:
    return int(job_id) if job_id.isdecimal() and job_id.isascii() and len(job_id) <= _LONGEST_NAME else None
