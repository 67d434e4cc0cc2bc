from __future__ import annotations

from io import StringIO

from rich.console import Console

from aihubmix_video.cli.console import PIPE_WIDTH
from aihubmix_video.cli.status_command import status_object, statuses_table
from aihubmix_video.errors import JobNotFound
from aihubmix_video.types.video import Status, Video
from tests.pure.cli.test_models_command import text_of


def test_statuses_are_told_without_the_servers_escapes():
    """The vendor's error text is printed in a table on a terminal."""
    video = Video(id="v", model="sora-2", status=Status.FAILED, error="bad\x1b[2Jthing")

    assert "\x1b" not in text_of(statuses_table([video]))
    assert {"type": "JobFailed", "message": "badthing"} == status_object("v", video)["error"]


def test_a_status_that_is_not_known_is_null():
    """An id that the gateway does not know has no state, not a made-up one."""
    told = status_object("v", JobNotFound("unknown id"))

    assert (None, "JobNotFound") == (told["status"], told["error"]["type"])  # type: ignore[index]


def test_an_id_is_whole_where_a_program_may_read_it():
    """Cut in the middle, it is of no use to the next command of a pipe."""
    video = Video(id="v" * 250, status=Status.IN_PROGRESS)
    paper = Console(file=StringIO(), width=PIPE_WIDTH + 250)
    with paper.capture() as caught:
        paper.print(statuses_table([video], whole_ids=True))
    assert "v" * 250 in caught.get()
    assert "v" * 250 not in text_of(statuses_table([video]))


def test_the_gateways_own_word_is_shown_where_it_is_another():
    """Half an hour of "in_progress" is explained by NOT_START."""
    video = Video(id="v", status=Status.QUEUED, raw={"status": "NOT_START"})
    assert "queued (NOT_START)" in text_of(statuses_table([video]))
