"""Videos saved to an object store: whole or absent, never in place of another, with a real S3 server."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

import attrs
import obstore
import pytest

from aihubmix_video import VideoSession
from aihubmix_video.errors import DownloadFailed, InvalidRequest
from aihubmix_video.sandbox import Sandbox
from tests.loopback.cloud.stores import BUCKET, FaultyS3, s3_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from obstore.store import S3Store

TO = f"s3://{BUCKET}/run/cat.mp4"
ASKED = {"model": "wan2.6-t2v", "seconds": 5}


@attrs.frozen
class House:
    """A session whose object store may fail, the gateway behind it, and what its store holds."""

    session: VideoSession
    s3: FaultyS3
    store: S3Store
    sandbox: Sandbox
    spool: Path

    async def keys(self) -> list[str]:
        """List what the store holds."""
        return [each["path"] for batch in obstore.list(self.store) for each in batch]

    def left(self) -> list[Path]:
        """List what lies in the spool folder."""
        return list(self.spool.glob(".*")) if self.spool.exists() else []


@asynccontextmanager
async def house(s3_server: str, tmp_path: Path, **options: object) -> AsyncIterator[House]:
    """Open all that a test needs."""
    spool = tmp_path / "spool"
    async with (
        s3_of(s3_server, spool) as (s3, storage, store),
        Sandbox(speed=600, generation=1.0) as sandbox,
        VideoSession(
            sandbox.api_key, base_url=sandbox.url, rate=1000, poll_interval=0.05, object_storage=storage, **options
        ) as session,
    ):
        yield House(session, s3, store, sandbox, spool)


async def test_a_video_becomes_one_object_with_its_digest_and_request(s3_server: str, tmp_path: Path):
    """Whoever finds the object must be able to verify it and to know what was asked for."""
    async with house(s3_server, tmp_path) as at:
        video = await at.session.generate("a cät plays", **ASKED, to=TO)
        found = await obstore.get_async(at.store, "run/cat.mp4")
        data = bytes(await found.bytes_async())

        assert (None, TO, TO) == (video.path, video.object_url, video.location)
        assert video.sha256 == sha256(data).hexdigest() == found.attributes["sha256"]
        assert {"prompt": "a cät plays", **ASKED} == json.loads(found.attributes["request"])
        assert video.id == found.attributes["video"]
        assert "video/mp4" == found.attributes["Content-Type"]
        assert [] == at.left()


async def test_rows_of_a_batch_become_objects_and_are_not_bought_again(s3_server: str, tmp_path: Path):
    """The ledger knows where each lies, so a second run tells them and sends nothing."""
    rows = [{"prompt": f"cat {number}", **ASKED} for number in range(4)]
    to = f"s3://{BUCKET}/run/{{index:04d}}-{{slug}}.mp4"
    async with house(s3_server, tmp_path, ledger=tmp_path / "run.db") as at:
        first = {item.index: item.location async for item in at.session.batch(rows, to=to)}
        again = {item.index: item.location async for item in at.session.batch(rows, to=to)}

        assert {number: f"s3://{BUCKET}/run/{number:04d}-cat-{number}.mp4" for number in range(4)} == first == again
        assert 4 == len(await at.keys()) == at.session.stats().creates_sent


async def test_an_object_that_is_there_refuses_the_job_before_it_is_paid_for(s3_server: str, tmp_path: Path):
    """An object is replaced only if that is asked for."""
    async with house(s3_server, tmp_path) as at:
        await obstore.put_async(at.store, "run/cat.mp4", b"older")
        with pytest.raises(InvalidRequest, match="exists already"):
            await at.session.generate("a cat", **ASKED, to=TO)
        assert 0 == at.session.stats().creates_sent

        await at.session.generate("a cat", **ASKED, to=TO, overwrite=True)
        assert 5 < len(bytes(await (await obstore.get_async(at.store, "run/cat.mp4")).bytes_async()))


async def test_a_bucket_that_does_not_exist_refuses_the_job_before_it_is_paid_for(s3_server: str, tmp_path: Path):
    """A misspelt bucket must cost nothing."""
    async with house(s3_server, tmp_path) as at:
        at.session._object_storage._stores["s3://nobody"] = type(at.store)(  # type: ignore[union-attr]
            "nobody",
            endpoint=at.s3.server,
            region="us-east-1",
            access_key_id="A",
            secret_access_key="B",
            client_options={"allow_http": True},
        )
        with pytest.raises(InvalidRequest, match="s3://nobody does not exist"):
            await at.session.generate("a cat", **ASKED, to="s3://nobody/cat.mp4")
        assert 0 == at.session.stats().creates_sent


async def test_an_object_that_appears_meanwhile_is_not_replaced(s3_server: str, tmp_path: Path):
    """The store itself decides in the PUT, not a look before it; the paid video stays on the disk, and is named."""
    async with house(s3_server, tmp_path) as at:
        job = await at.session.submit("a cat", **ASKED, to=TO)
        await obstore.put_async(at.store, "run/cat.mp4", b"another's")
        with pytest.raises(DownloadFailed, match=r"another object has that key.*the whole video lies at"):
            await job
        (kept,) = at.left()

        assert b"another's" == bytes(await (await obstore.get_async(at.store, "run/cat.mp4")).bytes_async())
        assert str(kept) in str(job_error(job))


def job_error(job: object) -> BaseException | None:
    """Return what a job ended with."""
    return job._tracked.error  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("fault", ["refused", "cut", "lost"])
async def test_an_upload_that_fails_is_repeated_without_fetching_the_video_again(
    s3_server: str, tmp_path: Path, fault: str
):
    """The verified file waits on the disk; where only the answer was lost, the object is recognised by its digest."""
    async with house(s3_server, tmp_path) as at:
        at.s3.faults += [fault]  # type: ignore[list-item]
        video = await at.session.generate("a cat", **ASKED, to=TO)
        data = bytes(await (await obstore.get_async(at.store, "run/cat.mp4")).bytes_async())
        fetched = [each for each in at.sandbox.log if each.path.endswith("/content")]

        assert video.sha256 == sha256(data).hexdigest()
        assert 1 == len(fetched)
        assert [] == at.left()


async def test_a_refused_upload_leaves_no_object_and_no_part_of_one(s3_server: str, tmp_path: Path):
    """There is no multipart upload at any time, so nothing can dangle; the file is kept and named."""
    async with house(s3_server, tmp_path) as at:
        at.s3.faults += ["denied"] * 9
        with pytest.raises(DownloadFailed, match="refuses these credentials") as caught:
            await at.session.generate("a cat", **ASKED, to=TO)

        assert [] == await at.keys()
        assert [] == [each for each in at.s3.requests if "upload" in each]
        assert "secret-of-tests" not in repr(caught.value)
        assert 1 == len(at.left())


async def test_a_cancelled_upload_leaves_nothing_and_is_resumed_by_the_next_run(s3_server: str, tmp_path: Path):
    """Closed while the store holds the whole body back: no object, no file in the spool; resumed, one object."""
    ledger = tmp_path / "run.db"
    async with s3_of(s3_server, tmp_path / "spool") as (s3, storage, store), Sandbox(speed=600, generation=1.0) as box:

        def session() -> VideoSession:
            return VideoSession(
                box.api_key, base_url=box.url, rate=1000, poll_interval=0.05, ledger=ledger, object_storage=storage
            )

        s3.faults += ["hold"]
        async with session() as first:
            await first.submit("a cat", **ASKED, to=TO)
            async with asyncio.timeout(20):
                await s3.held.wait()
        assert [] == list((tmp_path / "spool").glob(".*"))
        assert [] == [each for batch in obstore.list(store) for each in batch]

        async with session() as second:
            items = [item async for item in second.resume()]
            assert [TO] == [item.location for item in items]
            assert 0 == second.stats().creates_sent
