"""openai-python as it is, against the sandbox."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path  # noqa: TC003  # pytest reads the annotations

import pytest

from aihubmix_video.sandbox import Sandbox
from tests.loopback.sandboxes import NOW

openai = pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
FILM = NOW["content"]
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")


def client_of(sandbox: Sandbox) -> openai.AsyncOpenAI:
    """Return their client with nothing set but its base URL and key."""
    return openai.AsyncOpenAI(base_url=f"{sandbox.url}/v1", api_key=sandbox.api_key)


async def test_openai_python_creates_retrieves_downloads_and_deletes_a_video():
    """Its creates are multipart forms. The dialect is OpenAI's own, so their client must be able to read every answer."""
    async with Sandbox(speed=1000, generation=100.0, content=FILM) as sandbox, client_of(sandbox) as client:
        created = await client.videos.create(model="sora-2", prompt="a cat", seconds="8", size="1280x720")
        video = await client.videos.poll(created.id, poll_interval_ms=20)
        film = await client.videos.download_content(video.id)
        deleted = await client.videos.delete(video.id)

        assert ("queued", 0, "a cat") == (created.status, created.progress, created.prompt)
        assert ("completed", 100, "8", "1280x720") == (video.status, video.progress, video.seconds, video.size)
        assert FILM == film.read()
        assert (video.id, True) == (deleted.id, deleted.deleted)
        with pytest.raises(openai.NotFoundError):
            await client.videos.retrieve(video.id)


async def test_openai_python_creates_and_polls_in_one_call():
    """The call that its documents show first."""
    async with Sandbox(**NOW) as sandbox, client_of(sandbox) as client:
        video = await client.videos.create_and_poll(model="sora-2", prompt="a cat", poll_interval_ms=20)

        assert "completed" == video.status
        assert 1 == sandbox.billed


async def test_openai_python_sends_a_file_as_reference(tmp_path: Path):
    """As a path, and as bytes with a name; the sandbox reads each as Sora's reference."""
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG)
    async with Sandbox(**NOW) as sandbox, client_of(sandbox) as client:
        for reference in (picture, ("a.png", PNG, "image/png")):
            video = await client.videos.create(model="sora-2", prompt="a cat", input_reference=reference)
            assert "sora-2" == video.model
        sent = [entry.body["input_reference"] for entry in sandbox.log if entry.body is not None]

        assert 2 == len(sent)
        assert all(str(each).startswith("data:image/png;base64,iVBOR") for each in sent)


async def test_openai_python_lists_videos_page_by_page():
    """The newest first, and over the end of a page."""
    async with Sandbox(**NOW) as sandbox, client_of(sandbox) as client:
        made = [(await client.videos.create(model="sora-2", prompt=f"{number}")).id for number in range(5)]
        listed = [video.id async for video in await client.videos.list(limit=2)]
        oldest = await client.videos.list(limit=3, order="asc")

        assert made[::-1] == listed
        assert made[:3] == [video.id for video in oldest.data]


async def test_openai_python_lists_models():
    """The list is public, as the gateway's."""
    async with Sandbox() as sandbox, openai.AsyncOpenAI(base_url=f"{sandbox.url}/v1", api_key="none") as client:
        assert "sora-2" in [model.id async for model in client.models.list()]


async def test_a_multipart_create_is_refused_as_it_was_observed():
    """In the words in which the gateway was seen to refuse one."""
    async with Sandbox(profile="field", **NOW) as sandbox, client_of(sandbox) as client:
        with pytest.raises(openai.BadRequestError, match="request body must be a valid json object"):
            await client.videos.create(model="sora-2", prompt="a cat")
        assert 0 == sandbox.billed
