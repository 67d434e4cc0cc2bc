"""The legal transitions of a job in the ledger, and the fields that each of them writes.

Theory of operation. Each transition is recorded before it happens (write-ahead), or immediately after. So a process
that ends at any point leaves behind what the next process needs to know:

    INTENDED ──sending──▶ SENDING ──bought──▶ BOUGHT ──completed──▶ COMPLETED ──saved──▶ SAVED
        ▲                  │   │                                        └──────done──────▶ DONE
        └─────unsent───────┘   └──uncertain──▶ UNCERTAIN ──attach──▶ BOUGHT

SENDING is the state in which money may be spent without the client knowing. A job found in it when a ledger is opened
becomes UNCERTAIN. It leaves that state only by the user's decision: `attach`, `resubmit` or `dropped`. Every unfinished
job may fail for good except an UNCERTAIN one, for which no verdict can come. A failed job may be submitted again by the
user's decision. A finished job may be dropped: the user deleted it.

`charged` follows the state: it is unknown once the create is sent, yes once the id is known, and no if the create was
not sent after all or was refused. So what was bought, or may have been, is every job whose `charged` is not "no", plus
the purchases that were written off when a job was submitted again.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

import attrs

from aihubmix_video.errors import LedgerError
from aihubmix_video.ledger.entry import LedgerState
from aihubmix_video.protocol.sanitize import kept, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aihubmix_video.errors import VideoError
    from aihubmix_video.ledger.entry import LedgerEntry

__all__ = [
    "LEADS_TO",
    "NEXT",
    "STARTS_FROM",
    "WRITES",
    "Move",
    "Transition",
    "attach",
    "bought",
    "completed",
    "done",
    "dropped",
    "failed",
    "illegal",
    "resubmit",
    "saved",
    "sending",
    "step",
    "uncertain",
    "unknown",
    "unsent",
    "with_job",
]


class Move(Enum):
    """The kinds of transition."""

    SENDING = auto()
    UNSENT = auto()
    BOUGHT = auto()
    COMPLETED = auto()
    SAVED = auto()
    DONE = auto()
    FAILED = auto()
    UNCERTAIN = auto()
    DROPPED = auto()
    ATTACH = auto()
    RESUBMIT = auto()


NEXT: Final[Mapping[tuple[LedgerState, Move], LedgerState]] = {
    (LedgerState.INTENDED, Move.SENDING): LedgerState.SENDING,
    (LedgerState.INTENDED, Move.UNSENT): LedgerState.INTENDED,  # it failed before it could be marked as SENDING
    (LedgerState.INTENDED, Move.FAILED): LedgerState.FAILED,
    (LedgerState.INTENDED, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.SENDING, Move.UNSENT): LedgerState.INTENDED,
    (LedgerState.SENDING, Move.BOUGHT): LedgerState.BOUGHT,
    (LedgerState.SENDING, Move.FAILED): LedgerState.FAILED,
    (LedgerState.SENDING, Move.UNCERTAIN): LedgerState.UNCERTAIN,
    (LedgerState.BOUGHT, Move.COMPLETED): LedgerState.COMPLETED,
    (LedgerState.BOUGHT, Move.SAVED): LedgerState.SAVED,  # the completion need not be recorded before the file
    (LedgerState.BOUGHT, Move.DONE): LedgerState.DONE,
    (LedgerState.BOUGHT, Move.FAILED): LedgerState.FAILED,
    (LedgerState.BOUGHT, Move.DROPPED): LedgerState.DROPPED,
    (
        LedgerState.COMPLETED,
        Move.COMPLETED,
    ): LedgerState.COMPLETED,  # polled again after a restart; its link may expire later
    (LedgerState.COMPLETED, Move.SAVED): LedgerState.SAVED,
    (LedgerState.COMPLETED, Move.DONE): LedgerState.DONE,
    (LedgerState.COMPLETED, Move.FAILED): LedgerState.FAILED,
    (LedgerState.COMPLETED, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.UNCERTAIN, Move.ATTACH): LedgerState.BOUGHT,
    (LedgerState.UNCERTAIN, Move.RESUBMIT): LedgerState.INTENDED,
    (LedgerState.UNCERTAIN, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.FAILED, Move.RESUBMIT): LedgerState.INTENDED,
    (LedgerState.SAVED, Move.DROPPED): LedgerState.DROPPED,  # deleted; what it cost stays recorded
    (LedgerState.DONE, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.FAILED, Move.DROPPED): LedgerState.DROPPED,
}

STARTS_FROM: Final = {move: frozenset(state for state, other in NEXT if other is move) for move in Move}
LEADS_TO: Final = {move: after for (_, move), after in NEXT.items()}
"""Each move leads to one state, whatever state it starts from."""

_NO_ERROR: Final[Mapping[str, object]] = {
    "error_type": None,
    "error_message": None,
    "error_body": b"",
    "status_code": None,
    "request_id": None,
}

WRITES: Final[Mapping[Move, tuple[str, ...]]] = {
    Move.SENDING: ("charged",),
    Move.UNSENT: ("charged",),
    Move.BOUGHT: ("video_id", "also_id", "charged"),
    Move.COMPLETED: ("expires_at",),
    Move.SAVED: ("path", "bytes_written", "sha256", "verified", "unverified", "object_url"),
    Move.DONE: (),
    Move.FAILED: ("charged", *_NO_ERROR),
    Move.UNCERTAIN: ("charged", *_NO_ERROR),
    Move.DROPPED: (),
    Move.ATTACH: ("video_id", "charged", *_NO_ERROR),
    Move.RESUBMIT: ("video_id", "also_id", "expires_at", "charged", *_NO_ERROR),
}
"""The fields that a move sets. SENDING also counts `attempts`, and RESUBMIT `written_off` and `resubmitted`."""


@attrs.frozen
class Transition:
    """A move, and the value of each field that `WRITES` lists for it."""

    move: Move
    values: Mapping[str, object] = attrs.field(factory=dict)


def sending() -> Transition:
    """Return the transition of a create that is about to be sent: its first byte leaves after this is durable."""
    return Transition(Move.SENDING, {"charged": "unknown"})


def unsent() -> Transition:
    """Return the transition of a create that was not sent after all, or was refused for now."""
    return Transition(Move.UNSENT, {"charged": "no"})


def bought(video_id: str, also: str | None = None) -> Transition:
    """Return the transition of a job that the gateway accepted, with its id."""
    return Transition(Move.BOUGHT, {"video_id": video_id, "also_id": also, "charged": "yes"})


def completed(expires_at: float | None) -> Transition:
    """Return the transition of a job that the vendor finished."""
    return Transition(Move.COMPLETED, {"expires_at": expires_at})


def saved(
    path: Path | None,
    bytes_written: int,
    sha256: str,
    *,
    verified: bool,
    unverified: str | None = None,
    object_url: str | None = None,
) -> Transition:
    """Return the transition of a job whose file is on disk under its final name, and why it could not be verified."""
    values = {
        "path": path,
        "bytes_written": bytes_written,
        "sha256": sha256,
        "verified": verified,
        "unverified": unverified,
        "object_url": object_url,
    }
    return Transition(Move.SAVED, values)


def done() -> Transition:
    """Return the transition of a finished job of which no file is wanted."""
    return Transition(Move.DONE)


def failed(error: VideoError) -> Transition:
    """Return the transition of a job that ended without a video."""
    return Transition(Move.FAILED, {"charged": error.charged, **_error_fields(error)})


def uncertain(error: VideoError) -> Transition:
    """Return the transition of a job that may have been bought."""
    return Transition(Move.UNCERTAIN, {"charged": "unknown", **_error_fields(error)})


def dropped() -> Transition:
    """Return the transition of a job that the user no longer wants."""
    return Transition(Move.DROPPED)


def attach(video_id: str) -> Transition:
    """Return the transition of an uncertain job that the user found at the gateway."""
    return Transition(Move.ATTACH, {"video_id": video_id, "charged": "yes", **_NO_ERROR})


def resubmit() -> Transition:
    """Return the transition of a job that the user wants to be bought again."""
    return Transition(
        Move.RESUBMIT, {"video_id": None, "also_id": None, "expires_at": None, "charged": "no", **_NO_ERROR}
    )


def _error_fields(error: VideoError) -> Mapping[str, object]:
    """Return the fields of an error: one printable line and the response's beginning, bounded, with keys masked."""
    body = getattr(error, "body", b"")
    return {
        "error_type": type(error).__name__,
        "error_message": plain(error.message),
        "error_body": kept(body) if isinstance(body, bytes) else b"",
        "status_code": error.status_code,
        "request_id": error.request_id and plain(error.request_id),
    }


def step(entry: LedgerEntry, transition: Transition, now: float) -> LedgerEntry:
    """Return an entry after a transition.

    Args:
        entry: The entry before it.
        transition: What happened.
        now: The time in Unix seconds.

    Raises:
        LedgerError: The transition is not legal for the job in its state.
    """
    after = NEXT.get((entry.state, transition.move))
    if after is None:
        raise illegal(entry.key, entry.state, transition.move)
    # Any: each field has its own type
    changes: dict[str, Any] = {**transition.values, "state": after, "updated_at": now}
    if transition.move is Move.SENDING:
        changes["attempts"] = entry.attempts + 1
    if transition.move is Move.RESUBMIT:
        changes["written_off"] = entry.written_off + (entry.charged != "no")
        changes["resubmitted"] = entry.resubmitted + 1
    return attrs.evolve(entry, **changes)


def illegal(key: str, state: LedgerState, move: Move) -> LedgerError:
    """Return the error for a transition that is not legal for a job in this state."""
    legal = ", ".join(sorted(start.value for start in STARTS_FROM[move]))
    return LedgerError(
        f"job {key} is {state.value}; {move.name.lower()!r} is possible only for a job that is {legal}. "
        "Nothing was changed.",
        job_key=key,
    )


def with_job(error: VideoError, key: str, transition: Transition) -> None:
    """Set on an error the job's key, and the id and charge that could not be written: an id must never be lost."""
    error.job_key = key
    match transition.values.get("video_id"):
        case str(video_id):
            error.job_id = video_id
    match transition.values.get("charged"):
        case "yes" | "no" | "unknown" as charged if (
            transition.move is not Move.SENDING
        ):  # if SENDING cannot be recorded, nothing is sent
            error.charged = charged


def unknown(key: str) -> LedgerError:
    """Return the error for a job that was never intended, or was forgotten."""
    return LedgerError(f"the ledger has no job {plain(key, 80)!r}. Nothing was changed.", job_key=key)
