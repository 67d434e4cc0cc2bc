"""What workflows, activities and clients pass each other, and what therefore stands in Temporal's histories.

None of it holds a key, a prompt or a medium: a row is named by its place in the batch file, and read there by the worker that
needs it.
"""

from enum import StrEnum
from typing import Literal

import attrs

__all__ = [
    "BatchInput",
    "BatchProgress",
    "BatchSpec",
    "BatchState",
    "Control",
    "Counts",
    "Cursor",
    "ErrorNote",
    "FetchResult",
    "FetchTask",
    "HeldRow",
    "RowAddress",
    "RowDecision",
    "RowPhase",
    "RowState",
    "ScanTask",
    "ShardInput",
    "ShardPage",
    "ShardPlace",
    "ShardRows",
    "SubmitResult",
    "SubmitTask",
]


BatchState = Literal["running", "halted", "deciding", "cancelling", "done", "cancelled"]


class RowPhase(StrEnum):
    """How far a row of a batch has come."""

    WAITING = "waiting"
    """Nothing was bought."""
    BOUGHT = "bought"
    """The gateway accepted it; its file is being waited for or fetched."""
    SAVED = "saved"
    """Its file is whole on disk."""
    FAILED = "failed"
    """Over without a file; `RowState.error` says why, and `RowState.charged` whether it was paid for."""
    HELD = "held"
    """It may have been bought, and waits for a decision."""
    UNSENT = "unsent"
    """The batch was cancelled before it was bought."""
    DROPPED = "dropped"
    """It may have been bought, and was decided not to be wanted."""


@attrs.frozen(kw_only=True)
class BatchSpec:
    """What a batch is asked to do; the same for its whole life.

    Attributes:
        source: Absolute path of the batch file, which every worker can read.
        format: How it is read.
        size: Its length in bytes when the batch was started; a file that has another one is refused.
        to: Template of the videos' files, absolute.
        defaults: JSON object of the fields of rows that do not give them.
        ignored: Columns of the user's own.
        validate: How rows are checked.
        overwrite: Whether existing files are replaced.
        max_in_flight: Jobs bought and not yet finished, at most, rounded up to whole shards.
        rows_per_shard: Rows of one shard.
        heartbeat_seconds: Silence after which a worker counts as dead, and its jobs move to another.
        fetch_seconds: Time that a job may take from its purchase until its file is saved.
        searchable: Whether the server has the search attributes.
    """

    source: str
    format: Literal["jsonl", "csv", "txt"]
    size: int
    to: str
    defaults: str = "{}"
    ignored: tuple[str, ...] = ()
    validate: Literal["known", "strict", "off"] = "known"
    overwrite: bool = False
    max_in_flight: int = 1000
    rows_per_shard: int = 200
    heartbeat_seconds: float = 30.0
    fetch_seconds: float = 86400.0
    searchable: bool = False


@attrs.frozen(kw_only=True)
class Cursor:
    """Where the next shard of a batch file begins.

    Attributes:
        offset: In bytes.
        row: The number of its first row.
        shard: Its own number.
        header: Length in bytes of what stands before the first row and is needed to read all others (CSV).
        done: Whether the file has no more rows.
    """

    offset: int = 0
    row: int = 0
    shard: int = 0
    header: int = 0
    done: bool = False


@attrs.frozen(kw_only=True)
class ShardPlace:
    """Where the rows of a shard are: the bytes from *offset*, and the header of the file."""

    number: int
    offset: int
    size: int
    row: int
    rows: int
    header: int = 0


@attrs.frozen(kw_only=True)
class ScanTask:
    """Asks for the places of at most *count* shards from a cursor."""

    spec: BatchSpec
    cursor: Cursor
    count: int


@attrs.frozen(kw_only=True)
class ShardPage:
    """Some shards, and where the next one begins."""

    places: tuple[ShardPlace, ...]
    cursor: Cursor


@attrs.frozen(kw_only=True)
class ErrorNote:
    """An error, as it is told to people."""

    type: str
    message: str


@attrs.frozen(kw_only=True)
class RowAddress:
    """Where a row is.

    Attributes:
        number: Position among the rows of the file, from 0.
        offset: In bytes; also `size`.
        digest: The beginning of the SHA-256 of these bytes; a row that was changed since is not bought.
        header: As in `Cursor`.
        model: What it asks for.
    """

    number: int
    offset: int
    size: int
    digest: str
    model: str
    header: int = 0


@attrs.define(kw_only=True)
class RowState:
    """How one row stands.

    Attributes:
        number: Position among the rows of the file, from 0.
        address: Where it is; None for a row that could not be read.
        phase: How far it has come.
        video_id: The gateway's id, once it is bought.
        path: Where its file goes, or is.
        sha256: Hex digest of the saved file; also its size, `bytes_written`.
        verified: Whether the saved file was proved whole.
        error: Why it failed, is held, or was not taken yet.
        charged: Whether it was paid for.
        attempts: Submits that proved to have bought nothing.
    """

    number: int
    address: RowAddress | None = None
    phase: RowPhase = RowPhase.WAITING
    video_id: str | None = None
    path: str | None = None
    sha256: str | None = None
    bytes_written: int | None = None
    verified: bool | None = None
    error: ErrorNote | None = None
    charged: Literal["yes", "no", "unknown"] = "no"
    attempts: int = 0


@attrs.frozen(kw_only=True)
class ShardRows:
    """The rows of a shard: those to be bought, and those that cannot be."""

    good: tuple[RowAddress, ...]
    bad: tuple[RowState, ...] = ()


@attrs.frozen(kw_only=True)
class SubmitTask:
    """Asks for one purchase.

    Attributes:
        batch: The batch.
        spec: What it asks for.
        row: The row.
        era: How often the batch was resumed; what stopped an earlier era does not stop a later one.
        attempt: How often this row's submit bought nothing.
    """

    batch: str
    spec: BatchSpec
    row: RowAddress
    era: int = 0
    attempt: int = 0


@attrs.frozen(kw_only=True)
class SubmitResult:
    """What became of a purchase.

    Attributes:
        kind: ``"bought"``; ``"refused"``: never to be tried again; ``"busy"``: nothing was bought, and it may be tried again;
            ``"halt"``: nothing was bought, and nothing else would be; ``"held"``: it may have been bought.
        video_id: Of a job that was bought; of one held, an id found in the answer.
        path: Where its file goes.
        error: Why it was not bought.
        wait_seconds: How long the gateway asked to wait.
    """

    kind: Literal["bought", "refused", "busy", "halt", "held"]
    video_id: str | None = None
    path: str | None = None
    error: ErrorNote | None = None
    wait_seconds: float | None = None


@attrs.frozen(kw_only=True)
class FetchTask:
    """Asks for the file of a job that was bought."""

    spec: BatchSpec
    row: RowAddress
    video_id: str


@attrs.frozen(kw_only=True)
class FetchResult:
    """What became of a job that was bought; an `error` is final."""

    path: str | None = None
    sha256: str | None = None
    bytes_written: int | None = None
    verified: bool | None = None
    error: ErrorNote | None = None
    charged: Literal["yes", "no", "unknown"] = "yes"


@attrs.frozen(kw_only=True)
class Counts:
    """Rows by how far they have come."""

    waiting: int = 0
    bought: int = 0
    saved: int = 0
    failed: int = 0
    held: int = 0
    unsent: int = 0
    dropped: int = 0


@attrs.frozen(kw_only=True)
class HeldRow:
    """A row that may have been bought; `row.error` says why that is not known."""

    row: RowState
    shard: str


@attrs.frozen(kw_only=True)
class RowDecision:
    """The user's decision about a held row; one of the three is set.

    Attributes:
        row: Its number.
        attach: It was bought: its id in the console.
        resubmit: Buy it.
        drop: It is not wanted any more.
    """

    row: int
    attach: str | None = None
    resubmit: bool = False
    drop: bool = False


@attrs.frozen(kw_only=True)
class Control:
    """What a batch tells its shards: whether they may buy, whether they are to end, and which resumption it is."""

    era: int = 0
    buying: bool = True
    ending: bool = False


@attrs.frozen(kw_only=True)
class ShardInput:
    """What a shard begins with: a place in the file, or rows that were decided about."""

    batch: str
    spec: BatchSpec
    place: ShardPlace | None = None
    rows: tuple[RowState, ...] = ()
    control: Control = Control()


@attrs.frozen(kw_only=True)
class BatchInput:
    """What a batch begins with, or goes on with after its history was cut.

    Attributes:
        spec: What it asks for.
        cursor: Where its next shard begins.
        places: Shards found and not started yet.
        counts: Rows of the shards that are finished; held ones are counted only here.
        held: Rows that wait for a decision.
        decisions: Decisions about rows that are not known as held yet.
        decided: Shards that were started for decisions.
        control: Whether it buys.
        halted: Why it does not.
        lost: Shards that were ended from outside.
    """

    spec: BatchSpec
    cursor: Cursor = Cursor()
    places: tuple[ShardPlace, ...] = ()
    counts: Counts = Counts()
    held: tuple[HeldRow, ...] = ()
    decisions: tuple[RowDecision, ...] = ()
    decided: int = 0
    control: Control = Control()
    halted: ErrorNote | None = None
    lost: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class BatchProgress:
    """How a batch stands.

    Attributes:
        state: ``"running"``; ``"halted"``: nothing more is bought until it is resumed, since every purchase would be refused;
            ``"deciding"``: only held rows are left; ``"cancelling"``: what was bought is collected; ``"done"``; ``"cancelled"``.
        counts: Rows by how far they have come, of finished shards; `BatchRun` adds those of open ones.
        shards: Shards started so far.
        open: Workflow ids of those not finished.
        decided: Shards started for decisions, among `shards` not counted.
        complete: Whether all rows of the file are in shards.
        held: The rows that wait for a decision.
        halted: Why nothing more is bought.
        lost: Shards that were ended from outside, as by an administrator; what they bought is in their histories alone.
    """

    state: BatchState
    counts: Counts = Counts()
    shards: int = 0
    open: tuple[str, ...] = ()
    decided: int = 0
    complete: bool = False
    held: tuple[HeldRow, ...] = ()
    halted: ErrorNote | None = None
    lost: tuple[str, ...] = ()
