"""The glossary names what is there, and leaves out nothing that a newcomer meets first."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import aihubmix_video

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "aihubmix_video"
ROW = re.compile(r"^\| (?P<word>[^|]+?) \| (?P<means>[^|]+?) \| (?P<code>`[^|]+`) \|$")


def rows(text: str) -> list[tuple[str, str, list[str]]]:
    """Return each row's word, meaning and names in code."""
    found = [ROW.match(line) for line in text.splitlines()]
    return [(row["word"], row["means"], re.findall(r"`([\w.]+)`", row["code"])) for row in found if row is not None]


def names_in_code() -> set[str]:
    """Return every module, class, function and method of the package, by the names that the glossary gives them."""
    found: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        found.add(".".join(part for part in parts if part != "__init__"))
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            if isinstance(node, ast.ClassDef):
                functions = (each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)))
                found |= {f"{node.name}.{each.name}" for each in functions}
    return found


def missing(text: str) -> list[str]:
    """Find names in a glossary that the code does not have."""
    known = names_in_code()
    return [name for _, _, names in rows(text) for name in names if name not in known]


def glossary() -> str:
    """Read the document."""
    return (ROOT / "docs/glossary.md").read_text("utf-8")


def test_every_name_in_the_glossary_is_in_the_code():
    """A word that was renamed, or deleted, misleads."""
    assert 60 < len(rows(glossary()))
    assert [] == missing(glossary())


@pytest.mark.parametrize("name", ["NoSuchClass", "Job.fly", "session.steward"])
def test_a_name_that_is_gone_is_seen(name: str):
    """The detector, tried on rows that are wrong."""
    assert [name] == missing(f"| a word | its meaning | `Job`, `{name}` |")


def test_no_word_stands_twice_and_each_has_a_meaning():
    """One word is one thing."""
    words = [word for word, _, _ in rows(glossary())]
    assert len(set(words)) == len(words)
    assert all(len(means) > 10 for _, means, _ in rows(glossary()))


def test_what_a_newcomer_meets_first_is_in_it():
    """Every folder of the package, and every name that it exports."""
    told = {name for _, _, names in rows(glossary()) for name in names}
    folders = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    assert set() == (folders | set(aihubmix_video.__all__)) - told
