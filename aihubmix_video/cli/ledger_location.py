"""A command's ledger: where it is, what is left to do in it, and how the user goes on with it."""

from __future__ import annotations

import shlex
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.cli.text_format import safe
from aihubmix_video.ledger.entry import UNFINISHED, LedgerEntry, LedgerState
from aihubmix_video.ledger.interface import entries
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "LEDGER",
    "LedgerLocation",
    "LedgerSummary",
    "command",
    "jobs_text",
    "ledger_at",
    "opened_ledger",
    "said",
    "standing_of",
    "uncertain_lines",
]

LEDGER = ".aihubmix-video.db"
PROMPT = 60  # characters of a prompt that tell it from others


@attrs.frozen(kw_only=True)
class LedgerLocation:
    """The ledger that a command works with.

    Attributes:
        path: The file.
        resume: The command that goes on with it, ready for a shell.
        batch: The batch in it that is meant; None for everything.
    """

    path: Path
    resume: str
    batch: str | None = None


def ledger_at(place: Path) -> Path:
    """Find the ledger of a folder of videos; anything else is the ledger itself."""
    return place / LEDGER if place.is_dir() else place


def command(place: Path, arguments: Sequence[str] = ()) -> str:
    """Give the command that goes on with the ledger at *place*, as a shell takes it."""
    text = str(place)
    return shlex.join(["aihubmix-video", "resume", f"./{text}" if text.startswith("-") else text, *arguments])


@asynccontextmanager
async def opened_ledger(path: Path) -> AsyncIterator[SqliteLedger]:
    """Open a ledger for a look; nobody else can meanwhile."""
    ledger = await SqliteLedger.open(path)
    try:
        yield ledger
    finally:
        await ledger.aclose()


@attrs.frozen(kw_only=True)
class LedgerSummary:
    """How things stand in a ledger that nobody is working with.

    Attributes:
        counts: How many jobs are in each state.
        left: Those that need something, in the order in which they were taken on.
    """

    counts: Mapping[LedgerState, int] = attrs.field(factory=dict)
    left: tuple[LedgerEntry, ...] = ()

    @property
    def uncertain(self) -> tuple[LedgerEntry, ...]:
        """Those that may have been bought."""
        return tuple(entry for entry in self.left if entry.state is LedgerState.UNCERTAIN)

    def __str__(self) -> str:
        return ", ".join(f"{number} {state}" for state, number in self.counts.items() if number) or "no jobs"


async def standing_of(location: LedgerLocation) -> LedgerSummary:
    """Look into a ledger.

    Raises:
        LedgerError: It cannot be read.
        LedgerInUse: Another process is working with it.
    """
    async with opened_ledger(location.path) as ledger:
        counts = await ledger.counts()
        left = [entry async for entry in entries(ledger, UNFINISHED) if location.batch in {None, entry.batch}]
    return LedgerSummary(counts=counts, left=tuple(reversed(left)))


def uncertain_lines(uncertain: Sequence[LedgerEntry], resume: str) -> Iterator[str]:
    """Name the jobs that may have been bought, and say how the user decides about them."""
    if not uncertain:
        return
    yield f"{jobs_text(len(uncertain))} may have been bought, and nobody here can tell. Look for {_them(uncertain)} in the console:"
    for entry in uncertain:
        sent = datetime.fromtimestamp(entry.updated_at, UTC).astimezone().isoformat(" ", "seconds")
        yield f"  {entry.key}  {sent}  {safe(entry.request.model, 40)}  {said(entry.request.prompt)}"
    key = uncertain[0].key if len(uncertain) == 1 else "KEY"
    yield "then say what is to be done:"
    yield f"  {resume} --attach {key}=ID     it is there, under this id"
    yield f"  {resume} --resubmit {key}      it is not there: buy it"
    yield f"  {resume} --drop {key}          it is not wanted any more"


def jobs_text(number: int) -> str:
    """Count jobs."""
    return f"{number} job{'' if number == 1 else 's'}"


def _them(entries: Sequence[LedgerEntry]) -> str:
    return "it" if len(entries) == 1 else "them"


def said(prompt: str) -> str:
    """Quote the beginning of a prompt."""
    return f'"{safe(prompt, PROMPT)}"'
