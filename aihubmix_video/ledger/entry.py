"""One job as the ledger knows it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.errors import Charged
    from aihubmix_video.types.request import VideoRequest

__all__ = ["FINISHED", "MAY_BE_SENT", "SENDABLE", "UNFINISHED", "Destination", "LedgerEntry", "LedgerState", "Spent"]


class LedgerState(StrEnum):
    """How far a job has come, judged by what would be lost if the process ended now."""

    INTENDED = "intended"
    """Asked for; nothing of it has been sent."""
    SENDING = "sending"
    """Its create is leaving, or has left: it may be bought, and its id is not known yet."""
    BOUGHT = "bought"
    """The gateway named it."""
    COMPLETED = "completed"
    """Finished at the vendor; its file is still to be fetched."""
    SAVED = "saved"
    """Its file is on disk."""
    DONE = "done"
    """Finished at the vendor, and no file was wanted."""
    FAILED = "failed"
    """Refused, failed or expired, for good."""
    UNCERTAIN = "uncertain"
    """It may have been bought and nobody can tell; it stays so until the user decides."""
    DROPPED = "dropped"
    """The user does not want it any more."""


FINISHED: Final = frozenset({LedgerState.SAVED, LedgerState.DONE, LedgerState.FAILED, LedgerState.DROPPED})
UNFINISHED: Final = frozenset(LedgerState) - FINISHED
SENDABLE: Final = frozenset({LedgerState.INTENDED, LedgerState.SENDING, LedgerState.UNCERTAIN})
"""States from which a create may yet be sent, so that the reference media are needed."""
MAY_BE_SENT: Final = UNFINISHED | {LedgerState.FAILED}
"""States that may yet lead there: a job that fails may be bought anew."""


@attrs.frozen(kw_only=True)
class Destination:
    """Where a job's file goes, as it was asked for.

    Attributes:
        text: A path or a template; absolute, or resuming from another folder would save elsewhere.
        template: Whether *text* is a template to fill in, rather than a literal path.
        index: The row's position, for a template.
        row_key: The row's own key, for a template.
        overwrite: Whether an existing file is replaced.
        make_folder: Whether its folder is made where it does not exist.
    """

    text: str
    template: bool = False
    index: int = 0
    row_key: str | None = None
    overwrite: bool = False
    make_folder: bool = False


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One job, from the wish to the file. What the ledger itself sets is listed last.

    Attributes:
        key: Our own name of the job, unique in the ledger.
        client_key: The user's idempotency key, unique in the ledger.
        owner: Whose it is, where an application has several users; its word for them.
        batch: The name of the batch it is a row of.
        index: Its row there.
        fingerprint: What tells its request from others, see `fingerprint.fingerprint`.
        occurrence: Counts the rows of the batch that have this fingerprint, from 0.
        request: What is asked for, with its media while it may yet be sent. Once it cannot, and in lists (`Ledger.page`,
            `Ledger.rows_of`), a medium is only the `pathlib.Path` where the ledger keeps it, or kept it; so is one that was
            lost.
        target: Where the file goes; None if none is wanted.
        seconds: Length that will be billed; None where only the vendor knows.
        number: Its place in the order in which jobs were intended, from 1.
        state: How far it has come.
        video_id: The gateway's id.
        also_id: A second id that the gateway gave.
        created_at: When it was asked for, Unix seconds on this machine's clock; when it was intended, if nobody says.
            Likewise `updated_at`, its last change.
        expires_at: When its link goes, Unix seconds.
        path: The saved file; likewise `bytes_written`, `sha256` (hex) and `verified`.
        error_type: The class of the error it failed with, or that left it uncertain.
        error_message: Its text, one printable line; likewise `status_code` and `request_id`.
        error_body: The beginning of the answer that caused it, with keys masked.
        charged: Whether money was spent on it; ``"unknown"`` from the moment its create leaves.
        attempts: How many times a create was begun.
        written_off: How many earlier purchases of it, given up on, may have cost money.
        resubmitted: How many times it was to be bought anew.
    """

    key: str
    request: VideoRequest
    client_key: str | None = None
    owner: str | None = None
    batch: str | None = None
    index: int = 0
    fingerprint: str = ""
    occurrence: int = 0
    target: Destination | None = None
    seconds: float | None = None
    number: int = 0
    state: LedgerState = LedgerState.INTENDED
    video_id: str | None = None
    also_id: str | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
    expires_at: float | None = None
    path: Path | None = None
    bytes_written: int | None = None
    sha256: str | None = None
    verified: bool | None = None
    error_type: str | None = None
    error_message: str | None = None
    error_body: bytes = attrs.field(default=b"", repr=False)
    status_code: int | None = None
    request_id: str | None = None
    charged: Charged = "no"
    attempts: int = 0
    written_off: int = 0
    resubmitted: int = 0


@attrs.frozen(kw_only=True)
class Spent:
    """What was bought of one model, or may have been.

    Attributes:
        jobs: How many purchases.
        seconds: Their lengths together, where known.
        unmeasured: How many of them have no known length.
    """

    jobs: int = 0
    seconds: float = 0.0
    unmeasured: int = 0
