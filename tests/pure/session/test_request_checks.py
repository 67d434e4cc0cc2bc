"""What is doubtful about requests, and how often it is told."""

from __future__ import annotations

import warnings

import pytest

from aihubmix_video import VideoRequest
from aihubmix_video.session.request_checks import MAX_WARNINGS, RequestChecker, VideoWarning


def odd(name: object) -> VideoRequest:
    """Ask for a model that no table knows."""
    return VideoRequest(model=f"unheard-of-{name}", prompt="a cat")


def test_each_doubt_is_told_once():
    """A batch of ten thousand rows has one thing to say about its model."""
    checker = RequestChecker("known")
    for number in (1, 2):
        with pytest.warns(VideoWarning, match=f"unheard-of-{number}"):
            checker.check(odd(number))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check(odd(1))


def test_a_doubt_that_was_passed_over_is_not_told_later():
    """A server looks at a stranger's request quietly, and then takes it on like any other."""
    checker = RequestChecker("known")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check(odd(1), quiet=True)
        checker.check(odd(1))


def test_doubts_do_not_add_up_for_ever():
    """Their texts name models, and strangers can think of any number of names."""
    checker = RequestChecker("known")
    for number in range(MAX_WARNINGS + 10):
        checker.check(odd(number), quiet=True)
    assert MAX_WARNINGS == len(checker._warned)
