"""What is done to the tables: each function runs on the writer's thread, within its transaction."""

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

    Row: TypeAlias = tuple[Any, ...]  # Any: what SQLite gives back has no static type

__all__ = [
    "Found",
    "any_bought",
    "at_numbers",
    "counts",
    "fact",
    "find",
    "intend",
    "keys_in",
    "learn",
    "media_in_use",
    "move",
    "newest",
    "numbers_of_batch",
    "one",
    "recall",
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
"""Fields of `LedgerEntry` that have a column of their own, and its name."""

_SELECT: Final = f"SELECT request, target, {', '.join(COLUMNS.values())} FROM jobs JOIN requests USING (number) "  # noqa: S608 - constants
_INSERT: Final = f"INSERT INTO jobs (model, {', '.join(COLUMNS.values())}) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608 - constants


@attrs.frozen
class Found:
    """An entry whose media are not read back yet, and its request as it was packed."""

    entry: LedgerEntry
    text: str = attrs.field(repr=False)

    @property
    def wants_media(self) -> bool:
        """Whether something was taken out that may be needed again."""
        return self.entry.state in SENDABLE and request_codec.MARK in self.text

    def whole(self, recall: Recall) -> LedgerEntry:
        """Read the media back."""
        return attrs.evolve(self.entry, request=request_codec.unpack(self.text, recall))


def _stored(value: object) -> object:
    return os.fsencode(value) if isinstance(value, Path) else value


def _found(row: Row, folder: Path) -> Found:
    text, target, *values = row
    fields: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))  # Any: the row is what `intend` and `move` wrote
    fields["state"] = LedgerState(fields["state"])
    fields["path"] = None if fields["path"] is None else Path(os.fsdecode(fields["path"]))
    fields["verified"] = None if fields["verified"] is None else bool(fields["verified"])
    request = request_codec.unpack(text, folder.joinpath)
    return Found(LedgerEntry(request=request, target=request_codec.unpack_destination(target), **fields), text)


def any_bought(connection: sqlite3.Connection) -> bool:
    """Whether any of the jobs may have been bought."""
    found = connection.execute("SELECT 1 FROM jobs WHERE video_id IS NOT NULL OR charged <> 'no' LIMIT 1")
    return found.fetchone() is not None


# Changing.


def intend(connection: sqlite3.Connection, entries: Sequence[tuple[LedgerEntry, EncodedRequest]], now: float) -> None:
    """Take in jobs: all of them, or none.

    Raises:
        LedgerError: One of them is there already; it is named.
    """
    connection.execute("SAVEPOINT intend")
    try:
        (last,) = connection.execute("SELECT ifnull(max(number), 0) FROM jobs").fetchone()
        for number, (entry, packed) in enumerate(entries, last + 1):
            created = entry.created_at or now
            fresh = attrs.evolve(entry, number=number, state=LedgerState.INTENDED, created_at=created, updated_at=now)
            _insert(connection, fresh, packed)
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
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
            f"the ledger has a job already that is the same as {entry.key} ({error}). Nothing was recorded.",
            job_key=entry.key,
        ) from error
    target = request_codec.pack_destination(entry.target)
    connection.execute("INSERT INTO requests VALUES (?, ?, ?)", (entry.number, packed.text, target))
    connection.executemany("INSERT INTO media VALUES (?, ?)", [(digest, entry.number) for digest in packed.media])


@cache
def _update(taken: Move) -> str:
    columns = [f"{COLUMNS[field]} = ?" for field in transitions.WRITES[taken]]
    if taken is Move.SENDING:
        columns.append("attempts = attempts + 1")
    if taken is Move.RESUBMIT:
        columns += ["written_off = written_off + (charged <> 'no')", "resubmitted = resubmitted + 1"]
    starts = _listed(transitions.STARTS_FROM[taken])
    return f"UPDATE jobs SET {', '.join(['state = ?', 'updated_at = ?', *columns])} WHERE key = ? AND state IN {starts}"  # noqa: S608 - constants


def _listed(states: Collection[LedgerState]) -> str:
    return f"({', '.join(sorted(f'{state.value!r}' for state in states))})"


def move(connection: sqlite3.Connection, key: str, taken: Transition, now: float) -> None:
    """Write a step down.

    Raises:
        LedgerError: It cannot happen to that job, or there is no such job.
    """
    values = [_stored(taken.values[field]) for field in transitions.WRITES[taken.move]]
    changed = connection.execute(_update(taken.move), [transitions.LEADS_TO[taken.move].value, now, *values, key])
    if changed.rowcount == 0:
        state = state_of(connection, key)
        raise transitions.unknown(key) if state is None else transitions.illegal(key, state, taken.move)


def learn(connection: sqlite3.Connection, key: str, video_id: str, now: float) -> None:
    """Take in an id that could not be written when it was seen; of a job that has gone on since, nothing changes."""
    state = state_of(connection, key)
    if state is LedgerState.SENDING:
        move(connection, key, transitions.bought(video_id, None), now)
    elif state is LedgerState.UNCERTAIN:
        move(connection, key, transitions.attach(video_id), now)


def remember(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    """Keep some bytes under a name."""
    connection.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, value))


def set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Note something about the ledger itself."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value.encode()))


# Reading.


def state_of(connection: sqlite3.Connection, key: str) -> LedgerState | None:
    """Say how far a job has come; None if there is none."""
    row = connection.execute("SELECT state FROM jobs WHERE key = ?", (key,)).fetchone()
    return None if row is None else LedgerState(row[0])


def keys_in(connection: sqlite3.Connection, state: LedgerState) -> list[str]:
    """Give the keys of all jobs in a state, in the order of their intents."""
    rows = connection.execute("SELECT key FROM jobs WHERE state = ? ORDER BY number", (state.value,))
    return [key for (key,) in rows]


def one(connection: sqlite3.Connection, folder: Path, column: str, value: str) -> Found | None:
    """Find a job by its key or client key."""
    row = connection.execute(f"{_SELECT} WHERE {column} = ?", (value,)).fetchone()
    return None if row is None else _found(row, folder)


def find(connection: sqlite3.Connection, folder: Path, batch: str, fingerprint: str, occurrence: int) -> Found | None:
    """Find the row of a batch that asked for the same."""
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
    """Give jobs, the newest first."""
    older = "" if after is None else f"AND number < {after:d}"
    owned = "" if owner is None else "AND owner = ?"
    rows = connection.execute(
        f"{_SELECT} WHERE state IN {_listed(states)} {older} {owned} ORDER BY number DESC LIMIT ?",
        (limit,) if owner is None else (owner, limit),
    )
    return [_found(row, folder).entry for row in rows]


def unfinished_numbers(connection: sqlite3.Connection) -> list[int]:
    """Give the numbers of all jobs that need something: first those to be fetched, by expiry; last those to be sent."""
    rows = connection.execute(
        f"""SELECT number FROM jobs WHERE state IN {_listed(UNFINISHED)} ORDER BY
            CASE state WHEN 'bought' THEN 0 WHEN 'completed' THEN 0 WHEN 'intended' THEN 2 ELSE 1 END,
            CASE WHEN state IN ('bought', 'completed') THEN ifnull(expires_at, 9e999) END,
            number"""  # noqa: S608 - constants
    )
    return [number for (number,) in rows]


def numbers_of_batch(connection: sqlite3.Connection, batch: str) -> list[int]:
    """Give the numbers of a batch's jobs, in the order of its rows."""
    rows = connection.execute("SELECT number FROM jobs WHERE batch = ? ORDER BY row, number", (batch,))
    return [number for (number,) in rows]


def at_numbers(connection: sqlite3.Connection, folder: Path, numbers: Sequence[int]) -> list[Found]:
    """Give jobs by their numbers, in that order."""
    marks = ", ".join("?" * len(numbers))
    rows = connection.execute(f"{_SELECT} WHERE number IN ({marks})", numbers)
    found = {each.entry.number: each for row in rows for each in [_found(row, folder)]}
    return [found[number] for number in numbers]


def counts(connection: sqlite3.Connection) -> dict[LedgerState, int]:
    """Count the jobs in each state."""
    rows = connection.execute("SELECT state, count(*) FROM jobs GROUP BY state")
    return dict.fromkeys(LedgerState, 0) | {LedgerState(state): number for state, number in rows}


def spent(connection: sqlite3.Connection) -> dict[str, Spent]:
    """Add up, by model, what was bought or may have been."""
    rows: Iterator[Row] = connection.execute(
        """SELECT model, sum(times), sum(times * ifnull(seconds, 0.0)), sum(times * (seconds IS NULL)) FROM
            (SELECT model, seconds, (charged <> 'no') + written_off AS times FROM jobs) WHERE times > 0 GROUP BY model"""
    )
    return {model: Spent(jobs=jobs, seconds=total, unmeasured=unknown) for model, jobs, total, unknown in rows}


def media_in_use(connection: sqlite3.Connection) -> frozenset[str]:
    """Give the media that a create may yet need."""
    rows = connection.execute(
        f"SELECT DISTINCT media.sha256 FROM media JOIN jobs USING (number) WHERE state IN {_listed(MAY_BE_SENT)}"  # noqa: S608 - constants
    )
    return frozenset(digest for (digest,) in rows)


def recall(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Give back what was remembered under a name."""
    row = connection.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def fact(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Say what was noted about the ledger itself."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])
