"""The statements on the tables. Each function runs on the writer's thread, within its transaction."""

from __future__ import annotations

import os
import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aihubmix_video.errors import LedgerError
from aihubmix_video.ledger import request_codec, transitions
from aihubmix_video.ledger.entry import MAY_BE_SENT, SENDABLE, UNFINISHED, LedgerEntry, LedgerState, Spent
from aihubmix_video.ledger.transitions import Move, Transition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import TypeAlias

    from aihubmix_video.ledger.request_codec import EncodedRequest, Recall

    Row: TypeAlias = tuple[Any, ...]  # Any: what SQLite returns has no static type

__all__ = [
    "Found",
    "any_bought",
    "at_numbers",
    "counts",
    "fact",
    "find",
    "intend",
    "keys_in",
    "media_in_use",
    "newest",
    "numbers_of_batch",
    "one",
    "recall",
    "record",
    "record_spilled_id",
    "remember",
    "set_fact",
    "spent",
    "state_of",
    "unfinished_numbers",
]

COLUMNS: Final = {
    field.name: "row" if field.name == "index" else field.name
    for field in attrs.fields(LedgerEntry)
    if field.name not in {"request", "target"}
}
"""The fields of `LedgerEntry` that have a column of their own, and the names of the columns."""

_SELECT: Final = f"SELECT request, target, {', '.join(COLUMNS.values())} FROM jobs JOIN requests USING (number) "  # noqa: S608 - constants
_INSERT: Final = f"INSERT INTO jobs (model, {', '.join(COLUMNS.values())}) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608 - constants


@attrs.frozen
class Found:
    """An entry whose media are not read yet, and its encoded request."""

    entry: LedgerEntry
    text: str = attrs.field(repr=False)

    @property
    def wants_media(self) -> bool:
        """Whether media were taken out of its request that may be needed again."""
        return self.entry.state in SENDABLE and request_codec.MARK in self.text

    def with_media(self, recall: Recall) -> LedgerEntry:
        """Return the entry with its media."""
        return attrs.evolve(self.entry, request=request_codec.unpack(self.text, recall))


def _stored(value: object) -> object:
    return os.fsencode(value) if isinstance(value, Path) else value


def _found(row: Row, folder: Path) -> Found:
    text, target, *values = row
    fields: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))  # Any: the row is what `intend` and `record` wrote
    fields["state"] = LedgerState(fields["state"])
    fields["path"] = None if fields["path"] is None else Path(os.fsdecode(fields["path"]))
    fields["verified"] = None if fields["verified"] is None else bool(fields["verified"])
    request = request_codec.unpack(text, folder.joinpath)
    return Found(LedgerEntry(request=request, target=request_codec.unpack_destination(target), **fields), text)


def any_bought(connection: sqlite3.Connection) -> bool:
    """Return whether any of the jobs may have been bought."""
    found = connection.execute("SELECT 1 FROM jobs WHERE video_id IS NOT NULL OR charged <> 'no' LIMIT 1")
    return found.fetchone() is not None


# Writing.


def intend(connection: sqlite3.Connection, entries: Sequence[tuple[LedgerEntry, EncodedRequest]], now: float) -> None:
    """Record the intents of jobs: all of them, or none.

    Raises:
        LedgerError: The ledger already has one of them; the message names it.
    """
    connection.execute("SAVEPOINT intend")
    try:
        (last,) = connection.execute("SELECT ifnull(max(number), 0) FROM jobs").fetchone()
        for number, (entry, packed) in enumerate(entries, last + 1):
            created = entry.created_at or now
            fresh = attrs.evolve(entry, number=number, state=LedgerState.INTENDED, created_at=created, updated_at=now)
            _insert(connection, fresh, packed)
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK TO intend")
        raise
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE intend")


def _insert(connection: sqlite3.Connection, entry: LedgerEntry, packed: EncodedRequest) -> None:
    values = [_stored(getattr(entry, field)) for field in COLUMNS]
    try:
        connection.execute(_INSERT, [entry.request.model, *values])
    except sqlite3.IntegrityError as error:
        raise LedgerError(
            f"the ledger already has a job that is the same as {entry.key} ({error}). Nothing was recorded.",
            job_key=entry.key,
        ) from error
    target = request_codec.pack_destination(entry.target)
    connection.execute("INSERT INTO requests VALUES (?, ?, ?)", (entry.number, packed.text, target))
    connection.executemany("INSERT INTO media VALUES (?, ?)", [(digest, entry.number) for digest in packed.media])


@cache
def _update(move: Move) -> str:
    columns = [f"{COLUMNS[field]} = ?" for field in transitions.WRITES[move]]
    if move is Move.SENDING:
        columns.append("attempts = attempts + 1")
    if move is Move.RESUBMIT:
        columns += ["written_off = written_off + (charged <> 'no')", "resubmitted = resubmitted + 1"]
    starts = _listed(transitions.STARTS_FROM[move])
    return f"UPDATE jobs SET {', '.join(['state = ?', 'updated_at = ?', *columns])} WHERE key = ? AND state IN {starts}"  # noqa: S608 - constants


def _listed(states: Collection[LedgerState]) -> str:
    return f"({', '.join(sorted(f'{state.value!r}' for state in states))})"


def record(connection: sqlite3.Connection, key: str, transition: Transition, now: float) -> None:
    """Record a transition.

    Raises:
        LedgerError: It is not legal for the job in its state, or the job does not exist.
    """
    values = [_stored(transition.values[field]) for field in transitions.WRITES[transition.move]]
    changed = connection.execute(
        _update(transition.move), [transitions.LEADS_TO[transition.move].value, now, *values, key]
    )
    if changed.rowcount == 0:
        state = state_of(connection, key)
        raise transitions.unknown(key) if state is None else transitions.illegal(key, state, transition.move)


def record_spilled_id(connection: sqlite3.Connection, key: str, video_id: str, now: float) -> None:
    """Record an id that could not be written when it was received; a job that has moved on since is not changed."""
    state = state_of(connection, key)
    if state is LedgerState.SENDING:
        record(connection, key, transitions.bought(video_id, None), now)
    elif state is LedgerState.UNCERTAIN:
        record(connection, key, transitions.attach(video_id), now)


def remember(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    """Store some bytes under a name."""
    connection.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, value))


def set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Store a fact about the ledger itself."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value.encode()))


# Reading.


def state_of(connection: sqlite3.Connection, key: str) -> LedgerState | None:
    """Return the state of a job; None if the job does not exist."""
    row = connection.execute("SELECT state FROM jobs WHERE key = ?", (key,)).fetchone()
    return None if row is None else LedgerState(row[0])


def keys_in(connection: sqlite3.Connection, state: LedgerState) -> list[str]:
    """Return the keys of all jobs in a state, in the order in which they were intended."""
    rows = connection.execute("SELECT key FROM jobs WHERE state = ? ORDER BY number", (state.value,))
    return [key for (key,) in rows]


def one(connection: sqlite3.Connection, folder: Path, column: str, value: str) -> Found | None:
    """Return the job with a key or client key; None if there is none."""
    row = connection.execute(f"{_SELECT} WHERE {column} = ?", (value,)).fetchone()
    return None if row is None else _found(row, folder)


def find(connection: sqlite3.Connection, folder: Path, batch: str, fingerprint: str, occurrence: int) -> Found | None:
    """Return the row of a batch with this fingerprint and occurrence; None if there is none."""
    wanted = (batch, fingerprint, occurrence)
    row = connection.execute(f"{_SELECT} WHERE batch = ? AND fingerprint = ? AND occurrence = ?", wanted).fetchone()
    return None if row is None else _found(row, folder)


def newest(
    connection: sqlite3.Connection,
    folder: Path,
    after: int | None,
    limit: int,
    states: Collection[LedgerState],
    owner: str | None,
) -> list[LedgerEntry]:
    """Return a page of jobs, the newest first."""
    older = "" if after is None else f"AND number < {after:d}"
    by_owner = "" if owner is None else "AND owner = ?"
    rows = connection.execute(
        f"{_SELECT} WHERE state IN {_listed(states)} {older} {by_owner} ORDER BY number DESC LIMIT ?",
        (limit,) if owner is None else (owner, limit),
    )
    return [_found(row, folder).entry for row in rows]


def unfinished_numbers(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of all unfinished jobs: first those to be downloaded, by expiry; last those to be sent."""
    rows = connection.execute(
        f"""SELECT number FROM jobs WHERE state IN {_listed(UNFINISHED)} ORDER BY
            CASE state WHEN 'bought' THEN 0 WHEN 'completed' THEN 0 WHEN 'intended' THEN 2 ELSE 1 END,
            CASE WHEN state IN ('bought', 'completed') THEN ifnull(expires_at, 9e999) END,
            number"""  # noqa: S608 - constants
    )
    return [number for (number,) in rows]


def numbers_of_batch(connection: sqlite3.Connection, batch: str) -> list[int]:
    """Return the numbers of a batch's jobs, in the order of its rows."""
    rows = connection.execute("SELECT number FROM jobs WHERE batch = ? ORDER BY row, number", (batch,))
    return [number for (number,) in rows]


def at_numbers(connection: sqlite3.Connection, folder: Path, numbers: Sequence[int]) -> list[Found]:
    """Return the jobs with these numbers, in the same order."""
    marks = ", ".join("?" * len(numbers))
    rows = connection.execute(f"{_SELECT} WHERE number IN ({marks})", numbers)
    found = {each.entry.number: each for row in rows for each in [_found(row, folder)]}
    return [found[number] for number in numbers]


def counts(connection: sqlite3.Connection) -> dict[LedgerState, int]:
    """Return the number of jobs in each state."""
    rows = connection.execute("SELECT state, count(*) FROM jobs GROUP BY state")
    return dict.fromkeys(LedgerState, 0) | {LedgerState(state): number for state, number in rows}


def spent(connection: sqlite3.Connection) -> dict[str, Spent]:
    """Return, by model, the sums of what was bought or may have been bought."""
    rows: Iterator[Row] = connection.execute(
        """SELECT model, sum(times), sum(times * ifnull(seconds, 0.0)), sum(times * (seconds IS NULL)) FROM
            (SELECT model, seconds, (charged <> 'no') + written_off AS times FROM jobs) WHERE times > 0 GROUP BY model"""
    )
    return {model: Spent(jobs=jobs, seconds=total, unmeasured=unknown) for model, jobs, total, unknown in rows}


def media_in_use(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the sha256 of each medium that a create may still need."""
    rows = connection.execute(
        f"SELECT DISTINCT media.sha256 FROM media JOIN jobs USING (number) WHERE state IN {_listed(MAY_BE_SENT)}"  # noqa: S608 - constants
    )
    return frozenset(digest for (digest,) in rows)


def recall(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return what was remembered under a name; None if nothing was."""
    row = connection.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def fact(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return a fact about the ledger itself; None if it is not stored."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])
