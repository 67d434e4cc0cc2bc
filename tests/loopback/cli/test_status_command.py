"""The commands `status`, `download` and `delete`, as processes of their own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from typing import TYPE_CHECKING

from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.session.session import VideoSession
from tests.loopback.cli.test_commands import NOW, environment, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def bought(sandbox: Sandbox, *prompts: str) -> AsyncIterator[list[str]]:
    """Buy jobs elsewhere, and give their ids."""
    async with VideoSession(sandbox.api_key, base_url=sandbox.url, rate=100) as session:
        yield [(await session.videos.create(each, model="wan2.6-t2v")).id for each in prompts]


async def test_jobs_are_looked_at_fetched_and_deleted_by_their_ids(tmp_path: Path):
    """What one process bought, another one brings home."""
    async with Sandbox(**NOW) as sandbox, bought(sandbox, "a", "b") as ids:
        env = environment(sandbox)
        looked, fetched = await asyncio.gather(
            run("status", *ids, "--json", folder=tmp_path, env=env),
            run("download", *ids, "-o", "films", folder=tmp_path, env=env),
        )
        gone, unknown = await asyncio.gather(
            run("delete", ids[0], folder=tmp_path, env=env), run("status", "nonsense", folder=tmp_path, env=env)
        )

    assert [(each, "completed") for each in ids] == [(each["id"], each["status"]) for each in looked.objects]
    assert (0, 0, 0, 1) == (looked.code, fetched.code, gone.code, unknown.code), unknown.err
    assert set(map(str, (tmp_path / "films").iterdir())) == set(fetched.out.splitlines())
    assert 2 == len(fetched.out.splitlines())
    assert f"deleted {ids[0]}\n" == gone.out


async def test_a_download_now_asks_for_the_content_whatever_the_status_says(tmp_path: Path):
    """A gateway may call a finished job by a word that nobody knows, and never by another."""
    async with Sandbox(**NOW) as sandbox, bought(sandbox, "a") as ids:
        sandbox.faults.add(Fault(route="retrieve", fields={"status": "ripening"}, times=None))
        done = await run("download", "--now", *ids, folder=tmp_path, env=environment(sandbox))

    assert 0 == done.code, done.err
    assert 1 == len(done.out.splitlines())
