from __future__ import annotations

from aihubmix_video.cli.demo_command import videos_table
from aihubmix_video.errors import RequestRefused
from aihubmix_video.gallery.row_result import RowResult
from tests.pure.cli.test_models_command import text_of


def test_a_failed_row_stands_in_the_table():
    """Eight asked for and seven shown would look like seven asked for."""
    assert "failed" in text_of(videos_table([RowResult(index=0, error=RequestRefused("no"))]))
