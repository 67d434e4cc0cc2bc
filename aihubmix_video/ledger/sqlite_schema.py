"""The tables of the ledger, and the migrations of older files.

``PRAGMA user_version`` counts the migrations that were applied to a file. ``application_id`` distinguishes our files
from those of other programs. Wide values are kept out of ``jobs``, because a commit writes every page that holds a
changed row.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import LedgerError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["APPLICATION_ID", "MIGRATIONS", "check", "migrate"]

APPLICATION_ID: Final = 0x41487556  # "AHuV"

MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        """CREATE TABLE jobs (
            number INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            client_key TEXT UNIQUE,
            batch TEXT,
            row INTEGER NOT NULL,
            fingerprint TEXT NOT NULL,
            occurrence INTEGER NOT NULL,
            model TEXT NOT NULL,
            seconds REAL,
            state TEXT NOT NULL,
            video_id TEXT,
            also_id TEXT,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            expires_at REAL,
            path BLOB,
            bytes_written INTEGER,
            sha256 TEXT,
            verified INTEGER,
            error_type TEXT,
            error_message TEXT,
            error_body BLOB NOT NULL,
            status_code INTEGER,
            request_id TEXT,
            charged TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            written_off INTEGER NOT NULL
        )""",
        "CREATE INDEX jobs_by_state ON jobs (state, number)",
        "CREATE INDEX jobs_by_row ON jobs (batch, row, number) WHERE batch IS NOT NULL",
        "CREATE UNIQUE INDEX jobs_by_request ON jobs (batch, fingerprint, occurrence) WHERE batch IS NOT NULL",
        "CREATE TABLE requests (number INTEGER PRIMARY KEY, request TEXT NOT NULL, target TEXT)",
        "CREATE TABLE media (sha256 TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (sha256, number)) WITHOUT ROWID",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE memory (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    ),
    ("ALTER TABLE jobs ADD COLUMN resubmitted INTEGER NOT NULL DEFAULT 0",),
    (
        "ALTER TABLE jobs ADD COLUMN owner TEXT",
        "CREATE INDEX jobs_by_owner ON jobs (owner, number) WHERE owner IS NOT NULL",
    ),
    ("ALTER TABLE jobs ADD COLUMN unverified TEXT",),
    ("ALTER TABLE jobs ADD COLUMN object_url TEXT",),
)
"""Each raises the version of a file by one. New ones are appended; existing ones are never edited."""

SALT_BYTES: Final = 16


def check(connection: sqlite3.Connection, ledger: Path, newest: int = len(MIGRATIONS)) -> None:
    """Check that a file is a ledger of a known version, before anything in it is changed.

    Raises:
        LedgerError: It belongs to another program, or was written by a newer version of this package.
    """
    version, owner = _version(connection), _number(connection, "PRAGMA application_id")
    objects = _number(connection, "SELECT count(*) FROM sqlite_master")
    if owner != APPLICATION_ID and (owner, version, objects) != (0, 0, 0):
        raise LedgerError(f"{ledger} is the database of another program: give the path of a ledger, or of a new file.")
    if version > newest:
        raise LedgerError(
            f"{ledger} has version {version}, and this aihubmix_video reads up to version {newest}: "
            "install a newer aihubmix_video. Nothing was changed."
        )


def _version(connection: sqlite3.Connection) -> int:
    return _number(connection, "PRAGMA user_version")


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Migrate a file to the newest version in one transaction."""
    version = _version(connection)
    if version == len(migrations):
        return
    with connection:  # commits, or rolls back
        connection.execute("BEGIN IMMEDIATE")
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        if version == 0:
            connection.execute("INSERT INTO facts VALUES ('salt', ?)", (os.urandom(SALT_BYTES),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
