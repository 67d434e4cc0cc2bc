from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest
from anyio import CapacityLimiter

from aihubmix_video.capabilities import BUILT_IN, find_capability
from aihubmix_video.errors import InvalidRequest
from aihubmix_video.ledger.fingerprint import fingerprint
from aihubmix_video.protocol.encode_request import encode
from aihubmix_video.references.inspect import MAX_BYTES
from aihubmix_video.storage.reference_files import load
from aihubmix_video.types.request import VideoRequest
from tests.pure.pictures import data_url, png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video.errors import Problem


async def problem_of(**fields: object) -> Problem:
    """Load a request that has one bad reference."""
    with pytest.raises(InvalidRequest) as caught:
        await load(VideoRequest(model="sora-2", **fields))
    assert 1 == len(caught.value.problems)
    return caught.value.problems[0]


async def test_paths_and_files_become_their_bytes(tmp_path: Path):
    """The check and the encoder are pure: they see bytes only."""
    file = tmp_path / "cat.png"
    file.write_bytes(png())
    link = tmp_path / "link.png"
    link.symlink_to(file)

    with file.open("rb") as opened:
        request = VideoRequest(
            model="kling-v1-6", image=file, image_tail=opened, image_list=[link, "https://example.com/a.png"]
        )
        loaded = await load(request, CapacityLimiter(1))

    assert png() == loaded.image
    assert png() == loaded.image_tail
    assert (png(), "https://example.com/a.png") == loaded.image_list


async def test_paths_and_files_in_content_become_their_bytes(tmp_path: Path):
    """Seedance's pictures are given as those of every other model; what else an item holds stays."""
    file = tmp_path / "cat.png"
    file.write_bytes(png())
    video = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}, "role": "reference_video"}
    with file.open("rb") as opened:
        pictures = [
            {"type": "image_url", "image_url": {"url": value}, "role": "reference_image"}
            for value in (file, opened, png())
        ]
        request = VideoRequest(model="doubao-seedance-2-0-260128", prompt="a cat", content=[*pictures, video])
        assert () == BUILT_IN.judge(request).problems
        loaded = await load(request)

    assert () == BUILT_IN.judge(loaded).problems
    assert loaded.content is not None
    assert [png()] * 3 == [item["image_url"]["url"] for item in loaded.content[:3]]
    assert ("reference_image", video) == (loaded.content[0]["role"], loaded.content[3])
    sent = encode(loaded, find_capability(loaded.model))["extra_body"]
    assert [data_url(png())] * 3 == [item["image_url"]["url"] for item in sent["content"][:3]]  # type: ignore[index]
    assert fingerprint(loaded) == fingerprint(await load(attrs.evolve(request, content=[*pictures[2:] * 3, video])))


async def test_a_missing_file_in_content_is_named_by_its_place(tmp_path: Path):
    """There may be twelve of them."""
    item = {"type": "image_url", "image_url": {"url": tmp_path / "no.png"}, "role": "reference_image"}
    problem = await problem_of(content=[item])

    assert "content[0].image_url.url" == problem.field
    assert "does not exist" in problem.message


async def test_a_request_without_files_is_left_alone():
    """No thread is needed for it."""
    request = VideoRequest(model="sora-2", input_reference="/etc/passwd")

    assert request is await load(request)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        pytest.param("does not exist", "missing.png", id="35-missing"),
        pytest.param("is a directory", ".", id="35-directory"),
        pytest.param("is a named pipe", "pipe", id="35-fifo"),
        pytest.param("is a device", "/dev/zero", id="35-device"),
        pytest.param("is empty", "empty.png", id="35-empty"),
        pytest.param("at most", "large.png", id="38-large"),
        pytest.param("symbolic links", "loop", id="35-link-to-itself"),
        pytest.param("null", "nul\0.png", id="35-nul"),
        pytest.param("does not exist", "~/cat.png", id="34-home-is-not-expanded"),
    ],
)
async def test_what_cannot_be_read_is_named(said: str, path: str, tmp_path: Path):
    """Row 35: devices and pipes would be read for ever, so they are refused unopened."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty.png").touch()
    (tmp_path / "loop").symlink_to("loop")
    with (tmp_path / "large.png").open("wb") as large:
        large.truncate(MAX_BYTES + 1)

    problem = await problem_of(input_reference=tmp_path / path)

    assert "input_reference" == problem.field
    assert said in problem.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_an_unreadable_file_is_named(tmp_path: Path):
    """Row 35."""
    file = tmp_path / "cat.png"
    file.write_bytes(png())
    file.chmod(0)

    assert "may not be read" in (await problem_of(input_reference=file)).message


CLAIMS_MORE = Path("/sys/devices/system/cpu/online")


@pytest.mark.skipif(not CLAIMS_MORE.exists(), reason="no sysfs here")
async def test_a_file_that_gives_other_than_its_size_is_refused():
    """Row 36. sysfs claims a page and gives a line, as a file does that is rewritten while it is read."""
    assert "changed while it was read" in (await problem_of(input_reference=CLAIMS_MORE)).message


@pytest.mark.parametrize(
    ("said", "file"),
    [
        pytest.param("open and binary", io.StringIO("text"), id="43-text"),
        pytest.param("is empty", io.BytesIO(), id="43-empty"),
        pytest.param("more than", io.BytesIO(bytes(MAX_BYTES + 1)), id="43-large"),
    ],
)
async def test_file_objects_must_be_binary_and_bounded(said: str, file: object):
    """Row 43."""
    assert said in (await problem_of(image=file)).message


async def test_a_closed_file_is_named(tmp_path: Path):
    """Row 43."""
    file = tmp_path / "cat.png"
    file.write_bytes(png())
    with file.open("rb") as closed:
        pass

    assert "is closed" in (await problem_of(image=closed)).message


async def test_an_asynchronous_file_is_refused_and_leaves_no_coroutine_behind():
    """Row 43. It would have to be read on the loop; warnings are errors here, so a forgotten coroutine fails."""

    class AsyncFile:
        async def read(self, size: int) -> bytes:
            return bytes(size)

    assert "coroutine" in (await problem_of(image=AsyncFile())).message


async def test_every_unreadable_reference_is_reported_at_once(tmp_path: Path):
    """A user fixes them in one go."""
    with pytest.raises(InvalidRequest) as caught:
        await load(VideoRequest(model="kling-v1-6", image=tmp_path, image_list=[tmp_path / "no", png()]))

    assert ["image", "image_list[0]"] == [problem.field for problem in caught.value.problems]


async def test_an_async_generator_is_no_reference():
    """Row 43: it has no read(), so it is left for the check to refuse."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b""

    request = VideoRequest(model="sora-2", input_reference=pieces())

    assert request is await load(request)
