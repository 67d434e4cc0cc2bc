from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.capabilities import BUILT_IN, Capability, find_capability, list_capabilities
from aihubmix_video.capabilities.field_rules import Dialect
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.protocol.encode_request import MAX_BODY, encode, to_json
from aihubmix_video.types.request import VideoRequest
from tests.pure.pictures import as_object, data_url, png

IMAGE = "https://example.com/cat.png"
VIDEO = "https://example.com/cat.mp4"
SEEDANCE = "doubao-seedance-2-0-260128"
CONTENT = [{"type": "image_url", "image_url": {"url": IMAGE}, "role": "reference_image"}]


def body_of(model: str, **fields: object) -> dict[str, object]:
    """What goes over the wire, read back; model and prompt left out."""
    request = VideoRequest(model=model, prompt="a cat", **fields)
    body: dict[str, object] = json.loads(to_json(encode(request, find_capability(model))))
    assert (model, "a cat") == (body.pop("model"), body.pop("prompt"))
    return body


@pytest.mark.parametrize("model", [each.model for each in list_capabilities()] + ["new-model"])
def test_only_what_was_given_is_sent(model: str):
    """Defaults are the vendor's; a null is refused by some."""
    assert {} == body_of(model)


@pytest.mark.parametrize(
    ("model", "fields", "body"),
    [
        pytest.param("sora-2", {"seconds": 8}, {"seconds": "8"}, id="sora-seconds-are-a-string"),
        pytest.param("sora-2", {"size": (1280, 720)}, {"size": "1280x720"}, id="sora-size"),
        pytest.param(
            "sora-2", {"input_reference": IMAGE}, {"input_reference": {"image_url": IMAGE}}, id="sora-reference-is-an-object"
        ),
        pytest.param(
            "sora-2",
            {"input_reference": as_object(png(720, 1280))},
            {"input_reference": {"image_url": data_url(png(720, 1280))}},
            id="sora-data",
        ),
        pytest.param("veo-3.1-generate-preview", {"seconds": 8}, {"seconds": "8"}, id="veo-seconds-are-a-string"),
        pytest.param("veo-3.1-generate-preview", {"size": "720p"}, {"size": "1280x720"}, id="veo-label-becomes-pixels"),
        pytest.param("veo-3.1-generate-preview", {"size": "1080x1920"}, {"size": "1080x1920"}, id="veo-portrait"),
        pytest.param("veo-3.1-generate-preview", {"size": "3840x2160"}, {"size": "4k"}, id="veo-4k-goes-by-label"),
        pytest.param("veo-3.1-generate-preview", {"size": "2160x3840"}, {"size": "2160x3840"}, id="veo-portrait-4k"),
        pytest.param("veo-3.1-generate-preview", {"aspect_ratio": "9:16"}, {}, id="veo-never-aspect-ratio"),
        pytest.param("veo-3.1-generate-preview", {"input_reference": IMAGE}, {"input_reference": IMAGE}, id="veo-image"),
        pytest.param("wan2.6-t2v", {"size": "1920*1080"}, {"size": "1920x1080"}, id="wan-star"),
        pytest.param("wan2.6-i2v", {"input_reference": png()}, {"input_reference": data_url(png())}, id="wan-data-url"),
        pytest.param(
            "wan2.6-t2v", {"seed": 7, "extra_body": {"prompt_extend": True}}, {"seed": 7, "prompt_extend": True}, id="wan-extra"
        ),
        pytest.param("jimeng-3.0-pro", {"size": "16:9"}, {"size": "16:9"}, id="jimeng-ratio"),
        pytest.param("jimeng-3.0-pro", {"size": "1920X1080"}, {"size": "1920x1080"}, id="jimeng-pixels"),
        pytest.param(
            SEEDANCE,
            {"seconds": 11, "ratio": "16:9", "resolution": "480p", "watermark": False, "content": CONTENT},
            {
                "seconds": "11",
                "ratio": "16:9",
                "resolution": "480p",
                "watermark": False,
                "extra_body": {
                    "content": CONTENT,
                    "ratio": "16:9",
                    "resolution": "480p",
                    "duration": 11,
                    "watermark": False,
                },
            },
            id="seedance-options-are-in-both-places",
        ),
        pytest.param(
            SEEDANCE,
            {"extra_body": {"content": CONTENT, "ratio": "16:9", "duration": 11, "camera_fixed": True}},
            {
                "seconds": "11",
                "ratio": "16:9",
                "extra_body": {"content": CONTENT, "ratio": "16:9", "duration": 11, "camera_fixed": True},
            },
            id="seedance-extra-body-is-lifted",
        ),
        pytest.param(
            SEEDANCE,
            {"size": "9:16"},
            {"ratio": "9:16", "size": "720x1280", "extra_body": {"ratio": "9:16"}},
            id="seedance-ratio-as-size",
        ),
        pytest.param(
            SEEDANCE,
            {"resolution": "480p"},
            {"resolution": "480p", "size": "864x496", "extra_body": {"resolution": "480p"}},
            id="seedance-pixels-of-the-resolution",
        ),
        pytest.param(SEEDANCE, {"size": "1280x720"}, {"size": "1280x720"}, id="seedance-pixels"),
        pytest.param(SEEDANCE, {"seconds": -1}, {"seconds": "-1", "extra_body": {"duration": -1}}, id="seedance-auto"),
        pytest.param("kling-v3", {"seconds": 7, "mode": "pro"}, {"duration": "7", "mode": "pro"}, id="kling-duration"),
        pytest.param("kling-v3", {"size": "1280x720"}, {}, id="kling-never-size"),
        pytest.param("kling-v1", {"image": data_url(png())}, {"image": as_object(png())["data"]}, id="30-kling-no-prefix"),
        pytest.param("kling-v1", {"image": png()}, {"image": as_object(png())["data"]}, id="kling-bytes"),
        pytest.param(
            "kling-v1", {"image": as_object(png())["data"]}, {"image": as_object(png())["data"]}, id="kling-bare-base64"
        ),
        pytest.param(
            "kling-v1-6",
            {"image_list": [IMAGE, png()]},
            {"image_list": [IMAGE, as_object(png())["data"]]},
            id="kling-image-list",
        ),
        pytest.param(
            "kling-video-o1",
            {"video_list": ({"video_url": VIDEO, "refer_type": "base"},), "sound": "on"},
            {"video_list": [{"video_url": VIDEO, "refer_type": "base"}], "sound": "on"},
            id="kling-omni",
        ),
        pytest.param(
            "kling-v3", {"extra_body": {"camera_control": {"type": "x"}}}, {"extra_body": {"camera_control": {"type": "x"}}},
            id="kling-extra-body-is-nested",
        ),
        pytest.param(
            "new-model",
            {"seconds": 99, "size": "1x1", "mode": "x", "image": png(), "content": CONTENT, "extra_body": {"input": {"a": 1}}},
            {"seconds": "99", "size": "1x1", "mode": "x", "image": data_url(png()), "content": CONTENT, "input": {"a": 1}},
            id="unknown-is-flat",
        ),
        pytest.param("new-model", {"extra_body": {"seconds": 5}}, {"seconds": 5}, id="unknown-extra-as-given"),
    ],
)  # fmt: skip
def test_a_request_is_written_as_its_vendor_wants_it(model: str, fields: dict[str, Any], body: dict[str, object]):
    """The quirks of each family, from the official page and from what its gateway was seen to refuse."""
    assert body == body_of(model, **fields)


def test_an_extra_body_that_is_not_to_be_lifted_stays_as_it_was_written():
    """With validation off the user knows better, and what is sent is what was written."""
    written = {"content": CONTENT, "ratio": "9:16", "duration": 11, "watermark": False}
    request = VideoRequest(model=SEEDANCE, prompt="a cat", seconds=5, ratio="16:9", extra_body=written)

    body = encode(request, find_capability(SEEDANCE), lift=False)

    assert written == {name: value for name, value in body["extra_body"].items() if name in written}  # type: ignore[attr-defined]
    assert ("5", "16:9") == (body["seconds"], body["ratio"])
    alone = encode(attrs.evolve(request, seconds=None, ratio=None), find_capability(SEEDANCE), lift=False)
    assert {"model": SEEDANCE, "prompt": "a cat", "extra_body": written} == alone


def test_a_field_wins_over_the_same_key_in_extra_body():
    """Should both pass with validation off, the field is what the user sees in the request."""
    assert {"seconds": "8"} == body_of("sora-2", seconds=8, extra_body={"seconds": "4"})


def test_the_type_of_the_length_can_be_changed_for_one_model():
    """The page says string, one published adapter says Veo wants a number; whoever meets that changes one value."""
    veo = find_capability("veo-3.1-generate-preview")
    assert veo is not None
    request = VideoRequest(model=veo.model, prompt="x", seconds="8")

    assert 8 == encode(request, veo.but(seconds_as="number"))["seconds"]


def test_an_empty_prompt_is_not_sent():
    """It is empty only where an image stands for it."""
    assert {"model": "kling-v1", "image": IMAGE} == encode(
        VideoRequest(model="kling-v1", image=IMAGE), find_capability("kling-v1")
    )


def test_a_reference_that_was_not_loaded_is_refused():
    """The encoder reads no file; forgetting to load one must not send its name."""
    with pytest.raises(InvalidRequest) as caught:
        encode(VideoRequest(model="sora-2", input_reference=Path("cat.png")), find_capability("sora-2"))

    assert "input_reference" == caught.value.field


def test_text_leaves_as_utf8_and_compact():
    """Escapes would make a Chinese prompt twice as long."""
    assert '{"prompt":"猫"}'.encode() == to_json({"prompt": "猫"})


def test_a_body_over_the_limit_is_refused_with_its_largest_field():
    """Row 13: 32 MB of base64 would be refused by the gateway only after it was sent."""
    with pytest.raises(InvalidRequest) as caught:
        to_json({"prompt": "a cat", "image": "x" * MAX_BODY})

    assert "image" == caught.value.field
    assert "over the limit of 32 MiB" in str(caught.value)


@pytest.mark.parametrize(
    "value", [float("nan"), b"x", {1, 2}, "\ud800", 10**5000], ids=["nan", "bytes", "set", "surrogate", "long"]
)
def test_what_json_cannot_hold_is_our_error(value: object):
    """With validation off too, nothing foreign reaches the user."""
    with pytest.raises(InvalidRequest):
        to_json({"extra": value})


# -- laws ---------------------------------------------------------------------------------------------------


@st.composite
def valid_requests(draw: st.DrawFn) -> tuple[Capability, VideoRequest]:
    """Any mixture of what one table lists."""
    capability = draw(st.sampled_from(list_capabilities()))
    choices: dict[str, st.SearchStrategy[Any]] = {"prompt": st.text("abc é猫", min_size=1).filter(str.strip)}
    choices["seconds"] = st.sampled_from([*capability.seconds.legal, *map(str, capability.seconds.legal)])
    if capability.size_names and capability.ratio_field is None:
        choices["size"] = st.sampled_from(capability.size_names)
    for field, option in capability.options.items():
        choices[field] = st.sampled_from(option.allowed) if option.allowed else st.sampled_from(["x", 0, 1])
    for rule in capability.images:
        choices[rule.field] = st.just([IMAGE]) if rule.maximum else st.just(IMAGE)
    needed = {"prompt"} | {rule.field for rule in capability.images if rule.required}
    chosen = {name for name in choices if name in needed or draw(st.booleans())}
    request = VideoRequest(model=capability.model, **{name: draw(choices[name]) for name in sorted(chosen)})
    return capability, request


@given(valid_requests())
def test_every_valid_request_becomes_json_with_a_string_length(given_: tuple[Capability, VideoRequest]):
    """The page says so for every model, and Sora refuses anything else."""
    capability, request = given_
    request = repaired(capability, request)

    body = json.loads(to_json(encode(request, capability)))

    lengths = {key: value for key, value in body.items() if key in {"seconds", "duration"}}
    expected = {} if request.seconds is None else {capability.seconds_key: str(request.seconds)}
    assert expected == lengths
    assert None not in body.values()
    assert "size" not in body or capability.dialect is not Dialect.KLING


def repaired(capability: Capability, request: VideoRequest) -> VideoRequest:
    """Take out what the check objects to in this mixture, such as an end frame without a first."""
    wrong = {problem.field: None for problem in BUILT_IN.judge(request).problems}
    request = attrs.evolve(request, **wrong)
    assert () == capability.check(request)
    return request


@given(valid_requests())
def test_no_two_valid_requests_that_differ_in_a_field_are_written_alike(given_: tuple[Capability, VideoRequest]):
    """A field that passes the check and is not sent would be paid for in vain."""
    capability, request = given_
    request = repaired(capability, request)
    whole = encode(request, capability)

    for field in attrs.fields_dict(VideoRequest):
        if field not in {"model", "prompt"} and getattr(request, field) is not None:
            assert whole != encode(attrs.evolve(request, **{field: None}), capability), field
