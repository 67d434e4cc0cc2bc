"""The video itself over HTTP: by ranges, by version, while it is being saved, and never cut without a sign."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import httpx
import pytest

from aihubmix_video.fastapi.content_routes import HELD_BACK
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.sandbox.response_plan import ResponsePlan
from tests.loopback.fastapi.test_job_routes import SLOW, problem
from tests.loopback.servers import CAT, application, client_of, settled
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 1_200_000
LARGE = AT_ONCE | {"content": SIZE}


async def bought(client: httpx.AsyncClient) -> str:
    """Buy a video, and give its path."""
    answer = await client.post("/videos/", json=CAT)
    assert 202 == answer.status_code
    return answer.headers["Location"]


async def test_a_saved_video_is_played_by_ranges_and_known_by_its_content(tmp_path: Path):
    """Players seek, and browsers keep what has not changed."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        path = await bought(client)
        await settled(client, path)
        film = (tmp_path / "videos" / f"{path.rpartition('/')[2]}.mp4").read_bytes()
        where, tag = f"{path}/content", f'"{hashlib.sha256(film).hexdigest()}"'

        whole = await client.get(where)
        assert (200, film) == (whole.status_code, whole.content)
        assert ("video/mp4", tag, "bytes", "50000") == tuple(
            whole.headers[name] for name in ("content-type", "etag", "accept-ranges", "content-length")
        )
        part = await client.get(where, headers={"Range": "bytes=100-199", "If-Range": tag})
        assert (206, film[100:200]) == (part.status_code, part.content)
        assert ("bytes 100-199/50000", "100") == (part.headers["content-range"], part.headers["content-length"])
        last = await client.get(where, headers={"Range": "bytes=-7"})
        assert (206, film[-7:]) == (last.status_code, last.content)
        other = await client.get(where, headers={"Range": "bytes=100-199", "If-Range": '"x"'})
        assert (200, film) == (other.status_code, other.content)
        beyond = await client.get(where, headers={"Range": "bytes=50000-"})
        assert (416, "bytes */50000") == (problem(beyond)["status"], beyond.headers["content-range"])
        known = await client.get(where, headers={"If-None-Match": tag})
        assert (304, b"", tag) == (known.status_code, known.content, known.headers["etag"])
        head = await client.head(where)
        assert (200, b"", "50000", tag) == (
            *(head.status_code, head.content),
            *(head.headers["content-length"], head.headers["etag"]),
        )


async def test_a_file_that_is_gone_or_another_is_not_served(tmp_path: Path):
    """What the ledger says of it is no longer true; a link in its place may lead anywhere."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        path = await bought(client)
        await settled(client, path)
        file = tmp_path / "videos" / f"{path.rpartition('/')[2]}.mp4"
        film = file.read_bytes()
        kept = tmp_path / "kept.mp4"
        kept.write_bytes(film)

        file.write_bytes(film[:-1])
        assert 410 == problem(await client.get(f"{path}/content"))["status"]
        file.unlink()
        assert 410 == problem(await client.get(f"{path}/content"))["status"]
        file.symlink_to(kept)
        told = await client.get(f"{path}/content")
        assert 410 == problem(told)["status"]
        assert str(tmp_path) not in told.text


async def test_a_video_that_is_not_finished_is_refused_for_now(tmp_path: Path):
    """With a word of when to ask again."""
    async with Sandbox(**SLOW) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        answer = await client.get(f"{await bought(client)}/content")
        assert (409, True, "2") == (
            problem(answer)["status"],
            answer.json()["retryable"],
            answer.headers["retry-after"],
        )


async def test_a_job_without_a_video_says_so(tmp_path: Path):
    """It will never have one."""
    async with Sandbox(**AT_ONCE, balance=0) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        path = await bought(client)
        await settled(client, path, "failed")
        assert (409, False) == ((told := problem(await client.get(f"{path}/content")))["status"], told["retryable"])


async def being_saved(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """Open the video as soon as it can be read, which is while it is being saved."""
    async with asyncio.timeout(20):
        while True:
            answer = await client.send(client.build_request("GET", f"{path}/content"), stream=True)
            if answer.status_code == 200:
                return answer
            await answer.aclose()
            await asyncio.sleep(0.02)


async def test_a_video_is_played_while_it_is_being_saved(tmp_path: Path):
    """As far as it has come; its end only once it has been verified."""
    async with Sandbox(**LARGE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        sandbox.faults.add(Fault.drip(60_000, 0.1, route="content"))
        path = await bought(client)
        answer = await being_saved(client, path)
        assert (str(SIZE), "none") == (answer.headers["content-length"], answer.headers["accept-ranges"])
        received, early = b"", 0
        async for piece in answer.aiter_bytes():
            received += piece
            if not (tmp_path / "videos" / f"{path.rpartition('/')[2]}.mp4").exists():
                early = len(received)
        await answer.aclose()
        assert 0 < early <= SIZE - HELD_BACK
        assert (await client.get(f"{path}/content")).content == received


async def test_an_application_that_ends_cuts_what_is_still_being_saved(tmp_path: Path):
    """It neither waits for the rest nor passes what there is off as all of it."""
    async with Sandbox(**LARGE) as sandbox:
        app = application(sandbox, tmp_path)
        async with client_of(app) as client:
            sandbox.faults.add(Fault.drip(10_000, 0.1, route="content"))
            answer = await being_saved(client, await bought(client))
            app.state.aihubmix_video.feed.close()
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
                await answer.aread()
            await answer.aclose()


async def test_a_video_that_is_begun_anew_is_cut_where_everybody_sees_it(tmp_path: Path):
    """The beginning of one version and the end of another are no video."""
    async with Sandbox(**LARGE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        slowly = ResponsePlan(pieces=60_000, every=0.1, stop=800_000, ending="close")
        sandbox.faults.add(Fault(name="cut", route="content", delivery=slowly), Fault.swap(times=None))
        path = await bought(client)
        answer = await being_saved(client, path)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            await answer.aread()
        await answer.aclose()
        await settled(client, path)
        assert SIZE == len((await client.get(f"{path}/content")).content)
