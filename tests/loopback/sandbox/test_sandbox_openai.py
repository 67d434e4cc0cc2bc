"""openai-python against the sandbox."""

from __future__ import annotations

import pytest

from aihubmix_video.sandbox import Sandbox
from tests.loopback.sandboxes import NOW

openai = pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
FILM = NOW["content"]
JSON = {"Content-Type": "application/json"}
"""openai-python sends creates as multipart unless it is told so; the gateway takes JSON only."""


async def test_openai_python_creates_retrieves_downloads_and_deletes_a_sora_video():
    """The dialect is OpenAI's own, so their client must be able to read every answer."""
    async with (
        Sandbox(speed=1000, generation=100.0, content=FILM) as sandbox,
        openai.AsyncOpenAI(base_url=f"{sandbox.url}/v1", api_key=sandbox.api_key) as client,
    ):
        created = await client.videos.create(
            model="sora-2", prompt="a cat", seconds="8", size="1280x720", extra_headers=JSON
        )
        video = await client.videos.poll(created.id, poll_interval_ms=20)
        film = await client.videos.download_content(video.id)
        deleted = await client.videos.delete(video.id)

        assert ("queued", 0, "a cat") == (created.status, created.progress, created.prompt)
        assert ("completed", 100, "8", "1280x720") == (video.status, video.progress, video.seconds, video.size)
        assert FILM == film.read()
        assert (video.id, True) == (deleted.id, deleted.deleted)
        with pytest.raises(openai.NotFoundError):
            await client.videos.retrieve(video.id)


async def test_openai_pythons_multipart_create_is_refused_in_so_many_words():
    """As the gateway was seen to answer; the cure is one header."""
    async with (
        Sandbox(**NOW) as sandbox,
        openai.AsyncOpenAI(base_url=f"{sandbox.url}/v1", api_key=sandbox.api_key) as client,
    ):
        with pytest.raises(openai.BadRequestError, match="request body must be a valid json object"):
            await client.videos.create(model="sora-2", prompt="a cat")
        assert 0 == sandbox.billed
