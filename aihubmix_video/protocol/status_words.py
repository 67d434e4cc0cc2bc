"""The words that gateways and vendors have for where a job stands, as closed sets.

Every other word means that the job is still running: a new word must neither lose a paid job nor end it. The page has
`queued`, `in_progress`, `completed` and `failed`; the rest are words of vendors (OpenAI, Google, DashScope, Ark, Kling, MiniMax)
and of the gateway's code base. Words are compared without case, separators and prefixes such as ``TASK_STATUS_``.
"""

from __future__ import annotations

import re

from aihubmix_video.types.video import Status

__all__ = ["is_known_word", "is_unspecific_success", "status_of", "word_of"]

_LONGEST = 64  # characters; the longest known word has 23 with its prefix
_SEPARATORS = re.compile(r"[\s_.\-]+")
_PREFIX = re.compile(r"^(?:(?:task|job|video|generation|operation)?(?:status|state))+")

COMPLETED_WORDS = frozenset(
    {
        *("completed", "complete", "succeeded", "succeed", "success", "successful", "done", "finished", "finish"),
        *("成功", "已成功", "生成成功", "任务成功", "完成", "已完成", "生成完成", "任务完成"),
    }
)
FAILED_WORDS = frozenset(
    {
        *("failed", "fail", "failure", "error", "errored", "cancelled", "canceled", "expired", "aborted", "rejected"),
        *("timedout", "timeout", "terminated", "unsuccessful", "moderated", "contentmoderated", "requestmoderated"),
        *("失败", "已失败", "生成失败", "任务失败", "已取消", "已过期", "超时", "已超时", "已拒绝"),
    }
)
QUEUED_WORDS = frozenset(
    {
        *(
            "queued",
            "queue",
            "queueing",
            "queuing",
            "inqueue",
            "enqueued",
            "pending",
            "submitted",
            "submitting",
            "waiting",
        ),
        *(
            "wait",
            "notstart",
            "notstarted",
            "preparing",
            "prepare",
            "created",
            "scheduled",
            "accepted",
            "starting",
            "initializing",
        ),
        *("排队中", "排队", "等待中", "等待", "已提交", "待处理", "未开始", "准备中"),
    }
)
RUNNING_WORDS = frozenset(
    {
        *(
            "inprogress",
            "inprocess",
            "processing",
            "process",
            "running",
            "generating",
            "rendering",
            "started",
            "active",
        ),
        *("working", "ongoing", "executing", "处理中", "生成中", "进行中", "运行中", "执行中"),
    }
)
"""Words that are known to mean "running", for which an odd field beside them is no reason to doubt."""

_STATES = {
    **dict.fromkeys(COMPLETED_WORDS, Status.COMPLETED),
    **dict.fromkeys(FAILED_WORDS, Status.FAILED),
    **dict.fromkeys(QUEUED_WORDS, Status.QUEUED),
    **dict.fromkeys(RUNNING_WORDS, Status.IN_PROGRESS),
}
_UNSPECIFIC = frozenset({"success", "succeed", "successful", "done", "成功"})


def word_of(value: object) -> str:
    """Return *value* as it is compared: without case, separators and prefix; empty if it is not a word."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return ""
    word = _SEPARATORS.sub("", value.casefold())
    return _PREFIX.sub("", word) or word


def status_of(value: object) -> Status:
    """Fold the gateway's word into a status; every unknown word is `Status.IN_PROGRESS`."""
    return _STATES.get(word_of(value), Status.IN_PROGRESS)


def is_known_word(value: object) -> bool:
    """Whether *value* is in one of the closed sets."""
    return word_of(value) in _STATES


def is_unspecific_success(value: object) -> bool:
    """Whether *value* may as well say that the question was answered as that the job has succeeded."""
    return word_of(value) in _UNSPECIFIC
