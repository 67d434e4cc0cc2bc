"""The contract with applications: what they import, and what they may leave out."""

from __future__ import annotations

import inspect

import pytest

from aihubmix_video import fastapi
from aihubmix_video.fastapi import video_lifespan, video_router

ROUTER = {
    "folder": "videos",
    "owner": None,
    "allow": None,
    "dependencies": (),
    "reference_schemes": ("https", "http", "data"),
    "reference_hosts": None,
    "private_hosts": False,
    "extra_body": False,
    "max_body": 32 << 20,
    "max_waiting": 1000,
    "heartbeat": 15.0,
    "prices": None,
}


def test_the_router_is_made_as_promised():
    """All of its options have defaults that are safe, and go by their names."""
    parameters = inspect.signature(video_router).parameters.values()
    assert ROUTER == {each.name: each.default for each in parameters}
    assert {inspect.Parameter.KEYWORD_ONLY} == {each.kind for each in parameters}
    told = inspect.getdoc(video_router) or ""  # cleaned, as newer Pythons keep no indentation
    for name in ROUTER:
        assert f"\n    {name}: " in told


def test_the_lifespan_takes_the_options_of_a_session():
    """Beside two of its own, so that there is one list of them."""
    standby, instrument, options = inspect.signature(video_lifespan).parameters.values()
    assert inspect.Parameter.VAR_KEYWORD is options.kind
    assert ("standby", inspect.Parameter.KEYWORD_ONLY, True) == (standby.name, standby.kind, standby.default)
    assert ("instrument", inspect.Parameter.KEYWORD_ONLY, None) == (
        instrument.name,
        instrument.kind,
        instrument.default,
    )


@pytest.mark.parametrize(
    "name",
    ["LimitReached", "NotAllowed", "add_problem_handlers", "get_session", "video_lifespan", "video_router"],
)
def test_every_name_is_there_and_documented(name: str):
    """Applications are written against them."""
    assert name in fastapi.__all__
    assert (getattr(fastapi, name).__doc__ or "").strip()
