"""The net under all wordings of an empty account."""

from __future__ import annotations

import pytest

from aihubmix_video.errors import (
    ConnectionFailed,
    ContentRefused,
    GatewayError,
    InvalidRequest,
    ModelUnavailable,
    RequestRefused,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.session.refusal_streak import STREAK, RefusalStreak

WORDS = ["la cuenta no tiene fondos", "额度用完了", "pay up (request 83a1b2c3d4e5f6a7b8)", "3 of 7 units left"]


@pytest.mark.parametrize("words", WORDS)
def test_a_few_refusals_in_the_same_words_stop_a_batch(words: str):
    """Of thirty rows on an empty account, thirty creates left."""
    streak = RefusalStreak()
    for number in range(STREAK - 1):
        assert None is streak.refused(RequestRefused(words.replace("3", str(number))))
    stopped = streak.refused(RequestRefused(words))
    assert stopped is not None
    assert words in stopped.message
    assert "--keep-buying" in stopped.message
    assert ("no", True) == (stopped.charged, stopped.retryable)


def test_an_answer_that_nobody_can_read_counts():
    """It may cost money each time."""
    streak = RefusalStreak()
    for _ in range(STREAK - 1):
        assert None is streak.refused(SubmitUncertain("the answer has no id", status_code=200))
    assert streak.refused(SubmitUncertain("the answer has no id", status_code=200)) is not None


def test_a_page_of_an_edge_counts():
    """A box before the gateway that refuses every create with a page would let all rows go by."""
    streak = RefusalStreak()
    answers = [
        streak.refused(GatewayError("an HTML page: Attention Required!", status_code=403)) for _ in range(STREAK)
    ]
    assert [None] * (STREAK - 1) == answers[:-1]
    assert answers[-1] is not None


@pytest.mark.parametrize(
    "error",
    [
        ContentRefused("no such pictures"),
        InvalidRequest.of("size", "1x1", "is too small"),
        ConnectionFailed("nobody answers"),
        SubmitUncertain("the answer was lost"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_about_one_row_or_the_line_does_not_count(error: VideoError):
    """Ten prompts that moderation refuses say nothing about the eleventh."""
    streak = RefusalStreak()
    assert [None] * 10 == [streak.refused(error) for _ in range(10)]


def test_other_words_begin_again():
    """Each row may be wrong in its own way."""
    streak = RefusalStreak()
    for words in ["a", "b", "a", "b", "a", "b"]:
        assert None is streak.refused(RequestRefused(words))
    assert None is streak.refused(ModelUnavailable("b"))


def test_once_a_create_was_accepted_or_the_user_says_so_it_goes_on():
    """Then refusals are about their rows."""
    accepted, told = RefusalStreak(), RefusalStreak(keep_buying=True)
    accepted.accepted()
    for streak in (accepted, told):
        assert None is streak.may_be_under_way
        assert [None] * 10 == [streak.refused(RequestRefused("no")) for _ in range(10)]
    assert STREAK == RefusalStreak().may_be_under_way


def test_what_was_refused_counts_among_what_may_be_under_way():
    """Else creates that leave while refusals come in would be more than the streak."""
    streak = RefusalStreak()
    for refused in range(1, STREAK):
        assert streak.refused(RequestRefused("no units left", status_code=422)) is None
        assert max(STREAK - refused, 1) == streak.may_be_under_way
