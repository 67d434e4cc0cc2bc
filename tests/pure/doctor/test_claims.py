"""What transcripts say of what is assumed, and what is bought to learn it."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from aihubmix_video.capabilities import find_capability
from aihubmix_video.doctor.claims import CLAIMS, ClaimResult, readings
from aihubmix_video.doctor.orders import REQUESTS, choose
from aihubmix_video.doctor.transcript import Exchange, SavedVideo, Transcript, exchange_of, from_json, to_json
from aihubmix_video.errors import ConfigurationError, InvalidRequest
from aihubmix_video.protocol.response import Response

CONTENT = {"content-type": "video/mp4", "etag": '"a"', "x-request-id": "r"}
ID = {"x-request-id": "r"}
ERROR = {"error": {"message": "no"}}


def exchange(kind: Any, status: int = 200, answer: object = None, **more: Any) -> Exchange:  # noqa: ANN401 - any field
    """Make an exchange of a Sora job."""
    return Exchange(**({"kind": kind, "model": "sora-2", "status": status, "answer": answer, "headers": ID} | more))


SAVED = SavedVideo(
    model="sora-2",
    verified=True,
    size=9,
    asked_seconds=4,
    seconds=4,
    asked_pixels=(720, 1280),
    pixels=(720, 1280),
    price=0.4,
)
GOOD = Transcript(
    gateway="https://gateway.test",
    began=1.0,
    exchanges=(
        exchange("model list"),
        exchange("model ids"),
        exchange("unknown id", 404, ERROR),
        exchange("unknown id without key", 401, ERROR),
        exchange("create", answer={"id": "abc", "status": "queued", "created_at": 1}),
        exchange("early content", 404, ERROR),
        exchange("poll", answer={"id": "abc", "status": "in_progress", "progress": 3}),
        exchange("poll", answer={"id": "abc", "status": "completed", "url": None}),
        exchange("content", 206, headers=CONTENT, form="mp4"),
        exchange("content without key", 401, ERROR),
        exchange("delete"),
        exchange("after delete", 404, ERROR),
    ),
    saved=(SAVED,),
    billed=0.4,
)


def verdicts(transcript: Transcript) -> dict[str, ClaimResult]:
    """Give the verdict on each claim by its name."""
    return {each.name: each.verdict for each in readings(transcript)}


def test_a_gateway_as_assumed_confirms_every_claim():
    """So each claim can be confirmed at all."""
    assert {ClaimResult.CONFIRMED} == set(verdicts(GOOD).values())


def test_nothing_is_said_of_what_was_not_seen():
    """An empty run is not a good one."""
    assert {ClaimResult.NOT_SEEN} == set(verdicts(Transcript(gateway="", began=0.0)).values())


@pytest.mark.parametrize(
    ("found", "refuted"),
    [
        (exchange("model list", 404, ERROR), "list.public"),
        (exchange("model ids", 401, ERROR), "ids.public"),
        (exchange("unknown id", 500, ERROR), "id.unknown"),
        (exchange("unknown id without key", 404, ERROR), "key.missing"),
        (exchange("create", 202, {"id": "a", "status": "queued", "created": 1}), "create.status"),
        (exchange("create", 200, {"id": "a_b-c", "status": "queued", "created": 1}), "create.id"),
        (exchange("create", 200, {"id": "a", "status": "submitted", "created": 1}), "create.word"),
        (exchange("create", 200, {"id": "a", "status": "queued"}), "create.time"),
        (exchange("poll", answer={"status": "processing"}), "poll.word"),
        (exchange("poll", answer={"status": "in_progress"}), "poll.progress"),
        (exchange("poll", answer={"status": "completed", "url": "https://cdn.test/a.mp4"}), "poll.url"),
        (exchange("early content", 200, {}, form="json"), "content.early"),
        (exchange("content without key", 200, form="mp4"), "content.key"),
        (exchange("content", 206, headers=CONTENT, form="page"), "content.mp4"),
        (exchange("content", 206, headers=CONTENT | {"content-type": "application/json"}, form="mp4"), "content.type"),
        (exchange("content", 200, headers=CONTENT, form="mp4"), "content.ranges"),
        (exchange("content", 206, headers=ID | {"content-type": "video/mp4"}, form="mp4"), "content.etag"),
        (exchange("delete", 501, ERROR), "delete.status"),
        (exchange("delete", 200, model="kling-v1"), "delete.status"),
        (exchange("after delete", 200), "delete.gone"),
        (exchange("poll", 502, None), "error.envelope"),
        (exchange("delete", headers={}), "header.request"),
    ],
)
def test_one_answer_that_differs_refutes_its_claim_and_no_other(found: Exchange, refuted: str):
    """However many confirm it, and with what was seen."""
    transcript = attrs.evolve(GOOD, exchanges=(*GOOD.exchanges, found))

    assert [refuted] == [name for name, verdict in verdicts(transcript).items() if verdict is ClaimResult.REFUTED]
    assert all(each.seen for each in readings(transcript))


@pytest.mark.parametrize(
    ("changes", "refuted"),
    [({"verified": False}, "file.whole"), ({"seconds": 8}, "file.seconds"), ({"pixels": (1280, 720)}, "file.pixels")],
)
def test_a_video_that_is_not_what_was_ordered_is_told(changes: dict[str, Any], refuted: str):
    """A paid video that ignores its options is the fault that nobody notices."""
    transcript = attrs.evolve(GOOD, saved=(attrs.evolve(SAVED, **changes),))

    assert [refuted] == [name for name, verdict in verdicts(transcript).items() if verdict is ClaimResult.REFUTED]


def test_another_sum_than_the_price_is_told():
    """The caps count with it."""
    assert ClaimResult.REFUTED is verdicts(attrs.evolve(GOOD, billed=0.8))["price.billed"]
    assert ClaimResult.NOT_SEEN is verdicts(attrs.evolve(GOOD, billed=None))["price.billed"]


def test_names_of_claims_are_unique():
    """Reports of different days are compared by them."""
    assert len(CLAIMS) == len({each.name for each in CLAIMS})


def test_a_transcript_survives_its_file():
    """And is judged there as it was when it was recorded."""
    assert readings(GOOD) == readings(from_json(to_json(GOOD).encode()))


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"gateway": "a", "began": 1, "else": 2}', b"\xff"])
def test_what_is_not_a_transcript_is_refused(text: bytes):
    """Any file may be named by mistake."""
    with pytest.raises(ConfigurationError, match="--replay"):
        from_json(text)


def test_samples_hold_neither_ids_nor_signatures_nor_keys():
    """They are made to be shared."""
    body = {
        "id": "eyJtb2RlbCI6channel1234",
        "url": "https://cdn.test/a.mp4?sign=secret",
        "error": "bad key sk-0123456789abcdef",
    }
    sent = json.dumps({"prompt": "a", "image": "data:image/png;base64,AAAA"}).encode()
    found = exchange_of("create", Response(status=200, body=json.dumps(body).encode()), model="m", sent=sent)
    shown = to_json(Transcript(gateway="", began=0.0, exchanges=(found,)))

    assert not any(word in shown for word in ("eyJtb2", "secret", "0123456789", "AAAA"))
    assert {"id": "x" * 23, "url": "https://cdn.test/a.mp4?…"}.items() <= dict(found.answer).items()  # type: ignore[call-overload]  # it is an object


def test_the_cheapest_is_bought_first_and_the_cap_is_kept():
    """What has no known price is not bought, and each family that is left out has its reason."""
    orders = choose(0.5, prices={"wan2.6-t2v": 0.01, "kling-v1": 0.2})

    assert ["wan2.6-t2v", "sora-2"] == [each.request.model for each in orders.bought]
    assert len(REQUESTS) == len(orders.bought) + len(orders.left_out)
    assert "exceeded" in orders.left_out["kling-v1"]
    assert "not known" in orders.left_out["jimeng-3.0-pro"]


def test_nothing_is_bought_for_nothing_but_where_nothing_costs():
    """The sandbox charges nothing."""
    assert () == choose(0.0, prices={}).bought
    assert len(REQUESTS) == len(choose(0.0, prices={}, free=True).bought)
    with pytest.raises(InvalidRequest):
        choose(-1.0, prices={})


def test_every_order_passes_its_own_check():
    """A refused order would prove nothing."""
    tables = [(find_capability(each.model), each) for each in REQUESTS]

    assert [] == [
        table.check(each) if table is not None else each for table, each in tables if table is None or table.check(each)
    ]
