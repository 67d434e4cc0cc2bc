"""What a type checker says of calls: mypy itself is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

api = pytest.importorskip("mypy.api")
PROGRAM = """\
from aihubmix_video import VideoSession
from aihubmix_video.types.model_params import SoraParams

async def use(session: VideoSession, name: str, length: int) -> None:
    shot: SoraParams = {"model": "sora-2", "seconds": 8, "size": "1280x720"}
    await session.generate("a cat", **shot)
    await session.generate("a cat", model=name, seconds=length)
    await session.submit("a cat", model="next-model", to="a.mp4")
"""
WRONG = {
    '"sora-3", "seconds": 8': "Literal['sora-3']",
    '"sora-2", "seconds": 5': "Literal[5]",
    '"sora-2", "mode": "std"': 'Extra key "mode"',
    '"sora-2", "size": "720p"': "Literal['720p']",
}


@pytest.mark.timeout(240)  # mypy reads the package and its libraries once
def test_mypy_names_what_a_family_does_not_take_and_lets_other_strings_pass(tmp_path: Path):
    """Before anything runs, and without a plugin."""
    wrong = [f'wrong_{n}: SoraParams = {{"model": {fields}}}' for n, fields in enumerate(WRONG)]
    file = tmp_path / "program.py"
    file.write_text("\n".join([PROGRAM, *wrong]), encoding="utf-8")
    told, trouble, _ = api.run(["--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache"), str(file)])
    lines = [line for line in told.splitlines() if ": error: " in line]

    assert "" == trouble
    assert len(WRONG) == len(lines), told
    assert all(words in line for words, line in zip(WRONG.values(), lines, strict=True)), told
