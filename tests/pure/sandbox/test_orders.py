"""What each model makes of a request it takes: defaults, real sizes, lengths and sound."""

from __future__ import annotations

import pytest

from .gateways import DATA_URL, IMAGE, create, gateway, request

SEEDANCE = "doubao-seedance-2-0-260128"
OBJECT = {"mime_type": "image/png", "data": "iVBORw0KGgo="}
CONTENT = [{"type": "image_url", "image_url": {"url": IMAGE}, "role": "reference_image"}]

TAKEN = [
    ("sora-2", {}, 4, (720, 1280), True),
    ("sora-2-pro", {"seconds": "12", "size": "1792x1024"}, 12, (1792, 1024), True),
    ("sora-2", {"input_reference": {"image_url": DATA_URL}}, 4, (720, 1280), True),
    ("veo-3.1-generate-preview", {}, 8, (1280, 720), True),
    ("veo-3.1-generate-preview", {"seconds": 6, "size": "4k"}, 6, (3840, 2160), True),
    ("veo-3.1-fast-generate-preview", {"seconds": "8", "input_reference": OBJECT}, 8, (1280, 720), True),
    ("veo-3.0-generate-preview", {"size": "1080x1920", "generate_audio": False}, 8, (1080, 1920), False),
    ("veo-2.0-generate-001", {"seconds": "5", "size": "1080p"}, 5, (1920, 1080), False),
    ("wan2.6-t2v", {}, 5, (1280, 720), True),
    ("wan2.6-t2v", {"seconds": 2, "duration": 9, "size": "1248*1632"}, 2, (1248, 1632), True),
    ("wan2.6-i2v", {"input_reference": DATA_URL, "duration": "15"}, 15, (1280, 720), True),
    ("wan2.5-i2v-preview", {"input_reference": OBJECT, "size": "624x624"}, 5, (624, 624), True),
    ("wan2.2-t2v-plus", {}, 5, (1920, 1080), False),
    ("jimeng-3.0-pro", {}, 5, (1920, 1088), False),
    ("jimeng-3.0-pro", {"size": "1920x1080"}, 5, (1920, 1088), False),
    ("jimeng-3.0-1080p", {"size": "21:9", "seconds": "10", "input_reference": IMAGE}, 10, (2176, 928), False),
    (SEEDANCE, {}, 5, (1280, 720), True),
    (SEEDANCE, {"duration": 11, "extra_body": {"duration": 4, "ratio": "9:16"}}, 11, (720, 1280), True),
    (SEEDANCE, {"resolution": "480p", "ratio": "3:4", "generate_audio": False}, 5, (560, 752), False),
    (SEEDANCE, {"prompt": "", "extra_body": {"content": CONTENT}}, 5, (1280, 720), True),
    (SEEDANCE, {"size": "1504x640"}, 5, (1504, 640), True),
    (SEEDANCE, {"size": "624x624"}, 5, (640, 640), True),
    (SEEDANCE, {"size": "1:1", "nonsense": 1}, 5, (960, 960), True),
    (SEEDANCE, {"resolution": "1080p"}, 5, (1920, 1080), True),
    ("kling-v1", {"duration": "10", "cfg_scale": 0.5}, 10, (1280, 720), False),
    ("kling-v2-6", {"seconds": 3, "mode": "pro", "aspect_ratio": "9:16"}, 3, (1080, 1920), False),
    ("kling-v3", {"mode": "4k", "prompt": "", "image": "aGVsbG8="}, 5, (3840, 2160), False),
    ("kling-v1-6", {"image_list": [IMAGE] * 4, "aspect_ratio": "1:1"}, 5, (960, 960), False),
    ("kling-v3-omni", {"sound": "on", "video_list": [{"video_url": IMAGE}]}, 5, (1280, 720), True),
    ("kling-v2-6", {"extra_body": {"camera_control": {"type": "simple"}, "size": 1}}, 5, (1280, 720), False),
]


@pytest.mark.parametrize(("model", "fields", "seconds", "size", "audio"), TAKEN)
def test_a_request_becomes_a_video_of_this_length_size_and_sound(
    model: str, fields: dict[str, object], seconds: int, size: tuple[int, int], *, audio: bool
):
    """The file a user gets is measured against these (video guide, 2026-06-01; Jimeng's real frame is 1088 high)."""
    answer = create(gateway(), request(model, **fields))

    assert 200 == answer.status, answer.body
    order = answer.job.order
    assert (seconds, size, audio) == (order.seconds, (order.width, order.height), order.audio)


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 4), (0.5, 10), (0.999, 15)])
def test_seedance_chooses_a_length_within_its_range_when_left_to_it(draw: float, seconds: int):
    """Minus one means that the model decides; 4 to 15 seconds."""
    assert seconds == create(gateway(), request(SEEDANCE, duration=-1), length=draw).job.order.seconds
