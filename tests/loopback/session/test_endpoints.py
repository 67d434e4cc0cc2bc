"""The four endpoints by the verbs of `session.videos`, and where a video may be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aihubmix_video import Status, VideoRequest, errors
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sessions import AT_ONCE, WAN, files, opened, seen

if TYPE_CHECKING:
    from pathlib import Path

NO_IDS = ["", " ", ".", "..", "a\nb", "a…", "abc...", "x" * 2_000, "https://x.test/v1/videos/abc/content", None, 7]


async def test_each_verb_sends_one_request_and_follows_nothing(tmp_path: Path):
    """Callers of these methods decide themselves when to poll."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        created = await session.videos.create(VideoRequest(prompt="a cat", **WAN))
        retrieved = await session.videos.retrieve(created.id)
        assert () == session.jobs()
        saved = await session.videos.download_content(created.id, tmp_path / "cat.mp4")
        await session.videos.delete(created.id)

        assert dict.fromkeys(("create", "retrieve", "content", "delete"), 1) == seen(sandbox)
        assert (created.id, Status.COMPLETED) == (retrieved.id, retrieved.status)
        assert (created.id, tmp_path / "cat.mp4", True) == (saved.id, saved.path, saved.verified)
        with pytest.raises(errors.JobNotFound) as caught:
            await session.videos.retrieve(created.id)
        assert created.id == caught.value.job_id


async def test_a_question_is_asked_three_times_and_a_create_once():
    """Polls cost nothing, but a create whose response was lost may have been bought."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        video = await session.videos.create("a cat", **WAN)
        sandbox.faults.add(Fault.status(502, times=None))
        with pytest.raises(errors.GatewayError):
            await session.videos.retrieve(video.id)
        with pytest.raises(errors.SubmitUncertain):
            await session.videos.create("another", **WAN)
        assert {"create": 2, "retrieve": 3} == seen(sandbox)


@pytest.mark.parametrize("video_id", NO_IDS, ids=lambda text: repr(text)[:20])
async def test_what_cannot_be_an_id_is_not_asked_about(video_id: str, tmp_path: Path):
    """If joined into a URL, some of these would request something else."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        with pytest.raises(errors.InvalidRequest):
            await session.videos.retrieve(video_id)
        with pytest.raises(errors.InvalidRequest):
            await session.videos.delete(video_id)
        with pytest.raises(errors.InvalidRequest):
            await session.videos.download_content(video_id, tmp_path / "cat.mp4")
        with pytest.raises(errors.InvalidRequest):
            session.job(video_id)
        assert {} == seen(sandbox)


@pytest.mark.parametrize("name", ["film.mp4", "folder.mp4", "link.mp4", "missing/cat.mp4"])
async def test_a_path_that_cannot_be_written_is_refused_before_anything_is_fetched(name: str, tmp_path: Path):
    """After a whole download the error would come too late, and the file would lie under a temporary name."""
    (tmp_path / "film.mp4").write_bytes(b"mine")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to("film.mp4")
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        video = await session.generate("a cat", **WAN)
        with pytest.raises(errors.InvalidRequest):
            await video.save(tmp_path / name)
        with pytest.raises(errors.InvalidRequest):
            await session.job(video.id).save(tmp_path / name)
        with pytest.raises(errors.InvalidRequest):
            await session.videos.download_content(video.id, tmp_path / name)
        assert "content" not in seen(sandbox)
        assert {"film.mp4": 4, "link.mp4": 4} == files(tmp_path)


async def test_what_is_to_be_replaced_is_replaced(tmp_path: Path):
    """The caller explicitly asked for it."""
    (tmp_path / "film.mp4").write_bytes(b"mine")
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        video = await session.generate("a cat", **WAN)
        saved = await video.save(tmp_path / "film.mp4", overwrite=True)
        assert {"film.mp4": saved.bytes_written} == files(tmp_path)
        assert await sandbox.sha256(video.id) == saved.sha256
