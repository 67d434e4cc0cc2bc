from __future__ import annotations

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
