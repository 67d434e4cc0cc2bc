from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.ledger.fingerprint import fingerprint
from aihubmix_video.ledger.request_codec import pack, unpack
from aihubmix_video.types.request import VideoRequest
from tests.pure.ledger.test_request_codec import requests
from tests.pure.pictures import png

PICTURE = png(16, 9)
BASE64 = base64.b64encode(PICTURE).decode()
BASE = VideoRequest(model="kling-v2-6", prompt="a cat", seconds=5)


@given(requests)
def test_a_request_read_back_has_the_same_fingerprint(request: VideoRequest):
    """Rows are matched against what an earlier run recorded."""
    packed = pack(request)

    assert fingerprint(request) == fingerprint(unpack(packed.text, packed.media.__getitem__))


def test_a_fingerprint_never_changes_between_versions():
    """A batch begun with an older version would be bought again, so a change needs a migration."""
    request = attrs.evolve(BASE, image=b"cat", content=[{"b": 1.5, "a": None}], cfg_scale=1.0)
    text = (
        '{"cfg_scale":1,"content":[{"a":null,"b":1.5}],"image":{"sha256":"'
        + hashlib.sha256(b"cat").hexdigest()
        + '"},"model":"kling-v2-6","prompt":"a cat","seconds":"5"}'
    )

    assert hashlib.sha256(f"aihubmix_video request 1\n{text}".encode()).hexdigest() == fingerprint(request)


@pytest.mark.parametrize(
    "picture",
    [
        PICTURE,
        bytearray(PICTURE),
        f"data:image/png;base64,{BASE64}",
        BASE64,
        {"mime_type": "image/png", "data": BASE64},
    ],
    ids=["bytes", "bytearray", "data URL", "base64", "object"],
)
def test_a_picture_counts_by_its_content(picture: object):
    """However it is given, the vendor gets the same picture."""
    wanted = fingerprint(VideoRequest(model="m", image=PICTURE))

    assert wanted == fingerprint(VideoRequest(model="m", image=picture))


def test_a_path_counts_by_the_content_it_is_said_to_have():
    """A plan can be made without loading every picture into memory."""
    digest = hashlib.sha256(PICTURE).hexdigest()
    request = VideoRequest(model="m", image_list=[Path("a.png"), PICTURE])

    found = fingerprint(request, {Path("a.png"): digest})

    assert fingerprint(VideoRequest(model="m", image_list=(PICTURE, PICTURE))) == found


@pytest.mark.parametrize("reference", [Path("a.png"), io.BytesIO(PICTURE)])
def test_a_reference_that_was_not_read_has_none(reference: object):
    """Its name does not determine its content."""
    with pytest.raises(InvalidRequest, match="image"):
        fingerprint(VideoRequest(model="m", image=reference))


@pytest.mark.parametrize("seconds", [5, "5", 5.0])
def test_seconds_count_by_their_number(seconds: object):
    """The same row can come from CSV and from JSON."""
    assert fingerprint(BASE) == fingerprint(attrs.evolve(BASE, seconds=seconds))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.just("kling-v3"),
            "prompt": st.text(),
            "seconds": st.integers(6, 9),
            "cfg_scale": st.floats(0, 1),
            "watermark": st.booleans(),
            "seed": st.integers(0, 1),
            "image": st.sampled_from(["https://example.com/a.png", b"a", b"b"]),
            "image_tail": st.sampled_from(["https://example.com/a.png", b"a", b"b"]),
            "extra_body": st.dictionaries(st.text(), st.integers(), max_size=2),
        },
    )
)
def test_what_differs_has_another_fingerprint(changes: dict[str, object]):
    """If two different rows were taken for one, the second would be lost."""
    changed = attrs.evolve(BASE, **changes)

    assert (changed == BASE) == (fingerprint(changed) == fingerprint(BASE))


def test_keys_count_in_any_order():
    """The keys of a JSON object have no order."""
    one = VideoRequest(model="m", extra_body={"a": 1, "b": 2})
    two = VideoRequest(model="m", extra_body={"b": 2, "a": 1})

    assert fingerprint(one) == fingerprint(two)


@pytest.mark.parametrize("value", [float("nan"), {1}, object()])
def test_what_is_no_json_has_none(value: object):
    """It could not be sent either."""
    with pytest.raises(InvalidRequest):
        fingerprint(VideoRequest(model="m", extra_body={"a": value}))
