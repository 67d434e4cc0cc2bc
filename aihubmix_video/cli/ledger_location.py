"""A command's ledger: where it is, what is left to do in it, and the command that resumes it."""

from __future__ import annotations

import shlex
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import attrs

from aihubmix_video.cli.text_format import safe
from aihubmix_video.ledger.entry import UNFINISHED, LedgerEntry, LedgerState
from aihubmix_video.ledger.interface import entries
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.protocol.stray_id import stray_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from aihubmix_video.cli.command_options import SessionOptions

__all__ = [
    "LEDGER",
    "LedgerLocation",
    "LedgerSummary",
    "ledger_at",
    "ledger_summary",
    "quoted",
    "resume_command_for",
    "uncertain_lines",
]

LEDGER = ".aihubmix-video.db"
PROMPT = 60
"""Characters of a prompt that tell it from others."""


@attrs.frozen(kw_only=True)
class LedgerLocation:
    """The ledger that a command works with.

    Attributes:
        path: The file.
        resume: The command that resumes it, ready for a shell.
        batch: The batch in it that is meant; None for everything.
    """

    path: Path
    resume: str
    batch: str | None = None

    @classmethod
    def of(cls, path: Path, session: SessionOptions, *, place: Path | None = None, batch: str | None = None) -> Self:
        """Return the location of a ledger; *place* is what the user calls it by, if that is not its path."""
        resume = resume_command_for(path if place is None else place, session.arguments())
        return cls(path=path, resume=resume, batch=batch)


SHOWN = UNFINISHED | {LedgerState.FAILED}


def ledger_at(place: Path) -> Path:
    """Return the path of the ledger in a folder of videos; anything else is the ledger itself."""
    return place / LEDGER if place.is_dir() else place


def resume_command_for(place: Path, arguments: Sequence[str] = ()) -> str:
    """Return the command that resumes the ledger at *place*, as a shell takes it."""
    text = str(place)
    return shlex.join(["aihubmix-video", "resume", f"./{text}" if text.startswith("-") else text, *arguments])


@attrs.frozen(kw_only=True)
class LedgerSummary:
    """The state of a ledger that no session has open.

    Attributes:
        counts: How many jobs are in each state.
        left: The unfinished jobs, in the order in which they were added.
        failed: The jobs that failed, also in that order; each may be bought again.
    """

    counts: Mapping[LedgerState, int] = attrs.field(factory=dict)
    left: tuple[LedgerEntry, ...] = ()
    failed: tuple[LedgerEntry, ...] = ()

    @property
    def uncertain(self) -> tuple[LedgerEntry, ...]:
        """The jobs that may have been bought."""
        return tuple(entry for entry in self.left if entry.state is LedgerState.UNCERTAIN)

    def __str__(self) -> str:
        return ", ".join(f"{number} {state}" for state, number in self.counts.items() if number) or "no jobs"


async def ledger_summary(location: LedgerLocation) -> LedgerSummary:
    """Return the state of a ledger.

    Raises:
        LedgerError: It cannot be read.
        LedgerInUse: Another process has it open.
    """
    async with aclosing(await SqliteLedger.open(location.path)) as ledger:
        counts = await ledger.counts()
        found = [entry async for entry in entries(ledger, SHOWN) if location.batch in {None, entry.batch}]
    found.reverse()
    return LedgerSummary(
        counts=counts,
        left=tuple(entry for entry in found if entry.state in UNFINISHED),
        failed=tuple(entry for entry in found if entry.state is LedgerState.FAILED),
    )


def uncertain_lines(uncertain: Sequence[LedgerEntry], resume: str) -> Iterator[str]:
    """Yield the jobs that may have been bought, and the commands by which the user decides about them."""
    if not uncertain:
        return
    yield f"{_jobs(len(uncertain))} may have been bought; only the console can tell. Look for {_them(uncertain)} there:"
    for entry in uncertain:
        sent = datetime.fromtimestamp(entry.updated_at, UTC).astimezone().isoformat(" ", "seconds")
        yield f"  {entry.key}  {sent}  {safe(entry.request.model, 40)}  {quoted(entry.request.prompt)}"
        if (found := stray_id(entry.error_body)) is not None:
            yield f"    an id stands in its answer; if the console has it: {attach_command(resume, entry.key, found)}"
    key = uncertain[0].key if len(uncertain) == 1 else "KEY"
    yield "then say what is to be done:"
    yield f"  {resume} --attach {key}=ID     it is there, under this id"
    yield f"  {resume} --resubmit {key}      it is not there: buy it"
    yield f"  {resume} --drop {key}          it is not wanted any more"


def attach_command(resume: str, key: str, video_id: str) -> str:
    """Return the command that attaches a job to an id, ready for a shell."""
    return f"{resume} --attach {shlex.quote(f'{key}={video_id}')}"


def _jobs(number: int) -> str:
    """Return a number of jobs in words."""
    return f"{number} job{'' if number == 1 else 's'}"


def _them(entries: Sequence[LedgerEntry]) -> str:
    return "it" if len(entries) == 1 else "them"


def quoted(prompt: str) -> str:
    """Return the beginning of a prompt, in quotation marks."""
    return f'"{safe(prompt, PROMPT)}"'
