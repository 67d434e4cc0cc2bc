from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aihubmix_video.capabilities import BUILT_IN, Capability, find_capability, list_capabilities
from aihubmix_video.capabilities.field_rules import AUTO
from aihubmix_video.errors import InvalidRequest, Problem
from aihubmix_video.protocol.encode_request import encode, to_json
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.types.whole_number import whole_number
from tests.pure.pictures import data_url, png

CYCLE: list[object] = []
CYCLE.append(CYCLE)
IMAGE = "https://example.com/cat.png"
VIDEO = "https://example.com/cat.mp4"


def problems_of(**fields: object) -> tuple[Problem, ...]:
    """Judge a request that has a prompt unless told otherwise."""
    fields.setdefault("prompt", "a cat")
    return BUILT_IN.judge(VideoRequest(**fields)).problems


def item(role: str = "reference_image", **other: object) -> dict[str, object]:
    """Make one item of Seedance's content."""
    return {"type": "image_url", "image_url": {"url": IMAGE}, "role": role, **other}


SEEDANCE = "doubao-seedance-2-0-260128"
SECONDS = ("4", "8", "12")


@pytest.mark.parametrize(
    ("field", "said", "fields"),
    [
        pytest.param("prompt", "must not be empty", {"model": "sora-2", "prompt": None}, id="1-none"),
        pytest.param("prompt", "must not be empty", {"model": "sora-2", "prompt": ""}, id="1-empty"),
        pytest.param("prompt", "must not be empty", {"model": "sora-2", "prompt": " \u200b\n\ufeff"}, id="1-invisible"),
        pytest.param("prompt", "must not be empty", {"model": "new-model", "prompt": " "}, id="1-unknown-model"),
        pytest.param("prompt", "without image", {"model": "kling-v1", "prompt": ""}, id="1-kling"),
        pytest.param("prompt", "got bytes", {"model": "sora-2", "prompt": b"x"}, id="2-bytes"),
        pytest.param("prompt", "got int", {"model": "new-model", "prompt": 5}, id="2-int"),
        pytest.param("prompt", "got list", {"model": "sora-2", "prompt": ["x"]}, id="2-list"),
        pytest.param("prompt", "UTF-8", {"model": "sora-2", "prompt": "ab\ud800"}, id="3-surrogate"),
        pytest.param("prompt", "position 1", {"model": "sora-2", "prompt": "a\0"}, id="4-nul"),
        pytest.param("prompt", "position 2", {"model": "new-model", "prompt": "ab\x1b"}, id="4-control"),
        pytest.param("prompt", "sora-2 takes 32000", {"model": "sora-2", "prompt": "x" * 10**6}, id="5-model"),
        pytest.param("prompt", "at most 100000", {"model": "new-model", "prompt": "x" * 10**6}, id="5-any"),
        pytest.param("model", "is required", {"model": ""}, id="6-empty"),
        pytest.param("model", "is required", {"model": None}, id="6-none"),
        pytest.param("model", "did you mean sora-2?", {"model": " sora-2 "}, id="6-spaces"),
        pytest.param("model", "did you mean sora-2?", {"model": "Sora-2"}, id="6-case"),
        pytest.param("size", "sora-2 takes 720x1280", {"model": "sora-2", "size": "1280 x 720"}, id="9-spaces"),
        pytest.param("size", "sora-2 takes 720x1280", {"model": "sora-2", "size": "0x0"}, id="9-zero"),
        pytest.param("size", "must be text such as", {"model": "new-model", "size": "0x0"}, id="9-zero-any"),
        pytest.param("size", "wan2.6-t2v takes 1280x720", {"model": "wan2.6-t2v", "size": "720p"}, id="9-label"),
        pytest.param("size", "sora-2 takes", {"model": "sora-2", "size": (1, 2, 3)}, id="9-tuple"),
        pytest.param("extra_body", "must be an object", {"model": "sora-2", "extra_body": "x"}, id="11-text"),
        pytest.param("extra_body.model", "conflicts", {"model": "a", "extra_body": {"model": "b"}}, id="11-model"),
        pytest.param("extra_body.prompt", "conflicts", {"model": "a", "extra_body": {"prompt": "b"}}, id="11-prompt"),
        pytest.param(
            "extra_body.size",
            "conflicts with size='1280x720'",
            {"model": "a", "size": "1280x720", "extra_body": {"size": "720x1280"}},
            id="11-size",
        ),
        pytest.param(
            "extra_body.duration",
            "conflicts with seconds",
            {"model": "kling-v3", "seconds": 5, "extra_body": {"duration": "10"}},
            id="8-duration",
        ),
        pytest.param("extra_body.a", "not a finite", {"model": "a", "extra_body": {"a": float("nan")}}, id="12-nan"),
        pytest.param(
            "extra_body.a.b[1]", "bytes", {"model": "a", "extra_body": {"a": {"b": [1, b"x"]}}}, id="12-bytes"
        ),
        pytest.param("extra_body.a", "set", {"model": "a", "extra_body": {"a": {1}}}, id="12-set"),
        pytest.param(
            "extra_body.a",
            "datetime",
            {"model": "a", "extra_body": {"a": dt.datetime.now(dt.UTC)}},
            id="12-date",
        ),
        pytest.param("extra_body.a[0]", "holds itself", {"model": "a", "extra_body": {"a": CYCLE}}, id="12-cycle"),
        pytest.param("extra_body", "key of type int", {"model": "a", "extra_body": {1: 2}}, id="12-key"),
        pytest.param("seconds", "makes 4, 8 or 12", {"model": "sora-2", "seconds": "5"}, id="14"),
        pytest.param("size", "takes 720x1280", {"model": "sora-2", "size": "1920x1080"}, id="15-size"),
        pytest.param("aspect_ratio", "by size", {"model": "sora-2", "aspect_ratio": "16:9"}, id="15-ratio"),
        pytest.param("negative_prompt", "not supported", {"model": "sora-2", "negative_prompt": "x"}, id="15-negative"),
        pytest.param("extra_body.duration", "use seconds", {"model": "sora-2", "extra_body": {"duration": 8}}, id="16"),
        pytest.param(
            "input_reference",
            "is 800x600 and must match the video's 1280x720",
            {"model": "sora-2", "size": "1280x720", "input_reference": png(800, 600)},
            id="17",
        ),
        pytest.param(
            "input_reference",
            "or ask for size='1280x720'",
            {"model": "sora-2", "input_reference": data_url(png(1280, 720))},
            id="17-other-size",
        ),
        pytest.param("seconds", "4, 6 or 8", {"model": "veo-3.1-generate-preview", "seconds": "5"}, id="18-veo-3"),
        pytest.param("seconds", "5 to 8", {"model": "veo-2.0-generate-001", "seconds": "4"}, id="18-veo-2"),
        pytest.param("size", "720p", {"model": "veo-2.0-generate-001", "size": "4k"}, id="19-4k"),
        pytest.param("size", "1080p", {"model": "veo-3.1-generate-preview", "size": "1024x1024"}, id="19-square"),
        pytest.param(
            "aspect_ratio", "by pixels", {"model": "veo-3.1-generate-preview", "aspect_ratio": "9:16"}, id="19-ratio"
        ),
        pytest.param(
            "seconds",
            "must be 8 with a reference",
            {"model": "veo-3.1-generate-preview", "seconds": "6", "input_reference": IMAGE},
            id="20",
        ),
        pytest.param(
            "input_reference",
            "use veo-3.1",
            {"model": "veo-3.0-generate-preview", "input_reference": IMAGE},
            id="20-other-veo",
        ),
        pytest.param("seconds", "2 to 15", {"model": "wan2.6-t2v", "seconds": "1"}, id="21-short"),
        pytest.param("seconds", "2 to 15", {"model": "wan2.6-t2v", "seconds": "16"}, id="21-long"),
        pytest.param("seconds", "5 or 10", {"model": "wan2.5-t2v-preview", "seconds": "7"}, id="21-wan2.5"),
        pytest.param("seconds", "makes 5", {"model": "wan2.2-t2v-plus", "seconds": "10"}, id="21-wan2.2"),
        pytest.param("size", "1280x720", {"model": "wan2.6-t2v", "size": "832x480"}, id="22-wan2.6"),
        pytest.param("size", "832x480", {"model": "wan2.2-t2v-plus", "size": "1280x720"}, id="22-wan2.2"),
        pytest.param("input_reference", "is required", {"model": "wan2.6-i2v"}, id="23-without"),
        pytest.param(
            "input_reference", "use wan2.6-i2v", {"model": "wan2.6-t2v", "input_reference": IMAGE}, id="23-with"
        ),
        pytest.param(
            "input_reference", "wan2.2-i2v-plus", {"model": "wan2.2-t2v-plus", "input_reference": IMAGE}, id="23-wan2.2"
        ),
        pytest.param("seconds", "5 or 10", {"model": "jimeng-3.0-pro", "seconds": "8"}, id="24-seconds"),
        pytest.param("size", "16:9", {"model": "jimeng-3.0-pro", "size": "2:1"}, id="24-size"),
        pytest.param("seconds", "4 to 15, or -1", {"model": SEEDANCE, "seconds": 3}, id="25-3"),
        pytest.param("seconds", "4 to 15, or -1", {"model": SEEDANCE, "extra_body": {"duration": 16}}, id="25-16"),
        pytest.param("seconds", "4 to 15, or -1", {"model": SEEDANCE, "seconds": -2}, id="25-minus-2"),
        pytest.param("seconds", "4 to 15, or -1", {"model": SEEDANCE, "seconds": "auto"}, id="25-auto"),
        pytest.param("ratio", "adaptive", {"model": SEEDANCE, "ratio": "9:21"}, id="26-ratio"),
        pytest.param("resolution", "480p or 720p", {"model": SEEDANCE, "resolution": "4k"}, id="26-resolution"),
        pytest.param("generate_audio", "not a word", {"model": SEEDANCE, "generate_audio": "yes"}, id="26-audio"),
        pytest.param("size", "conflicts", {"model": SEEDANCE, "size": "16:9", "ratio": "9:16"}, id="26-size-and-ratio"),
        pytest.param(
            "size",
            "conflicts",
            {"model": SEEDANCE, "size": "1280x720", "resolution": "480p"},
            id="26-size-and-resolution",
        ),
        pytest.param(
            "content[1].type",
            "image_url",
            {"model": SEEDANCE, "content": [item(), {"role": "reference_image"}]},
            id="27-type",
        ),
        pytest.param(
            "content[0].image_url",
            '{"url": ...}',
            {"model": SEEDANCE, "content": [{"type": "image_url", "image_url": IMAGE, "role": "reference_image"}]},
            id="27-url",
        ),
        pytest.param(
            "content[0].image_url.url",
            "pass pathlib.Path",
            {"model": SEEDANCE, "content": [item(image_url={"url": "cat.png"})]},
            id="27-path",
        ),
        pytest.param(
            "content[0].role", "must be", {"model": SEEDANCE, "content": [item("reference_video")]}, id="27-role"
        ),
        pytest.param("content", "at most 9", {"model": SEEDANCE, "content": [item()] * 10}, id="27-ten-images"),
        pytest.param(
            "content", "cannot mix", {"model": SEEDANCE, "content": [item("first_frame"), item()]}, id="27-mixed"
        ),
        pytest.param("content", "first_frame", {"model": SEEDANCE, "content": [item("last_frame")]}, id="27-last-only"),
        pytest.param("content", "must not be empty", {"model": SEEDANCE, "content": []}, id="27-empty"),
        pytest.param("content[0]", "must be an object", {"model": SEEDANCE, "content": ["x"]}, id="27-text"),
        pytest.param("content", "must be a list", {"model": SEEDANCE, "content": 5}, id="27-int"),
        pytest.param("size", "use mode", {"model": "kling-v3", "size": "1280x720"}, id="28"),
        pytest.param("seconds", "5 or 10", {"model": "kling-v1", "seconds": "3"}, id="29-v1"),
        pytest.param("seconds", "3 to 15", {"model": "kling-v3", "seconds": "16"}, id="29-v3"),
        pytest.param("mode", "std, pro or 4k", {"model": "kling-v1", "mode": "hd"}, id="29-mode"),
        pytest.param("cfg_scale", "from 0 to 1", {"model": "kling-v1", "cfg_scale": 2}, id="29-cfg"),
        pytest.param("cfg_scale", "v2.x has none", {"model": "kling-v2-6", "cfg_scale": 0.5}, id="29-cfg-v2"),
        pytest.param("image_list", "1 to 4", {"model": "kling-v1-6", "image_list": [IMAGE] * 5}, id="31-five"),
        pytest.param("image_list", "1 to 4", {"model": "kling-v1-6", "image_list": []}, id="31-empty"),
        pytest.param("image_list[1]", "URL", {"model": "kling-v1-6", "image_list": [IMAGE, None]}, id="31-none"),
        pytest.param("image_list", "only kling-v1-6", {"model": "kling-v1-5", "image_list": [IMAGE]}, id="31-model"),
        pytest.param("image_tail", "needs image", {"model": "kling-v1", "image_tail": IMAGE}, id="32-tail"),
        pytest.param("sound", "on or off", {"model": "kling-v3-omni", "sound": "yes"}, id="32-sound"),
        pytest.param("sound", "only kling-v3-omni", {"model": "kling-v3", "sound": "on"}, id="32-sound-model"),
        pytest.param(
            "video_list[0].refer_type",
            "feature or base",
            {"model": "kling-video-o1", "video_list": [{"video_url": VIDEO, "refer_type": "x"}]},
            id="32-refer-type",
        ),
        pytest.param(
            "video_list[0].video_url", "http(s)", {"model": "kling-video-o1", "video_list": [{}]}, id="32-no-url"
        ),
        pytest.param("image", "pathlib.Path", {"model": "kling-v1", "image": "cat.png"}, id="34"),
        pytest.param("input_reference", "pathlib.Path", {"model": "a", "input_reference": "~/cat.png"}, id="34-any"),
    ],
)
def test_a_bad_request_is_refused_with_one_problem(field: str, said: str, fields: dict[str, Any]):
    """Each row of the list of bad inputs: named by field, and said what is allowed."""
    problems = problems_of(**fields)

    assert [field] == [problem.field for problem in problems], problems
    assert said in problems[0].message


@pytest.mark.parametrize("seconds", [8.5, "8.5", True, "8s", "", "٨", 1e3, -1, 0, float("nan"), "008", b"8", [8]])
def test_seconds_of_any_other_kind_are_refused_with_the_allowed_ones(seconds: object):
    """Row 7. Python reads some of these as 8, and users would wonder which."""
    (problem,) = problems_of(model="sora-2", seconds=seconds)

    assert ("seconds", SECONDS) == (problem.field, problem.allowed)
    assert isinstance(problems_of(model="new-model", seconds=0)[0], Problem)


@pytest.mark.parametrize("size", ["1280X720", "1280×720", "1280*720", (1280, 720), "1280x720"])
@pytest.mark.parametrize("model", ["sora-2", "wan2.6-t2v", "veo-3.1-generate-preview"])
def test_sizes_that_cannot_be_misread_pass(model: str, size: object):
    """Row 9: nobody means anything else by these."""
    request = VideoRequest(model=model, prompt="x", size=size)

    assert () == BUILT_IN.judge(request).problems
    assert (1280, 720) == capability(model).pixels(request)


def test_an_unknown_field_is_refused_with_the_closest():
    """Rows 10 and 16: the constructor itself says so, before anything else can go wrong."""
    with pytest.raises(InvalidRequest) as caught:
        VideoRequest(model="sora-2", prompt="x", aspectratio="16:9", duration=8)

    assert ["aspect_ratio", "seconds"] == [problem.nearest for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("nearest", "fields"),
    [
        ("4", {"model": "sora-2", "seconds": 5}),
        ("12", {"model": "sora-2", "seconds": "100s"}),
        ("1280x720", {"model": "sora-2", "size": "1280 x 720"}),
        ("720x1280", {"model": "sora-2", "size": "1080x1920"}),
        ("4k", {"model": "veo-3.1-generate-preview", "size": "4K"}),
        ("True", {"model": SEEDANCE, "generate_audio": "yes"}),
        ("1", {"model": "kling-v1", "cfg_scale": 2}),
        ("reference_image", {"model": SEEDANCE, "content": [item("reference_img")]}),
        ("wan2.6-t2v", {"model": "wan2.6-i2v"}),
    ],
)
def test_the_nearest_allowed_value_is_named(nearest: str, fields: dict[str, Any]):
    """Most mistakes are one edit away from what was meant."""
    assert [nearest] == [problem.nearest for problem in problems_of(**fields)]


def test_every_problem_is_found_at_once_in_the_order_of_the_fields():
    """A batch of a thousand rows is not fixed one error at a time."""
    found = problems_of(model="sora-2", prompt="", seconds=5, size="1x1", mode="std", input_reference="cat.png")

    assert ["prompt", "seconds", "size", "input_reference", "mode"] == [problem.field for problem in found]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "kling-v1", "prompt": "", "image": IMAGE},
        {"model": "kling-v1-6", "prompt": "", "image_list": [IMAGE]},
        {"model": SEEDANCE, "prompt": "", "content": [item()]},
        {"model": SEEDANCE, "prompt": "", "extra_body": {"content": [item()]}},
        {"model": "new-model", "prompt": "", "extra_body": {"input": {"prompt": "x"}}},
    ],
)
def test_an_image_may_stand_for_the_prompt(fields: dict[str, Any]):
    """Row 1: Kling and Seedance make videos from images alone; of unknown models nothing is known."""
    assert () == problems_of(**fields)


def test_the_official_example_of_seedance_passes_and_its_extra_body_has_effect():
    """What users copy from the page must work as it reads."""
    extra = {"content": [item()], "ratio": "9:16", "duration": 11, "watermark": False}
    request = VideoRequest(model=SEEDANCE, prompt="x", extra_body=extra)

    assert () == BUILT_IN.judge(request).problems
    assert 11 == capability(SEEDANCE).seconds_of(request)
    assert (720, 1280) == capability(SEEDANCE).pixels(request)


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ("make only 5 or 10", {"model": "kling-v2-6", "seconds": 7}),
        ("480p and 720p only", {"model": SEEDANCE, "resolution": "1080p"}),
        ("first_frame", {"model": SEEDANCE, "content": [item("first_frame")]}),
        ("seen to refuse images", {"model": "veo-3.1-generate-preview", "input_reference": IMAGE}),
        ("need 8 seconds", {"model": "veo-3.1-generate-preview", "size": "4k", "seconds": 4}),
        ("720p only", {"model": "veo-2.0-generate-001", "size": "1080x1920"}),
        ("only the v3 family", {"model": "kling-v2-1", "mode": "4k"}),
        ("not on the official page", {"model": "wan2.6-t2v", "seed": 7}),
        ("base models only", {"model": "kling-v3-omni", "image": IMAGE}),
    ],
)
def test_what_the_vendor_may_refuse_passes_with_one_warning(said: str, fields: dict[str, Any]):
    """The page decides what may be sent; what is known against it is said, not enforced."""
    verdict = BUILT_IN.judge(VideoRequest(prompt="x", **fields))

    assert () == verdict.problems
    assert 1 == len(verdict.warnings)
    assert said in verdict.warnings[0]


def test_seedance_fast_has_no_1080p():
    """Both the page and the vendor's adapter say so."""
    (problem,) = problems_of(model="doubao-seedance-2-0-fast-260128", resolution="1080p")

    assert ("480p", "720p") == problem.allowed


def test_an_unknown_model_passes_with_one_warning_that_names_the_closest():
    """The gateway gains models faster than this package; a typo is still worth a word."""
    verdict = BUILT_IN.judge(VideoRequest(model="sora-3", prompt="x", seconds=99, mode="any"))

    assert () == verdict.problems
    assert 1 == len(verdict.warnings)
    assert "did you mean sora-2" in verdict.warnings[0]


def test_strict_refuses_an_unknown_model():
    """For those who would rather not pay for a typo."""
    (problem,) = BUILT_IN.judge(VideoRequest(model="sora-3", prompt="x"), validate="strict").problems

    assert ("model", "sora-2") == (problem.field, problem.nearest)


def test_off_lets_everything_pass_that_can_be_sent():
    """The user's way around a table that has grown old."""
    assert (
        () == BUILT_IN.judge(VideoRequest(model="Sora-2", prompt="", seconds="5s", mode="x"), validate="off").problems
    )


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("model", {"model": ""}),
        ("prompt", {"model": "a", "prompt": "\ud800"}),
        ("prompt", {"model": "a", "prompt": "\0"}),
        ("seconds", {"model": "a", "seconds": float("nan")}),
        ("extra_body.a", {"model": "a", "extra_body": {"a": {1}}}),
    ],
)
def test_off_still_refuses_what_cannot_be_sent(field: str, fields: dict[str, Any]):
    """Better here than as an exception from the JSON encoder."""
    assert [field] == [problem.field for problem in BUILT_IN.judge(VideoRequest(**fields), validate="off").problems]


# -- laws over the tables -----------------------------------------------------------------------------------


def capability(model: str) -> Capability:
    """Find a table that is surely there."""
    found = find_capability(model)
    assert found is not None
    return found


def least(found: Capability) -> VideoRequest:
    """The smallest request that passes."""
    needed = {rule.field: IMAGE for rule in found.images if rule.required}
    return VideoRequest(model=found.model, prompt="x", **needed)


def listed(found: Capability) -> list[tuple[str, object]]:
    """Every single value that the table lists."""
    return [
        *(("seconds", seconds) for seconds in found.seconds.legal),
        *(("seconds", str(seconds)) for seconds in found.seconds.legal),
        *(("size", name) for name in found.size_names),
        *((field, value) for field, option in found.options.items() for value in option.allowed),
        *((field, option.default) for field, option in found.options.items() if option.default is not None),
    ]


LISTED = [(found, field, value) for found in list_capabilities() for field, value in listed(found)]
every_model = st.sampled_from(list_capabilities())


@pytest.mark.parametrize("found", list_capabilities(), ids=lambda found: found.model)
def test_every_listed_value_passes(found: Capability):
    """The table is the law; no rule may contradict it."""
    assert () == found.check(least(found))
    for field, value in listed(found):
        assert () == found.check(attrs.evolve(least(found), **{field: value})), (field, value)


@given(every_model, st.integers(-5, 10**6) | st.text(max_size=4) | st.floats())
def test_an_unlisted_length_is_one_problem_with_the_legal_ones(found: Capability, seconds: object):
    """One mistake, one sentence, and the way out of it."""
    assume(whole_number(seconds) not in found.seconds.legal)

    (problem,) = found.check(attrs.evolve(least(found), seconds=seconds))

    assert "seconds" == problem.field
    assert tuple(map(str, found.seconds.legal)) == problem.allowed
    assert problem.nearest is None or int(problem.nearest) in found.seconds.allowed


@pytest.mark.parametrize("seconds", [8, 8.0, "8", "8.0", " 8 "])
def test_whole_seconds_in_any_spelling_of_a_spreadsheet_are_seconds(seconds: object):
    """A saved sheet has 8 as 8.0 as soon as one cell of the column has a fraction."""
    assert () == problems_of(model="sora-2", seconds=seconds)
    assert b'"seconds":"8"' in to_json(
        encode(VideoRequest(model="sora-2", prompt="a cat", seconds=seconds), find_capability("sora-2"))
    )


@pytest.mark.parametrize("seed", [42, 42.0, "42", "42.0"])
def test_a_whole_seed_in_any_spelling_is_sent_as_a_number(seed: object):
    """Vendors refuse a seed of any other type, or ignore it."""
    request = VideoRequest(model="wan2.6-t2v", prompt="a cat", seed=seed)
    assert b'"seed":42' in to_json(encode(request, find_capability("wan2.6-t2v")))


@given(
    st.sampled_from([(found, field) for found in list_capabilities() for field in ("size", *found.options)]),
    st.text(min_size=1, max_size=12) | st.integers() | st.floats(),
)
def test_an_unlisted_value_is_one_problem_naming_its_field(where: tuple[Capability, str], value: object):
    """Likewise for every other field of every table."""
    found, field = where
    plain = whole_number(value) if field == "seed" else value
    legal = found.options[field].accepts(plain) if field in found.options else value in found.size_names
    ratio = found.options.get(found.ratio_field or "")
    assume(not legal and not (field == "size" and ratio is not None and ratio.accepts(value)))

    (problem,) = found.check(attrs.evolve(least(found), **{field: value}))

    assert field == problem.field
    assert problem.allowed or found.model in problem.message or "UTF-8" in problem.message


@given(every_model, st.sampled_from(attrs.fields(VideoRequest)[1:]), st.data())
def test_no_value_of_any_type_makes_the_check_fail(found: Capability, field: attrs.Attribute[Any], data: st.DataObject):
    """Whatever a user types ends as a problem, never as a traceback."""
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(object())
    value = data.draw(st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text() | leaf, inner)))
    request = VideoRequest(model=found.model, **{field.name: value})

    assert isinstance(found.check(request), tuple)
    assert isinstance(found.warnings(request), tuple)
    found.pixels(request)
    found.seconds_of(request)
    BUILT_IN.judge(attrs.evolve(request, model="new-model"))
    BUILT_IN.judge(request, validate="off")


def test_minus_one_lets_the_model_choose_the_length():
    """So nobody can say how long it will be."""
    request = VideoRequest(model=SEEDANCE, prompt="x", seconds=AUTO)

    assert () == BUILT_IN.judge(request).problems
    assert capability(SEEDANCE).seconds_of(request) is None
