"""The life of a job at the gateway, in both dialects, and everything that is not about parameters."""

from __future__ import annotations

import pytest

from aihubmix_video.sandbox.gateway import misdirected, unrouted
from aihubmix_video.sandbox.ids import decode_token
from aihubmix_video.sandbox.latency import generation_seconds
from aihubmix_video.sandbox.routing import RouteMatch, is_known, locate, serves_host
from aihubmix_video.sandbox.vendors import BY_MODEL

from .gateways import EPOCH, KEY, TID, create, gateway, message, request, said


def test_a_sora_job_speaks_the_openai_dialect_from_queued_to_completed():
    """Fields and order of the video guide's two Sora examples."""
    asked = gateway()
    job = create(asked, request("sora-2", seconds="8", size="1280x720"), now=10.0).job
    first = said(create(asked, request("sora-2"), now=10.0, bits=1))
    middle = said(asked.retrieve(job.id, now=60.0, request_id=TID))
    last = said(asked.retrieve(job.id, now=110.0, request_id=TID))

    keys = ["id", "object", "created_at", "status", "model", "progress", "prompt", "seconds", "size"]
    assert keys == list(first)
    assert ("queued", 0, EPOCH + 10) == (first["status"], first["progress"], first["created_at"])
    assert "in_progress" == middle["status"]
    assert 0 < middle["progress"] < 100
    assert ("completed", 100, "8", "1280x720") == tuple(last[key] for key in ("status", "progress", "seconds", "size"))
    assert (EPOCH + 110, EPOCH + 10 + 86_400) == (last["completed_at"], last["expires_at"])
    assert "url" not in last


def test_other_jobs_speak_the_flat_dialect():
    """Fields of the video guide's Wan examples; the url is of the gateway's own form, and sometimes null."""
    asked = gateway(origin="http://127.0.0.1:1")
    answer = create(asked, request("wan2.6-t2v", size="1920x1080"))
    first, job = said(answer), answer.job
    last = said(asked.retrieve(job.id, now=100.0, request_id=TID))

    assert list(first) == [
        "id", "object", "created", "model", "status", "prompt", "duration", "width", "height", "url", "error",
    ]  # fmt: skip
    assert ("in_progress", 5, 1920, 1080, None) == tuple(
        first[key] for key in ("status", "duration", "width", "height", "url")
    )
    assert "created" not in last
    assert f"http://127.0.0.1:1/v1/videos/{job.id}/content" == last["url"]
    other = create(asked, request("wan2.6-t2v"), url=0.05, bits=1).job
    assert said(asked.retrieve(other.id, now=100.0, request_id=TID))["url"] is None


@pytest.mark.parametrize(("queue", "word"), [(0.05, "queued"), (0.15, "processing"), (0.5, "in_progress")])
def test_some_jobs_of_any_family_wait_first(queue: float, word: str):
    """``queued`` is not Sora's alone, and ``processing`` was seen too (field observations, 2026-08)."""
    assert word == said(create(gateway(), request("veo-3.1-generate-preview"), queue=queue))["status"]


@pytest.mark.parametrize("model", BY_MODEL)
def test_only_sora_and_seedance_report_progress(model: str):
    """Clients must do without it elsewhere."""
    has = model.startswith(("sora", "doubao"))
    assert has == ("progress" in said(create(gateway(), request(model))))


@pytest.mark.parametrize(("trigger", "shape"), [("[fail]", dict), ("[fail text]", str), ("[fail null]", type(None))])
@pytest.mark.parametrize("model", ["sora-2", "wan2.6-t2v", "kling-v3"])
def test_a_job_fails_when_its_prompt_asks_for_it(model: str, trigger: str, shape: type):
    """All three shapes of ``error`` are in use."""
    asked = gateway()
    job = create(asked, request(model, prompt=f"a cat {trigger}")).job

    assert said(asked.retrieve(job.id, now=99.0, request_id=TID))["status"] != "failed"
    failed = said(asked.retrieve(job.id, now=100.0, request_id=TID))
    assert "failed" == failed["status"]
    assert isinstance(failed["error"], shape)
    assert asked.content(job.id, now=100.0, request_id=TID).film is None


def test_a_stuck_job_never_ends():
    """For trying out deadlines."""
    asked = gateway(generation=None)
    job = create(asked, request("sora-2", prompt="[stuck]")).job

    assert "in_progress" == said(asked.retrieve(job.id, now=1e9, request_id=TID))["status"]


@pytest.mark.parametrize(
    ("model", "status", "words"), [("sora-2", 404, "not ready yet"), ("wan2.6-t2v", 400, "current status: in_progress")]
)
def test_content_before_completion_is_refused_with_the_current_status(model: str, status: int | None, words: str):
    """OpenAI answers 404, the gateway's own code 400."""
    asked = gateway()
    job = create(asked, request(model)).job

    answer = asked.content(job.id, now=99.0, request_id=TID)

    assert status == answer.status
    assert words in message(answer)
    assert job is asked.content(job.id, now=100.0, request_id=TID).film


@pytest.mark.parametrize(
    ("model", "lifetime", "status"),
    [("sora-2", 86_400, 404), ("wan2.6-t2v", 86_400, 410), ("kling-v3", 2_592_000, 410)],
)
def test_a_video_is_gone_after_its_lifetime(model: str, lifetime: int, status: int | None):
    """24 hours, Kling 30 days (video guide, 2026-06-01)."""
    asked = gateway()
    job = create(asked, request(model)).job

    assert 200 == asked.content(job.id, now=lifetime - 1, request_id=TID).status
    assert status == asked.content(job.id, now=lifetime, request_id=TID).status


def test_the_lifetime_can_be_shortened():
    """For trying out expiry without waiting a day; it is not scaled by speed."""
    asked = gateway(link_lifetime=5.0, speed=1000.0)
    job = create(asked, request("wan2.6-t2v")).job

    assert 200 == asked.content(job.id, now=4.9, request_id=TID).status
    assert 410 == asked.content(job.id, now=5.0, request_id=TID).status


def test_delete_answers_once_and_the_job_is_gone():
    """The form is OpenAI's; what AIHubMix answers is undocumented."""
    asked = gateway()
    job = create(asked, request("sora-2")).job

    answer = asked.delete(job.id, now=0.0, request_id=TID)

    assert (200, {"id": job.id, "object": "video.deleted", "deleted": True}) == (answer.status, said(answer))
    for ask in (asked.delete, asked.retrieve, asked.content):
        assert 404 == ask(job.id, now=0.0, request_id=TID).status


def test_kling_jobs_cannot_be_deleted():
    """501 not_supported (video guide, 2026-06-01); the job lives on."""
    asked = gateway()
    job = create(asked, request("kling-v3")).job

    answer = asked.delete(job.id, now=0.0, request_id=TID)

    assert (501, "not_supported") == (answer.status, said(answer)["error"]["code"])
    assert 200 == asked.retrieve(job.id, now=0.0, request_id=TID).status


@pytest.mark.parametrize("video_id", ["", "x", "eyJtb2RlbCI6", "../models", "\x00"])
def test_an_unknown_id_is_a_404_in_the_gateways_envelope(video_id: str):
    """Also for ids that never were any."""
    answer = gateway().retrieve(video_id, now=0.0, request_id=TID)

    assert (404, "error") == (answer.status, said(answer)["type"])


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("", 401), (KEY, 401), ("Bearer wrong", 401), ("Bearer ké", 401), (f"Bearer {KEY}", None)],
)
def test_only_the_right_key_is_let_in(header: str | None, status: int | None):
    """No key and a wrong key are both 401, in different words."""
    answer = gateway().authorize(header, request_id=TID)

    assert status == (answer and answer.status)


def test_the_rate_limit_holds_in_any_second():
    """Two in a second and no third, wherever the second begins."""
    asked = gateway(rate_limit=2.0)
    times = [0.0, 0.5, 0.9, 1.0, 1.4, 1.5]

    refused = [asked.admit(now=now, model="sora-2", request_id=TID) is not None for now in times]

    assert [False, False, True, False, True, False] == refused


def test_a_rate_below_one_a_second_is_kept_too():
    """Half a request a second is one in two."""
    asked = gateway(rate_limit=0.5)

    refused = [asked.admit(now=now, model=None, request_id=TID) is not None for now in (0.0, 1.0, 1.9, 2.0)]

    assert [False, True, True, False] == refused


def test_the_balance_ends():
    """403 with its own code; what was bought before goes on."""
    asked = gateway(balance=1)
    job = create(asked, request("sora-2")).job

    answer = create(asked, request("sora-2"), bits=1)

    assert (403, "insufficient_user_quota") == (answer.status, said(answer)["error"]["code"])
    assert 200 == asked.retrieve(job.id, now=0.0, request_id=TID).status


@pytest.mark.parametrize(
    ("model", "low", "high", "inner"),
    [
        ("sora-2", 97, 97, "video_"),
        ("sora-2-pro", 123, 123, "video_"),
        ("veo-3.1-generate-preview", 245, 247, "projects/"),
        ("wan2.6-t2v", 90, 110, "00000000-"),
        ("doubao-seedance-2-0-260128", 90, 120, "cgt-20"),
        ("jimeng-3.0-pro", 70, 110, "1000000"),
        ("kling-v2-6", 70, 110, "1000000"),
    ],
)
def test_an_id_is_a_routing_token_of_the_observed_form(model: str, low: int, high: int, inner: str):
    """Base64 of model and the vendor's id, then the channel; lengths as recorded in 2026."""
    token = create(gateway(), request(model), channel=4321, bits=5).job.id

    assert low <= len(token) <= high
    assert token.isascii()
    assert token.isalnum()
    decoded = decode_token(token)
    assert decoded is not None
    assert (model, 4321) == (decoded[0], decoded[2])
    assert decoded[1].startswith(inner)


@pytest.mark.parametrize("token", ["", "channel1", "e30channel1", "%%%channel1", "bnVsbA", "bnVsbAchannel"])
def test_what_never_was_an_id_does_not_decode(token: str):
    """The helper must not invent ids."""
    assert decode_token(token) is None


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", "/v1/videos", RouteMatch("create")),
        ("GET", "/v1/videos/abc", RouteMatch("retrieve", "abc")),
        ("GET", "/v1/videos/a%2Fb", RouteMatch("retrieve", "a/b")),
        ("GET", "/v1/videos/abc/content?variant=video", RouteMatch("content", "abc")),
        ("DELETE", "/v1/videos/abc", RouteMatch("delete", "abc")),
        ("GET", "/v1/videos", RouteMatch("list")),
        ("PUT", "/v1/videos", None),
        ("GET", "/v1/models", RouteMatch("models")),
        ("GET", "/api/v1/models?type=video", RouteMatch("catalog")),
        ("GET", "/dashboard/billing/remain", RouteMatch("balance")),
        ("POST", "/v1/dashboard/billing/usage", None),
        ("GET", "/v1/videos/", None),
        ("GET", "/v1/videos//content", None),
        ("GET", "/v1/videos/a/b", None),
        ("PUT", "/v1/videos/abc", None),
        ("POST", "/v1/v1/videos", None),
    ],
)
def test_paths_lead_to_the_endpoints_only(method: str, path: str, target: RouteMatch | None):
    """An id is one encoded segment; anything else at the path is no endpoint."""
    assert target == locate(method, path)


def test_a_wrong_method_is_405_and_a_wrong_path_404():
    """As any gateway would say."""
    assert is_known("/v1/videos/abc")
    assert not is_known("/v2/videos")
    assert 405 == unrouted("PUT", "/v1/videos/abc", known_path=True, request_id=TID).status
    assert 404 == unrouted("GET", "/v2/videos", known_path=False, request_id=TID).status


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8080", True),
        ("evil.test", False),
        ("127.0.0.1.evil.test", False),
        ("localhost.evil.test:80", False),
        ("0.0.0.0", False),  # noqa: S104  # refused
        ("", False),
        (None, False),
    ],
)
def test_only_loopback_hosts_are_served(host: str | None, *, served: bool):
    """A web page that rebinds its name to 127.0.0.1 still sends its own Host."""
    assert served == serves_host(host)
    assert 403 == misdirected("evil.test", request_id=TID).status


def test_the_examples_eight_seconds_of_sora_take_about_three_minutes():
    """The video guide's own timestamps lie 184 seconds apart."""
    assert 184 == pytest.approx(generation_seconds(150.0, 8, 1280, 720, 0.0), rel=0.1)
