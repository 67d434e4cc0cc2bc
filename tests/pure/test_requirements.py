"""What is said where something is too old, before any other error can hide it."""

from __future__ import annotations

import pytest

from aihubmix_video._requirements import complaint


@pytest.mark.parametrize(
    ("python", "aiohttp", "said"),
    [
        ((3, 10, 9), "3.14.5", "Python 3.11 or later; this is 3.10"),
        ((3, 11, 0), "3.14.3", "aiohttp 3.14.4 or later"),
        ((3, 12, 1), "3.9.5", "this is 3.9.5"),
        ((3, 12, 1), None, "needs aiohttp"),
    ],
)
def test_what_is_too_old_is_named(python: tuple[int, ...], aiohttp: str | None, said: str):
    """An import error about some name says nothing to a user."""
    assert said in (complaint(python, aiohttp) or "")


@pytest.mark.parametrize("aiohttp", ["3.14.4", "3.15.0", "3.15.0rc1", "3.14.10"])
def test_what_is_new_enough_is_let_pass(aiohttp: str):
    """Release candidates count by their numbers."""
    assert complaint((3, 11, 0), aiohttp) is None
