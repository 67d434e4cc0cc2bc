"""The gateway's model list: what is read of it, and what is refused."""

from __future__ import annotations

import json

import pytest

from aihubmix_video.capabilities import list_capabilities
from aihubmix_video.catalog import Catalog, DriftKind
from aihubmix_video.catalog.live_prices import LivePrice, price_of
from aihubmix_video.catalog.model_list import decode_models
from aihubmix_video.errors import MalformedReply
from aihubmix_video.pricing.list_prices import LIST_PRICES


def rows(*data: object) -> bytes:
    """Make an answer of these rows."""
    return json.dumps({"success": True, "message": "", "data": list(data)}).encode()


def row(model: str, **more: object) -> dict[str, object]:
    """Make a row as the gateway has them."""
    return {"model_id": model, "types": "video", "input_modalities": "text,image", **more}


def catalog(*data: object) -> Catalog:
    """Make a catalog that was read at 100."""
    return Catalog.decode(rows(*data), source="https://gateway.test/api/v1/models?type=video", read_at=100.0)


def test_joined_words_are_told_apart():
    """The gateway puts several values into one string."""
    (model,), unread = decode_models(rows(row("a", features="audio, Seed", endpoints="")))

    assert 0 == unread
    assert (("text", "image"), ("audio", "seed"), ()) == (model.input_modalities, model.features, model.endpoints)


def test_a_row_that_cannot_be_read_costs_no_other_row():
    """One odd row must not hide all models, and must not be hidden itself."""
    models, unread = decode_models(rows(row("a"), 7, {"model_id": None}, row("b", types=5)))

    assert (["a", "b"], 2) == ([each.model for each in models], unread)


def test_models_of_other_types_are_left_out():
    """A gateway that ignores the filter lists hundreds of language models."""
    models, _ = decode_models(rows(row("a"), row("b", types="llm"), row("c", types="t2v,video")))

    assert ["a", "c"] == [each.model for each in models]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 5}', b'{"data": [{"name": "a"}]}'])
def test_what_is_not_a_list_is_an_error(body: bytes):
    """Taken for an empty list it would say that every model is gone."""
    with pytest.raises(MalformedReply):
        decode_models(body)


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"input": 2, "output": 8}, None),
        ({"per_second": 0.1}, LivePrice(per_second=0.1)),
        ({"perVideo": "0.40"}, LivePrice(per_video=0.4)),
        ({"per_second": 0, "per_video": -1}, None),
        ({"per_second": True}, None),
        ({"per_second": 1e9}, None),
        ("0.1", None),
    ],
)
def test_only_a_price_that_names_its_unit_is_one(pricing: object, price: LivePrice | None):
    """A price per token that is taken for one per second would break every cap."""
    assert price == price_of(pricing)


def everything() -> list[dict[str, object]]:
    """Give a list that is as the tables are."""
    return [
        row(each.model, input_modalities="text" if [*map(str, each.modes)] == ["text"] else "text,image")
        for each in list_capabilities()
    ]


def test_a_list_like_the_tables_has_no_drift():
    """An alarm that always rings is not heard."""
    assert () == catalog(*everything()).drift()


def test_each_difference_is_named_with_its_model():
    """New, gone, retired, other inputs, another price: one of each."""
    listed = {str(each["model_id"]): each for each in everything()}
    del listed["kling-v1"]
    listed["sora-2"]["status"] = "deprecated"
    listed["wan2.6-t2v"]["input_modalities"] = "text,image"
    listed["sora-2-pro"]["pricing"] = {"per_second": 0.9}
    found = catalog(*listed.values(), row("kling-v9")).drift()

    assert {
        (DriftKind.GONE, "kling-v1"),
        (DriftKind.RETIRED, "sora-2"),
        (DriftKind.INPUTS, "wan2.6-t2v"),
        (DriftKind.PRICE, "sora-2-pro"),
        (DriftKind.NEW, "kling-v9"),
    } == {(each.kind, each.model) for each in found}


def test_a_price_that_is_the_list_price_is_no_difference():
    """Nor is one of the prices of a model that has several."""
    listed = {str(each["model_id"]): each for each in everything()}
    listed["sora-2"]["pricing"] = {"per_second": LIST_PRICES["sora-2"].usd}
    listed["sora-2-pro"]["pricing"] = {"per_second": 0.5}

    assert () == catalog(*listed.values()).drift()


def test_a_catalog_tells_its_age_and_gives_prices_for_a_batch():
    """Prices per video are not prices per second."""
    found = catalog(row("a", pricing={"per_second": 0.2}), row("b", pricing={"per_video": 1}), row("c"))

    assert {"a": 0.2} == found.prices()
    assert (20.0, 0.0) == (found.age(120.0), found.age(90.0))
