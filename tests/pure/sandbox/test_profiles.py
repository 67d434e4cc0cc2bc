"""The two readings of the gateway: what its page documents, and what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aihubmix_video.sandbox.multipart_form import boundary_of, read_form
from aihubmix_video.sandbox.profiles import PROFILES

from .gateways import DATA_URL, IMAGE, TID, create, gateway, message, request, said

if TYPE_CHECKING:
    from aihubmix_video.sandbox.gateway import Gateway

VEO, WAN, SORA = "veo-3.1-generate-preview", "wan2.6-t2v", "sora-2"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nsora-2\r\n'
    b'--x\r\nContent-Disposition: form-data; name="watermark"\r\n\r\nfalse\r\n'
    b'--x\r\nContent-Disposition: form-data; name="extra_body[ratio]"\r\n\r\n16:9\r\n'
    b'--x\r\nContent-Disposition: form-data; name="input_reference"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    b"\x89PNG\r\n--y\x00\r\n--x--\r\n"
)


def page() -> Gateway:
    """Return a gateway as its page documents it."""
    return gateway(profile=PROFILES["page"])


def test_only_sora_is_queued_on_the_page():
    """And every finished job has its url; observed were other families that wait, and urls that are missing."""
    asked = page()
    job = create(asked, request(WAN), queue=0.05, url=0.05).job
    sora = create(asked, request(SORA), queue=0.05, bits=1)

    assert "in_progress" == said(asked.retrieve(job.id, now=0.0, request_id=TID))["status"]
    assert said(asked.retrieve(job.id, now=100.0, request_id=TID))["url"] is not None
    assert "queued" == said(sora)["status"]


def test_videos_of_veo_are_mp4_on_the_page_and_were_seen_as_json():
    """The bytes are a film in both."""
    for asked, kind in ((page(), "video/mp4"), (gateway(), "application/json; charset=UTF-8")):
        job = create(asked, request(VEO)).job
        assert kind == asked.content(job.id, now=100.0, request_id=TID).content_type


@pytest.mark.parametrize(
    "reference", [IMAGE, DATA_URL, "iVBORw0KGgo=", {"mime_type": "image/png", "data": "iVBORw0KGgo="}]
)
def test_sora_takes_references_in_every_form_of_the_page(reference: object):
    """Observed was a vendor that takes an object with ``image_url`` only; that passes in both."""
    assert 200 == create(page(), request(SORA, input_reference=reference)).status
    assert "input_reference" in message(create(gateway(), request(SORA, input_reference=reference)))
    for asked in (page(), gateway()):
        assert 200 == create(asked, request(SORA, input_reference={"image_url": IMAGE})).status


def test_a_form_is_read_as_the_object_that_says_the_same():
    """Files as data URLs, whatever bytes they hold; brackets as objects."""
    boundary = boundary_of('multipart/form-data; boundary="x"')
    assert boundary == b"x"

    found = read_form(FORM, boundary)
    assert {"model": "sora-2", "watermark": False, "extra_body": {"ratio": "16:9"}}.items() <= (found or {}).items()
    assert "data:image/png;base64,iVBORw0KLS15AA==" == (found or {})["input_reference"]


@pytest.mark.parametrize("cut", [0, 10, len(FORM) - 4])
def test_a_form_that_is_not_whole_is_none(cut: int):
    """A body that was cut is not taken for an order."""
    assert read_form(FORM[:cut], b"x") is None


@pytest.mark.parametrize("kind", [None, "application/json", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_other_bodies_are_no_forms(kind: str | None):
    """They are read as JSON."""
    assert boundary_of(kind) is None


def test_jobs_are_listed_page_by_page():
    """Deleted ones are not among them."""
    asked = page()
    ids = [create(asked, request(SORA), bits=number).job.id for number in range(4)]
    asked.delete(ids[1], now=0.0, request_id=TID)
    first = said(asked.list_jobs({"limit": "2"}, now=0.0, request_id=TID))
    rest = said(asked.list_jobs({"limit": "2", "after": ids[2]}, now=0.0, request_id=TID))

    assert ([ids[3], ids[2]], True) == ([job["id"] for job in first["data"]], first["has_more"])
    assert ([ids[0]], False) == ([job["id"] for job in rest["data"]], rest["has_more"])
    assert 400 == asked.list_jobs({"limit": "0"}, now=0.0, request_id=TID).status
