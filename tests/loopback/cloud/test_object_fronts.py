"""Object stores behind the router and the command line, with a real S3 server."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import obstore
from fastapi import FastAPI

from aihubmix_video.fastapi import video_lifespan, video_router
from aihubmix_video.sandbox import Sandbox
from tests.loopback.cloud.stores import BUCKET, s3_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from obstore.store import S3Store

ASKED = {"model": "wan2.6-t2v", "seconds": 5, "prompt": "a cat"}


@asynccontextmanager
async def served(s3_server: str, tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, S3Store]]:
    """Give a client of an application whose videos become objects."""
    async with s3_of(s3_server, tmp_path / "spool") as (_, storage, store), Sandbox(speed=600, generation=1.0) as box:
        lifespan = video_lifespan(
            api_key=box.api_key,
            base_url=box.url,
            rate=1000,
            poll_interval=0.05,
            ledger=tmp_path / "jobs.db",
            object_storage=storage,
        )
        app = FastAPI(lifespan=lifespan)
        app.include_router(video_router(folder=f"s3://{BUCKET}/videos"), prefix="/videos")
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://here") as client,
        ):
            yield client, store


async def saved(client: httpx.AsyncClient) -> str:
    """Buy a video and wait until it is saved; give its key."""
    key = str((await client.post("/videos", json=ASKED)).json()["key"])
    async with asyncio.timeout(30):
        while (told := (await client.get(f"/videos/{key}")).json())["state"] != "saved":
            assert told["state"] not in {"failed", "uncertain"}, told
            await asyncio.sleep(0.02)
    return key


async def test_the_router_serves_ranges_of_an_object_and_deletes_it(s3_server: str, tmp_path: Path):
    """A player seeks, whether the film lies on a disk or in a bucket."""
    async with served(s3_server, tmp_path) as (client, store):
        key = await saved(client)
        data = bytes(await (await obstore.get_async(store, f"videos/{key}.mp4")).bytes_async())
        whole = await client.get(f"/videos/{key}/content")
        part = await client.get(f"/videos/{key}/content", headers={"Range": "bytes=100-199"})
        none = await client.get(f"/videos/{key}/content", headers={"Range": f"bytes={len(data)}-"})

        assert (200, data) == (whole.status_code, whole.content)
        assert (206, data[100:200]) == (part.status_code, part.content)
        assert f"bytes 100-199/{len(data)}" == part.headers["content-range"]
        assert 416 == none.status_code

        assert 204 == (await client.delete(f"/videos/{key}")).status_code
        assert [] == [each for batch in obstore.list(store) for each in batch]


async def test_an_object_that_somebody_deleted_is_told_as_gone(s3_server: str, tmp_path: Path):
    """A client must see that at the status, and not as a cut body."""
    async with served(s3_server, tmp_path) as (client, store):
        key = await saved(client)
        await obstore.delete_async(store, f"videos/{key}.mp4")

        assert 410 == (await client.get(f"/videos/{key}/content")).status_code


async def command(s3: str, tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Run the command line against its own sandbox and the S3 server; give its exit code and all it printed."""
    environment = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDOFTESTS",
        "AWS_SECRET_ACCESS_KEY": "secret-of-tests",
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": ":".join(sys.path),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from aihubmix_video.cli import main; main()", *arguments),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_the_command_line_saves_objects(s3_server: str, tmp_path: Path):
    """With nothing but the environment that every S3 tool reads."""
    (tmp_path / "rows.txt").write_text("a cat\na dog\n", "utf-8")
    async with s3_of(s3_server, tmp_path / "spool") as (s3, _, store):
        one = await command(
            s3.url, tmp_path, "generate", "a cat", "-m", "wan2.6-t2v", "-o", f"s3://{BUCKET}/one.mp4", "--sandbox"
        )
        many = await command(
            s3.url, tmp_path, "batch", "rows.txt", "-m", "wan2.6-t2v", "-o", f"s3://{BUCKET}/run", "--sandbox"
        )
        keys = sorted(each["path"] for batch in obstore.list(store) for each in batch)

        assert 0 == one[0], one[1]
        assert f"s3://{BUCKET}/one.mp4" in one[1]
        assert 0 == many[0], many[1]
        assert ["one.mp4", "run/0000-a-cat.mp4", "run/0001-a-dog.mp4"] == keys
        assert not (tmp_path / "s3:").exists()


async def test_a_batch_into_a_store_needs_a_ledger_on_this_machine(s3_server: str, tmp_path: Path):
    """Without one, a crash would lose what was bought."""
    (tmp_path / "rows.txt").write_text("a cat\n", "utf-8")
    code, said = await command(
        s3_server,
        tmp_path,
        "batch",
        "rows.txt",
        "-m",
        "wan2.6-t2v",
        "-o",
        f"s3://{BUCKET}/run",
        "--api-key-file",
        "key",
    )
    assert 0 != code
    assert "--ledger" in said
