"""The code in the documents, run as written against the local gateway."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from textwrap import dedent

import pytest

from aihubmix_video.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    """Find every Python block of the README and the documents, by file and line."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = []
    for file in files:
        text = file.read_text("utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            found.append((f"{file.relative_to(ROOT)}:{line}", dedent(block[1])))
    return found


EXAMPLES = examples()


@pytest.mark.looptime
@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[place for place, _ in EXAMPLES])
async def test_an_example_runs_as_written(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What users copy must work; the environment is all that the local gateway needs to stand in for the real one."""
    async with Sandbox(speed=600, seed=0) as sandbox:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("AIHUBMIX_API_KEY", sandbox.api_key)
        monkeypatch.setenv("AIHUBMIX_BASE_URL", sandbox.url)
        outcome = eval(compile(code, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {"__name__": "example"})  # noqa: S307
        if inspect.isawaitable(outcome):
            await outcome


def test_there_are_examples_to_run():
    """A pattern that no longer matches would let every document rot."""
    assert len(EXAMPLES) >= 3
