"""Whether a 2xx that names no job says in so many words that there is none.

    {"error": …}                                              whatever says something
    {"success": false, …}   {"status": "failed", …}           a verdict
    {"code": "quota_not_enough", "message": …, "data": null}  a code that is not a success, and a message that is not one either
    {"code": -1}   {"base_resp": {"status_code": 1008}}       likewise
    {"detail": …}                                             FastAPI's form
    {"message": …}   "…"                                      only in words that are known: a balance, a rate, a key, a model

Nothing that may be the trace of a job counts: an id in an odd form, a field of an unknown name that ends in "id", a text in `data`
that has the form of an id. Such an answer leaves the purchase uncertain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aihubmix_video.protocol.error_body import describe, is_success_code
from aihubmix_video.protocol.error_phrases import (
    says_auth,
    says_balance,
    says_no_model,
    says_rate_limit,
)
from aihubmix_video.protocol.json_places import ANSWER, ID_NAMES, as_object, fields_of, is_nothing, job_places
from aihubmix_video.protocol.status_words import status_of
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aihubmix_video.protocol.json_places import Place

__all__ = ["has_trace_of_job", "is_explicit_refusal"]

_VERDICTS = ("success", "ok", "succeed", "succeeded", "issuccess", "successful")
_CODES = ("code", "errorcode", "errcode", "statuscode", "errno", "ret", "retcode")
_LEAST_HTTP_ERROR = 400
_DATA = ("data", "result", "output")
_ENVELOPES = ("baseresp", "responsemetadata", "response", "meta", "header")
_ERRORS = ("error", "errors", "errormsg", "errormessage", "errmsg", "errmessage", "exception", "fault")
_OTHER_IDS = frozenset(
    {"requestid", "traceid", "userid", "logid", "appid", "orgid", "tid", "groupid", "organizationid"}
)
_NOT_HERE = re.compile(
    r"\b(?:not|no|un\w+|fail\w*|error|invalid|denied|den(?:y|ies))\b|n't|不|未|失败|错误|拒绝|无法", re.IGNORECASE
)
_ACCEPTED = re.compile(
    r"\b(?:success\w*|succeed\w*|ok|okay|accepted|submitted|created|queued|received|processing|pending|started)\b"
    r"|成功|已提交|已创建|已接收|排队|处理中|生成中",
    re.IGNORECASE,
)
_LIKE_AN_ID = re.compile(r"(?=[\w.:-]*\d)[\w.:-]{6,1024}", re.ASCII)


def is_explicit_refusal(value: object) -> bool:
    """Whether *value*, the JSON of a 2xx, refuses in so many words and names nothing that may be a job."""
    body = as_object(value)
    places = job_places(body)
    if has_trace_of_job(places):
        return False
    top = [places[0], *_envelopes(places[0]), *(place for place in places[1:] if ANSWER in places[0])]
    return any(_refuses(place, body) for place in top)


def has_trace_of_job(places: Sequence[Place]) -> bool:
    """Whether something stands in *places* that may be an id, though perhaps not a usable one."""
    for place in places:
        for name, value in place.items():
            if name.endswith(("id", "ids", "uuid")) and name not in _OTHER_IDS and _may_be_id(name, value):
                return True
            if name in _DATA and isinstance(value, str) and _LIKE_AN_ID.fullmatch(value.strip()):
                return True
            if name in _DATA and isinstance(value, int) and not isinstance(value, bool) and value > _LEAST_HTTP_ERROR:
                return True
    return False


def _may_be_id(name: str, value: object) -> bool:
    if is_nothing(value) or isinstance(value, (bool, float)):
        return False
    if isinstance(value, str):
        return bool(value.strip())
    return not (isinstance(value, int) and value <= 0) and (name in ID_NAMES or isinstance(value, int))


def _envelopes(place: Place) -> Iterator[dict[str, object]]:
    for name in _ENVELOPES:
        inner = place.get(name)
        if isinstance(inner, dict):
            yield fields_of(inner)


def _refuses(place: Place, body: Mapping[str, object]) -> bool:
    if any(_says_something(place.get(name)) for name in _ERRORS):
        return True
    if any(place.get(name) is False for name in _VERDICTS):
        return True
    said = describe(body)
    if status_of(place.get("status")) is Status.FAILED:
        return True
    if _is_acceptance(said.message):
        return False
    if any(_is_error_code(place.get(name), said.message) for name in _CODES) or _is_http_error(place.get("status")):
        return True
    return _says_something(place.get("detail")) or _is_known_refusal(said.words)


def _says_something(value: object) -> bool:
    if isinstance(value, (bool, int)):
        return value is True or (not isinstance(value, bool) and value != 0)
    said = describe(value)
    return bool(said.message or said.code or said.type)


def _is_error_code(code: object, message: str) -> bool:
    if code is None or isinstance(code, bool) or is_success_code(code):
        return False
    if isinstance(code, str) and not code.strip().lstrip("-").isdecimal():
        return bool(code.strip()) and not _is_acceptance(code.replace("_", " "))
    if not isinstance(code, (int, str)):
        return False
    number = int(code) if isinstance(code, int) or len(code.strip()) <= 10 else 0
    if number < 0 or _LEAST_HTTP_ERROR <= number < 600:
        return True
    return bool(message)


def _is_http_error(status: object) -> bool:
    return isinstance(status, int) and not isinstance(status, bool) and _LEAST_HTTP_ERROR <= status < 600


def _is_acceptance(words: str) -> bool:
    """Whether *words* may say that the job was taken."""
    return _ACCEPTED.search(words) is not None and _NOT_HERE.search(words) is None


def _is_known_refusal(words: str) -> bool:
    readers = (says_balance, says_rate_limit, says_no_model, says_auth)
    return any(says(words) for says in readers)
