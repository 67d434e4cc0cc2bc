"""The films themselves, opened with PyAV."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from io import BytesIO

import pytest

from aihubmix_video.sandbox import Sandbox
from aihubmix_video.sandbox.video.clips import CAPTIONS
from tests.loopback.sandboxes import client, create

av = pytest.importorskip("av")

SEEDANCE = "doubao-seedance-2-0-260128"


async def fetch(sandbox: Sandbox, **fields: object) -> bytes:
    """Create a job and give its film."""
    async with client(sandbox) as session:
        video_id = await create(session, **fields)
        async with session.get(f"v1/videos/{video_id}/content") as answer:
            assert 200 == answer.status
            return await answer.read()


@pytest.mark.parametrize(
    ("fields", "size", "seconds", "audio"),
    [
        ({"model": "sora-2", "seconds": "4"}, (720, 1280), 4, True),
        ({"model": "veo-3.1-generate-preview", "size": "1280x720"}, (1280, 720), 8, True),
        ({"model": "veo-2.0-generate-001", "seconds": "5"}, (1280, 720), 5, False),
        ({"model": "wan2.5-t2v-preview", "size": "832*480"}, (832, 480), 5, True),
        ({"model": "wan2.2-t2v-plus", "size": "624x624"}, (624, 624), 5, False),
        ({"model": "jimeng-3.0-pro", "size": "16:9"}, (1920, 1088), 5, False),
        ({"model": SEEDANCE, "resolution": "480p", "generate_audio": False}, (864, 496), 5, False),
        ({"model": SEEDANCE, "duration": 4, "ratio": "21:9"}, (1504, 640), 4, True),
        ({"model": "kling-v3-omni", "sound": "on", "seconds": "3"}, (1280, 720), 3, True),
        ({"model": "kling-v2-6", "aspect_ratio": "1:1", "seconds": "3"}, (960, 960), 3, False),
    ],
)
async def test_a_film_has_the_size_length_and_sound_asked_for(
    fields: dict[str, object], size: tuple[int, int], seconds: int, *, audio: bool
):
    """A real H.264 file that plays to its end, with AAC where the model has sound."""
    async with Sandbox(generation=0.0) as sandbox:
        data = await fetch(sandbox, **fields)

    with av.open(BytesIO(data)) as container:
        video = container.streams.video[0]
        assert ("h264", "yuv420p") == (video.codec_context.name, video.codec_context.pix_fmt)
        assert size == (video.width, video.height)
        assert seconds == float(video.duration * video.time_base)
        assert seconds * 1_000_000 == container.duration
        assert ["aac"] * audio == [stream.codec_context.name for stream in container.streams.audio]
        assert seconds * 24 == sum(1 for _ in container.decode(video=0))
        if audio:
            container.seek(0)
            assert 0 <= seconds * 48_000 - sum(frame.samples for frame in container.decode(audio=0)) < 1024


async def test_films_of_different_prompts_look_different_and_move():
    """Files are told apart by eye: colour and caption."""
    async with Sandbox(generation=0.0) as sandbox:
        films = [
            await fetch(sandbox, model="wan2.2-t2v-plus", size="832x480", prompt=prompt)
            for prompt in ("a cat", "雨中的猫")
        ]
    pictures = []
    for data in films:
        with av.open(BytesIO(data)) as container:
            frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
        assert frames[0] != frames[12]
        pictures.append(frames[0])

    assert 2 == len(set(pictures))


async def test_two_jobs_of_one_prompt_share_a_rendering_but_not_a_file():
    """Thousands of jobs are cheap, and yet a hash tells which job a file is of."""
    async with Sandbox(generation=0.0) as sandbox:
        films = await asyncio.gather(*(fetch(sandbox) for _ in range(3)))

        assert 1 == len(sandbox._studio._clips)
    assert 3 == len({sha256(data).digest() for data in films})
    assert 1 == len({len(data) for data in films})


async def test_captions_are_bounded():
    """Each distinct prompt would cost a rendering otherwise."""
    async with Sandbox(generation=0.0) as sandbox, client(sandbox) as session:
        for number in range(CAPTIONS + 3):
            await create(session, prompt=f"prompt {number}")
        scenes = {sandbox._studio._scene(job.order) for job in sandbox.jobs.values()}

    assert CAPTIONS + 1 == len(scenes)


@pytest.mark.parametrize(
    ("fields", "seconds"), [({"seconds": "15"}, 15), ({"model": "jimeng-3.0-pro", "size": "3:4"}, 5)]
)
async def test_without_rendering_the_packages_clips_are_served_at_the_right_length(
    fields: dict[str, object], seconds: int
):
    """PyAV is an extra; the sandbox is not."""
    async with Sandbox(generation=0.0, render=False) as sandbox:
        data = await fetch(sandbox, **fields)

    with av.open(BytesIO(data)) as container:
        assert seconds == pytest.approx(container.duration / 1_000_000, abs=0.01)
        assert 48 == sum(1 for _ in container.decode(video=0))


async def test_a_film_of_any_size_is_sent_from_the_kernel_and_resumes():
    """For benchmarks and for resuming: ranges of filler are right to the byte, and its hash is known."""
    size = 30_000_000
    async with Sandbox(generation=0.0, content=size) as sandbox, client(sandbox) as session:
        video_id = await create(session)
        path = f"v1/videos/{video_id}/content"
        async with session.get(path) as answer:
            whole, etag = await answer.read(), answer.headers["ETag"]
        start = 12_345_678
        async with session.get(path, headers={"Range": f"bytes={start}-", "If-Range": etag}) as answer:
            rest = await answer.read()
            assert (206, f"bytes {start}-{size - 1}/{size}") == (answer.status, answer.headers["Content-Range"])

        assert await sandbox.sha256(video_id) == sha256(whole).hexdigest()
    assert whole[start:] == rest
    with av.open(BytesIO(whole)) as container:
        assert 48 == sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize(
    ("options", "has_length", "has_etag"),
    [({}, True, True), ({"resumable": False}, True, False), ({"chunked": True}, False, True)],
)
async def test_length_and_validators_can_be_switched_off(
    options: dict[str, object], *, has_length: bool, has_etag: bool
):
    """Nobody knows which of them the real gateway sends."""
    async with Sandbox(generation=0.0, render=False, profile="field", **options) as sandbox, client(sandbox) as session:
        video_id = await create(session, model="veo-3.1-generate-preview")
        async with session.get(f"v1/videos/{video_id}/content", headers={"Range": "bytes=5-"}) as answer:
            assert has_length == ("Content-Length" in answer.headers)
            assert has_etag == ("ETag" in answer.headers)
            assert (206 if has_etag else 200) == answer.status
            assert "application/json; charset=UTF-8" == answer.headers["Content-Type"]
            assert has_etag == (not (await answer.read()).startswith(b"\x00\x00\x00"))
