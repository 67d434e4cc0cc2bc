"""Whether a 2xx that names no job says in so many words that there is none.

    {"error": …}                                              whatever says something
    {"success": false, …}   {"status": "failed", …}           a verdict
    {"code": "quota_not_enough", "message": …, "data": null}  a code that is not a success, and a message that is not one either
    {"code": -1}   {"base_resp": {"status_code": 1008}}       such a code alone, or within
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
from aihubmix_video.protocol.json_places import ID_NAMES, as_object, fields_of, is_nothing, job_places
from aihubmix_video.protocol.status_words import status_of
from aihubmix_video.types.video import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aihubmix_video.protocol.error_body import ErrorBody
    from aihubmix_video.protocol.json_places import Place

__all__ = ["is_explicit_refusal"]

_VERDICTS = ("success", "ok", "succeed", "succeeded", "issuccess", "successful")
_STATUSES = ("status", "taskstatus", "state")
_CODES = ("code", "errorcode", "errcode", "statuscode", "errno", "ret", "retcode")
_LEAST_HTTP_ERROR = 400
_DATA = ("data", "result", "output")
_ENVELOPES = ("baseresp", "responsemetadata", "response", "meta", "header")
_ERRORS = ("error", "errors", "errormsg", "errormessage", "errmsg", "errmessage", "exception", "fault")
_OTHER_IDS = frozenset(
    {
        *(
            "requestid",
            "xrequestid",
            "reqid",
            "traceid",
            "spanid",
            "correlationid",
            "logid",
            "eventid",
            "errorid",
            "tid",
        ),
        *("userid", "accountid", "orgid", "organizationid", "groupid", "tenantid", "projectid", "clientid", "appid"),
        *("channelid", "modelid", "sessionid", "tokenid", "keyid", "messageid", "msgid"),
        *("valid", "invalid", "paid", "unpaid", "prepaid", "void", "grid"),
    }
)
"""Names that end in "id" and are not of a job."""
_TAKEN = re.compile(
    r"\b(?:success\w*|succeed\w*|accepted|submitted|created)\b|成功|已提交|已创建|已接收", re.IGNORECASE
)
_UNDER_WAY = re.compile(r"\b(?:ok|okay|queued|received|processing|pending|started)\b|排队|处理中|生成中", re.IGNORECASE)
_NEGATED = re.compile(
    r"(?:\b(?:not|never|cannot|unable|fail\w*|without|un)\b|n't|不|未|没有|无法|失败)(?:\W*\w+){0,3}?\W*"
    r"(?:success\w*|succeed\w*|accepted|submitted|created|成功|提交|创建|接收)|不成功|未成功",
    re.IGNORECASE,
)
_WRONG = re.compile(r"\b(?:fail\w*|error|invalid|denied|not)\b|失败|错误|拒绝|无法|不", re.IGNORECASE)
_LIKE_AN_ID = re.compile(r"(?=[\w.:-]*\d)[\w.:-]{6,1024}", re.ASCII)


def is_explicit_refusal(value: object) -> bool:
    """Whether *value*, the JSON of a 2xx, refuses in so many words and names nothing that may be a job."""
    body = as_object(value)
    places = job_places(body)
    if _has_trace_of_job(places):
        return False
    said = describe(body)
    return any(_refuses(place, said) for place in (*places, *_envelopes(places[0])))


def _has_trace_of_job(places: Sequence[Place]) -> bool:
    """Whether something stands in *places* that may be an id, though perhaps not a usable one."""
    for place in places:
        for name, value in place.items():
            if name.endswith(("id", "ids", "uuid")) and name not in _OTHER_IDS and _may_be_id(name, value):
                return True
            if name == "name" and isinstance(value, str) and "operations/" in value:
                return True  # Google's name of a job
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


def _refuses(place: Place, said: ErrorBody) -> bool:
    if any(_says_something(place.get(name)) for name in _ERRORS) or any(_is_no(place.get(name)) for name in _VERDICTS):
        return True
    if any(status_of(place.get(name)) is Status.FAILED for name in _STATUSES):
        return True
    if _says_taken(said.message):
        return False
    if _is_known_refusal(said.words):
        return True
    if _says_under_way(said.message):
        return False
    if any(_is_error_code(place.get(name), said.message) for name in _CODES) or _is_http_error(place.get("status")):
        return True
    return _says_something(place.get("detail"))


def _is_no(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def _says_something(value: object) -> bool:
    if isinstance(value, (bool, int)):
        return value is True or (not isinstance(value, bool) and value != 0)
    said = describe(value)
    return bool(said.message or said.code or said.type)


def _is_error_code(code: object, message: str) -> bool:
    if code is None or isinstance(code, bool) or is_success_code(code):
        return False
    if isinstance(code, str) and not code.strip().lstrip("-").isdecimal():
        words = code.replace("_", " ")
        return bool(code.strip()) and not _says_taken(words) and not _says_under_way(words)
    if not isinstance(code, (int, str)):
        return False
    number = int(code) if isinstance(code, int) or len(code.strip()) <= 10 else 0
    if number < 0 or _LEAST_HTTP_ERROR <= number < 600:
        return True
    return bool(message)


def _is_http_error(status: object) -> bool:
    return isinstance(status, int) and not isinstance(status, bool) and _LEAST_HTTP_ERROR <= status < 600


def _says_taken(words: str) -> bool:
    """Whether *words* may say that the job was taken: "submitted" does, "could not be submitted" does not."""
    return _TAKEN.search(_NEGATED.sub("", words)) is not None


def _says_under_way(words: str) -> bool:
    """Whether *words* may say that the job is under way; errors use such words too."""
    return _UNDER_WAY.search(words) is not None and _WRONG.search(words) is None


def _is_known_refusal(words: str) -> bool:
    readers = (says_balance, says_rate_limit, says_no_model, says_auth)
    return any(says(words) for says in readers)
