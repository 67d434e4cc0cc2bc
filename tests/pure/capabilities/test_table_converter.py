"""Tables as plain data: what TOML and JSON hold, and every mistake by its place."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.capabilities import BUILT_IN, Capability
from aihubmix_video.capabilities.field_rules import Choice
from aihubmix_video.capabilities.table_converter import TableMistakes, plain_tables, structured
from aihubmix_video.protocol.encode_request import encode
from aihubmix_video.types.request import FIELDS, VideoRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

NEXT_MONTH = """\
[[models]]
model = "kling-v4"
like = "kling-v3"
description = "Kling 4, up to 20 seconds"
seconds = { values = "3-20", default = 5 }
options.mode.values = ["std", "pro", "8k"]
options.cfg_scale = false
source = "the vendor's announcement, 2026-11-20"
"""


def mistakes(**table: object) -> list[str]:
    """Return what is wrong with a table like kling-v3."""
    with pytest.raises(TableMistakes) as caught:
        structured({"models": [{"model": "kling-v4", "like": "kling-v3", **table}]}, BUILT_IN)
    return list(map(str, caught.value.mistakes))


def next_month() -> Capability:
    """Return the table of a model that the package does not know."""
    found = structured(tomllib.loads(NEXT_MONTH), BUILT_IN).find("kling-v4")
    assert found is not None
    return found


def test_every_table_of_the_package_survives_its_plain_form():
    """What `dump` writes, `load` reads as the same; nothing of a table is outside its plain form."""
    plain = json.loads(json.dumps(plain_tables(BUILT_IN)))

    assert list(BUILT_IN) == list(structured(plain, BUILT_IN))


def test_a_table_that_is_like_another_says_only_what_differs():
    """Next month's model is a ten-line file."""
    found = next_month()

    assert tuple(range(3, 21)) == found.seconds.allowed
    assert ("std", "pro", "8k") == found.options["mode"].allowed
    assert isinstance(found.options["mode"], Choice)
    assert "std" == found.options["mode"].default
    assert "cfg_scale" not in found.options
    assert BUILT_IN.tables["kling-v3"].images == found.images


def test_a_model_of_a_file_is_checked_and_sent_in_its_familys_dialect():
    """The same rules as for the models of the package, with the new values."""
    known = structured(tomllib.loads(NEXT_MONTH), BUILT_IN)
    wrong = VideoRequest(model="kling-v4", prompt="a", seconds=21, cfg_scale=0.5)
    right = VideoRequest(model="kling-v4", prompt="a", seconds=20, mode="8k")

    assert ["seconds", "cfg_scale"] == [problem.field for problem in known.judge(wrong).problems]
    assert () == known.judge(right, validate="strict").problems
    assert {"model": "kling-v4", "prompt": "a", "duration": "20", "mode": "8k"} == encode(right, known.find("kling-v4"))


def test_a_table_may_be_like_one_above_it_in_the_same_file():
    """A family of new models needs one whole table."""
    data = {"models": [{"model": "a-1", "like": "sora-2"}, {"model": "a-2", "like": "a-1", "vendor": "A"}]}
    found = structured(data, BUILT_IN).find("a-2")

    assert found is not None
    assert ("A", "Sora") == (found.vendor, found.family)


def test_a_table_for_a_known_model_replaces_its_own():
    """What a channel takes in truth can be put right without waiting for a release."""
    known = structured({"models": [{"model": "sora-2", "like": "sora-2", "seconds_as": "number"}]}, BUILT_IN)

    assert len(BUILT_IN) == len(known)
    assert 4 == encode(VideoRequest(model="sora-2", prompt="a", seconds=4), known.find("sora-2"))["seconds"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"seconds": {"values": [5, "x"]}}, "models[0].seconds.values[1]: must be a whole number, not 'x'"),
        ({"seconds": {"values": [5, True]}}, "models[0].seconds.values[1]: must be a whole number, not True"),
        ({"seconds": 5}, "models[0].seconds: must be a table, not 5"),
        ({"secnds": {}}, "models[0].secnds: is not a key here; did you mean seconds?"),
        ({"seconds": {"allowed": [5]}}, "models[0].seconds.allowed: is not a key here;"),
        ({"dialect": "klng"}, "models[0].dialect: 'klng': did you mean kling?"),
        ({"seconds_as": "text"}, "models[0].seconds_as: 'text': give string or number"),
        ({"modes": "text"}, "models[0].modes: must be a list, not 'text'"),
        ({"modes": ["txt"]}, "models[0].modes[0]: 'txt': did you mean text?"),
        ({"sizes": ["1280x720", {"width": 3}]}, "models[0].sizes[1].height: is missing"),
        ({"sizes": ["wide"]}, "models[0].sizes[0]: 'wide': give pixels"),
        ({"options": {"mode": {"type": "choise"}}}, "models[0].options.mode: must be a table whose type is choice,"),
        ({"options": {"seed": {"type": "whole-number", "values": [1]}}}, "models[0].options.seed.values: is not a key here;"),
        ({"images": [{"field": "imge"}]}, "models[0].images[0].field: 'imge' is not a field of a request; did you mean image?"),
        ({"seconds": {"values": [5, 3]}}, "models[0].seconds.values[1]: 3: lengths stand in ascending order"),
        ({"seconds": {"values": [], "default": 5}}, "models[0].seconds.values: must hold at least one length"),
        ({"seconds": {"default": 99}}, "models[0].seconds.default: 99 is not among the values; give 3, 4, 5"),
        ({"sizes": [{"width": 0, "height": 1}]}, "models[0].sizes[0]: 0x1: width and height are 1 pixel or more"),
        ({"default_size": "720p"}, "models[0].default_size: '720p' is not the name of a size"),
        ({"ratio_field": "ratio"}, "models[0].ratio_field: 'ratio' is not among the options"),
        ({"options": {"mode": {"default": "best"}}}, "models[0].options.mode.default: 'best' is not allowed; it takes std, pro or 4k"),
        ({"options": {"cfg_scale": {"maximum": -1}}}, "models[0].options.cfg_scale.maximum: -1 is below the minimum, 0"),
        ({"link_lifetime": 0}, "models[0].link_lifetime: 0: give a number above 0"),
        ({"model": " kling-v4"}, "models[0].model: ' kling-v4': give a name without spaces"),
        ({"like": "kling-v33"}, "models[0].like: 'kling-v33' has no table; did you mean kling-v3?"),
    ],
)  # fmt: skip
def test_every_mistake_is_named_by_its_place(table: Mapping[str, object], told: str):
    """A file of many tables is put right at the line that is wrong."""
    assert any(text.startswith(told) for text in mistakes(**table)), mistakes(**table)


def test_all_mistakes_are_told_at_once():
    """One run of the editor for all."""
    assert 3 == len(mistakes(secnds=1, dialect="x", modes=["y"]))


def test_a_table_of_its_own_tells_everything_that_is_missing():
    """Nothing of another family is taken over silently."""
    with pytest.raises(TableMistakes) as caught:
        structured({"models": [{"model": "a"}]}, BUILT_IN)
    missing = {mistake.place for mistake in caught.value.mistakes if mistake.message == "is missing"}

    assert {
        f"models[0].{key}" for key in ("vendor", "family", "dialect", "description", "modes", "seconds", "sizes")
    } == missing


@pytest.mark.parametrize("data", [None, [], {}, {"models": {}}, {"models": [], "more": 1}, {"models": [3]}])
def test_a_file_of_another_form_is_refused(data: object):
    """Whatever JSON may hold."""
    with pytest.raises(TableMistakes):
        structured(data, BUILT_IN)


def test_a_model_stands_once():
    """Which of two tables would count is nobody's guess."""
    twice = {"models": [{"model": "a", "like": "sora-2"}] * 2}
    with pytest.raises(TableMistakes, match=r"models\[1\].model: 'a' stands twice"):
        structured(twice, BUILT_IN)


def test_every_value_of_a_table_tells_where_it_is_published_and_when():
    """A figure without a source cannot be argued about."""
    fields = {(table.model, field): table.source_of(field) for table in BUILT_IN for field in table.fields}

    assert [] == [place for place, source in fields.items() if "202" not in source]
    assert [] == [table.model for table in BUILT_IN if set(table.sources) - {*FIELDS, "prompt_limit"}]
