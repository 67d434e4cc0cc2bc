from __future__ import annotations

from pathlib import Path

import pytest

from aihubmix_video.cli.command_options import CapOptions
from aihubmix_video.cli.price_file import prices_in
from aihubmix_video.errors import ConfigurationError


def test_prices_are_read_from_json(tmp_path: Path):
    """With a byte order mark or without, as editors write it."""
    (tmp_path / "p.json").write_bytes(b'\xef\xbb\xbf{"wan2.6-t2v": 0.05, "sora-2": 0}')

    assert {"wan2.6-t2v": 0.05, "sora-2": 0} == prices_in(tmp_path / "p.json")
    assert {"prices": {"wan2.6-t2v": 0.05, "sora-2": 0}, "max_videos": 0, "moderation_retries": 2} == CapOptions(
        prices=tmp_path / "p.json", max_videos=0, moderation_retries=2
    ).given()
    assert {} == CapOptions().given()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "must be JSON"),
        (b"[0.1]", "must be a JSON object"),
        (b'{"a": -1}', "prices[a]=-1"),
        (b'{"a": "1"}', "from 0 up"),
        (b'{"a": NaN}', "is not a number"),
        (b'{"a": 1, "a": 2}', "given twice"),
        (b'{"a": 1,\n"b" 2}', ":2:"),
        (b"\xff\xfe", "UTF-8"),
        (b" " * ((1 << 20) + 1), "larger than"),
        (None, "cannot be read"),
    ],
)
def test_prices_that_cannot_be_meant_are_refused(
    data: bytes | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A cap kept by a mistyped price would be none; the message names the file."""
    monkeypatch.chdir(tmp_path)
    if data is not None:
        Path("p.json").write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        prices_in(Path("p.json"))
    assert said in str(caught.value)
    assert "p.json" in str(caught.value)
