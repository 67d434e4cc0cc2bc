"""The routes of jobs behind a real server: buying once, listing, looking, deleting, and telling what went wrong."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

from aihubmix_video import VideoSession  # noqa: TC001 - FastAPI looks at it
from aihubmix_video.errors import ConfigurationError, InvalidRequest, JobNotFound
from aihubmix_video.fastapi import (
    LimitReached,
    NotAllowed,
    add_problem_handlers,
    get_session,
    video_lifespan,
    video_router,
)
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.servers import CAT, application, client_of, session_options, settled
from tests.loopback.sessions import AT_ONCE, seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from aihubmix_video import VideoRequest

FIELDS = {
    *("key", "id", "status", "state", "progress", "eta", "model", "prompt", "seconds", "size", "created_at"),
    *("updated_at", "expires_at", "bytes_done", "bytes_total", "error", "note", "charged", "price", "content"),
}
SLOW: dict[str, Any] = {
    "speed": 1,
    "generation": 600.0,
    "content": 9_000,
    "render": False,
}  # Any: each has its own type


def problem(answer: httpx.Response) -> dict[str, Any]:
    """Read problem details, and see that they are some."""
    assert "application/problem+json" == answer.headers["content-type"]
    told: dict[str, Any] = answer.json()
    assert answer.status_code == told["status"]
    assert {"type", "title", "status", "detail", "error", "charged", "retryable"} <= told.keys()
    return told


async def test_a_video_is_bought_followed_and_saved(tmp_path: Path):
    """The whole point, from the request to the file."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        answer = await client.post("/videos/", json=CAT)
        taken = answer.json()
        assert (202, f"/videos/{taken['key']}") == (answer.status_code, answer.headers["Location"])
        assert taken.keys() == FIELDS
        assert ("wan2.6-t2v", "a cat", 5) == (taken["model"], taken["prompt"], taken["seconds"])
        assert (None, None) == (taken["content"], taken["error"])
        saved = await settled(client, answer.headers["Location"])
        assert ("saved", "completed", "yes") == (saved["state"], saved["status"], saved["charged"])
        assert f"/videos/{taken['key']}/content" == saved["content"]
        assert 50_000 == saved["bytes_done"] == (tmp_path / "videos" / f"{taken['key']}.mp4").stat().st_size
        assert [saved] == (await client.get("/videos/")).json()["items"]


@pytest.mark.parametrize("prefix", ["", "/videos", "/api/v1/videos"])
async def test_a_slash_at_a_paths_end_makes_no_difference(tmp_path: Path, prefix: str):
    """A client that does not follow redirects loses a POST that is answered with one; every path is answered at once."""
    async with Sandbox(**AT_ONCE) as sandbox:
        app = FastAPI(lifespan=video_lifespan(**session_options(sandbox)))
        outer = APIRouter()
        outer.include_router(video_router(folder=tmp_path / "videos"), prefix=prefix)
        app.include_router(outer)
        async with client_of(app) as client:
            answers = [await client.post(path, json=CAT) for path in (prefix or "/", f"{prefix}/")]
            assert [202, 202] == [answer.status_code for answer in answers]
            keys = [answer.json()["key"] for answer in answers]
            assert [f"{prefix}/{key}" for key in keys] == [answer.headers["Location"] for answer in answers]
            for key in keys:
                await settled(client, f"{prefix}/{key}/")
            for path in (prefix or "/", f"{prefix}/"):
                listed = (await client.get(path)).json()["items"]
                assert {f"{prefix}/{key}/content" for key in keys} == {job["content"] for job in listed}
            for path in (f"{prefix}/{keys[0]}/content", f"{prefix}/{keys[0]}/content/"):
                assert 50_000 == len((await client.get(path)).content)
                assert 200 == (await client.head(path)).status_code
            async with client.stream("GET", f"{prefix}/{keys[0]}/events/") as stream:
                assert (200, "text/event-stream") == (
                    stream.status_code,
                    stream.headers["content-type"].partition(";")[0],
                )
            assert 204 == (await client.delete(f"{prefix}/{keys[0]}/")).status_code
            assert 404 == (await client.get(f"{prefix}/{keys[0]}")).status_code
            assert 405 == (await client.put(prefix or "/")).status_code
        paths = app.openapi()["paths"]
        assert {f"{prefix}/", f"{prefix}/events", f"{prefix}/{{key}}"} <= paths.keys()
        assert not [path for path in paths if path.endswith("/") and path != f"{prefix}/"]
        assert 2 == seen(sandbox)["create"]


@pytest.mark.parametrize("ledger", [False, True], ids=["in memory", "ledger"])
async def test_one_idempotency_key_buys_one_video(tmp_path: Path, ledger: bool):  # noqa: FBT001 - a parameter of the test
    """Also when its requests come at once; another body under it is refused, and another key buys."""
    session = {"ledger": tmp_path / "jobs.db"} if ledger else {}
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path, **session)) as client:
        keyed = {"Idempotency-Key": "k-1"}
        answers = await asyncio.gather(*(client.post("/videos/", json=CAT, headers=keyed) for _ in range(25)))
        assert {202} == {answer.status_code for answer in answers}
        assert 1 == len({answer.json()["key"] for answer in answers})
        saved = await settled(client, answers[0].headers["Location"])
        assert saved == (await client.post("/videos/", json=CAT, headers=keyed)).json()
        told = problem(await client.post("/videos/", json=CAT | {"prompt": "a dog"}, headers=keyed))
        assert (422, "idempotency_key") == (told["status"], told["problems"][0]["field"])
        assert 1 == sandbox.billed
        other = await client.post("/videos/", json=CAT, headers={"Idempotency-Key": "k-2"})
        await settled(client, other.headers["Location"])
        assert 2 == sandbox.billed


async def test_the_key_still_holds_after_a_restart(tmp_path: Path):
    """Clients try again after an outage, and that is when it matters."""
    keyed = {"Idempotency-Key": "k-1"}
    async with Sandbox(**AT_ONCE) as sandbox:
        async with client_of(application(sandbox, tmp_path, ledger=tmp_path / "jobs.db")) as client:
            saved = await settled(client, (await client.post("/videos/", json=CAT, headers=keyed)).headers["Location"])
        async with client_of(application(sandbox, tmp_path, ledger=tmp_path / "jobs.db")) as client:
            assert saved == (await client.post("/videos/", json=CAT, headers=keyed)).json()
            assert [saved] == (await client.get("/videos/")).json()["items"]
        assert 1 == sandbox.billed


async def test_what_waited_when_the_application_ended_is_bought_by_the_next_one(tmp_path: Path):
    """It was accepted with 202, and a new version of the application is no reason to forget it."""
    async with Sandbox(speed=1, generation=0.5, content=9_000, render=False) as sandbox:
        options = {"ledger": tmp_path / "jobs.db", "max_in_flight": 1}
        async with client_of(application(sandbox, tmp_path, **options)) as client:
            paths = [(await client.post("/videos/", json=CAT)).headers["Location"] for _ in range(4)]
        assert sandbox.billed < 4
        async with client_of(application(sandbox, tmp_path, **options)) as client:
            assert ["saved"] * 4 == [(await settled(client, path))["state"] for path in paths]
        assert 4 == sandbox.billed


async def test_a_client_that_hangs_up_during_a_create_loses_nothing(tmp_path: Path):
    """It gets the job by asking again under the same key."""
    keyed = {"Idempotency-Key": "k-1"}
    async with (
        Sandbox(**AT_ONCE) as sandbox,
        client_of(application(sandbox, tmp_path, ledger=tmp_path / "a.db")) as client,
    ):
        for _ in range(10):
            posting = asyncio.create_task(client.post("/videos/", json=CAT, headers=keyed))
            await asyncio.sleep(0.002)
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
        answer = await client.post("/videos/", json=CAT, headers=keyed)
        assert "saved" == (await settled(client, answer.headers["Location"]))["state"]
        assert 1 == sandbox.billed
        assert 1 == len((await client.get("/videos/")).json()["items"])


async def test_a_handler_cancelled_while_it_buys_is_carried_out(tmp_path: Path):
    """Time limits around handlers cancel them, and a job is no less wanted for that."""
    async with Sandbox(**AT_ONCE) as sandbox:
        app = application(sandbox, tmp_path, ledger=tmp_path / "a.db")
        cancelled = asyncio.Event()

        async def impatient(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - any ASGI application
            if scope["type"] != "http" or scope["method"] != "POST":
                await app(scope, receive, send)
                return
            handling = asyncio.ensure_future(app(scope, receive, send))
            while not app.state.aihubmix_video._tasks:  # noqa: ASYNC110 - it knows of no event
                await asyncio.sleep(0)
            handling.cancel()
            await asyncio.gather(handling, return_exceptions=True)
            cancelled.set()
            await send({"type": "http.response.start", "status": 504, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        async with client_of(impatient) as client:
            assert 504 == (await client.post("/videos/", json=CAT)).status_code
            assert cancelled.is_set()
            async with asyncio.timeout(20):
                while not (jobs := (await client.get("/videos/")).json()["items"]):  # noqa: ASYNC110 - likewise
                    await asyncio.sleep(0.01)
            (job,) = jobs
            assert "saved" == (await settled(client, f"/videos/{job['key']}"))["state"]


async def test_lists_are_paged_and_filtered(tmp_path: Path):
    """A history of thousands is read a page at a time."""
    async with (
        Sandbox(**AT_ONCE) as sandbox,
        client_of(application(sandbox, tmp_path, ledger=tmp_path / "a.db")) as client,
    ):
        keys = [(await client.post("/videos/", json=CAT)).json()["key"] for _ in range(5)]
        for key in keys:
            await settled(client, f"/videos/{key}")
        sandbox.faults.add(Fault.status(400, b'{"error": {"message": "no"}}', route="create"))
        failed = (await client.post("/videos/", json=CAT)).json()["key"]
        await settled(client, f"/videos/{failed}", "failed")
        told: list[str] = []
        parameters: dict[str, str] = {"limit": "2"}
        while True:
            page = (await client.get("/videos/", params=parameters)).json()
            told += [job["key"] for job in page["items"]]
            if page["next"] is None:
                break
            parameters["after"] = page["next"]
        assert [failed, *keys[::-1]] == told
        only = (await client.get("/videos/", params={"state": "failed"})).json()["items"]
        assert [failed] == [job["key"] for job in only]
        assert ("RequestRefused", "no") == (only[0]["error"]["type"], only[0]["charged"])


async def test_a_deleted_job_is_gone(tmp_path: Path):
    """At the gateway, on the disk, and for everybody who asks."""
    keyed = {"Idempotency-Key": "k-1"}
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        answer = await client.post("/videos/", json=CAT, headers=keyed)
        path = answer.headers["Location"]
        await settled(client, path)
        assert 204 == (await client.delete(path)).status_code
        assert [404] * 4 == [
            problem(await request)["status"]
            for request in (
                client.get(path),
                client.delete(path),
                client.get(f"{path}/content"),
                client.get(f"{path}/events"),
            )
        ]
        assert [] == (await client.get("/videos/")).json()["items"]
        assert [] == list((tmp_path / "videos").iterdir())
        assert 410 == problem(await client.post("/videos/", json=CAT, headers=keyed))["status"]
        assert 1 == seen(sandbox)["delete"]


async def test_a_vendor_that_cannot_delete_is_told_as_501(tmp_path: Path):
    """And the job stays, as it goes on."""
    async with Sandbox(**SLOW) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        answer = await client.post("/videos/", json={"model": "kling-v2-6", "prompt": "a cat", "seconds": 5})
        path = answer.headers["Location"]
        await settled(client, path, "running")
        assert (501, "RequestRefused") == (problem(told := await client.delete(path))["status"], told.json()["error"])
        assert "running" == (await client.get(path)).json()["state"]


async def test_an_uncertain_job_is_told_as_such_and_cannot_be_deleted(tmp_path: Path):
    """It may have cost money; only its operator may decide that it has not."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        sandbox.faults.add(Fault.reset(route="create"))
        answer = await client.post("/videos/", json=CAT)
        job = await settled(client, answer.headers["Location"])
        assert ("uncertain", "unknown", "SubmitUncertain") == (job["state"], job["charged"], job["error"]["type"])
        told = problem(await client.delete(answer.headers["Location"]))
        assert (409, "unknown") == (told["status"], told["charged"])


# What is wrong with a request.


WRONG: list[tuple[dict[str, Any], str]] = [
    (CAT | {"secconds": 5}, "secconds"),
    ({"prompt": "a cat"}, "model"),
    (CAT | {"seconds": 99}, "seconds"),
    (CAT | {"size": "1x1"}, "size"),
    (CAT | {"extra_body": {"a": 1}}, "extra_body"),
    ({"model": "wan2.6-i2v", "prompt": "a", "input_reference": "/etc/passwd"}, "input_reference"),
    ({"model": "wan2.6-i2v", "prompt": "a", "input_reference": "file:///etc/passwd"}, "input_reference"),
    ({"model": ["sora-2"], "prompt": "a"}, "model"),
    ({"model": "wan2.6-i2v", "prompt": "a", "input_reference": "http://169.254.169.254/a"}, "input_reference"),
    ({"model": "wan2.6-i2v", "prompt": "a", "input_reference": "https://0177.1/a"}, "input_reference"),
    ({"model": "unheard-of", "prompt": "a", "content": [{"url": "http://localhost."}]}, "content[0].url"),
]


async def test_a_wrong_request_is_told_field_by_field_before_anything_is_sent(tmp_path: Path):
    """A form can put each complaint beside its field."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        for body, field in WRONG:
            told = problem(await client.post("/videos/", json=body))
            assert (422, "InvalidRequest", "no") == (told["status"], told["error"], told["charged"])
            assert field in {each["field"] for each in told["problems"]}
            assert {"field", "value", "message", "allowed", "nearest"} == told["problems"][0].keys()
        assert {} == seen(sandbox)


async def test_models_that_nobody_has_heard_of_are_passed_on_without_a_word(tmp_path: Path):
    """Strangers' words are no warnings to an operator, who may have warnings made errors, and must not add up in memory."""
    async with Sandbox(**AT_ONCE) as sandbox:
        app = application(sandbox, tmp_path)
        async with client_of(app) as client:
            for number in range(3):
                answer = await client.post("/videos/", json={"model": f"unheard-of-{number}", "prompt": "a"})
                assert 202 == answer.status_code
                await settled(client, answer.headers["Location"])


async def test_problems_name_what_is_allowed_and_what_is_nearest(tmp_path: Path):
    """The SDK knows; whoever asks over HTTP should learn it as well."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        told = problem(await client.post("/videos/", json={"model": "sora-2", "prompt": "a cat", "seconds": 5}))
        assert (["4", "8", "12"], "4") == (told["problems"][0]["allowed"], told["problems"][0]["nearest"])


NO_REQUESTS = [
    (b"{", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"\xff", "application/json", 400),
    (b"[" * 10_000, "application/json", 400),
    (b'{"model": "a", "model": "b", "prompt": "c"}', "application/json", 422),
    (b'{"model": "sora-2", "prompt": "c", "seed": NaN}', "application/json", 422),
    (b"{}", "text/plain", 415),
    (b"x" * 20_001, "application/json", 413),
]


async def test_a_body_that_is_no_request_is_refused(tmp_path: Path):
    """Whatever comes, it is told what it is, and costs no more than its limit."""
    async with Sandbox(**AT_ONCE) as sandbox:
        async with client_of(application(sandbox, tmp_path, router={"max_body": 20_000})) as client:
            for content, kind, status in NO_REQUESTS:
                told = problem(await client.post("/videos/", content=content, headers={"Content-Type": kind}))
                assert status == told["status"]
        assert {} == seen(sandbox)


async def test_a_body_that_does_not_say_its_length_is_limited_all_the_same(tmp_path: Path):
    """Nobody has to be honest."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    async with (
        Sandbox(**AT_ONCE) as sandbox,
        client_of(application(sandbox, tmp_path, router={"max_body": 5000})) as client,
    ):
        answer = await client.post("/videos/", content=pieces(), headers={"Content-Type": "application/json"})
        assert 413 == problem(answer)["status"]


async def test_wrong_parameters_are_told_in_the_same_form(tmp_path: Path):
    """One form for everything that is wrong."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        for name, value in (("limit", "0"), ("limit", "x"), ("after", "x"), ("state", "odd")):
            told = problem(await client.get("/videos/", params={name: value}))
            assert (422, name) == (told["status"], told["problems"][0]["field"].partition(".")[0])


# What is wrong with the service.


async def test_the_applications_own_trouble_is_not_told_as_the_callers(tmp_path: Path):
    """A refused key of ours is no 401 of theirs; and neither our key nor our paths are shown."""
    async with Sandbox(**AT_ONCE, balance=0) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        job = await settled(client, (await client.post("/videos/", json=CAT)).headers["Location"])
        assert ("failed", "no", "InsufficientBalance") == (job["state"], job["charged"], job["error"]["type"])
        assert "The video service cannot be used: its balance does not cover the job." == job["error"]["message"]


async def test_a_folder_that_cannot_be_written_is_ours_and_told_without_its_name(tmp_path: Path):
    """The caller chose no path, and can choose no other."""
    (tmp_path / "videos").write_text("in the way")
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        answer = await client.post("/videos/", json=CAT)
        assert 500 == problem(answer)["status"]
        assert str(tmp_path) not in answer.text
        assert {} == seen(sandbox)


async def test_too_many_waiting_jobs_are_refused_for_now(tmp_path: Path):
    """Each holds memory; and what nobody can buy for hours should not be promised."""
    async with Sandbox(**SLOW) as sandbox:
        app = application(sandbox, tmp_path, router={"max_waiting": 3}, max_in_flight=1)
        async with client_of(app) as client:
            answers = [await client.post("/videos/", json=CAT) for _ in range(1)]
            await settled(client, answers[0].headers["Location"], "running")
            answers = [await client.post("/videos/", json=CAT) for _ in range(4)]
            assert [202, 202, 202, 503] == [answer.status_code for answer in answers]
            assert "10" == answers[-1].headers["Retry-After"]


async def test_without_the_lifespan_it_is_said_what_is_missing(tmp_path: Path):
    """The first mistake that everybody makes."""
    app = FastAPI()
    app.include_router(video_router(folder=tmp_path), prefix="/videos")
    async with client_of(app) as client:
        told = problem(await client.get("/videos/"))
        assert (500, "ConfigurationError") == (told["status"], told["error"])


# The application's own rules.


async def caller(x_user: Annotated[str | None, Header()] = None) -> str:
    """Say who asks, as an application's own authentication would."""
    if x_user is None:
        raise HTTPException(401, "who are you?")
    return x_user


async def test_callers_see_only_their_own_jobs(tmp_path: Path):
    """By no route; and one caller's idempotency key is not another's."""
    async with Sandbox(**AT_ONCE) as sandbox:
        app = application(sandbox, tmp_path, router={"owner": caller}, ledger=tmp_path / "a.db")
        async with client_of(app) as client:
            ann, bob = {"X-User": "ann"}, {"X-User": "bob"}
            keyed = {"Idempotency-Key": "k"}
            hers = await client.post("/videos/", json=CAT, headers=ann | keyed)
            his = await client.post("/videos/", json=CAT | {"prompt": "a dog"}, headers=bob | keyed)
            assert [202, 202] == [hers.status_code, his.status_code]
            path = hers.headers["Location"]
            client.headers.update(bob)
            for request in (
                client.get(path),
                client.get(f"{path}/events"),
                client.get(f"{path}/content"),
                client.delete(path),
            ):
                assert 404 == problem(await request)["status"]
            assert [his.json()["key"]] == [job["key"] for job in (await client.get("/videos/")).json()["items"]]
            client.headers.update(ann)
            assert "saved" == (await settled(client, path))["state"]


@pytest.mark.parametrize(("given", "status"), [(None, 403), ("", 403), (7, 200), (object(), 500)])
async def test_who_is_not_known_sees_nothing(tmp_path: Path, given: object, status: int):
    """A dependency that finds nobody must not open everything; ids are numbers as often as strings."""

    async def owner() -> object:
        return given

    known = {"owner": owner}
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path, router=known)) as client:
        assert status == (await client.get("/videos/")).status_code


@pytest.mark.parametrize(
    "options",
    [
        {"heartbeat": 0},
        {"max_body": -1},
        {"max_waiting": True},
        {"reference_schemes": ["ftp"]},
        {"prices": {"sora-2": -1}},
    ],
)
def test_options_that_cannot_be_meant_are_refused_when_the_router_is_made(options: dict[str, Any]):
    """Not with the first request, at night."""
    with pytest.raises((ConfigurationError, InvalidRequest), match=next(iter(options))):
        video_router(**options)


async def test_the_session_is_found_from_mounted_applications_and_beside_other_lifespans(tmp_path: Path):
    """Applications are put together in many ways."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with video_lifespan(**session_options(sandbox))(app) as state:
            yield {**state, "own": 1}

    async with Sandbox(**AT_ONCE) as sandbox:
        app, inner = FastAPI(lifespan=lifespan), FastAPI()
        inner.include_router(video_router(folder=tmp_path), prefix="/videos")
        app.mount("/inner", inner)
        app.include_router(video_router(folder=tmp_path), prefix="/outer")
        async with client_of(app) as client:
            inside = await client.post("/inner/videos/", json=CAT)
            assert f"/inner/videos/{inside.json()['key']}" == inside.headers["Location"]
            saved = await settled(client, inside.headers["Location"])
            assert 200 == (await client.get(saved["content"])).status_code
            assert [saved["key"]] == [job["key"] for job in (await client.get("/outer/")).json()["items"]]


async def test_paths_are_right_behind_a_proxy_that_cuts_a_prefix_off(tmp_path: Path):
    """The application is told of the prefix by its server, and its clients ask with it."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path), root_path="/api") as client:
        answer = await client.post("/videos/", json=CAT)  # as the proxy passes it on
        assert f"/api/videos/{answer.json()['key']}" == answer.headers["Location"]
        saved = await settled(client, answer.headers["Location"].removeprefix("/api"))
        assert f"{answer.headers['Location']}/content" == saved["content"]


async def test_dependencies_come_before_everything_else(tmp_path: Path):
    """Authentication is the application's, and answers in its way."""
    async with Sandbox(**AT_ONCE) as sandbox:
        app = application(sandbox, tmp_path, router={"dependencies": [Depends(caller)]})
        async with client_of(app) as client:
            for method, path in (
                ("POST", "/"),
                ("GET", "/"),
                ("GET", "/events"),
                ("GET", "/x/content"),
                ("DELETE", "/x"),
            ):
                assert 401 == (await client.request(method, f"/videos{path}", json=CAT)).status_code
            assert {} == seen(sandbox)
            assert 202 == (await client.post("/videos/", json=CAT, headers={"X-User": "ann"})).status_code


async def test_the_application_may_refuse_before_anything_is_bought(tmp_path: Path):
    """Limits per user, models not for everybody: it knows, and the caller is told."""
    bought: list[str] = []

    async def allow(owner: str | None, wanted: VideoRequest) -> None:
        if wanted.model.startswith("sora"):
            raise NotAllowed("this model is not for you")
        if owner == "bob":
            raise LimitReached("five videos a day", retry_after=3600)
        bought.append(wanted.prompt)

    async with Sandbox(**AT_ONCE) as sandbox:
        app = application(sandbox, tmp_path, router={"owner": caller, "allow": allow})
        async with client_of(app) as client:
            client.headers.update({"X-User": "ann"})
            told = problem(await client.post("/videos/", json={"model": "sora-2", "prompt": "a"}))
            assert (403, "NotAllowed", "this model is not for you") == (told["status"], told["error"], told["detail"])
            client.headers.update({"X-User": "bob"})
            answer = await client.post("/videos/", json=CAT)
            assert (429, "3600") == (problem(answer)["status"], answer.headers["Retry-After"])
            assert {} == seen(sandbox)
            client.headers.update({"X-User": "ann", "Idempotency-Key": "k"})
            assert 422 == (await client.post("/videos/", json=CAT | {"seconds": 99})).status_code
            assert [] == bought
            assert [202, 202] == [(await client.post("/videos/", json=CAT)).status_code for _ in range(2)]
            assert ["a cat"] == bought


async def test_references_are_passed_on_as_the_application_allows_and_never_fetched(tmp_path: Path):
    """A URL of an allowed host reaches the vendor as it is; others reach nobody."""
    wanted = {
        "model": "wan2.6-i2v",
        "prompt": "a cat",
        "seconds": 5,
        "input_reference": "https://cdn.example.com/a.png",
    }
    strict = {"reference_schemes": ["https"], "reference_hosts": ["*.example.com"]}
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path, router=strict)) as client:
        for url in ("http://cdn.example.com/a.png", "https://example.org/a.png", "data:image/png;base64,AAAA"):
            told = problem(await client.post("/videos/", json=wanted | {"input_reference": url}))
            assert "input_reference" == told["problems"][0]["field"]
        await settled(client, (await client.post("/videos/", json=wanted)).headers["Location"])
        assert 1 == sandbox.billed


async def test_own_handlers_share_the_session_and_may_answer_with_problems_too(tmp_path: Path):
    """An application is more than one router."""
    async with Sandbox(**AT_ONCE) as sandbox:
        app = FastAPI(lifespan=video_lifespan(**session_options(sandbox)))
        add_problem_handlers(app)

        @app.get("/cat")
        async def cat(session: Annotated[VideoSession, Depends(get_session)]) -> dict[str, Any]:
            video = await session.generate("a cat", model="wan2.6-t2v", to=tmp_path / "cat.mp4")
            return {"bytes": video.bytes_written}

        @app.get("/lost")
        async def lost(session: Annotated[VideoSession, Depends(get_session)]) -> None:
            await session.registry.find("nowhere")

        async with client_of(app) as client:
            assert {"bytes": 50_000} == (await client.get("/cat")).json()
            assert (404, JobNotFound.__name__) == (
                problem(told := await client.get("/lost"))["status"],
                told.json()["error"],
            )


async def test_what_is_asked_for_is_shown_as_it_will_be(tmp_path: Path):
    """Resolved by the model's table: length, size and list price."""
    async with Sandbox(**SLOW) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        job = (await client.post("/videos/", json={"model": "sora-2", "prompt": "a cat", "seconds": "8"})).json()
        assert (8, "720x1280", pytest.approx(0.8)) == (job["seconds"], job["size"], job["price"])
        own = application(sandbox, tmp_path, router={"prices": {"wan2.6-t2v": 0.2}})
        async with client_of(own) as other:
            assert (
                pytest.approx(1.0)
                == (
                    await other.post(
                        "/videos/", content=json.dumps(CAT), headers={"Content-Type": "application/vnd.a+json"}
                    )
                ).json()["price"]
            )
