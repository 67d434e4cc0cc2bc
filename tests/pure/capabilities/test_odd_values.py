"""Values that nobody should pass, and somebody does: each is refused in words of ours."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video.capabilities import BUILT_IN, find_capability
from aihubmix_video.errors import ConfigurationError, InvalidRequest, Problem, shown
from aihubmix_video.pricing.caps import Caps
from aihubmix_video.session.batch_budget import BatchBudget
from aihubmix_video.settings import settings_from
from aihubmix_video.types.request import VideoRequest

if TYPE_CHECKING:
    from aihubmix_video.capabilities import Validate

HUGE = 10**5000
OPTIONS = {
    "rate": 1.0,
    "burst": 1,
    "poll_interval": 1.0,
    "max_in_flight": 1,
    "max_downloads": 1,
    "deadline": 1.0,
    "validate": "known",
}


@pytest.mark.parametrize("validate", ["known", "off"])
@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("model", {"model": ["sora-2"]}),
        ("model", {"model": {}}),
        ("prompt", {"prompt": 5}),
        ("seed", {"seed": HUGE}),
        ("seconds", {"seconds": HUGE}),
        ("extra_body", {"extra_body": [1]}),
        ("content", {"content": 5}),
    ],
)
def test_what_cannot_be_sent_is_a_problem_of_its_field(validate: Validate, field: str, fields: dict[str, Any]):
    """Whatever is checked besides."""
    request = VideoRequest(**({"model": "a-model", "prompt": "a"} | fields))
    assert field in {problem.field for problem in BUILT_IN.judge(request, validate=validate).problems}


@pytest.mark.parametrize("prompt", ["\u00ad\u2060", "\u3164", "\u2800", " \u200b"])
def test_a_prompt_that_shows_nothing_is_empty(prompt: str):
    """It would be paid for all the same."""
    (problem,) = BUILT_IN.judge(VideoRequest(model="wan2.6-t2v", prompt=prompt)).problems
    assert "prompt" == problem.field


def test_no_model_is_found_by_what_is_no_name():
    """A list cannot be looked up."""
    names: Any = [["sora-2"], {}, None]
    assert [None] * 3 == [find_capability(name) for name in names]


def test_a_row_with_a_key_that_is_no_text_is_refused():
    """It is one row's fault, and must not end the batch."""
    row: Any = {1: 2, "model": "sora-2", "prompt": "a"}
    with pytest.raises(InvalidRequest, match="not text but int"):
        VideoRequest.from_mapping(row)


def test_a_path_that_cannot_be_read_is_no_reference():
    """Pure paths name files of no machine."""
    reference: Any = PurePath("a.png")
    (problem,) = BUILT_IN.judge(VideoRequest(model="wan2.6-i2v", prompt="a", input_reference=reference)).problems
    assert "input_reference" == problem.field


@pytest.mark.parametrize(
    "value", ["https://user:secret@h/a.png", ["https://user:secret@h/a.png"], "http://u:secret@[::1/"]
)
def test_a_password_in_a_url_is_shown_nowhere(value: object):
    """Messages end in logs."""
    assert "secret" not in shown(value)


def test_a_field_that_is_no_text_can_be_told():
    """Its name may be a stranger's; an answer that cannot be encoded is a 500."""
    problem = Problem.of("\ud800", [10**5000], "is not known")
    assert str(problem).encode()


@pytest.mark.parametrize("name", ["rate", "poll_interval", "deadline"])
@pytest.mark.parametrize("value", [10**400, float("nan"), float("inf"), 0, -1, "1", True])
def test_a_number_out_of_all_bounds_is_an_option_that_cannot_be_used(name: str, value: object):
    """Also one that no float can hold."""
    with pytest.raises(ConfigurationError, match=name):
        settings_from(api_key="sk-a", base_url=None, trust_env=False, environ={}, **(OPTIONS | {name: value}))


@pytest.mark.parametrize("prices", [5, {"a": 10**400}, {"a": float("nan")}])
def test_prices_that_cannot_be_meant_are_refused(prices: object):
    """Likewise caps."""
    given: Any = prices
    with pytest.raises(InvalidRequest):
        BatchBudget(Caps(), given)
    with pytest.raises(InvalidRequest):
        Caps(max_spend=10**400)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://aihubmix.com/v1/v1/", "https://aihubmix.com"),
        ("https://proxy.example/ai/v1", "https://proxy.example/ai"),
    ],
)
def test_v1_is_removed_however_often(url: str, base: str):
    """People paste what another library wants."""
    assert base == settings_from(api_key="sk-a", base_url=url, trust_env=False, environ={}, **OPTIONS).base_url


@pytest.mark.parametrize("url", ["https://aihubmix.com/v1/videos", "https://xn--", "https://aihubmix.com/V1"])
def test_an_address_that_leads_nowhere_is_refused(url: str):
    """Before anything is sent there."""
    with pytest.raises(ConfigurationError, match="base_url"):
        settings_from(api_key="sk-a", base_url=url, trust_env=False, environ={}, **OPTIONS)
