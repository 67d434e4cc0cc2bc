"""What is read out of prose, and what is not."""

from __future__ import annotations

import pytest

from aihubmix_video.errors import InsufficientBalance, JobNotFound, RateLimited, RequestRefused
from aihubmix_video.protocol.error_mapping import refusal
from aihubmix_video.protocol.error_phrases import says_auth, says_balance, says_no_job, says_rate_limit
from tests.pure.protocol.samples import answer

BALANCE = (
    "用户额度不足",
    "用户剩余额度: $0.00",
    "该令牌额度已用尽",
    "账户余额不足",
    "当前账户余额已耗尽",
    "预扣费额度失败, 用户剩余额度不足",
    "积分不足",
    "点数不够",
    "资源包已用完",
    "账户已欠费",
    "您的账号欠费, 请充值",
    "服务已暂停",
    "apikey credits not enough",
    "Insufficient credits",
    "insufficient_user_quota",
    "InsufficientBalance",
    "You don't have enough credits",
    "Not enough credits to run this model",
    "Your credit balance is too low to access the API",
    "Billing hard limit has been reached",
    "billing_hard_limit_reached",
    "AccountOverdueError",
    "The request failed because your account has an overdue balance.",
    "Arrearage",
    "Access denied, please make sure your account is in good standing.",
    "Account in arrears",
    "Resource pack depleted or expired",
    "the model service has been paused",
    "Your account has been suspended",
    "402 Payment Required",
    "You are out of credits",
    "No credits remaining: out of funds",
    "quota_not_enough",
    "token quota is exhausted",
    "You exceeded your current quota",
    "The free tier of the model has been exhausted",
)
NOT_BALANCE = (
    "white balance must be a number",
    "seconds must be a string",
    "Quota exceeded for requests per minute",
    "Resource has been exhausted (e.g. check quota).",
    "insufficient detail in the prompt",
    "rate limit reached; top up to raise it",
    "the credits field is unknown",
    "the image service has a problem",
)


@pytest.mark.parametrize("text", BALANCE[:1] + BALANCE[2:])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 429, 500, 503])
def test_plain_words_about_money_are_understood_behind_any_status(text: str, status: int):
    """An empty account must stop the buying at once: thirty rows, thirty refusals otherwise."""
    assert InsufficientBalance is type(refusal(answer({"error": {"message": text}}, status), create=True))


@pytest.mark.parametrize("text", NOT_BALANCE)
def test_other_words_do_not_stop_the_buying(text: str):
    """A false friend would stop a batch that has the money."""
    assert not says_balance(text)


def test_a_stated_wait_makes_a_quota_a_pace_but_not_an_empty_account():
    """Google says "check your plan and billing" where it only means "slower"; a balance does not come back in seconds."""
    assert not says_balance("You exceeded your current quota, check billing", loosely=True, wait=2.1)
    assert says_balance("You exceeded your current quota, check billing", loosely=True, wait=86400.0)
    assert says_balance("insufficient balance, retry in 2 s", wait=2.0)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("Too many concurrent tasks", "concurrency"),
        ("concurrency limit exceeded", "concurrency"),
        ("parallel task over resource pack limit", "concurrency"),
        ("You have reached the maximum number of running tasks", "concurrency"),
        ("Too many pending jobs, wait for one to finish", "concurrency"),
        ("Maximum concurrent generations reached", "concurrency"),
        ("并发数超过限制", "concurrency"),
        ("超过最大并发数", "concurrency"),
        ("任务数已达上限", "concurrency"),
        ("同时进行的任务数已达上限", "concurrency"),
        ("当前任务过多", "concurrency"),
        ("当前分组上游负载已饱和", "concurrency"),
        ("队列已满", "concurrency"),
        ("Too many requests", "rate"),
        ("Rate limit exceeded", "rate"),
        ("rate_limit_exceeded", "rate"),
        ("Throttling.RateQuota", "rate"),
        ("请求过于频繁", "rate"),
        ("触发限流", "rate"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 403, 429, 500, 503])
def test_a_ceiling_or_a_pace_is_understood_behind_any_status(text: str, limit: str, status: int):
    """Kling's ceiling arrives as 400 through the gateway's code base; a refusal for good would lose the row."""
    error = refusal(answer({"error": {"message": text}}, status), create=True)

    assert isinstance(error, RateLimited)
    assert limit == error.limit


@pytest.mark.parametrize(
    "text",
    [
        "image and video cannot be used at the same time",
        "too many videos in video_list, at most 1",
        "parallel sampling is not supported",
        "frame rate limit is 30",
        "bitrate limit is 8000",
        "任务名称超过长度限制",
        "不能同时使用图片和视频",
        "prompt is too long: 3000 characters, limit 2500",
        "contact support for higher concurrency",
    ],
)
def test_a_wrong_parameter_is_not_taken_for_a_ceiling(text: str):
    """It would be sent again and again, and refused each time."""
    assert not says_rate_limit(text)
    assert RequestRefused is type(refusal(answer({"error": {"message": text}}, 400), create=True))


@pytest.mark.parametrize(
    "text", ["服务器繁忙", "系统繁忙, 请稍后再试", "The server is too busy", "The model is overloaded", "at capacity"]
)
def test_a_busy_vendor_is_busy_behind_503_only(text: str):
    """Behind a 500 the same words are said of any failure, after which the job may have been bought."""
    assert "concurrency" == refusal(answer({"error": {"message": text}}, 503), create=True).limit
    assert RateLimited is not type(refusal(answer({"error": {"message": text}}, 500), create=True))


@pytest.mark.parametrize(
    "text",
    [
        "task_not_exist",
        "task not found",
        "Task with id abc-1 does not exist",
        "TaskNotFound",
        "video_id not found",
        "No such job",
        "The requested video could not be found",
        "invalid task id",
        "任务不存在",
        "找不到该任务",
        "未找到视频",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 404, 422, 500])
def test_a_job_that_is_not_known_is_understood_behind_any_status(text: str, status: int):
    """It has a minute's grace after the create; a "refused for good" would end a paid job that a node has yet to hear of."""
    assert JobNotFound is type(refusal(answer({"code": "x", "message": text}, status)))


@pytest.mark.parametrize(
    "text",
    [
        "video model not found",
        "invalid video format",
        "the task failed",
        "image not found",
        "task type not supported",
        "job is running",
    ],
)
def test_other_things_that_are_missing_are_not_the_job(text: str):
    """A job must not be given up for an image."""
    assert not says_no_job(text)


@pytest.mark.parametrize(
    "text", ["invalid token in JSON", "unauthorized characters in the prompt", "key frames are missing"]
)
def test_a_wrong_parameter_is_not_taken_for_a_wrong_key(text: str):
    """It would stop the whole batch."""
    assert not says_auth(text)
