"""Sidecars on a real disk, as a program writes them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path  # noqa: TC003  # pytest reads the annotations
from typing import TYPE_CHECKING

import attrs
import pytest

from aihubmix_video.errors import ConfigurationError, DownloadFailed
from aihubmix_video.gallery import write_sidecar
from aihubmix_video.types.events import BatchItem
from aihubmix_video.types.job_info import JobInfo, JobState
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.types.video import Status, Video

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST = VideoRequest(model="sora-2", prompt="a fox")


def item(folder: Path, data: bytes = b"film") -> BatchItem:
    """Save a film, and make the batch item that tells of it."""
    path = folder / "fox.mp4"
    path.write_bytes(data)
    video = Video(
        id="v", status=Status.COMPLETED, created_at=5.0, path=path, bytes_written=4, sha256=sha256(data).hexdigest()
    )
    return BatchItem(index=0, key="k", request=REQUEST, video=video, path=path, error=None, charged="yes")


def names(folder: Path) -> list[str]:
    """List a folder."""
    return [each.name for each in folder.iterdir()]


def job(made: BatchItem) -> JobInfo:
    """Make what a registry lists of the same job."""
    assert made.video is not None
    return JobInfo(
        key="k", id="v", request=REQUEST, state=JobState.SAVED, status=Status.COMPLETED, path=made.path, bytes_done=4,
        sha256=made.video.sha256, charged="yes",
    )  # fmt: skip


@pytest.mark.parametrize("told", [lambda made: made, job])
async def test_a_sidecar_is_written_beside_its_video(told: Callable[[BatchItem], BatchItem | JobInfo], tmp_path: Path):
    """Whatever describes the video; only its owner may read it, as it holds the prompt."""
    made = item(tmp_path)
    path = await write_sidecar(told(made))

    assert tmp_path / "fox.json" == path
    read = json.loads(path.read_bytes())
    assert ("fox.mp4", "v", "k", "a fox", 4) == (
        read["video"], read["id"], read["key"], read["request"]["prompt"], read["bytes"],
    )  # fmt: skip
    assert 0o600 == path.stat().st_mode & 0o777
    assert ["fox.json", "fox.mp4"] == sorted(names(tmp_path))


async def test_what_knows_less_does_not_replace_what_knows_more(tmp_path: Path):
    """The vendor's times come with the video, and a registry no longer has them; a new film has a new sidecar."""
    made = item(tmp_path)
    path = await write_sidecar(made)
    assert path is not None
    await write_sidecar(job(made))
    kept = json.loads(path.read_bytes())
    newer = item(tmp_path, b"another film")
    await write_sidecar(newer)

    assert 5.0 == kept["created_at"]
    assert newer.video is not None
    assert newer.video.sha256 == json.loads(path.read_bytes())["sha256"]


async def test_a_file_of_somebody_else_stays(tmp_path: Path):
    """It may be anything; a folder without room for a sidecar is told in the same way."""
    made = item(tmp_path)
    (tmp_path / "fox.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="left alone"):
        await write_sidecar(made)
    assert "{}" == (tmp_path / "fox.json").read_text("utf-8")
    (tmp_path / "fox.json").unlink()
    (tmp_path / "fox.mp4").unlink()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await write_sidecar(made)


async def test_what_was_not_saved_has_no_sidecar(tmp_path: Path):
    """A description of a film that is not there would be taken for one."""
    made = item(tmp_path)

    assert None is await write_sidecar(attrs.evolve(made, error=DownloadFailed("cut")))
    assert None is await write_sidecar(attrs.evolve(made, path=None))
    assert ["fox.mp4"] == names(tmp_path)
