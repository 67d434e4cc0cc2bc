"""Where videos go that the command line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from aihubmix_video.cli.output_paths import file_of, files_of
from aihubmix_video.errors import ConfigurationError


def test_downloads_get_names_of_their_own():
    """Ids share their beginnings and their ends; the names must differ all the same."""
    ids = [f"eyJtb2RlbCI6{n}channel1234" for n in range(100)]

    assert 100 == len({path for _, path in files_of(ids, None)})


def test_what_has_an_extension_is_a_file():
    """Its folder is checked by the session, before anything is paid for."""
    assert file_of("A cat!", Path("films/cat.mp4")) == Path("films/cat.mp4")
    assert file_of("A cat!", None) == Path("a-cat.mp4")


def test_what_has_no_extension_is_a_folder_and_is_made(tmp_path: Path):
    """As for the other commands; a video that is called `films` plays nowhere."""
    assert file_of("A cat!", tmp_path / "films") == tmp_path / "films" / "a-cat.mp4"
    assert (tmp_path / "films").is_dir()


def test_a_folder_may_look_like_a_file(tmp_path: Path):
    """If it is there already."""
    (tmp_path / "films.2026").mkdir()
    assert file_of("A cat!", tmp_path / "films.2026") == tmp_path / "films.2026" / "a-cat.mp4"


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_sent(tmp_path: Path):
    """Such as below a file, or in place of one."""
    (tmp_path / "films").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="films' cannot be made a folder"):
        file_of("A cat!", tmp_path / "films")
