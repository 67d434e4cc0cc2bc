"""One job as the ledger records it."""

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
    """How far a job has come, defined by what would be known of it if the process ended now."""

    INTENDED = "intended"
    """Requested; nothing of it has been sent."""
    SENDING = "sending"
    """Its create is being sent, or was sent: it may be bought, and its id is not known yet."""
    BOUGHT = "bought"
    """The gateway accepted it and returned its id."""
    COMPLETED = "completed"
    """Finished at the vendor; its file is still to be downloaded."""
    SAVED = "saved"
    """Its file is on disk."""
    DONE = "done"
    """Finished at the vendor, and no file was wanted."""
    FAILED = "failed"
    """Refused, failed or expired; this is final."""
    UNCERTAIN = "uncertain"
    """It may have been bought, and this cannot be found out; it stays uncertain until the user decides."""
    DROPPED = "dropped"
    """Discarded: the user no longer wants it."""


FINISHED: Final = frozenset({LedgerState.SAVED, LedgerState.DONE, LedgerState.FAILED, LedgerState.DROPPED})
UNFINISHED: Final = frozenset(LedgerState) - FINISHED
SENDABLE: Final = frozenset({LedgerState.INTENDED, LedgerState.SENDING, LedgerState.UNCERTAIN})
"""States from which a create may still be sent, so the reference media are needed."""
MAY_BE_SENT: Final = UNFINISHED | {LedgerState.FAILED}
"""States that may still lead to a create: a job that fails may be bought again."""


@attrs.frozen(kw_only=True)
class Destination:
    """Where a job's file goes, as the user requested it.

    Attributes:
        text: A path or a template. It is absolute: otherwise resuming from another folder would save elsewhere.
        template: Whether *text* is a template to fill in, rather than a literal path.
        index: The row's index, for a template.
        row_key: The row's own key, for a template.
        overwrite: Whether an existing file is replaced.
        make_folder: Whether its folder is created if it does not exist.
    """

    text: str
    template: bool = False
    index: int = 0
    row_key: str | None = None
    overwrite: bool = False
    make_folder: bool = False


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One job, from the request to the file. The fields that the ledger itself sets are listed last.

    Attributes:
        key: The job's local key, unique in the ledger.
        client_key: The user's idempotency key, unique in the ledger.
        owner: The user it belongs to, if an application has several; in the application's own terms.
        batch: The name of the batch that it is a row of.
        index: The index of its row in that batch.
        fingerprint: What distinguishes its request from others, see `fingerprint.fingerprint`.
        occurrence: Counts the rows of the batch that have this fingerprint, from 0.
        request: The request, with its media while it may still be sent. After that, and in lists (`Ledger.page`,
            `Ledger.rows_of`), a medium is only the `pathlib.Path` where the ledger keeps it, or kept it. A medium that
            was lost is also only a path.
        target: Where the file goes; None if no file is wanted.
        seconds: The length that will be billed; None if only the vendor knows it.
        number: Its position in the order in which jobs were intended, from 1.
        state: How far it has come.
        video_id: The gateway's id.
        also_id: A second id that the gateway returned.
        created_at: When it was requested, in Unix seconds on this machine's clock; by default when it was intended.
        updated_at: When it was last changed, in Unix seconds on this machine's clock.
        expires_at: When its link expires, in Unix seconds.
        path: The saved file.
        bytes_written: The size of that file.
        sha256: The hash of that file's content, in hex.
        verified: Whether that file was verified.
        unverified: Why it was not, completing "the file …"; None if it was.
        error_type: The class of the error that it failed with, or that left it uncertain.
        error_message: The error's text, one printable line.
        error_body: The beginning of the response that caused the error, with keys masked.
        status_code: The HTTP status of that response.
        request_id: The gateway's id of that request.
        charged: Whether money was spent on it; ``"unknown"`` from the moment its create is sent.
        attempts: How many times sending a create was begun.
        written_off: How many earlier purchases of it were given up although they may have cost money.
        resubmitted: How many times it was submitted again.
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
    unverified: str | None = None
    object_url: str | None = None
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
    """What was bought, or may have been bought, of one model.

    Attributes:
        jobs: The number of purchases.
        seconds: The sum of their lengths, as far as they are known.
        unmeasured: How many of them have no known length.
    """

    jobs: int = 0
    seconds: float = 0.0
    unmeasured: int = 0
