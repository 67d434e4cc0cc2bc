# ruff: noqa: INP001 - a program, not a package
"""Write `reference/answers.md` from the cases of the tests: ``python docs/answers_page.py``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HERE = Path(__file__).parent
PAGE = HERE / "reference" / "answers.md"
CASES = HERE.parent / "tests" / "pure" / "protocol" / "answer_cases.py"
SHOWN = 160  # characters of a body

HEAD = """\
# Answers

What an answer of the gateway means, shape by shape: of a create, of a poll, and of a request for the content.
Written by `docs/answers_page.py` from `tests/pure/protocol/answer_cases.py`, each row of which is a test; do not edit it by hand.

A create is read strictly: it is bought only with an id in hand, and refused only in so many words.
A poll is read tolerantly: the id is known, so whatever JSON comes back says at least that the job is still running.
An HTML page comes from a content network or a proxy. It is never a verdict on the key, a purchase or a job.
"""

SECTIONS = {
    "create": (
        "A create",
        "*Refused* and *busy*: nothing was bought. *Busy* is asked again. *Uncertain* never is; its error quotes the answer.",
    ),
    "poll": (
        "A poll",
        "`job-1` is asked about. *Final when repeated*: three times in a row, a minute after the create or later.",
    ),
    "content": (
        "The content",
        "Answers that are not a video. *Asked again*: up to ten times without progress; the job stays good.",
    ),
}


def render() -> str:
    """Return the page as Markdown."""
    cases = _cases().CASES
    lines = [HEAD]
    for endpoint, (title, note) in SECTIONS.items():
        lines += (f"## {title}", "", note, "", "| shape | HTTP | answer | means |", "|---|---|---|---|")
        lines += (_row(case) for case in cases if case.endpoint == endpoint)
        lines.append("")
    return "\n".join(lines)


def _row(case: object) -> str:
    name, status, means = (getattr(case, field) for field in ("name", "status", "means"))
    return f"| {name} | {status} | {' '.join(_answer(case))} | {means} |"


def _answer(case: object) -> Iterator[str]:
    yield from (f"`{header}: {value}`" for header, value in getattr(case, "headers", {}).items())
    text = " ".join(str(getattr(case, "text", "")).split())
    cut = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    yield f"`{cut}`".replace("|", "\\|") if cut else "nothing"


def _cases() -> ModuleType:
    """Load the cases by their path, so that the program runs from anywhere."""
    spec = importlib.util.spec_from_file_location("answer_cases", CASES)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(CASES)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # attrs looks its annotations up there
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
