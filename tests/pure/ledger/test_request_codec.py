from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.ledger.entry import Destination
from aihubmix_video.ledger.request_codec import MARK, pack, pack_destination, unpack, unpack_destination
from aihubmix_video.types.request import VideoRequest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["$medium", "$plain", "as"]), inner, max_size=4)
    ),
    max_leaves=12,
)
long_texts = st.builds(lambda text: f"data:image/png;base64,{text * 3000}", st.text(min_size=1, max_size=3))
references = st.none() | st.binary(max_size=50) | st.text() | long_texts
requests = st.builds(
    VideoRequest,
    model=st.text(min_size=1),
    prompt=st.text(),
    seconds=st.none() | st.integers() | st.text(),
    cfg_scale=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    watermark=st.none() | st.booleans(),
    input_reference=references | st.fixed_dictionaries({"mime_type": st.text(), "data": st.text() | long_texts}),
    image=references,
    image_list=st.none() | st.lists(st.binary(max_size=9) | long_texts, max_size=3),
    content=st.none() | st.lists(st.dictionaries(st.text(), json_values, max_size=2), max_size=2),
    extra_body=st.none() | st.dictionaries(st.text(), json_values | long_texts, max_size=3),
)


@given(requests)
def test_a_request_comes_back_as_it_was(request: VideoRequest):
    """Resuming does not need the original input, so nothing of it may be lost or changed."""
    packed = pack(request)

    assert request == unpack(packed.text, packed.media.__getitem__)


@given(requests)
def test_media_are_not_in_the_text(request: VideoRequest):
    """They are stored beside the ledger, each once. The text shows whether there are any."""
    packed = pack(request)

    assert all(hashlib.sha256(data).hexdigest() == digest for digest, data in packed.media.items())
    assert not packed.media or MARK in packed.text
    assert len(packed.text) < 30_000


def test_what_a_user_writes_is_never_taken_for_a_medium():
    """An object that looks like our own marker stands for itself."""
    mine: dict[str, Any] = {"$medium": "a" * 64, "as": "bytes", "$plain": {"$plain": 1}}
    request = VideoRequest(model="m", extra_body=mine)

    packed = pack(request)

    assert {} == packed.media
    assert mine == unpack(packed.text, Path).extra_body


def test_the_same_picture_twice_is_kept_once():
    """First and last frame are often the same."""
    assert 1 == len(pack(VideoRequest(model="m", image=b"picture", image_tail=b"picture")).media)


def test_the_text_can_be_read_by_a_person():
    """A user who looks into a ledger finds the fields as on the wire."""
    packed = pack(VideoRequest(model="sora-2", prompt="a cat", seconds=8))

    assert {"model": "sora-2", "prompt": "a cat", "seconds": 8} == json.loads(packed.text)


def test_a_medium_that_is_not_needed_stays_a_path():
    """Listing a thousand jobs must not read a thousand pictures."""
    digest = hashlib.sha256(b"picture").hexdigest()
    request = VideoRequest(model="m", image=b"picture", extra_body={"a": "x" * 5000})

    listed = unpack(pack(request).text, Path("media").joinpath)

    assert Path("media") / digest == listed.image
    assert listed.extra_body is not None
    assert isinstance(listed.extra_body["a"], Path)


cycle: dict[str, Any] = {}
cycle["again"] = cycle


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("extra_body", {"a": {1, 2}}),
        ("extra_body", {"a": float("nan")}),
        ("extra_body", {1: "a"}),
        ("extra_body", cycle),
        pytest.param("seconds", 10**5000, id="an integer that Python does not print"),
        ("prompt", b"bytes"),
        ("input_reference", Path("cat.png")),
        ("image_list", [b"", Path("cat.png")]),
        ("input_reference", io.BytesIO(b"cat")),
    ],
)
def test_what_cannot_be_written_down_is_refused(field: str, value: object):
    """It is refused before anything is sent. A path or an open file might have other content by then."""
    with pytest.raises(InvalidRequest):
        pack(VideoRequest(model="m", **{field: value}))


@given(st.none() | st.builds(Destination, text=st.text(), template=st.booleans(), index=st.integers()))
def test_a_destination_comes_back_as_it_was(target: Destination | None):
    """A file must go where the user requested it, also after a restart."""
    assert target == unpack_destination(pack_destination(target))
