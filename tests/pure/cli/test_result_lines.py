from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.cli.result_lines import failure_line, finished_line, result_object, resume_lines
from aihubmix_video.cli.text_format import safe
from aihubmix_video.errors import RequestRefused, SubmitUncertain
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.types.request import VideoRequest
from aihubmix_video.types.video import Status, Video

REQUEST = VideoRequest(model="sora-2", prompt="a cat", seconds=8, size="1280x720")
PATH = Path("/videos/cat.mp4")
SAVED = RowResult(
    index=3,
    key="k-4",
    request=REQUEST,
    video=Video(id="v1", status=Status.COMPLETED, bytes_written=1_234_567, sha256="ab" * 32, path=PATH),
    path=PATH,
    charged="yes",
    took=12.3,
)


def test_a_saved_video_is_told_as_one_object():
    """The keys are a contract: other programs read them."""
    assert {
        "index": 3,
        "key": "k-4",
        "id": "v1",
        "status": "completed",
        "path": "/videos/cat.mp4",
        "sha256": "ab" * 32,
        "verified": None,
        "unverified": None,
        "error": None,
        "charged": "yes",
    } == result_object(SAVED)


def test_an_error_is_told_with_its_type():
    """Programs branch on the type; people read the message."""
    told = result_object(RowResult(index=0, error=RequestRefused("no such size")))

    assert None is told["path"]
    assert {
        "type": "RequestRefused",
        "message": "no such size. The same request would be refused again: change it as the message says.",
    } == told["error"]


def test_an_uncertain_create_is_told_as_such():
    """It has no id and no video, and is neither failed nor done."""
    told = result_object(RowResult(index=0, key="k", error=SubmitUncertain("lost"), charged="unknown"))

    assert ("uncertain", "unknown") == (told["status"], told["charged"])


def test_a_skipped_row_is_told_as_such():
    """Its file is there, though nobody bought it now."""
    assert "skipped" == result_object(RowResult(index=0, path=PATH, skipped=True))["status"]


def test_a_finished_line_says_what_is_known():
    """What the gateway leaves out comes from the model's table."""
    assert "sora-2  1280x720  8 s  1.2 MB  in 12s" == finished_line(SAVED)


def test_a_row_that_failed_is_named():
    """Among many the reader has to find it in his file; alone there is nothing to find."""
    result = RowResult(index=17, key="cats", error=RequestRefused("no"))

    assert failure_line(result).startswith("row 17 (cats): no.")
    assert failure_line(result, alone=True).startswith("no.")


def test_jobs_that_live_on_are_told_with_the_command_that_goes_on():
    """The line is meant to be copied."""
    lines = list(resume_lines(["v1", "v2"]))

    assert "2 paid jobs live on at the gateway; fetch with" == lines[0]
    assert ["  aihubmix-video download v1", "  aihubmix-video download v2"] == lines[1:3]
    assert [] == list(resume_lines([]))


@given(st.text())
def test_no_words_of_a_server_reach_the_terminal_raw(text: str):
    """An escape in an error message could recolour, retitle or rewrite the screen."""
    result = RowResult(index=0, error=RequestRefused(f"\x1b]0;title\x07{text}\x9b31m\u202e"))

    assert safe(failure_line(result)).isprintable()
    assert json.dumps(result_object(result)["error"], ensure_ascii=False).isprintable()


def test_a_video_that_is_not_proved_whole_says_so_in_its_line():
    """Who does not look at the file would never know."""
    video = Video(id="v", path=Path("/a.mp4"), verified=False, unverified="has no MP4 box at byte 7")
    line = finished_line(RowResult(index=0, video=video, path=Path("/a.mp4")))
    assert "Not proved whole: the file has no MP4 box at byte 7." in line
