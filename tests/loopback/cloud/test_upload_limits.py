"""What an upload takes and leaves: memory with many at once, and a process that is killed in the middle of one."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import obstore

from aihubmix_video.storage.object_storage import ObjectFacts
from aihubmix_video.types.object_url import ObjectUrl
from tests.loopback.cloud.stores import BUCKET, s3_of

if TYPE_CHECKING:
    from pathlib import Path

FILM = 16 << 20
UPLOADS = 16

CHILD = """
import asyncio, hashlib, sys
from pathlib import Path
from obstore.store import S3Store
from aihubmix_video.cloud import CloudStorage
from aihubmix_video.storage.object_storage import ObjectFacts
from aihubmix_video.types.object_url import ObjectUrl

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

async def main(endpoint, film, uploads):
    store = S3Store("films", endpoint=endpoint, region="us-east-1", access_key_id="A", secret_access_key="B",
                    client_options={"allow_http": True, "timeout": "60s"}, retry_config={"max_retries": 0})
    storage = CloudStorage(stores={"s3://films": store})
    facts = ObjectFacts(sha256="0" * 64, size=film.stat().st_size, job="j", video="v")

    async def put(number):
        await storage.put(film, ObjectUrl("s3://films", f"{number}.mp4"), overwrite=False, facts=facts)

    await put("first")
    before, most = anonymous(), 0
    putting = asyncio.gather(*map(put, range(uploads)))
    while not putting.done():
        most = max(most, anonymous())
        await asyncio.sleep(0.005)
    await putting
    print(most - before)

asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
"""


async def run_child(endpoint: str, film: Path, uploads: int) -> asyncio.subprocess.Process:
    """Start a process that uploads a film, and then so many at once; it prints by how many KiB its memory grew."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, endpoint, str(film), str(uploads)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )


async def test_many_uploads_at_once_need_the_memory_of_one(s3_server: str, tmp_path: Path):
    """The files are mapped, so a quarter of a gigabyte in flight is not held twice; half of one film is allowed."""
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(FILM))
    async with s3_of(s3_server, tmp_path / "spool") as (s3, _, store):
        child = await run_child(s3.server, film, UPLOADS)
        said, _ = await child.communicate()

        assert 0 == child.returncode
        assert int(said) << 10 < FILM // 2, f"{said!r} KiB"
        assert UPLOADS + 1 == len([each for batch in obstore.list(store) for each in batch])


async def test_a_process_killed_while_it_uploads_leaves_nothing_in_the_store(s3_server: str, tmp_path: Path):
    """No object, and no part of a multipart upload that would go on costing money."""
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(FILM))
    async with s3_of(s3_server, tmp_path / "spool") as (s3, _, store):
        s3.faults += ["hold"]
        child = await run_child(s3.url, film, 1)
        async with asyncio.timeout(30):
            await s3.held.wait()
        child.send_signal(signal.SIGKILL)
        await child.communicate()

        assert [] == [each for batch in obstore.list(store) for each in batch]
        assert {"PUT"} == set(s3.requests)


async def test_bytes_that_are_there_already_are_taken_for_ours(s3_server: str, tmp_path: Path):
    """A process that was killed between the upload and the ledger finds its own object when it tries again."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    url = ObjectUrl(f"s3://{BUCKET}", "cat.mp4")
    facts = ObjectFacts(sha256=hashlib.sha256(b"film").hexdigest(), size=4, job="j", video="v")
    async with s3_of(s3_server, tmp_path / "spool") as (s3, storage, _):
        await storage.put(film, url, overwrite=False, facts=facts)
        await storage.put(film, url, overwrite=False, facts=facts)

        assert 2 == s3.requests.count("PUT")
