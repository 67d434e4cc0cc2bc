"""What may happen to a job in the ledger, and what each step writes down.

Theory of operation. The ledger is told each step before, or at once after, it happens, so that a process that ends anywhere
leaves behind what the next one needs to know:

    INTENDED ──sending──▶ SENDING ──bought──▶ BOUGHT ──completed──▶ COMPLETED ──saved──▶ SAVED
        ▲                  │   │                                        └──────done──────▶ DONE
        └─────unsent───────┘   └──uncertain──▶ UNCERTAIN ──attach──▶ BOUGHT

SENDING is the gap in which money may change hands unseen. A job found there when a ledger is opened becomes UNCERTAIN, and
leaves that state only by the user's own decision: `attach`, `resubmit` or `drop`. Every unfinished job may fail for good
except an UNCERTAIN one, for which no verdict can come. A failed one may be submitted again by decision, and what is finished
may be dropped: the user has deleted it.

`charged` follows: unknown once the create leaves, yes with the id, no when it did not leave after all or was refused. So
everything bought or possibly bought is what is not "no", plus what was written off when a job was submitted again.
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
    "owned",
    "resubmit",
    "saved",
    "sending",
    "step",
    "uncertain",
    "unknown",
    "unsent",
]


class Move(Enum):
    """What can happen to a job."""

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
    (LedgerState.INTENDED, Move.UNSENT): LedgerState.INTENDED,  # it failed before it could even be marked as leaving
    (LedgerState.INTENDED, Move.FAILED): LedgerState.FAILED,
    (LedgerState.INTENDED, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.SENDING, Move.UNSENT): LedgerState.INTENDED,
    (LedgerState.SENDING, Move.BOUGHT): LedgerState.BOUGHT,
    (LedgerState.SENDING, Move.FAILED): LedgerState.FAILED,
    (LedgerState.SENDING, Move.UNCERTAIN): LedgerState.UNCERTAIN,
    (LedgerState.BOUGHT, Move.COMPLETED): LedgerState.COMPLETED,
    (LedgerState.BOUGHT, Move.SAVED): LedgerState.SAVED,  # whoever has the file need not have noted the completion
    (LedgerState.BOUGHT, Move.DONE): LedgerState.DONE,
    (LedgerState.BOUGHT, Move.FAILED): LedgerState.FAILED,
    (LedgerState.BOUGHT, Move.DROPPED): LedgerState.DROPPED,
    (
        LedgerState.COMPLETED,
        Move.COMPLETED,
    ): LedgerState.COMPLETED,  # asked about again after a restart; its link may live longer
    (LedgerState.COMPLETED, Move.SAVED): LedgerState.SAVED,
    (LedgerState.COMPLETED, Move.DONE): LedgerState.DONE,
    (LedgerState.COMPLETED, Move.FAILED): LedgerState.FAILED,
    (LedgerState.COMPLETED, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.UNCERTAIN, Move.ATTACH): LedgerState.BOUGHT,
    (LedgerState.UNCERTAIN, Move.RESUBMIT): LedgerState.INTENDED,
    (LedgerState.UNCERTAIN, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.FAILED, Move.RESUBMIT): LedgerState.INTENDED,
    (LedgerState.SAVED, Move.DROPPED): LedgerState.DROPPED,  # deleted; what it cost stays known
    (LedgerState.DONE, Move.DROPPED): LedgerState.DROPPED,
    (LedgerState.FAILED, Move.DROPPED): LedgerState.DROPPED,
}

STARTS_FROM: Final = {move: frozenset(state for state, other in NEXT if other is move) for move in Move}
LEADS_TO: Final = {move: after for (_, move), after in NEXT.items()}
"""A move leads to one state, wherever it starts."""

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
    Move.SAVED: ("path", "bytes_written", "sha256", "verified"),
    Move.DONE: (),
    Move.FAILED: ("charged", *_NO_ERROR),
    Move.UNCERTAIN: ("charged", *_NO_ERROR),
    Move.DROPPED: (),
    Move.ATTACH: ("video_id", "charged", *_NO_ERROR),
    Move.RESUBMIT: ("video_id", "also_id", "expires_at", "charged", *_NO_ERROR),
}
"""The fields of an `LedgerEntry` that a move sets. SENDING also counts `attempts`, RESUBMIT `written_off` and `resubmitted`."""


@attrs.frozen
class Transition:
    """A move, and what it writes into each of the fields that `WRITES` lists for it."""

    move: Move
    values: Mapping[str, object] = attrs.field(factory=dict)


def sending() -> Transition:
    """The create's first byte leaves when this is on disk."""
    return Transition(Move.SENDING, {"charged": "unknown"})


def unsent() -> Transition:
    """It did not leave after all, or was refused for now."""
    return Transition(Move.UNSENT, {"charged": "no"})


def bought(video_id: str, also: str | None = None) -> Transition:
    """The gateway named the job."""
    return Transition(Move.BOUGHT, {"video_id": video_id, "also_id": also, "charged": "yes"})


def completed(expires_at: float | None) -> Transition:
    """The vendor finished it."""
    return Transition(Move.COMPLETED, {"expires_at": expires_at})


def saved(path: Path, bytes_written: int, sha256: str, *, verified: bool) -> Transition:
    """Its file is on disk under its name."""
    values = {"path": path, "bytes_written": bytes_written, "sha256": sha256, "verified": verified}
    return Transition(Move.SAVED, values)


def done() -> Transition:
    """It is finished, and no file was wanted."""
    return Transition(Move.DONE)


def failed(error: VideoError) -> Transition:
    """It is over without a video."""
    return Transition(Move.FAILED, {"charged": error.charged, **_told(error)})


def uncertain(error: VideoError) -> Transition:
    """It may have been bought."""
    return Transition(Move.UNCERTAIN, {"charged": "unknown", **_told(error)})


def dropped() -> Transition:
    """The user does not want it any more."""
    return Transition(Move.DROPPED)


def attach(video_id: str) -> Transition:
    """The user found it at the gateway."""
    return Transition(Move.ATTACH, {"video_id": video_id, "charged": "yes", **_NO_ERROR})


def resubmit() -> Transition:
    """The user wants it bought anew."""
    return Transition(
        Move.RESUBMIT, {"video_id": None, "also_id": None, "expires_at": None, "charged": "no", **_NO_ERROR}
    )


def _told(error: VideoError) -> Mapping[str, object]:
    """Write an error down: one printable line and the beginning of the answer, both bounded, with keys masked."""
    body = getattr(error, "body", b"")
    return {
        "error_type": type(error).__name__,
        "error_message": plain(error.message),
        "error_body": kept(body) if isinstance(body, bytes) else b"",
        "status_code": error.status_code,
        "request_id": error.request_id and plain(error.request_id),
    }


def step(entry: LedgerEntry, taken: Transition, now: float) -> LedgerEntry:
    """Say how an entry looks after a step.

    Args:
        entry: How it looks before.
        taken: What happened.
        now: Unix seconds.

    Raises:
        LedgerError: That cannot happen to it.
    """
    after = NEXT.get((entry.state, taken.move))
    if after is None:
        raise illegal(entry.key, entry.state, taken.move)
    changes: dict[str, Any] = {**taken.values, "state": after, "updated_at": now}  # Any: each field has its own type
    if taken.move is Move.SENDING:
        changes["attempts"] = entry.attempts + 1
    if taken.move is Move.RESUBMIT:
        changes["written_off"] = entry.written_off + (entry.charged != "no")
        changes["resubmitted"] = entry.resubmitted + 1
    return attrs.evolve(entry, **changes)


def illegal(key: str, state: LedgerState, move: Move) -> LedgerError:
    """Describe a step that cannot happen to a job in this state."""
    legal = ", ".join(sorted(start.value for start in STARTS_FROM[move]))
    return LedgerError(
        f"job {key} is {state.value}; {move.name.lower()!r} is possible only for a job that is {legal}. "
        "Nothing was changed.",
        job_key=key,
    )


def owned(error: VideoError, key: str, taken: Transition) -> None:
    """Say on an error whose it is, and what would have been written: an id that is not on the disk must not be lost."""
    error.job_key = key
    match taken.values.get("video_id"):
        case str(video_id):
            error.job_id = video_id
    match taken.values.get("charged"):
        case "yes" | "no" | "unknown" as charged if taken.move is not Move.SENDING:  # unwritten, it does not leave
            error.charged = charged


def unknown(key: str) -> LedgerError:
    """Describe a job that was never intended, or has been forgotten."""
    return LedgerError(f"the ledger has no job {plain(key, 80)!r}. Nothing was changed.", job_key=key)
