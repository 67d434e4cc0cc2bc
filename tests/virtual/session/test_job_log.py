"""What a user who turns logging on reads of each job."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import errors
from aihubmix_video.sandbox import Fault, Sandbox
from aihubmix_video.session.job_log import JobLook, line_of
from aihubmix_video.types.video import Status
from tests.loopback.sessions import AT_ONCE, WAN, opened

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("looptime")
pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:  # Any: records have fields of their own
    """Return the records about jobs."""
    return [record for record in caplog.records if record.name == "aihubmix_video.jobs"]


async def test_a_job_is_told_from_taking_it_on_to_its_file(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """One line per change at level INFO, each with the fields by which a collector finds the job."""
    caplog.set_level(logging.INFO, "aihubmix_video")
    async with Sandbox(**(AT_ONCE | {"speed": 1, "generation": 60.0})) as sandbox, opened(sandbox) as session:
        video = await session.generate("a purple zebra", to=tmp_path / "cat.mp4", **WAN)
    texts = [record.getMessage().partition(": ")[2] for record in lines(caplog)]
    path = tmp_path / "cat.mp4"
    assert [
        "taken on",
        f"accepted as {video.id}",
        "finished at the vendor",
        f"saved to {path}, {video.bytes_written} bytes",
    ] == texts
    last = lines(caplog)[-1]
    assert ("saved", "wan2.6-t2v", video.id, str(path), "yes") == (
        last.job_state,
        last.model,
        last.video_id,
        last.path,
        last.charged,
    )
    assert "zebra" not in str([vars(record) for record in lines(caplog)])
    assert sandbox.api_key not in str([vars(record) for record in lines(caplog)])


async def test_ends_have_the_levels_of_what_is_to_be_done(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A failed job is a warning, and one that may have been bought an error, as it waits for a decision."""
    caplog.set_level(logging.WARNING, "aihubmix_video")
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        for status in (400, 504):
            sandbox.faults.add(Fault.status(status, route="create"))
            with pytest.raises(errors.VideoError):
                await session.generate("a cat", to=tmp_path / "cat.mp4", **WAN)
    assert [("WARNING", "failed", "RequestRefused"), ("ERROR", "uncertain", "SubmitUncertain")] == [
        (record.levelname, record.job_state, record.error_type) for record in lines(caplog)
    ]


async def test_what_an_error_tells_is_not_printed_as_well_by_default():
    """Python prints warnings where nothing is configured; a program that handles the error has no use for that."""
    assert any(
        isinstance(handler, logging.NullHandler) for handler in logging.getLogger("aihubmix_video.jobs").handlers
    )


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        (None, JobLook("v", Status.QUEUED), (logging.INFO, "followed again as v")),
        (JobLook("v", Status.QUEUED), JobLook("v", Status.IN_PROGRESS), (logging.DEBUG, "in_progress")),
        (JobLook("v", Status.QUEUED, 10.0), JobLook("v", Status.QUEUED, 40.0), (logging.DEBUG, "40 %")),
        (JobLook("v", Status.QUEUED), JobLook("v", Status.QUEUED, note="slow"), (logging.INFO, "slow")),
        (
            JobLook("v", Status.QUEUED, note="slow"),
            JobLook("v", Status.QUEUED),
            (logging.INFO, "polls are answered again"),
        ),
        (JobLook("v", Status.QUEUED), JobLook("v", Status.QUEUED), None),
    ],
)
async def test_what_happens_often_is_for_those_who_look_for_it(before: Any, now: JobLook, line: Any):  # noqa: ANN401
    """A poll or a percent is worth a line only at level DEBUG, and what is no news is not."""
    assert line == line_of(before, now)
