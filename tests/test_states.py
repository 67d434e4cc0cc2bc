"""The table of all vocabularies of a job is total, says what the code says, and stands in the documents."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video import JobState, Status
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.scheduling.lifecycle import Phase
from aihubmix_video.session.job_stage import FACTS, Stage
from aihubmix_video.session.job_views import STATE, STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum

DOCS = Path(__file__).parents[1] / "docs"


def page() -> Any:  # noqa: ANN401 - a program that is not a package
    """Load the program that writes the page."""
    spec = importlib.util.spec_from_file_location("states_page", DOCS / "states_page.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def missing(rows: Iterable[Any], column: str, vocabulary: type[Enum]) -> set[Enum]:
    """Find the members of an enum that no row names."""
    told = [getattr(row, column) for row in rows]
    named = {member for each in told for member in (each if isinstance(each, tuple) else (each,))}
    return set(vocabulary) - named


@pytest.mark.parametrize(
    ("column", "vocabulary"),
    [("state", JobState), ("status", Status), ("stages", Stage), ("phases", Phase), ("ledger", LedgerState)],
)
def test_the_table_has_a_row_for_every_member(column: str, vocabulary: type[Enum]):
    """A word that the table does not have is a word that a reader must guess."""
    rows = page().ROWS
    assert set() == missing(rows, column, vocabulary)
    for row in rows:  # the detector, tried on a table without one of its rows
        kept = [other for other in rows if other is not row]
        assert missing(kept, "state", JobState) <= {row.state}
    assert set(JobState) == missing([], "state", JobState)


def test_the_table_says_what_the_code_looks_up():
    """Two truths would drift apart."""
    for row in page().ROWS:
        assert all(STATE[state] in {row.state, JobState.SAVING} for state in row.ledger)
        assert all(FACTS[stage].state in {row.state, JobState.WAITING, JobState.RUNNING} for stage in row.stages)
        assert all(FACTS[stage].state is row.state for stage in row.stages if row.state.ended)
        assert STATUS[row.state] in row.status


def test_the_page_is_in_step_with_the_table():
    """Run ``python docs/states_page.py`` after changing it."""
    assert page().render() == (DOCS / "reference" / "states.md").read_text(encoding="utf-8")
