# ruff: noqa: INP001 - a program, not a package
"""Write `reference/states.md`, the vocabularies of a job beside each other: ``python docs/states_page.py``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from aihubmix_video import JobState, Status
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.scheduling.lifecycle import Phase
from aihubmix_video.session.job_stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum

PAGE = Path(__file__).parent / "reference" / "states.md"

HEAD = """\
# States of a job

Five vocabularies, each asked by somebody else, of which users meet the first two.
`JobState` is what an application shows: how far the job has come.
`Status` is what the gateway last said of it, with two words of ours: *pending* before it was accepted, *uncertain* when nobody can tell.
The stage is what the session knows of the job it tracks; the phase is what the scheduler does next for it;
the ledger's state is what would be known if the process ended now.
*Waiting* means everywhere: not accepted by the gateway yet. *Queued* is the gateway's word alone: accepted, and waiting at the vendor.
Written by `docs/states_page.py`; a test keeps every member of every enum in it.
"""


@attrs.frozen(kw_only=True)
class Row:
    """One situation, in every vocabulary.

    Attributes:
        means: The situation, in a sentence.
        state: What users are shown; likewise `status`, what the gateway last said.
        stages: Of the tracked job; likewise `phases` of the scheduler and `ledger` states.
    """

    means: str
    state: JobState
    status: tuple[Status, ...]
    stages: tuple[Stage, ...]
    phases: tuple[Phase, ...] = ()
    ledger: tuple[LedgerState, ...] = ()


ROWS = (
    Row(
        means="Asked for; nothing has been sent.",
        state=JobState.WAITING,
        status=(Status.PENDING,),
        stages=(Stage.WAITING, Stage.WAITING_DETACHING, Stage.WAITING_DROPPING),
        phases=(Phase.WAITING,),
        ledger=(LedgerState.INTENDED,),
    ),
    Row(
        means="Its create is under way.",
        state=JobState.WAITING,
        status=(Status.PENDING,),
        stages=(Stage.SENDING, Stage.SENDING_DETACHING, Stage.SENDING_DROPPING),
        phases=(Phase.SUBMITTING,),
        ledger=(LedgerState.SENDING,),
    ),
    Row(
        means="Accepted and not finished: it is asked about.",
        state=JobState.RUNNING,
        status=(Status.QUEUED, Status.IN_PROGRESS),
        stages=(Stage.FOLLOWED, Stage.FOLLOWED_DETACHING, Stage.FOLLOWED_DROPPING),
        phases=(Phase.RUNNING, Phase.POLLING),
        ledger=(LedgerState.BOUGHT,),
    ),
    Row(
        means="Finished at the vendor; its file is being fetched.",
        state=JobState.SAVING,
        status=(Status.COMPLETED,),
        stages=(Stage.FOLLOWED,),
        phases=(Phase.READY, Phase.DOWNLOADING),
        ledger=(LedgerState.COMPLETED,),
    ),
    Row(
        means="Its file is on disk.",
        state=JobState.SAVED,
        status=(Status.COMPLETED,),
        stages=(Stage.SAVED,),
        phases=(Phase.DONE,),
        ledger=(LedgerState.SAVED,),
    ),
    Row(
        means="Finished at the vendor, and no file was wanted.",
        state=JobState.DONE,
        status=(Status.COMPLETED,),
        stages=(Stage.DONE,),
        phases=(Phase.DONE,),
        ledger=(LedgerState.DONE,),
    ),
    Row(
        means="Over without a video, for good.",
        state=JobState.FAILED,
        status=(Status.FAILED,),
        stages=(Stage.FAILED,),
        phases=(Phase.FAILED,),
        ledger=(LedgerState.FAILED,),
    ),
    Row(
        means="Nobody can tell whether it was bought; the user decides.",
        state=JobState.UNCERTAIN,
        status=(Status.UNCERTAIN,),
        stages=(Stage.UNCERTAIN,),
        phases=(Phase.UNCERTAIN,),
        ledger=(LedgerState.UNCERTAIN,),
    ),
    Row(
        means="Not bought in this session; it is bought when the ledger is resumed.",
        state=JobState.WAITING,
        status=(Status.PENDING,),
        stages=(Stage.LEFT,),
        phases=(Phase.FAILED, Phase.DROPPED),
        ledger=(LedgerState.INTENDED,),
    ),
    Row(
        means="Not finished in this session (deadline, disk, closing); it is followed when the ledger is resumed.",
        state=JobState.RUNNING,
        status=(Status.QUEUED, Status.IN_PROGRESS),
        stages=(Stage.LEFT,),
        phases=(Phase.STALLED, Phase.FAILED, Phase.DROPPED),
        ledger=(LedgerState.BOUGHT, LedgerState.COMPLETED),
    ),
    Row(
        means="Deleted, or dropped by the user's decision.",
        state=JobState.DROPPED,
        status=(Status.FAILED,),
        stages=(Stage.DROPPED,),
        phases=(Phase.DROPPED,),
        ledger=(LedgerState.DROPPED,),
    ),
)


def render() -> str:
    """Return the page as Markdown."""
    lines = [HEAD, "| situation | `JobState` | `Status` | stage | phase | ledger |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.means} | {row.state} | {_listed(row.status)} | {_listed(row.stages)} | {_listed(row.phases)} "
        f"| {_listed(row.ledger)} |"
        for row in ROWS
    ]
    return "\n".join([*lines, ""])


def _listed(members: Iterable[Enum]) -> str:
    return ", ".join(member.name.lower().replace("_", " ") for member in members) or "–"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
