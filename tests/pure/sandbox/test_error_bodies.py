"""Every refusal of the video guide, with its status, its words and its vendor's envelope."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.sandbox.gateway import read_json
from aihubmix_video.sandbox.vendors import BY_MODEL

from .gateways import DATA_URL, IMAGE, TID, create, gateway, message, request, said

SORA, VEO, VEO_2, WAN, WAN_I2V = (
    "sora-2",
    "veo-3.1-generate-preview",
    "veo-2.0-generate-001",
    "wan2.6-t2v",
    "wan2.6-i2v",
)
JIMENG, SEEDANCE, FAST = "jimeng-3.0-pro", "doubao-seedance-2-0-260128", "doubao-seedance-2-0-fast-260128"


def references(role: str = "reference_image", count: int = 1) -> list[dict[str, object]]:
    """Give *count* items of Seedance content."""
    return [{"type": "image_url", "image_url": {"url": IMAGE}, "role": role} for _ in range(count)]


AUDIO = {"type": "audio_url", "audio_url": {"url": IMAGE}, "role": "reference_audio"}

REFUSED = [
    (SORA, {"seconds": 8}, "Invalid type for 'seconds'"),
    (SORA, {"seconds": "5"}, "Supported values are: '4', '8', '12'"),
    (SORA, {"duration": 8}, "Unknown parameter: 'duration'"),
    (SORA, {"aspect_ratio": "16:9"}, "Unknown parameter: 'aspect_ratio'"),
    (SORA, {"negative_prompt": "dogs"}, "Unknown parameter: 'negative_prompt'"),
    (SORA, {"extra_body": {"style": "x"}}, "Unknown parameter: 'style'"),
    (SORA, {"size": "1920x1080"}, "Invalid value: '1920x1080'"),
    (SORA, {"size": "1280*720"}, "Invalid value"),
    (SORA, {"size": None}, "got null instead"),
    (SORA, {"input_reference": IMAGE}, "Invalid type for 'input_reference': expected an object, but got a string"),
    (SORA, {"input_reference": {"mime_type": "image/png", "data": "aaaa"}}, "Unknown parameter: 'input_reference."),
    (SORA, {"input_reference": {}}, "exactly one of"),
    (SORA, {"input_reference": {"image_url": "cat.png"}}, "is not a URL"),
    (VEO, {"seconds": "5"}, "durationSeconds out of bound"),
    (VEO, {"seconds": 8.0}, "must be an integer"),
    (VEO, {"seconds": True}, "must be an integer"),
    (VEO_2, {"seconds": "4"}, "durationSeconds out of bound"),
    (VEO, {"size": "1024x1024"}, "1024p is not a supported resolution"),
    (VEO, {"size": "720x720"}, "not a supported aspect ratio"),
    (VEO, {"size": "1280*720"}, "not supported"),
    (VEO, {"size": ["720p"]}, "not supported"),
    (VEO_2, {"size": "4k"}, "4k is not a supported resolution"),
    (VEO_2, {"size": "3840x2160"}, "4k is not a supported resolution"),
    (VEO, {"aspect_ratio": "9:16"}, "Unknown name"),
    (VEO, {"input_reference": IMAGE, "seconds": "6"}, "must be 8"),
    (VEO, {"input_reference": "cat.png"}, "Unable to process input image"),
    ("veo-3.0-generate-preview", {"input_reference": IMAGE}, "inlineData"),
    (VEO, {"generate_audio": "yes"}, "must be a boolean"),
    (WAN, {"seconds": "1"}, "duration 1 is not supported"),
    (WAN, {"seconds": 16}, "duration 16 is not supported"),
    (WAN, {"seconds": "8s"}, "must be an integer"),
    (WAN, {"seconds": "٨"}, "must be an integer"),
    ("wan2.5-t2v-preview", {"duration": "7"}, "duration 7 is not supported"),
    ("wan2.2-t2v-plus", {"seconds": "10"}, "duration 10 is not supported"),
    (WAN, {"size": "832x480"}, "size '832x480' is not supported"),
    ("wan2.2-t2v-plus", {"size": "1280x720"}, "size '1280x720' is not supported"),
    (WAN, {"size": "720p"}, "size '720p' is not supported"),
    (WAN, {"input_reference": IMAGE}, "takes no image"),
    (WAN_I2V, {"input_reference": None}, "needs an image"),
    (WAN_I2V, {"input_reference": "/etc/passwd"}, "neither a URL nor base64"),
    (WAN_I2V, {"input_reference": {"mime_type": "image/png"}}, "neither a URL nor base64"),
    (JIMENG, {"seconds": "8"}, "seconds 8"),
    (JIMENG, {"size": "2:1"}, "size '2:1' is not supported"),
    (JIMENG, {"size": "1920*1080"}, "is not supported"),
    (JIMENG, {"size": "1920x1088"}, "is not supported"),
    (JIMENG, {"input_reference": 7}, "image_urls"),
    (SEEDANCE, {"duration": 3}, "parameter duration"),
    (SEEDANCE, {"duration": 16}, "parameter duration"),
    (SEEDANCE, {"duration": -2}, "parameter duration"),
    (SEEDANCE, {"duration": "auto"}, "must be an integer"),
    (SEEDANCE, {"extra_body": {"duration": 20}}, "parameter duration"),
    (SEEDANCE, {"ratio": "9:21"}, "ratio '9:21' is not supported"),
    (SEEDANCE, {"resolution": "4k"}, "the parameter resolution specified in the request"),
    (SEEDANCE, {"resolution": "1280x720"}, "the parameter resolution specified in the request"),
    (FAST, {"resolution": "1080p"}, "the parameter resolution specified in the request"),
    (SEEDANCE, {"size": "big"}, "parameter size"),
    (SEEDANCE, {"size": "0x0"}, "parameter size"),
    (SEEDANCE, {"size": "3840x2160"}, "parameter size"),
    (SEEDANCE, {"generate_audio": "yes"}, "must be a boolean"),
    (SEEDANCE, {"watermark": 1}, "must be a boolean"),
    (SEEDANCE, {"extra_body": ["content"]}, "extra_body must be an object"),
    (SEEDANCE, {"content": {}}, "non-empty array"),
    (SEEDANCE, {"content": [{"image_url": {"url": IMAGE}}]}, "content[0].type"),
    (SEEDANCE, {"content": [{"type": "image_url"}]}, "content[0].image_url.url"),
    (SEEDANCE, {"content": [{"type": "hologram_url"}]}, "content[0].type"),
    (SEEDANCE, {"content": references("reference_video")}, "content[0].role"),
    (SEEDANCE, {"content": references(count=10)}, "at most 9"),
    (SEEDANCE, {"extra_body": {"content": [*references("first_frame"), *references()]}}, "mixes"),
    (SEEDANCE, {"content": [AUDIO]}, "audio only"),
    ("kling-v2-6", {"size": "1280x720"}, "size is not supported by Kling"),
    ("kling-v2-6", {"input_reference": IMAGE}, "input_reference is not supported"),
    ("kling-v2-6", {"camera_control": {}}, "camera_control is not supported"),
    ("kling-v1", {"seconds": "3"}, "duration 3"),
    ("kling-v3", {"duration": "16"}, "duration 16"),
    ("kling-v3", {"mode": "hd"}, "mode 'hd'"),
    ("kling-v3", {"aspect_ratio": "4:3"}, "aspect_ratio '4:3'"),
    ("kling-v1", {"cfg_scale": 2}, "from 0 to 1"),
    ("kling-v1", {"cfg_scale": True}, "from 0 to 1"),
    ("kling-v2-1", {"cfg_scale": 0.5}, "cfg_scale is not supported by kling-v2-1"),
    ("kling-v1", {"image": DATA_URL}, "without the data: prefix"),
    ("kling-v1", {"image": "cat.png"}, "neither a URL nor base64"),
    ("kling-v1", {"image": {"url": IMAGE}}, "must be a string"),
    ("kling-v1", {"image_tail": IMAGE}, "image_tail needs image"),
    ("kling-v1", {"image_list": [IMAGE]}, "kling-v1-6 only"),
    ("kling-v1-6", {"image_list": [IMAGE] * 5}, "1 to 4"),
    ("kling-v1-6", {"image_list": []}, "1 to 4"),
    ("kling-v1-6", {"image_list": [None]}, "image_list[0]"),
    ("kling-v3-omni", {"sound": "yes"}, "sound 'yes'"),
    ("kling-v3", {"sound": "on"}, "only"),
    ("kling-v3-omni", {"video_list": [{"video_url": IMAGE, "refer_type": "x"}]}, "refer_type"),
    ("kling-v3-omni", {"video_list": [{}]}, "video_list[0].video_url"),
    ("kling-v3-omni", {"video_list": IMAGE}, "non-empty array"),
    ("kling-v3", {"negative_prompt": 5}, "negative_prompt"),
]


@pytest.mark.parametrize(("model", "fields", "words"), REFUSED)
def test_a_request_the_vendor_does_not_take_is_refused_with_400(model: str, fields: dict[str, object], words: str):
    """The sandbox is only worth trusting if it says no where the real vendor does (video guide, 2026-06-01)."""
    asked = gateway()

    answer = create(asked, request(model, **fields))

    assert 400 == answer.status
    assert words in message(answer)
    assert message(answer).endswith(f"(tid: {TID})")
    assert {} == asked.jobs


@pytest.mark.parametrize("model", BY_MODEL)
def test_every_model_refuses_a_missing_an_empty_and_an_endless_prompt(model: str):
    """A prompt is required wherever no image stands for it."""
    for prompt in (None, "", "  ", 7, "x" * 32_001):
        assert 400 == create(gateway(), request(model, prompt=prompt)).status


@pytest.mark.parametrize("body", [None, {}, {"model": 7}, {"model": ""}, {"prompt": "no model"}])
def test_what_is_no_request_at_all_is_refused_in_the_gateways_own_envelope(body: dict[str, object] | None):
    """Before a model is known there is no vendor to speak; the envelope has a type beside the error."""
    answer = create(gateway(), body)

    assert 400 == answer.status
    assert "error" == said(answer)["type"]
    assert "Aihubmix_api_error" == said(answer)["error"]["type"]


def test_an_unknown_model_is_a_500_that_names_no_valid_channel():
    """Observed at the gateway, 2026-05-31: not a 404, and permanent although it is a 500."""
    answer = create(gateway(), request("seeddance2.0"))

    assert 500 == answer.status
    assert "no_valid_channel_error" in message(answer)


@pytest.mark.parametrize(
    ("model", "fields", "shape"),
    [
        (SORA, {"seconds": 8}, {"error": {"message", "type", "param", "code"}}),
        (VEO, {"seconds": 1}, {"error": {"message", "type", "param", "code"}}),
        (WAN, {"seconds": 1}, {"error": {"message", "type", "param", "code"}}),
        (SEEDANCE, {"seconds": 1}, {"error": {"message", "type", "param", "code"}}),
        (JIMENG, {"seconds": 1}, {"code": None, "message": None, "data": None}),
        ("kling-v3", {"size": "1x1"}, {"code": None, "message": None, "data": None}),
    ],
)
def test_each_vendor_answers_in_its_own_envelope(model: str, fields: dict[str, object], shape: dict[str, object]):
    """A client must read all of them; the task form has no error object at all."""
    value = said(create(gateway(), request(model, **fields)))

    assert set(shape) == set(value)
    if "error" in shape:
        assert shape["error"] == set(value["error"])


def test_google_and_ark_hide_their_json_inside_the_message():
    """Seen through the gateway: the vendor's body arrives as text, quoted."""
    for model in (VEO, SEEDANCE):
        assert message(create(gateway(), request(model, seconds=1))).startswith('{"error": {')


@pytest.mark.parametrize("model", BY_MODEL)
def test_moderation_refuses_a_prompt_that_asks_for_it(model: str):
    """``[refuse]`` lets users see how their app takes a refusal at create."""
    asked = gateway()

    answer = create(asked, request(model, prompt="a cat [refuse]"))

    assert 400 == answer.status
    assert {} == asked.jobs


@given(st.binary() | st.text().map(str.encode))
def test_reading_a_body_never_raises(body: bytes):
    """Whatever a client sends gets an answer."""
    value = read_json(body)

    assert value is None or isinstance(value, dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        "prompt",
        "seconds",
        "duration",
        "size",
        "input_reference",
        "aspect_ratio",
        "resolution",
        "ratio",
        "mode",
        "cfg_scale",
        "sound",
        "generate_audio",
        "image",
        "image_tail",
        "image_list",
        "video_list",
        "content",
        "extra_body",
        "watermark",
        "negative_prompt",
    ]
)


@given(st.sampled_from(sorted(BY_MODEL)), st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_json_is_either_accepted_or_refused(model: str, fields: dict[str, object]):
    """No value of any field may break the gateway: an exception would look like a fault of the client."""
    assert create(gateway(), request(model, **fields)).status in {200, 400}
