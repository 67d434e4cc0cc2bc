"""The front over real sockets: what it answers to creates, questions, downloads and deletes."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from typing import Any

import pytest
from starlette.requests import Request  # noqa: TC002  # FastAPI looks at it

from aihubmix_video.openai_front import ApiClient
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.openai_front.fronts import CAT, TOKEN, ended, front, plain
from tests.loopback.sessions import AT_ONCE
from tests.pure.pictures import png


def creates(sandbox: Sandbox) -> int:
    """Count the creates that a gateway received."""
    return sum(logged.route == "create" for logged in sandbox.log)


async def test_a_video_is_created_asked_about_and_fetched(tmp_path: Path):
    """The whole of the API, by its plain requests; the id and the key of the gateway stay inside."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        created = await client.post("/videos", json=CAT)
        video = await ended(client, created.json()["id"])
        whole = await client.get(f"/videos/{video['id']}/content")
        part = await client.get(f"/videos/{video['id']}/content", headers={"Range": "bytes=2-5"})
        beyond = await client.get(f"/videos/{video['id']}/content", headers={"Range": "bytes=99999999-"})
        head = await client.head(f"/videos/{video['id']}/content")
        listed = (await client.get("/videos")).json()
        deleted = await client.delete(f"/videos/{video['id']}")
        gone = await client.get(f"/videos/{video['id']}")
        (log,) = [logged for logged in sandbox.log if logged.route == "create"]

    assert 200 == created.status_code
    assert video.items() >= {"object": "video", "status": "completed", "progress": 100, "seconds": "5"}.items()
    assert ("wan2.6-t2v", "a cat", "1280x720") == (video["model"], video["prompt"], video["size"])
    size = len(whole.content)
    assert b"ftyp" == whole.content[4:8]
    assert "video/mp4" == whole.headers["content-type"]
    assert (206, whole.content[2:6], f"bytes 2-5/{size}") == (
        part.status_code,
        part.content,
        part.headers["content-range"],
    )
    assert (416, f"bytes */{size}") == (beyond.status_code, beyond.headers["content-range"])
    assert (200, str(size), b"") == (head.status_code, head.headers["content-length"], head.content)
    assert ([video["id"]], False) == ([each["id"] for each in listed["data"]], listed["has_more"])
    assert {"id": video["id"], "object": "video.deleted", "deleted": True} == deleted.json()
    assert 404 == gone.status_code
    assert [] == list((tmp_path / "videos").iterdir())
    assert sandbox.api_key not in created.text + str(log.video_id)


async def test_a_form_with_a_picture_is_the_same_as_json(tmp_path: Path):
    """OpenAI's own libraries send forms, whether there is a file or not."""
    wan = {"model": "wan2.6-i2v", "prompt": "she turns", "seconds": "5"}
    picture = {"input_reference": ("face.png", png(64, 64), "image/png")}
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        without = await client.post("/videos", files={name: (None, text) for name, text in CAT.items()})
        with_file = await client.post("/videos", data=wan, files=picture)
        again = await client.post("/videos", data=wan, files=picture)
        videos = [await ended(client, each.json()["id"]) for each in (without, with_file)]
        billed = sandbox.billed

    assert [200, 200, 200] == [each.status_code for each in (without, with_file, again)], with_file.text
    assert ["completed", "completed"] == [video["status"] for video in videos]
    assert with_file.json()["id"] == again.json()["id"]
    assert 2 == billed


@pytest.mark.parametrize("times", [2, 5])
async def test_the_same_create_is_bought_once_within_the_window(tmp_path: Path, times: int):
    """Sent at once or one after the other, a create whose answer was lost must not cost twice."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        together = await asyncio.gather(*(client.post("/videos", json=CAT) for _ in range(times)))
        later = await client.post("/videos", json=CAT, headers={"x-stainless-retry-count": "1"})
        other = await client.post("/videos", json=CAT | {"prompt": "a dog"})
        await ended(client, other.json()["id"])
        billed = sandbox.billed

    assert {later.json()["id"]} == {each.json()["id"] for each in together}
    assert other.json()["id"] != later.json()["id"]
    assert 2 == billed


async def test_the_window_can_be_switched_off(tmp_path: Path):
    """Who wants several takes of one prompt gets them; what has the same idempotency key stays one even then."""
    named = {"Idempotency-Key": "one"}
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path, retry_window=0)) as client:
        takes = [await client.post("/videos", json=CAT) for _ in range(3)]
        once = [await client.post("/videos", json=CAT, headers=named) for _ in range(2)]
        clash = await client.post("/videos", json=CAT | {"prompt": "a dog"}, headers=named)
        for each in (*takes, *once):
            await ended(client, each.json()["id"])
        billed = sandbox.billed

    assert 3 == len({each.json()["id"] for each in takes})
    assert 1 == len({each.json()["id"] for each in once})
    assert (400, "idempotency_key") == (clash.status_code, clash.json()["error"]["param"])
    assert 4 == billed


async def test_a_retry_is_known_after_a_restart(tmp_path: Path):
    """The answer may be lost because the server died; the ledger knows what was bought."""
    session = {"ledger": tmp_path / "jobs.db"}
    async with Sandbox(**AT_ONCE) as sandbox:
        async with plain(front(sandbox, tmp_path, session=session)) as client:
            first = await client.post("/videos", json=CAT)
        async with plain(front(sandbox, tmp_path, session=session)) as client:
            again = await client.post("/videos", json=CAT)
            await ended(client, again.json()["id"])
        billed = sandbox.billed

    assert first.json()["id"] == again.json()["id"]
    assert 1 == billed


async def test_an_uncertain_create_is_never_answered_so_that_a_client_sends_it_again(tmp_path: Path):
    """The gateway may have taken it. A 5xx would be repeated by OpenAI's libraries, and each repeat could be paid for."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        sandbox.faults.add(Fault.status(502, route="create", times=None))
        answers = [await client.post("/videos", json=CAT) for _ in range(3)]
        deleted = await client.delete(f"/videos/{answers[0].json()['id']}")
        sent, billed = creates(sandbox), sandbox.billed

    assert [200, 200, 200] == [each.status_code for each in answers]
    assert {("failed", "submit_uncertain")} == {(e.json()["status"], e.json()["error"]["code"]) for e in answers}
    assert 1 == len({each.json()["id"] for each in answers})
    assert (1, 1) == (sent, billed)
    assert (400, "false") == (deleted.status_code, deleted.headers["x-should-retry"])


async def test_what_the_gateway_refuses_is_an_error_and_may_be_created_again(tmp_path: Path):
    """Nothing was bought, so the next create of the same is a new one; its status says whose fault it is."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        moderated = {"error": {"message": "blocked", "type": "invalid_request_error", "code": "moderation_blocked"}}
        sandbox.faults.add(Fault.status(400, moderated, route="create"))
        refused = await client.post("/videos", json=CAT)
        then = await client.post("/videos", json=CAT)

    assert (400, "moderation_blocked") == (refused.status_code, refused.json()["error"]["code"])
    assert "false" == refused.headers["x-should-retry"]
    assert 200 == then.status_code


INVALID = [
    ({"model": "wan2.6-t2v", "prompt": "a cat", "seconds": "99"}, "seconds"),
    ({"prompt": "a cat"}, "model"),
    (CAT | {"secnods": "5"}, "secnods"),
    (CAT | {"extra_body": {"x": 1}}, "extra_body"),
    (CAT | {"n": 2}, "n"),
]


@pytest.mark.parametrize(("body", "param"), INVALID)
async def test_an_invalid_create_is_refused_before_anything_is_sent(tmp_path: Path, body: dict[str, Any], param: str):
    """In OpenAI's envelope, which its clients show to their users."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        refused = await client.post("/videos", json=body)
        sent = creates(sandbox)

    error = refused.json()["error"]
    assert (400, "invalid_request_error", param) == (refused.status_code, error["type"], error["param"])
    assert "Nothing was sent" in error["message"]
    assert 0 == sent


async def test_what_is_not_a_create_is_told_so(tmp_path: Path):
    """Bodies and ids of any kind end in an envelope, never in a traceback."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path, max_body=2000)) as client:
        answers = [
            await client.post("/videos", content=b"{", headers={"Content-Type": "application/json"}),
            await client.post("/videos", content=b"x", headers={"Content-Type": "text/plain"}),
            await client.post("/videos", content=b"x", headers={"Content-Type": "multipart/form-data"}),
            await client.post("/videos", json=CAT | {"prompt": "x" * 3000}),
            await client.get("/videos/nothing"),
            await client.get("/videos/video_0-0/content"),
            await client.get("/videos", params={"limit": "1000"}),
            await client.get("/videos", params={"order": "asc"}),
            await client.get("/videos", params={"after": "video_0-0"}),
            await client.get("/models/nothing"),
        ]

    assert [400, 415, 400, 413, 404, 404, 400, 400, 404, 404] == [each.status_code for each in answers]
    assert all({"message", "type", "param", "code"} == set(each.json()["error"]) for each in answers)


async def test_a_list_has_pages(tmp_path: Path):
    """Clients go from page to page by the last id that they have."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        made = [(await client.post("/videos", json=CAT | {"prompt": str(n)})).json()["id"] for n in range(5)]
        pages, after = [], None
        while True:
            params = {"limit": 2} | ({"after": after} if after else {})
            page = (await client.get("/videos", params=params)).json()
            pages.append([each["id"] for each in page["data"]])
            after = page["last_id"]
            if not page["has_more"]:
                break

    assert [made[4:2:-1], made[2:0:-1], made[:1]] == pages


async def test_clients_see_their_own_videos_only(tmp_path: Path):
    """A token is a client; another one's video is not there for it, and nobody gets in without one."""
    clients = [ApiClient.of("alice", TOKEN), ApiClient.of("bob", "another-token-of-some-length")]
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path, clients=clients)) as client:
        mine = (await client.post("/videos", json=CAT)).json()["id"]
        bob = {"Authorization": "Bearer another-token-of-some-length"}
        theirs = await client.post("/videos", json=CAT, headers=bob)
        hidden = [
            await client.request(method, f"/videos/{mine}{more}", headers=bob)
            for method, more in (("GET", ""), ("GET", "/content"), ("DELETE", ""))
        ]
        wrong = [
            await client.get("/models", headers={"Authorization": given})
            for given in ("Bearer wrong", "", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}")
        ]
        listed = (await client.get("/videos", headers=bob)).json()["data"]

    assert mine != theirs.json()["id"]
    assert [404, 404, 404] == [each.status_code for each in hidden]
    assert [theirs.json()["id"]] == [each["id"] for each in listed]
    assert [(401, "invalid_api_key")] * 4 == [(each.status_code, each.json()["error"]["code"]) for each in wrong]


async def test_caps_hold_over_a_restart_and_deletes(tmp_path: Path):
    """What a client may spend in a day is counted from the ledger; deleting what was bought gives nothing back."""
    clients = [ApiClient.of("alice", TOKEN, max_videos=2)]
    session = {"ledger": tmp_path / "jobs.db"}

    async def create(client: Any, prompt: str) -> Any:  # noqa: ANN401  # of httpx
        return await client.post("/videos", json=CAT | {"prompt": prompt})

    async with Sandbox(**AT_ONCE) as sandbox:
        async with plain(front(sandbox, tmp_path, clients=clients, session=session)) as client:
            refused = Fault.status(400, {"error": {"message": "no", "code": "x"}}, route="create")
            sandbox.faults.add(refused)
            free = await create(client, "refused by the vendor")
            first = await create(client, "one")
            await ended(client, first.json()["id"])
            await client.delete(f"/videos/{first.json()['id']}")
        async with plain(front(sandbox, tmp_path, clients=clients, session=session)) as client:
            second = await create(client, "two")
            third = await create(client, "three")
            again = await create(client, "two")
        sent = creates(sandbox)

    assert (400, 200, 200, 429) == tuple(each.status_code for each in (free, first, second, third))
    assert "insufficient_quota" == third.json()["error"]["code"]
    assert "false" == third.headers["x-should-retry"]
    assert 86_000 < int(third.headers["retry-after"]) <= 86_400
    assert second.json()["id"] == again.json()["id"]
    assert 3 == sent


async def test_a_rate_slows_new_videos_down_and_nothing_else(tmp_path: Path):
    """A client that creates too fast is told when to go on; its retries and questions are free."""
    clients = [ApiClient.of("alice", TOKEN, rate=1)]
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path, clients=clients)) as client:
        first = await client.post("/videos", json=CAT)
        second = await client.post("/videos", json=CAT | {"prompt": "another"})
        others = [await client.post("/videos", json=CAT), await client.get("/videos")]

    assert (200, 429) == (first.status_code, second.status_code)
    assert 50 < int(second.headers["retry-after"]) <= 60
    assert "x-should-retry" not in second.headers
    assert [200, 200] == [each.status_code for each in others]


async def test_questions_cost_the_gateway_nothing(tmp_path: Path):
    """However many clients ask however often, the session alone decides when the gateway is asked."""
    async with (
        Sandbox(generation=600.0) as sandbox,
        plain(front(sandbox, tmp_path, session={"poll_interval": 15.0})) as client,
    ):
        video = (await client.post("/videos", json=CAT)).json()["id"]
        answers = await asyncio.gather(*(client.get(f"/videos/{video}") for _ in range(200)))
        asked = sum(logged.route == "retrieve" for logged in sandbox.log)

    assert {200} == {each.status_code for each in answers}
    assert 1000 <= int(answers[0].headers["openai-poll-after-ms"]) <= 15_000
    assert asked <= 1


async def test_models_are_those_with_a_table(tmp_path: Path):
    """Clients offer their users what is listed."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        listed = (await client.get("/models")).json()["data"]
        one = (await client.get("/models/sora-2")).json()

    assert {"sora-2", "kling-v3", "wan2.6-t2v"} <= {each["id"] for each in listed}
    assert {"id": "sora-2", "object": "model", "created": 0, "owned_by": "OpenAI"} == one


async def test_a_deleted_video_may_be_created_again(tmp_path: Path):
    """Who deletes a video and wants it after all means a new one, not the one that is gone; a named one stays gone."""
    named = {"Idempotency-Key": "one"}
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path)) as client:
        first = await client.post("/videos", json=CAT)
        given = await client.post("/videos", json=CAT, headers=named)
        for each in (first, given):
            await ended(client, each.json()["id"])
            await client.delete(f"/videos/{each.json()['id']}")
        again = await client.post("/videos", json=CAT)
        gone = await client.post("/videos", json=CAT, headers=named)

    assert 200 == again.status_code
    assert again.json()["id"] not in {first.json()["id"], given.json()["id"]}
    assert 404 == gone.status_code


async def test_an_application_may_know_its_users_itself(tmp_path: Path):
    """Then its own dependency says whose a video is; without an answer nobody gets in."""

    async def user(request: Request) -> str | None:
        return request.headers.get("x-user")

    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path, owner=user)) as client:
        made = await client.post("/videos", json=CAT, headers={"x-user": "ann"})
        theirs = await client.get("/videos", headers={"x-user": "ben"})
        nobody = await client.get("/videos")

    assert 200 == made.status_code
    assert [] == theirs.json()["data"]
    assert (403, "permission_error") == (nobody.status_code, nobody.json()["error"]["type"])


async def test_a_create_that_the_gateway_is_slow_to_accept_is_queued(tmp_path: Path):
    """Clients and proxies give up at some time; the id is there long before, and the video comes all the same."""
    async with Sandbox(**AT_ONCE) as sandbox, plain(front(sandbox, tmp_path, answer_within=0.0)) as client:
        sandbox.faults.add(Fault.wait(1.0, route="create"))
        created = (await client.post("/videos", json=CAT)).json()
        video = await ended(client, created["id"])

    assert ("queued", "completed") == (created["status"], video["status"])
