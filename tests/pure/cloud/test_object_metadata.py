"""An object's metadata: what S3 takes, whatever is in the request."""

from __future__ import annotations

import json

import pytest

from aihubmix_video import VideoRequest
from aihubmix_video.cloud.object_metadata import metadata_of
from aihubmix_video.storage.object_storage import ObjectFacts

S3_LIMIT = 2048


def metadata(**fields: object) -> dict[str, str]:
    """Give the metadata of a request."""
    request = VideoRequest(model="wan2.6-t2v", **fields)
    return metadata_of(ObjectFacts(sha256="0" * 64, size=1, job="j-1", video="v" * 247, request=request))


@pytest.mark.parametrize(
    "prompt", ["a cat", "a\r\nx-amz-acl: public-read", "ü" * 5000, "\U0001f3ac" * 900, "x" * 100_000]
)
def test_it_is_ascii_of_one_line_and_within_the_limit(prompt: str):
    """A prompt is data: it must neither end a header nor make the store refuse a paid video."""
    found = metadata(prompt=prompt)
    assert all(value.isascii() and value.isprintable() for value in found.values())
    assert sum(len(name) + len(value) for name, value in found.items()) < S3_LIMIT
    told = json.loads(found["request"])
    assert prompt.startswith(told["prompt"])
    assert told.get("cut", False) is (told["prompt"] != prompt)


def test_media_and_what_a_caller_added_stay_out():
    """Links in them may be secret, and an object's readers are not the request's."""
    found = metadata(prompt="a cat", image="https://here/secret.png?token=1", extra_body={"token": "1"})
    assert {"model": "wan2.6-t2v", "prompt": "a cat"} == json.loads(found["request"])
