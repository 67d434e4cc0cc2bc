"""Where a tracked job stands in its session, and where each end leads. Pure.

Theory of operation. A job is WAITING until its create leaves, SENDING until that is answered, and FOLLOWED once the gateway
named it. While it is let go of it is DETACHING, if it stays in the ledger for another day, or DROPPING, if the user does not
want it any more; a create under way is not called back, and what it buys is FOLLOWED all the same. The six ends have no way
out. `NEXT` says what leads where, `FACTS` what each stage means to others, and `end_of` which end an error is.

Beside the other vocabularies (the gateway's status, the scheduler's phase, the ledger's state, the job state that users
see) the stages stand in ``docs/reference/states.md``.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.errors import (
    Charged,
    InvalidRequest,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    RequestRefused,
    SessionClosed,
    SubmitUncertain,
    VideoError,
)
from aihubmix_video.types.job_info import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FACTS", "NEXT", "Durability", "Stage", "StageEvent", "end_of", "is_verdict"]


class Durability(Enum):
    """What is left of a job when it is not bought, or not finished, in this session."""

    EPHEMERAL = auto()
    """Nothing: there is not a ledger."""
    ONCE = auto()
    """The ledger keeps it, and what keeps it from being bought is its end."""
    RESUMABLE = auto()
    """The ledger keeps it, and it may be bought on another day."""


class Stage(Enum):
    """Where a job stands."""

    WAITING = auto()
    SENDING = auto()
    FOLLOWED = auto()
    WAITING_DETACHING = auto()
    SENDING_DETACHING = auto()
    FOLLOWED_DETACHING = auto()
    WAITING_DROPPING = auto()
    SENDING_DROPPING = auto()
    FOLLOWED_DROPPING = auto()
    SAVED = auto()
    """Its file is on disk."""
    DONE = auto()
    """Finished at the vendor, and no file was wanted."""
    FAILED = auto()
    """Over without a video, for good."""
    UNCERTAIN = auto()
    """Nobody can tell whether it was bought."""
    LEFT = auto()
    """Not finished in this session; it goes on at the gateway, or is bought, on another day."""
    DROPPED = auto()
    """The user does not want it any more."""


class StageEvent(Enum):
    """What happens to a job, beside its end."""

    LEAVE = auto()
    """The first byte of its create is about to leave."""
    RETURN = auto()
    """The create did not leave after all, or was refused for now."""
    ACCEPT = auto()
    """The gateway named it."""
    DETACH = auto()
    """It is not to be followed any more."""
    DROP = auto()
    """The user does not want it any more."""


@attrs.frozen
class StageFacts:
    """What a stage means.

    Attributes:
        charged: Whether money was spent on the job; for the ends, where an error does not say otherwise.
        state: The state that users see; of a followed job it is SAVING once its video is finished and wanted as a file.
        leaving: Whether the job is being let go of.
        ended: Whether nothing changes the job any more.
    """

    charged: Charged
    state: JobState
    leaving: bool = False
    ended: bool = False


FACTS: Final[Mapping[Stage, StageFacts]] = {
    Stage.WAITING: StageFacts("no", JobState.WAITING),
    Stage.SENDING: StageFacts("unknown", JobState.WAITING),
    Stage.FOLLOWED: StageFacts("yes", JobState.RUNNING),
    Stage.WAITING_DETACHING: StageFacts("no", JobState.WAITING, leaving=True),
    Stage.SENDING_DETACHING: StageFacts("unknown", JobState.WAITING, leaving=True),
    Stage.FOLLOWED_DETACHING: StageFacts("yes", JobState.RUNNING, leaving=True),
    Stage.WAITING_DROPPING: StageFacts("no", JobState.WAITING, leaving=True),
    Stage.SENDING_DROPPING: StageFacts("unknown", JobState.WAITING, leaving=True),
    Stage.FOLLOWED_DROPPING: StageFacts("yes", JobState.RUNNING, leaving=True),
    Stage.SAVED: StageFacts("yes", JobState.SAVED, ended=True),
    Stage.DONE: StageFacts("yes", JobState.DONE, ended=True),
    Stage.FAILED: StageFacts("no", JobState.FAILED, ended=True),
    Stage.UNCERTAIN: StageFacts("unknown", JobState.UNCERTAIN, ended=True),
    Stage.LEFT: StageFacts("no", JobState.WAITING, ended=True),
    Stage.DROPPED: StageFacts("no", JobState.DROPPED, ended=True),
}

NEXT: Final[Mapping[tuple[Stage, StageEvent], Stage]] = {
    (Stage.WAITING, StageEvent.LEAVE): Stage.SENDING,
    (Stage.WAITING, StageEvent.RETURN): Stage.WAITING,
    (Stage.WAITING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.WAITING, StageEvent.DETACH): Stage.WAITING_DETACHING,
    (Stage.WAITING, StageEvent.DROP): Stage.WAITING_DROPPING,
    (Stage.SENDING, StageEvent.RETURN): Stage.WAITING,
    (Stage.SENDING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.SENDING, StageEvent.DETACH): Stage.SENDING_DETACHING,
    (Stage.SENDING, StageEvent.DROP): Stage.SENDING_DROPPING,
    (Stage.FOLLOWED, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.FOLLOWED, StageEvent.DETACH): Stage.FOLLOWED_DETACHING,
    (Stage.FOLLOWED, StageEvent.DROP): Stage.FOLLOWED_DROPPING,
    (Stage.WAITING_DETACHING, StageEvent.RETURN): Stage.WAITING_DETACHING,
    (Stage.WAITING_DETACHING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.WAITING_DETACHING, StageEvent.DETACH): Stage.WAITING_DETACHING,
    (Stage.WAITING_DETACHING, StageEvent.DROP): Stage.WAITING_DROPPING,
    (Stage.SENDING_DETACHING, StageEvent.RETURN): Stage.WAITING_DETACHING,
    (Stage.SENDING_DETACHING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.SENDING_DETACHING, StageEvent.DETACH): Stage.SENDING_DETACHING,
    (Stage.SENDING_DETACHING, StageEvent.DROP): Stage.SENDING_DROPPING,
    (Stage.FOLLOWED_DETACHING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.FOLLOWED_DETACHING, StageEvent.DETACH): Stage.FOLLOWED_DETACHING,
    (Stage.FOLLOWED_DETACHING, StageEvent.DROP): Stage.FOLLOWED_DROPPING,
    (Stage.WAITING_DROPPING, StageEvent.RETURN): Stage.WAITING_DROPPING,
    (Stage.WAITING_DROPPING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.WAITING_DROPPING, StageEvent.DETACH): Stage.WAITING_DROPPING,
    (Stage.WAITING_DROPPING, StageEvent.DROP): Stage.WAITING_DROPPING,
    (Stage.SENDING_DROPPING, StageEvent.RETURN): Stage.WAITING_DROPPING,
    (Stage.SENDING_DROPPING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.SENDING_DROPPING, StageEvent.DETACH): Stage.SENDING_DROPPING,
    (Stage.SENDING_DROPPING, StageEvent.DROP): Stage.SENDING_DROPPING,
    (Stage.FOLLOWED_DROPPING, StageEvent.ACCEPT): Stage.FOLLOWED,
    (Stage.FOLLOWED_DROPPING, StageEvent.DETACH): Stage.FOLLOWED_DROPPING,
    (Stage.FOLLOWED_DROPPING, StageEvent.DROP): Stage.FOLLOWED_DROPPING,
}
"""A pair that is not there changes nothing: of a job that has ended, or whose create cannot leave any more."""

DROPPING: Final = frozenset({Stage.WAITING_DROPPING, Stage.SENDING_DROPPING, Stage.FOLLOWED_DROPPING})


class _Meaning(Enum):
    """What an error says of its job."""

    UNKNOWN = auto()
    """Nobody can tell whether it was bought."""
    REFUSED = auto()
    """A verdict on the request: it would be refused again."""
    LOST = auto()
    """A verdict on the job, or on its request."""
    CLOSED = auto()
    """It is not followed any more."""
    TROUBLE = auto()
    """No verdict: the account, the network, the disk, the deadline."""


_MEANING: Final[Mapping[type[VideoError], _Meaning]] = {
    SubmitUncertain: _Meaning.UNKNOWN,
    InvalidRequest: _Meaning.REFUSED,
    RequestRefused: _Meaning.REFUSED,
    ModelUnavailable: _Meaning.REFUSED,
    JobFailed: _Meaning.LOST,
    JobExpired: _Meaning.LOST,
    SessionClosed: _Meaning.CLOSED,
    VideoError: _Meaning.TROUBLE,
}
"""By the error's class, or the nearest of its bases that stands here."""

_END: Final[Mapping[tuple[_Meaning, bool], Stage]] = {
    (_Meaning.UNKNOWN, False): Stage.UNCERTAIN,
    (_Meaning.UNKNOWN, True): Stage.UNCERTAIN,
    (_Meaning.REFUSED, False): Stage.FAILED,
    (_Meaning.REFUSED, True): Stage.LEFT,  # of what was bought a refused request says nothing
    (_Meaning.LOST, False): Stage.FAILED,
    (_Meaning.LOST, True): Stage.FAILED,
    (_Meaning.CLOSED, False): Stage.LEFT,
    (_Meaning.CLOSED, True): Stage.LEFT,
    (_Meaning.TROUBLE, False): Stage.LEFT,
    (_Meaning.TROUBLE, True): Stage.LEFT,
}
"""By what the error means, and whether the job was bought."""


def is_verdict(error: VideoError) -> bool:
    """Whether *error* is final for a job that was not bought: the same request would be refused again."""
    return _END[_meaning(error), False] is Stage.FAILED


def end_of(stage: Stage, error: VideoError | None, durability: Durability, *, bought: bool, wants_file: bool) -> Stage:
    """Return the stage in which a job ends.

    Args:
        stage: Where it stands.
        error: What it ends with; None when it ended well.
        durability: What the ledger keeps of it.
        bought: Whether the gateway named it.
        wants_file: Whether its video was to be saved.
    """
    if error is None:
        return Stage.SAVED if wants_file else Stage.DONE
    meaning = _meaning(error)
    end = _END[meaning, bought]
    if end is not Stage.LEFT:
        return end
    if meaning is not _Meaning.CLOSED and (
        durability is Durability.EPHEMERAL or (durability is Durability.ONCE and not bought)
    ):
        return Stage.FAILED
    if stage in DROPPING and (meaning is _Meaning.CLOSED or not bought):
        return Stage.DROPPED
    return Stage.LEFT


def _meaning(error: VideoError) -> _Meaning:
    return next(_MEANING[kind] for kind in type(error).__mro__ if kind in _MEANING)
