"""The types that know the models say what the tables say."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from aihubmix_video.capabilities import BUILT_IN, Capability
from aihubmix_video.types import model_params


def family_of(table: Capability) -> dict[str, Any]:
    """Return the fields of the type of a table's family."""
    return get_type_hints(getattr(model_params, f"{table.dialect.value.title()}Params"))


def test_every_model_is_named():
    """Run ``python docs/model_params_module.py`` after changing a table."""
    assert BUILT_IN.names == get_args(model_params.ModelName)


@pytest.mark.parametrize("table", list(BUILT_IN), ids=BUILT_IN.names)
def test_a_familys_type_takes_what_each_of_its_models_takes(table: Capability):
    """A type that forgot a value would refuse a good request."""
    found = family_of(table)

    assert table.model in get_args(found["model"])
    assert set(table.fields) - {"prompt"} <= set(found)
    assert {*table.seconds.legal, *map(str, table.seconds.legal)} <= set(get_args(found["seconds"]))
    assert set(table.size_names) <= set(get_args(found["size"]) if table.size_names else ())
    for name, option in table.options.items():
        words = {*map(str, option.allowed), *option.doubtful} if get_args(found[name]) else set()
        assert words <= set(get_args(found[name]))


def test_a_familys_type_takes_nothing_that_none_of_its_models_takes():
    """A type that lets everything pass names no mistake."""
    for table in BUILT_IN:
        taken = {field for each in BUILT_IN if each.dialect is table.dialect for field in each.fields}
        lengths = {length for each in BUILT_IN if each.dialect is table.dialect for length in each.seconds.legal}
        found = family_of(table)

        assert taken - {"prompt"} == set(found)
        assert lengths | set(map(str, lengths)) == set(get_args(found["seconds"]))
