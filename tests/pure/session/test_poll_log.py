"""What the polls of a job brought, told to who waits for it."""

from __future__ import annotations

from aihubmix_video.errors import GatewayError, MalformedReply
from aihubmix_video.session.poll_log import PollLog


def test_while_all_is_well_there_is_nothing_to_note():
    """A picture full of remarks is not looked at."""
    assert None is PollLog().well("processing", 1.0).note
    assert None is PollLog().well("processing", 1.0).failed(GatewayError("down", status_code=500)).note


def test_polls_that_fail_in_a_row_are_noted_until_one_is_well():
    """Who waits for half an hour wants to know for what."""
    log = PollLog()
    for _ in range(40):
        log = log.failed(GatewayError("upstream down", status_code=500))
    assert log.note == "the last 40 polls failed: HTTP 500: upstream down"
    assert None is log.well("processing", 9.0).note


def test_the_end_of_a_wait_says_what_the_gateway_last_said():
    """Its own word, how often it was asked, and when it last answered well."""
    assert None is PollLog().last_heard(0.0)
    assert "the gateway last said 'NOT_START'; 1 poll, the last good answer 5 s ago" == PollLog().well(
        "NOT_START", 10.0
    ).last_heard(15.0)
    log = PollLog().well("processing", 0.0).failed(MalformedReply("an HTML page: 502 Bad Gateway"))
    assert log.last_heard(600.0) == (
        "the last poll failed: an HTML page: 502 Bad Gateway; before that the gateway said 'processing'; "
        "2 polls, the last good answer 10 min ago"
    )
    assert "the last 2 polls failed: down; 2 polls" == PollLog().failed(MalformedReply("down")).failed(
        MalformedReply("down")
    ).last_heard(9.0)


def test_a_long_answer_is_cut():
    """It stands in one line of a terminal."""
    log = PollLog().failed(MalformedReply("x" * 10_000))
    assert len(log.trouble or "") <= 120
