from __future__ import annotations

import importlib.util
from pathlib import Path

import attrs
import pytest

from aihubmix_video.capabilities import Capability, Mode, find_capability, list_capabilities
from aihubmix_video.types.request import VideoRequest

DOCS = Path(__file__).parents[3] / "docs"
IMAGE = "https://example.com/cat.png"


def test_every_model_of_the_official_page_has_a_table():
    """Copied from the page's two tables of supported models, and Kling's own."""
    page = """
        sora-2 sora-2-pro
        veo-3.1-generate-preview veo-3.1-fast-generate-preview veo-3.0-generate-preview veo-2.0-generate-001
        wan2.6-t2v wan2.6-i2v wan2.5-t2v-preview wan2.5-i2v-preview wan2.2-t2v-plus wan2.2-i2v-plus
        jimeng-3.0-pro jimeng-3.0-1080p
        doubao-seedance-2-0-260128 doubao-seedance-2-0-fast-260128
        kling-v1 kling-v1-5 kling-v1-6 kling-v2-1 kling-v2-5-turbo kling-v2-6 kling-v3 kling-v3-omni kling-video-o1
    """

    assert page.split() == [capability.model for capability in list_capabilities()]


def test_an_unknown_model_has_no_table():
    """Not an error: the gateway knows more models than the page lists."""
    assert find_capability("sora-3") is None


@pytest.mark.parametrize("capability", list_capabilities(), ids=lambda capability: capability.model)
def test_a_table_agrees_with_itself(capability: Capability):
    """Slips of the hand that reading alone does not find."""
    fields = set(attrs.fields_dict(VideoRequest))

    assert capability.seconds.default in capability.seconds.allowed
    assert set(capability.seconds.upstream) <= set(capability.seconds.allowed)
    assert len(set(capability.size_names)) == len(capability.size_names)
    assert capability.default_size in {None, *capability.size_names}
    assert fields >= {*capability.fields, *capability.instead, *capability.prompt_optional_with}
    assert not set(capability.instead) & set(capability.fields) - {"sound", "video_list", "image_list", "cfg_scale"}
    assert all(option.default is None or option.accepts(option.default) for option in capability.options.values())
    assert capability.counterpart is None or find_capability(capability.counterpart) is not None
    assert {capability: 1}[capability.but()] == 1, "equal tables hash alike"
    assert (Mode.TEXT in capability.modes) != any(rule.required for rule in capability.images)


@pytest.mark.parametrize(
    ("model", "size", "pixels"),
    [
        ("sora-2", None, (720, 1280)),
        ("veo-3.1-generate-preview", None, (1280, 720)),
        ("veo-3.1-generate-preview", "4k", (3840, 2160)),
        ("wan2.6-i2v", "1632*1248", (1632, 1248)),
        ("wan2.2-t2v-plus", None, None),
        ("jimeng-3.0-pro", "16:9", (1920, 1088)),
        ("jimeng-3.0-pro", "1080x1920", (1088, 1920)),
        ("doubao-seedance-2-0-260128", None, (1280, 720)),
        ("doubao-seedance-2-0-260128", "9:16", (720, 1280)),
        ("kling-v3", None, (1280, 720)),
        ("sora-2", "1x1", None),
    ],
)
def test_real_pixels_are_told_by_size(model: str, size: str | None, pixels: tuple[int, int] | None):
    """The file's own size, which Jimeng's label is not."""
    capability = find_capability(model)

    assert capability is not None
    assert pixels == capability.pixels(VideoRequest(model=model, prompt="x", size=size))


@pytest.mark.parametrize(
    ("pixels", "request_"),
    [
        ((1080, 1920), VideoRequest(model="kling-v3", mode="pro", aspect_ratio="9:16")),
        (None, VideoRequest(model="kling-v3", mode="pro", aspect_ratio="1:1")),
        (None, VideoRequest(model="kling-v3", image=IMAGE)),
        ((864, 496), VideoRequest(model="doubao-seedance-2-0-260128", resolution="480p")),
        (None, VideoRequest(model="doubao-seedance-2-0-260128", content=[{}], ratio="adaptive")),
        ((960, 960), VideoRequest(model="doubao-seedance-2-0-260128", content=[{}], ratio="1:1")),
    ],
)
def test_real_pixels_are_told_by_clarity_and_frame(pixels: tuple[int, int] | None, request_: VideoRequest):
    """Left open, the frame follows the reference, and nothing is claimed."""
    capability = find_capability(request_.model)

    assert capability is not None
    assert pixels == capability.pixels(request_)


@pytest.mark.parametrize(
    ("seconds", "request_"),
    [
        (4, VideoRequest(model="sora-2")),
        (8, VideoRequest(model="veo-3.1-generate-preview")),
        (12, VideoRequest(model="sora-2", seconds="12")),
        (8, VideoRequest(model="veo-3.1-generate-preview", input_reference=IMAGE)),
        (None, VideoRequest(model="sora-2", seconds="soon")),
    ],
)
def test_the_length_is_told_with_the_default_applied(seconds: int | None, request_: VideoRequest):
    """Prices and estimates are by the second."""
    capability = find_capability(request_.model)

    assert capability is not None
    assert seconds == capability.seconds_of(request_)


@pytest.mark.parametrize("page", ["models", "fields"])
def test_the_pages_of_models_and_fields_are_in_step_with_the_tables(page: str):
    """Run ``python docs/models_page.py`` and ``docs/fields_page.py`` after changing a table."""
    spec = importlib.util.spec_from_file_location(f"{page}_page", DOCS / f"{page}_page.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)

    assert program.render() == (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")
