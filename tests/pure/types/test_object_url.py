"""Object URLs: which texts are one, and what becomes of them in templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.output.template import Template
from aihubmix_video.types.object_url import ObjectUrl


@pytest.mark.parametrize("text", ["s3://b/run/cat.mp4", str(Path("s3://b/run/cat.mp4"))])
def test_a_url_is_read_also_when_it_went_through_a_path(text: str):
    """Pathlib makes one slash of two, and command lines make paths."""
    found = ObjectUrl.parse(text)
    assert found == ObjectUrl("s3://b", "run/cat.mp4")
    assert "s3://b/run/cat.mp4" == str(found)


@pytest.mark.parametrize(
    "text", ["cat.mp4", "/run/s3://b/cat.mp4", "s3://b", "s3://b/", "ftp://b/cat.mp4", "s3:cat.mp4"]
)
def test_anything_else_is_not_one(text: str):
    """Paths stay paths."""
    assert ObjectUrl.parse(text) is None


def test_a_template_keeps_the_root_and_fills_in_the_key():
    """A prompt can lengthen one name of the key, and nothing else."""
    template = Template.parse("s3://b/run/{index:04d}-{slug}.mp4")
    rendered = template.render(index=7, id=None, key="k", model="m", slug="../../other/bucket")
    assert "s3://b" == template.root
    assert "run" == str(rendered.parent)


def test_a_bucket_cannot_come_from_a_row():
    """Whoever writes the rows must not choose the store."""
    with pytest.raises(InvalidRequest, match="write the bucket out"):
        Template.parse("s3://{key}/cat-{index}.mp4")
