"""The form is what the tables say, and all that it can send is what the check accepts."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from aihubmix_video.capabilities import list_capabilities
from aihubmix_video.pricing.list_prices import list_price
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.web.forms import model_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.capabilities import Capability

IMAGE = "https://example.com/a.png"
MODELS = list_capabilities()
Form = dict[str, Any]  # Any: JSON

each_model = pytest.mark.parametrize("capability", MODELS, ids=[each.model for each in MODELS])


def first_order(form: Form) -> dict[str, object]:
    """Give what the form sends when only the prompt, and what is required, is filled in."""
    required = {each["field"]: IMAGE for each in form["references"] if each["required"]}
    picture = form["pictures"][form["picture"]]["fields"]
    return {"model": form["model"], "prompt": "a fox", "seconds": form["seconds"]["default"], **picture, **required}


def problems(capability: Capability, order: dict[str, object]) -> list[str]:
    """Check an order."""
    return list(map(str, capability.check(VideoRequest.from_mapping(order))))


def values_of(option: Form) -> list[object]:
    """Give values that a field of the form can be set to: all of them, or the ends."""
    match option["kind"]:
        case "choice":
            return list(option["values"])
        case "flag":
            return [True, False]
        case "number":
            return [option["minimum"], option["maximum"]]
        case "whole":
            return [option["minimum"], 2**31]
        case "text":
            return ["words"]
    raise AssertionError(option)


def referring(form: Form) -> Iterator[dict[str, object]]:
    """Give orders with each sort of reference."""
    order = first_order(form)
    for each in form["references"]:
        fixed = {} if each["seconds"] is None else {"seconds": each["seconds"]}
        needed = {} if each["needs"] is None else {each["needs"]: IMAGE}
        yield {
            **order,
            **fixed,
            **needed,
            each["field"]: IMAGE if each["maximum"] is None else [IMAGE] * each["maximum"],
        }
    for kind in form["videos"]:
        yield {**order, "video_list": [{"video_url": "https://example.com/a.mp4", "refer_type": kind}]}
    for each in form["content"]:
        for role in each["roles"]:
            item = {"type": each["type"], each["type"]: {"url": IMAGE}, "role": role}
            first = {**item, "role": "first_frame"}
            yield {**order, "content": [first, item] if role == "last_frame" else [item]}


@each_model
def test_every_model_has_its_form_in_plain_json(capability: Capability):
    """A model that is missing, or a value that JSON cannot hold, is a page that stays empty."""
    form = model_form(capability)

    assert form == json.loads(json.dumps(form, allow_nan=False))
    assert capability.model == form["model"]


@each_model
def test_what_is_offered_first_can_be_bought(capability: Capability):
    """A form whose own defaults are refused is broken for everyone."""
    assert [] == problems(capability, first_order(model_form(capability)))


@each_model
def test_every_picture_and_length_that_is_offered_can_be_bought(capability: Capability):
    """Whatever is clicked; where a size makes the vendor choose one length, the form offers only that."""
    form: Form = model_form(capability)
    auto = [-1] if form["seconds"]["auto"] else []
    for picture, seconds in product(form["pictures"], form["seconds"]["values"] + auto):
        length = picture["seconds"] or seconds
        assert [] == problems(capability, {**first_order(form), **picture["fields"], "seconds": length})


@each_model
def test_every_option_can_be_set(capability: Capability):
    """One at a time, to each of its values."""
    form: Form = model_form(capability)
    for option in form["options"]:
        for value in values_of(option):
            assert [] == problems(capability, {**first_order(form), option["name"]: value})


@each_model
def test_every_reference_can_be_given(capability: Capability):
    """With what it needs beside it, and the length it prescribes."""
    for order in referring(model_form(capability)):
        assert [] == problems(capability, order)


@each_model
def test_the_form_has_every_field_that_the_model_takes(capability: Capability):
    """And none that it does not."""
    form: Form = model_form(capability)
    offered = {
        *("model", "prompt", "seconds", "extra_body"),
        *(field for picture in form["pictures"] for field in picture["fields"]),
        *(option["name"] for option in form["options"]),
        *(each["field"] for each in form["references"]),
        *(["video_list"] if form["videos"] else []),
        *(["content"] if form["content"] else []),
    }
    left_out = (
        {"size"} if capability.tier_field else set()
    )  # Seedance takes pixels too, but resolution and ratio are the page's

    assert set(capability.fields) - left_out == offered


@each_model
def test_a_picture_is_told_by_its_frame_and_clarity(capability: Capability):
    """These two are what the form asks for, so they must lead to one picture."""
    pictures = [(each["frame"], each["tier"]) for each in model_form(capability)["pictures"]]  # type: ignore[attr-defined]

    assert len(set(pictures)) == len(pictures) > 0


@each_model
def test_the_picture_offered_first_is_the_models_own(capability: Capability):
    """Where the vendor's default is known, saying nothing and ordering what is offered first come to the same."""
    form: Form = model_form(capability)
    bare = VideoRequest(model=capability.model, prompt="a fox")
    size = form["pictures"][form["picture"]]["size"]
    own = capability.pixels(bare)

    assert own is None or size in {None, "{}x{}".format(*own)}


@each_model
def test_the_price_shown_is_the_list_price(capability: Capability):
    """Before buying, for every picture."""
    form: Form = model_form(capability)
    for picture in form["pictures"]:
        order = VideoRequest.from_mapping({**first_order(form), **picture["fields"], "seconds": 5})
        listed = list_price(attrs.evolve(order, seconds=capability.seconds.default))
        shown = None if picture["usd"] is None else picture["usd"] * capability.seconds.default

        assert listed == (None if shown is None else pytest.approx(shown))


def test_the_users_own_prices_are_shown():
    """They take the place of the list's."""
    wan = next(each for each in MODELS if each.model == "wan2.6-t2v")
    form: Form = model_form(wan, {"wan2.6-t2v": 0.05})

    assert {0.05} == {picture["usd"] for picture in form["pictures"]}
