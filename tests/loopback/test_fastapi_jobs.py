"""The routes of jobs behind a real server: buying once, listing, looking, deleting, and telling what went wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.servers import CAT, application, client_of, settled
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = """key id status state progress eta model prompt seconds size created_at updated_at expires_at bytes_done
bytes_total error charged price content""".split()


async def test_a_video_is_bought_followed_and_saved(tmp_path: Path):
    """The whole point, from the request to the file."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        answer = await client.post("/videos/", json=CAT)
        taken = answer.json()
        assert (202, f"/videos/{taken['key']}") == (answer.status_code, answer.headers["Location"])
        assert sorted(FIELDS) == sorted(taken)
        assert ("wan2.6-t2v", "a cat", 5, None) == tuple(
            taken[name] for name in ("model", "prompt", "seconds", "content")
        )
        saved = await settled(client, answer.headers["Location"])
        assert ("saved", "completed", "yes", None) == tuple(
            saved[name] for name in ("state", "status", "charged", "error")
        )
        assert f"/videos/{taken['key']}/content" == saved["content"]
        assert 50_000 == saved["bytes_done"] == (tmp_path / "videos" / f"{taken['key']}.mp4").stat().st_size
        assert [saved] == (await client.get("/videos/")).json()["items"]
