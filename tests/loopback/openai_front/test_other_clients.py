"""The clients that people use, unmodified, through the front."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # pytest reads the annotations

import openai
import pytest

from aihubmix_video.openai_front import ApiClient
from aihubmix_video.sandbox import Sandbox
from benchmarks.front import CLIENTS, LOST, MISSING, LossyLine, is_there, run_client
from tests.loopback.openai_front.fronts import TOKEN, front
from tests.loopback.servers import served
from tests.loopback.sessions import AT_ONCE
from tests.pure.pictures import png

JOBS = 200


@pytest.mark.timeout(180)
@pytest.mark.parametrize("client", CLIENTS)
async def test_answers_that_are_lost_buy_nothing_twice(tmp_path: Path, client: str):
    """Each client sends each create three times, by its own retries; straight at the gateway that is three videos."""
    if not is_there(client):
        pytest.skip(MISSING[client])
    clients = [ApiClient.of("alice", TOKEN)]
    session = {"ledger": tmp_path / "jobs.db"}
    async with (
        Sandbox(**AT_ONCE) as sandbox,
        served(front(sandbox, tmp_path, clients=clients, session=session)) as url,
    ):
        line = LossyLine(url)
        async with line.served() as lossy:
            ids = await run_client(client, f"{lossy}/v1", TOKEN, JOBS)
        billed = sandbox.billed

    assert None not in ids
    assert (JOBS, JOBS * (LOST + 1)) == (len(set(ids)), line.creates.total())
    assert JOBS == billed


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
async def test_openai_python_does_all_that_it_can(tmp_path: Path):
    """Waiting, paging, downloading and its own errors; nothing is passed but what its documentation shows."""
    async with (
        Sandbox(**AT_ONCE) as sandbox,
        served(front(sandbox, tmp_path, clients=[ApiClient.of("alice", TOKEN)])) as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=TOKEN) as client,
    ):
        video = await client.videos.create_and_poll(
            model="sora-2",
            prompt="she turns",
            seconds="4",
            size="1280x720",
            input_reference=("face.png", png(), "image/png"),
        )
        wan = await client.videos.create(model="wan2.6-t2v", prompt="a fox", seconds="5", extra_body={"seed": 7})
        content = await client.videos.download_content(video.id)
        listed = [each.id async for each in client.videos.list(limit=1)]
        models = [each.id async for each in client.models.list()]
        with pytest.raises(openai.BadRequestError) as wrong:
            await client.videos.create(model="sora-2", prompt="x", seconds="12", size="1x1")  # type: ignore[arg-type]  # that is the point
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="wrong").videos.list()
        deleted = await client.videos.delete(video.id)
        with pytest.raises(openai.NotFoundError):
            await client.videos.retrieve(video.id)

    assert ("completed", 100, "4", "1280x720") == (video.status, video.progress, video.seconds, video.size)
    assert b"ftyp" == content.content[4:8]
    assert [wan.id, video.id] == listed
    assert "sora-2" in models
    assert "size" == wrong.value.param
    assert deleted.deleted
