"""Answers of gateways of this family, and what each means: the data of the tests in `test_answers`, and of `docs/reference/answers.md`.

The shapes are those of public reports and references (AIHubMix, its code base, OpenAI, Google, DashScope, Ark, Kling, MiniMax,
content networks, object stores), each cut to what decides. The meanings are sentences that `test_answers.meaning_of` makes from
what the library decided.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CASES", "AnswerCase", "Endpoint"]

Endpoint = Literal["create", "poll", "content"]


@attrs.frozen
class AnswerCase:
    """One answer and its meaning.

    Attributes:
        endpoint: Which request it answers. The id that polls and content requests ask for is ``job-1``.
        name: What is special about it, for people.
        body: Bytes or text as they are, anything else as JSON.
        means: What is decided, in words.
        says: What the user's error says, in part; empty if there is none.
        status: The HTTP status.
        headers: By lower-case name.
    """

    endpoint: Endpoint
    name: str
    body: object
    means: str
    says: str = ""
    status: int = attrs.field(default=200, kw_only=True)
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)

    @property
    def raw(self) -> bytes:
        """The body as it is received."""
        if isinstance(self.body, bytes):
            return self.body
        return self.text.encode()

    @property
    def text(self) -> str:
        """The body for people."""
        if isinstance(self.body, bytes):
            return self.body.decode("utf-8", "replace")
        return self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)


POOR = "refused: InsufficientBalance"
BAD = "refused: RequestRefused"
UNSURE = "uncertain: it may have been bought"
CROWDED = "busy: too many jobs at once"
FAST = "busy: too many requests"
EDGE = "refused: GatewayError"
CLOUDFLARE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
GOOGLE_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. "
    "* Quota exceeded for metric: generativelanguage.googleapis.com/generate_requests, limit: 10. Please retry in 2.1s."
)
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}
PAUSED = "Your account [21] has reached the set inference limit for the [seedance] model, and the model service has been paused."
EXPIRED_LINK = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message>'
    "<RequestId>4442587FB7D0A2F9</RequestId></Error>"
)


def _create(name: str, body: object, means: str, says: str = "", **more: object) -> AnswerCase:
    return AnswerCase("create", name, body, means, says, **more)  # type: ignore[arg-type]


def _poll(name: str, body: object, means: str, says: str = "", **more: object) -> AnswerCase:
    return AnswerCase("poll", name, body, means, says, **more)  # type: ignore[arg-type]


def _content(name: str, body: object, means: str, says: str = "", **more: object) -> AnswerCase:
    return AnswerCase("content", name, body, means, says, **more)  # type: ignore[arg-type]


def _error(message: str, **more: object) -> object:
    return {"error": {"message": message, **more}}


BOUGHT = (
    _create("the page's own", {"id": "job-1", "status": "queued"}, "bought as job-1"),
    _create("in `data`", {"code": "success", "data": {"task_id": "t-1"}}, "bought as t-1"),
    _create(
        "in `output`", {"output": {"task_id": "t-1", "task_status": "PENDING"}, "request_id": "r"}, "bought as t-1"
    ),
    _create("in `data`, a list of one", {"data": [{"id": "t-1"}]}, "bought as t-1"),
    _create("an integer", {"id": 7}, "bought as 7"),
    _create("an integer in `data`", {"code": 0, "data": {"task_id": 831920}}, "bought as 831920"),
    _create("an integer beside a string", {"data": {"id": 7, "task_id": "t-1"}}, "bought as t-1, perhaps 7"),
    _create("in other spelling", {"data": {"taskId": "t-1"}}, "bought as t-1"),
    _create("two ids", {"id": "job-1", "data": {"id": "job-2"}}, "bought as job-1, perhaps job-2"),
    _create("an error beside an id", {"id": "job-1", "error": {"message": "slow today"}}, "bought as job-1"),
    _create("an error beside an integer", {"id": 7, "error": "slow today"}, "bought as 7"),
    _create("accepted and failed at once", {"id": "job-1", "status": "failed"}, "bought as job-1"),
    _create("status 202", {"id": "job-1"}, "bought as job-1", status=202),
)

REFUSED_IN_2XX = (
    _create(
        "task form, balance",
        {"code": "quota_not_enough", "message": "用户额度不足", "data": None},
        POOR,
        "用户额度不足",
    ),
    _create(
        "task form, negative code", {"code": -1, "msg": "apikey credits not enough", "data": None}, POOR, "credits"
    ),
    _create("task form, no message", {"code": "quota_not_enough", "message": "", "data": None}, POOR),
    _create("task form, code of HTTP", {"code": 402, "message": "no", "data": None}, POOR),
    _create("task form, code 500, balance", {"code": 500, "msg": "余额不足", "data": {}}, POOR, "余额不足"),
    _create("task form, code 500", {"code": 500, "msg": "model offline", "data": None}, EDGE, "model offline"),
    _create("task form, key", {"code": 401, "message": "无效的令牌", "data": None}, "refused: AuthenticationError"),
    _create("task form, rate", {"code": 429, "message": "slow down", "data": None}, FAST, "slow down"),
    _create("task form, code as a word", {"code": "invalid_size", "message": "size is not supported"}, BAD, "size"),
    _create("Java style", {"code": 1, "msg": "参数错误", "data": None}, BAD, "参数错误"),
    _create("success false", {"success": False, "message": "model is offline"}, BAD, "model is offline"),
    _create("success false, balance", {"success": False, "message": "余额不足, 请充值"}, POOR),
    _create("success false, words in data", {"success": False, "data": "账户余额不足"}, POOR, "账户余额不足"),
    _create("ok false", {"ok": False, "reason": "no access"}, BAD, "no access"),
    _create("detail", {"detail": "Insufficient credits"}, POOR, "Insufficient credits"),
    _create("detail, of FastAPI", {"detail": [{"loc": ["body", "seconds"], "msg": "field required"}]}, BAD, "required"),
    _create("detail, of a key", {"detail": "Not authenticated"}, "refused: AuthenticationError"),
    _create(
        "MiniMax",
        {"task_id": "", "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
        POOR,
        "insufficient balance",
    ),
    _create(
        "MiniMax, other code",
        {"task_id": "", "base_resp": {"status_code": 2013, "status_msg": "invalid params"}},
        BAD,
        "invalid params (2013)",
    ),
    _create("error and empty id", {"id": "", "error": {"message": "no such size"}}, BAD, "no such size"),
    _create("error as text", {"error": "nope"}, BAD, "nope"),
    _create("error in a list", [{"error": {"code": 429, "message": "Resource has been exhausted"}}], FAST),
    _create("status failed, no id", {"status": "failed", "message": "prompt too long"}, BAD, "prompt too long"),
    _create("problem details", {"type": "about:blank", "title": "Bad Request", "status": 400}, BAD, "Bad Request"),
    _create("success, as text", {"success": "false", "message": "no"}, BAD, "no"),
    _create("a verdict within", {"output": {"task_id": "", "task_status": "FAILED", "message": "no"}}, BAD, "no"),
    _create("a code within", {"data": {"code": -1, "msg": "参数错误"}}, BAD, "参数错误"),
    _create("error as a code", {"error": "insufficient_quota", "message": "please pay"}, POOR, "please pay"),
    _create("code 0 and plain words", {"code": 0, "msg": "余额不足", "data": None}, POOR, "余额不足"),
    _create("not taken, in words", {"code": 7, "message": "Task could not be created"}, BAD, "could not"),
    _create("JSON text", "余额不足".join('""'), POOR, "余额不足"),
    _create("known words alone", {"message": "Rate limit reached for requests"}, FAST),
    _create("Volcano", {"ResponseMetadata": {"Error": {"Code": "AccountOverdue", "Message": "overdue"}}}, POOR),
    _create("Tencent", {"Response": {"Error": {"Code": "Bad", "Message": "no"}, "RequestId": "r-9"}}, BAD, "no (Bad)"),
    _create("moderation", {"code": 1301, "msg": "提示词包含敏感内容", "data": {}}, "refused: ContentRefused"),
    _create("no channel", _error("no_valid_channel_error"), "refused: ModelUnavailable"),
)

UNCERTAIN = (
    _create("nothing said", {}, UNSURE, "no id"),
    _create("null", "null", UNSURE, "no id"),
    _create("empty", "", UNSURE, "empty"),
    _create("an id that is none", {"id": ["a"]}, UNSURE, 'it reads: {"id": ["a"]}'),
    _create("an id that is none, with an error", {"id": {"a": 1}, "error": "no"}, UNSURE, '{"a": 1}'),
    _create("success without an id", {"code": "success", "message": "", "data": None}, UNSURE, '"code": "success"'),
    _create(
        "taken, in words", {"code": 1, "description": "提交成功", "result": "1320098173412546"}, UNSURE, "13200981"
    ),
    _create("an unknown name of an id", {"code": 9, "msg": "odd", "data": {"orderId": "x-1"}}, UNSURE, "x-1"),
    _create("unknown words alone", {"message": "thank you"}, UNSURE, "thank you"),
    _create("queued, in words", {"code": 7, "message": "task queued"}, UNSURE, "task queued"),
    _create("taken, and something else", {"code": 7, "message": "task created, but not yet queued"}, UNSURE, "created"),
    _create(
        "Google's name of a job",
        {"name": "models/veo/operations/7", "error": {"message": "slow"}},
        UNSURE,
        "operations/7",
    ),
    _create("the vendor's answer was lost", {"code": 504, "message": "upstream timeout"}, UNSURE, "upstream timeout"),
    _create("cut", '{"id": "job-1', UNSURE, 'it reads: {"id": "job-1'),
    _create("HTML with 200", "<html><title>OK</title></html>", UNSURE, "HTML page"),
    _create("HTML with 502", "<html><title>502 Bad Gateway</title></html>", UNSURE, "502 Bad Gateway", status=502),
    _create("HTML with 503", CLOUDFLARE, UNSURE, "Just a moment", status=503),
    _create("504, empty", "", UNSURE, status=504),
    _create("500", _error("upstream failed"), UNSURE, "upstream failed", status=500),
    _create("409", _error("conflict"), UNSURE, "conflict", status=409),
)

REFUSED = (
    _create("400", _error("seconds must be a string"), BAD, "seconds", status=400),
    _create("401", _error("invalid token"), "refused: AuthenticationError", status=401),
    _create("401 about money", _error("该令牌额度已用尽"), POOR, "该令牌额度已用尽", status=401),
    _create("403 about the key", _error("key is disabled"), "refused: PermissionDenied", status=403),
    _create("403 about money", _error("x", code="insufficient_user_quota"), POOR, status=403),
    _create("500 about money", _error("pre_consume_token_quota_failed"), POOR, status=500),
    _create("OpenAI's cap", _error("Billing hard limit has been reached"), POOR, "hard limit", status=400),
    _create("Ark, overdue", _error("overdue balance", code="AccountOverdueError"), POOR, status=403),
    _create("DashScope, arrears", {"code": "Arrearage", "message": "Access denied"}, POOR, status=400),
    _create("Ark, paused service", _error(PAUSED, code="SetLimitExceeded"), POOR, "paused", status=429),
    _create("paused, in Chinese", _error("账户欠费, 服务已暂停"), POOR, status=429),
    _create("429 about money", _error("Your quota is used up"), POOR, status=429),
    _create("Google's 400 about the key", _error("API key not valid."), BAD, "API key not valid", status=400),
    _create(
        "Kling's ceiling as 400",
        {"code": 1303, "message": "parallel task over resource pack limit"},
        CROWDED,
        status=400,
    ),
    _create("a ceiling as 400", _error("Too many concurrent tasks, limit is 3"), CROWDED, status=400),
    _create("a ceiling as 400, in Chinese", _error("并发任务数已达上限"), CROWDED, status=400),
    _create("a ceiling as 429", _error("parallel task over resource pack limit"), CROWDED, status=429),
    _create("saturated", _error("当前分组上游负载已饱和, 请稍后再试"), CROWDED, status=503),
    _create("busy, in Chinese", _error("服务器繁忙, 请稍后再试"), CROWDED, status=503),
    _create("a provider's limit as 503", _error("Rate limited by provider"), FAST, status=503),
    _create("too fast as 400, in Chinese", _error("请求过于频繁"), FAST, status=400),
    _create("Google's pace", {"error": {"code": 429, "message": GOOGLE_QUOTA}}, f"{FAST}, wait 2.1 s", status=429),
    _create(
        "Google's pace, in a detail",
        {"error": {"code": 429, "message": "You exceeded your current quota, check billing", "details": [RETRY_INFO]}},
        f"{FAST}, wait 2 s",
        status=429,
    ),
    _create("a wait in Chinese", _error("请求过多, 请 30 秒后重试"), f"{FAST}, wait 30 s", status=429),
    _create("a wait in a field", {"error": "slow down", "retry_after": 12}, f"{FAST}, wait 12 s", status=429),
    _create(
        "a wait in the header", _error("retry in 99 s"), f"{FAST}, wait 7 s", status=429, headers={"retry-after": "7"}
    ),
    _create("Cloudflare's 403", CLOUDFLARE, EDGE, "not the gateway's answer", status=403),
    _create("Cloudflare's 403 as text", "error code: 1020", EDGE, "1020", status=403),
    _create("an HTML 401", "<html><title>Login</title></html>", EDGE, "Login", status=401),
    _create("an HTML 413", "<html><title>413 Request Entity Too Large</title></html>", BAD, "413", status=413),
    _create("a redirect", "", "refused: ConfigurationError", "Nothing was bought", status=302),
    _create("501", _error("not supported"), BAD, status=501),
)

RUNNING = (
    _poll("the page's own", {"id": "job-1", "status": "in_progress"}, "running"),
    _poll("queued", {"id": "job-1", "status": "queued"}, "queued"),
    _poll("another word for queued", {"data": {"task_status": "submitted"}}, "queued"),
    _poll("with a prefix", {"status": "TASK_STATUS_NOT_START"}, "queued"),
    _poll("preparing", {"status": "Preparing"}, "queued"),
    _poll("nothing said", {}, "running"),
    _poll("null", "null", "running"),
    _poll("a number", "7", "running"),
    _poll("a list", "[]", "running"),
    _poll("a text", '"ok"', "running"),
    _poll("an odd id", {"id": ["a"], "status": "queued"}, "queued"),
    _poll("another id", {"id": "upstream-9", "status": "processing"}, "running"),
    _poll("an unknown word", {"status": "dreaming"}, "running"),
    _poll("a status that is not a word", {"status": 3}, "running"),
    _poll("an envelope's success", {"status": "success", "data": {"status": "processing"}}, "running"),
    _poll("an error beside a running job", {"status": "processing", "error": {"message": "hiccup"}}, "running"),
    _poll("an unknown word at 100", {"status": "dreaming", "progress": 100}, "running; its content is asked for"),
    _poll("an unknown word at 100 %", {"state": "dreaming", "progress": "100%"}, "running; its content is asked for"),
    _poll(
        "an unknown word and an end", {"status": "x", "completed_at": 1772452114}, "running; its content is asked for"
    ),
    _poll(
        "an unknown word and a link",
        {"status": "x", "video": {"url": "https://a.test/v"}},
        "running; its content is asked for",
    ),
    _poll("no word and a link", {"data": {"video_url": "https://a.test/v"}}, "running; its content is asked for"),
    _poll(
        "two words",
        {"id": "job-1", "status": "processing", "data": {"status": "done"}},
        "running; its content is asked for",
    ),
    _poll("an unknown word and a picture", {"status": "x", "image_url": "https://a.test/i"}, "running"),
    _poll("a known word at 100", {"status": "in_progress", "progress": 100}, "running"),
)

ENDED = (
    _poll("the page's own", {"id": "job-1", "status": "completed"}, "completed"),
    _poll("an integer id", {"id": 7, "status": "completed"}, "completed"),
    _poll("task form", {"code": "success", "data": {"id": 7, "task_id": "t", "status": "SUCCESS"}}, "completed"),
    _poll("`state`", {"state": "succeeded"}, "completed"),
    _poll("`task_status` in `output`", {"output": {"task_status": "SUCCEEDED"}}, "completed"),
    _poll("in `video`", {"video": {"status": "complete"}}, "completed"),
    _poll("in `task`", {"task": {"status": "TASK_STATUS_SUCCEED"}, "videos": []}, "completed"),
    _poll("in `data`, a list of one", {"data": [{"status": "done"}]}, "completed"),
    _poll("in `data.data`", {"code": 0, "data": {"data": {"task_status": "succeed"}}}, "completed"),
    _poll("in `data.output`", {"data": {"output": {"state": "Finished"}}}, "completed"),
    _poll(
        "in a list of several",
        {"data": [{"id": "x", "status": "failed"}, {"id": "job-1", "status": "done"}]},
        "completed",
    ),
    _poll("in capitals and spaces", {"status": " Succeeded "}, "completed"),
    _poll("an object as status", {"status": {"state": "completed"}}, "completed"),
    _poll("an operation", {"name": "operations/7", "done": True, "response": {}}, "completed"),
    _poll("the page's own failure", {"status": "failed", "error": {"message": "bad prompt"}}, "failed", "bad prompt"),
    _poll(
        "task form, failed",
        {"code": "success", "data": {"status": "FAILURE", "fail_reason": "no frames"}},
        "failed",
        "generated: no frames",
    ),
    _poll(
        "Kling, failed",
        {"code": 0, "message": "SUCCEED", "data": {"task_status": "failed", "task_status_msg": "risk too high"}},
        "failed",
        "generated: risk too high",
    ),
    _poll(
        "DashScope, failed",
        {"output": {"task_status": "FAILED", "code": "InternalError", "message": "no frames"}},
        "failed",
        "no frames (InternalError)",
    ),
    _poll(
        "a reason within", {"data": {"status": "FAILURE", "data": {"error_msg": "no frames"}}}, "failed", "no frames"
    ),
    _poll("no reason", {"code": "success", "message": "", "data": {"status": "FAILURE"}}, "failed", "gave no reason"),
    _poll("timed out", {"status": "Timed-Out"}, "failed"),
    _poll("cancelled", {"data": {"status": "canceled"}}, "failed"),
    _poll("rejected", {"task_status": "TASK_STATUS_REJECTED"}, "failed"),
    _poll("an operation that failed", {"done": True, "error": {"code": 3, "message": "bad"}}, "failed", "bad"),
)

POLL_TROUBLE = (
    _poll("an error in a 200", {"error": "upstream is down"}, "GatewayError, asked again", "upstream is down"),
    _poll("no such job, 404", _error("Task not found"), "JobNotFound, final when repeated", status=404),
    _poll("no such job, 400", {"code": "task_not_exist", "data": None}, "JobNotFound, final when repeated", status=400),
    _poll(
        "no such job, 200", {"code": "task_not_exist", "message": "", "data": None}, "JobNotFound, final when repeated"
    ),
    _poll("no such job, 500", _error("任务不存在"), "JobNotFound, final when repeated", status=500),
    _poll("gone", _error("expired"), "JobExpired, final", status=410),
    _poll("bad key", _error("invalid token"), "AuthenticationError, final when repeated", status=401),
    _poll("429", _error("retry in 2.1 s"), "RateLimited, asked again", status=429),
    _poll("500", _error("upstream failed"), "GatewayError, asked again", status=500),
    _poll("Cloudflare's 403", CLOUDFLARE, "GatewayError, asked again", "not the gateway's answer", status=403),
    _poll("an HTML 404", "<html><title>404 Not Found</title></html>", "GatewayError, asked again", status=404),
    _poll("an HTML 401", "<html><title>Login</title></html>", "GatewayError, asked again", status=401),
    _poll("an HTML 503", CLOUDFLARE, "GatewayError, asked again", status=503),
    _poll("HTML with 200", "<html><title>OK</title></html>", "MalformedReply, asked again", "HTML page"),
    _poll("cut", '{"id": "job-1', "MalformedReply, asked again"),
    _poll("empty", "", "MalformedReply, asked again", "empty"),
    _poll("a redirect", "", "ConfigurationError, final when repeated", "The job is kept", status=302),
)

CONTENT = (
    _content("not ready, OpenAI", _error("Video is not ready yet"), "DownloadFailed, asked again", status=404),
    _content("not ready, task form", _error("Task is not completed yet"), "DownloadFailed, asked again", status=400),
    _content("not ready, in Chinese", _error("视频尚未生成完成"), "DownloadFailed, asked again", status=400),
    _content("not ready, in a 200", _error("Video is not ready yet"), "DownloadFailed, asked again"),
    _content("no such job", {"code": "task_not_exist", "data": None}, "JobNotFound, asked again", status=400),
    _content("gone", _error("artifact_expired"), "JobExpired, final", status=410),
    _content(
        "an expired link", EXPIRED_LINK, "GatewayError, asked again", "Request has expired (AccessDenied)", status=403
    ),
    _content("an expired link in a 200", EXPIRED_LINK, "DownloadFailed, asked again", "Request has expired"),
    _content("Cloudflare's 403", CLOUDFLARE, "GatewayError, asked again", "not the gateway's answer", status=403),
    _content("an HTML page in a 200", "<html><title>Oops</title></html>", "DownloadFailed, asked again", "Oops"),
    _content("a broken fetch", _error("Failed to fetch video content"), "GatewayError, asked again", status=502),
    _content("too many", _error("too_many_downloads"), "RateLimited, asked again", status=429),
    _content("bad key", _error("invalid token"), "AuthenticationError, final when repeated", status=401),
    _content(
        "a redirect that is not followed", "", "ConfigurationError, final when repeated", "The job is kept", status=304
    ),
)

CASES = (*BOUGHT, *REFUSED_IN_2XX, *REFUSED, *UNCERTAIN, *RUNNING, *ENDED, *POLL_TROUBLE, *CONTENT)
